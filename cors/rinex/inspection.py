"""What is in a RINEX file, for programs: everything as records, or a summary.

The records are those of `cors inspect --values --ndjson`: `header`, `epoch`, `event`, `navigation`, `diagnostic`; plain
values only, absent ones left out or None. The summary counts, and says where something is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import ObservationFlag
from cors.gnss.satellites import satellite_name
from cors.gnss.selection import consistent, healthy
from cors.gnss.signals import signal_code, signal_name
from cors.gnss.time import NS, iso_gpst
from cors.rinex.diagnostics import Diagnostic, DiagnosticLog
from cors.rinex.header_lines import read_version
from cors.rinex.labels import VERSION, HeaderRecord
from cors.rinex.navigation.file import NavigationFile
from cors.rinex.navigation.reading import navigation_of
from cors.rinex.observation.file import Event, ObservationFile, PlacedComment
from cors.rinex.observation.reading import observations_of
from cors.rinex.observation.records import epoch_records
from cors.rinex.timescale import iso_calendar
from cors.rinex.transport import Source, load

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
Record: TypeAlias = "dict[str, Value]"

MAX_GAPS = 200
"""Gaps listed one by one; all are counted."""


def read_rinex(source: Source) -> ObservationFile | NavigationFile:
    """An observation or navigation file, by what its first line says.

    Raises OSError, NotRinexError, UnreadableArchiveError, CompactRinexError.
    """
    log = DiagnosticLog()
    loaded = load(source, log)
    version, _ = read_version(loaded.text, loaded.name)
    return observations_of(loaded, log) if version.file_type == "O" else navigation_of(loaded, log)


def records(file: ObservationFile | NavigationFile) -> Iterator[Record]:
    """Everything in a file, in its order; findings at the end."""
    yield _header(file)
    yield from _observation_records(file) if isinstance(file, ObservationFile) else _navigation_records(file)
    for diagnostic in file.diagnostics:
        yield _diagnostic(diagnostic)


def summary(file: ObservationFile | NavigationFile) -> Record:
    """Counts by code or message, times, gaps, slips, satellites, findings by code."""
    return _observation_summary(file) if isinstance(file, ObservationFile) else _navigation_summary(file)


# --- records ------------------------------------------------------------------------------------------------------


def _header(file: ObservationFile | NavigationFile) -> Record:
    at = file.text.first_line_with_content()
    first = HeaderRecord(VERSION, file.text.line(at)[0][:60], file.text.line_number(at))
    lines: list[Value] = [_line(record) for record in (first, *file.header.records)]
    return {
        "kind": "header", "file": file.name, "version": file.header.version, "system": file.header.system,
        "records": lines,
    }  # fmt: skip


def _line(record: HeaderRecord) -> Record:
    return {"label": record.label, "content": record.content.rstrip(), "line": record.line}


def _diagnostic(d: Diagnostic) -> Record:
    return {
        "kind": "diagnostic", "code": d.code.value, "line": d.line, "column": d.column, "offset": d.offset,
        "severity": d.severity.value, "text": d.text, "expected": d.expected,
    }  # fmt: skip


def _observation_records(file: ObservationFile) -> Iterator[Record]:
    items: list[Event | PlacedComment] = [*file.events, *file.comments]
    items.sort(key=lambda item: (item.after_epoch, item.line), reverse=True)
    station = file.header.marker_name
    for record in epoch_records(file):
        while items and items[-1].after_epoch < record.epoch:
            yield (shown := _item(items.pop(), station))
            station = str(shown["station"])
        values: dict[str, Value] = {
            satellite: {code: [value, lli, ssi] for code, (value, lli, ssi) in codes.items()}
            for satellite, codes in record.values.items()
        }
        shown = {
            "kind": "epoch", "time": iso_calendar(record.calendar), "time_system": file.time_system.value,
            "flag": record.flag, "station": station, "clock_offset_s": record.clock_offset_s, "values": values,
        }  # fmt: skip
        if record.picoseconds is not None:
            shown["picoseconds"] = record.picoseconds
        yield shown
    while items:
        yield (shown := _item(items.pop(), station))
        station = str(shown["station"])


def _item(item: Event | PlacedComment, station: str) -> Record:
    if isinstance(item, PlacedComment):
        comment: list[Value] = [{"label": "COMMENT", "content": item.text, "line": item.line}]
        return {"kind": "event", "flag": None, "time": None, "station": station, "line": item.line, "records": comment}
    if item.header is not None:
        station = item.header.marker_name
    shown: Record = {
        "kind": "event", "flag": item.flag, "time": None if item.calendar is None else iso_calendar(item.calendar),
        "station": station, "line": item.line, "records": [_line(record) for record in item.records],
    }  # fmt: skip
    if item.flag == 6:
        shown["slips"] = {satellite: dict(slips) for satellite, slips in item.slips.items()}
    return shown


def _navigation_records(file: NavigationFile) -> Iterator[Record]:
    for record in file.records():
        fields: dict[str, Value] = dict(record.fields)
        if record.kind.record_class == "STO":
            fields |= dict(zip(("offset", "sbas", "utc"), record.texts, strict=True))
        yield {
            "kind": "navigation", "satellite": record.satellite, "message": record.kind.message,
            "class": record.kind.record_class, "subtype": record.subtype or None,
            "time": iso_calendar(record.calendar, 0), "line": record.line, "fields": fields,
        }  # fmt: skip


# --- summaries ----------------------------------------------------------------------------------------------------


def _observation_summary(file: ObservationFile) -> Record:
    header, obs, tags = file.header, file.observations, file.epochs.tags
    slips = (obs.flags & ObservationFlag.SLIP) != 0
    names: list[Value] = [satellite_name(s) for s in np.unique(obs.satellite).tolist()]
    gaps, gap_count = _gaps(file)
    position: list[Value] | None = None if header.position is None else list(header.position)
    return {
        "kind": "observation", "file": file.name, "version": header.version, "compact": file.compact,
        "station": header.marker_name, "receiver": header.receiver_type, "firmware": header.receiver_firmware,
        "antenna": header.antenna_type, "radome": header.radome, "position": position,
        "antenna_delta_hen": list(header.antenna_delta_hen), "time_system": file.time_system.value,
        "first": iso_gpst(int(tags.min()), 7) if tags.size else None,
        "last": iso_gpst(int(tags.max()), 7) if tags.size else None,
        "interval_s": file.interval_s, "epochs": int(tags.size), "satellites": names, "codes": _codes(file),
        "values": int(sum(np.count_nonzero(present) for present in _present(file))), "gap_count": gap_count,
        "gaps": gaps, "slips": int(slips.sum()), "slips_by_signal": _by_signal(obs.signal[slips]),
        "events": _counted(Counter(str(event.flag) for event in file.events)), "comments": len(file.comments),
        "withheld_phases": {satellite_name(s): n for s, n in file.withheld_phases.items()},
        "diagnostics": _counted(Counter(file.diagnostic_counts)),
    }  # fmt: skip


def _codes(file: ObservationFile) -> Record:
    """Values by constellation and RINEX 3 code."""
    obs = file.observations
    codes: dict[str, dict[str, Value]] = {}
    for kind, present in zip("CLDS", _present(file), strict=True):
        signals, counts = np.unique(obs.signal[present], return_counts=True)
        for signal, count in zip(signals.tolist(), counts.tolist(), strict=True):
            codes.setdefault(signal_name(signal)[0], {})[kind + signal_code(signal)] = count
    return {system: dict(sorted(found.items(), key=lambda c: c[0][1:])) for system, found in codes.items()}


def _present(file: ObservationFile) -> tuple[NDArray[np.bool_], ...]:
    """[rows] where C, L, D and S have a value."""
    obs = file.observations
    columns = (obs.pseudorange, obs.phaserange, obs.phaserange_rate)
    return (*(~np.isnan(column) for column in columns), ~np.isnan(obs.cn0))


def _by_signal(signals: NDArray[np.uint16]) -> Record:
    found, counts = np.unique(signals, return_counts=True)
    return {signal_name(s): n for s, n in zip(found.tolist(), counts.tolist(), strict=True)}


def _gaps(file: ObservationFile) -> tuple[list[Value], int]:
    """Stretches of more than one interval between epochs."""
    if file.interval_s is None:
        return [], 0
    tags = np.sort(file.epochs.tags)
    steps = np.diff(tags)
    wide = np.flatnonzero(steps > 1.5 * file.interval_s * NS)
    gaps: list[Value] = [
        {
            "after": iso_gpst(int(tags[n])), "before": iso_gpst(int(tags[n + 1])),
            "missing": round(int(steps[n]) / (file.interval_s * NS)) - 1,
        }
        for n in wide[:MAX_GAPS].tolist()
    ]  # fmt: skip
    return gaps, int(wide.size)


def _counted(counter: Counter[str]) -> Record:
    return {str(key): count for key, count in sorted(counter.items())}


def _navigation_summary(file: NavigationFile) -> Record:
    kinds: Counter[str] = Counter()
    for record in file.records():
        kinds[f"{record.kind.record_class} {record.satellite[0]} {record.kind.message}"] += 1
    sets = file.ephemerides
    times = [e.toe for e in sets]
    return {
        "kind": "navigation", "file": file.name, "version": file.header.version, "records": len(file),
        "messages": _counted(kinds), "ephemerides": len(sets),
        "satellites": [satellite_name(s) for s in sorted({e.satellite for e in sets})],
        "first": iso_gpst(min(times), 0) if times else None, "last": iso_gpst(max(times), 0) if times else None,
        "unhealthy": sum(not healthy(e) for e in sets), "inconsistent": sum(not consistent(e) for e in sets),
        "ionosphere": [f"{m.system} {m.model}" for m in file.ionosphere[:20]],
        "leap_seconds": None if file.header.leap_seconds is None else file.header.leap_seconds.current,
        "diagnostics": _counted(Counter(file.diagnostic_counts)),
    }  # fmt: skip
