"""From header lines to an `ObservationHeader`: at the top of a file, and again for the records of an event.

What a line gets wrong is reported and loses that line's value only. Repairs done here: an antenna and radome that share
one field, a position of zeros, a missing time system, counts of types that lie.
Source: RINEX 2.11, 3.05, 4.02 table A2; radomes of the IGS rcvr_ant.tab.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from cors.gnss.time import NS, gpst_from_calendar
from cors.rinex.diagnostics import Code, DiagnosticLog
from cors.rinex.fields import integer, real, whole
from cors.rinex.labels import HeaderRecord
from cors.rinex.observation.header import (
    ALL_SYSTEMS,
    MOVING_MARKERS,
    AppliedCorrection,
    ObservationHeader,
    PhaseShift,
    Vector,
)
from cors.rinex.timescale import TimeSystem, default_system, time_system

EARTH_SHELL_M = (6.3e6, 6.42e6)
"""|r| of a marker on the ground lies in here, m."""
_MAX_TYPES = 400
"""Codes a system may declare; a header that claims more is cut there."""
_RADOMES = frozenset(
    ("NONE", "SCIS", "SCIT", "SNOW", "TZGD", "LEIT", "LEIM", "LEIC", "LEIS", "CONE", "DOME", "AUST", "DUTD", "GRAZ",
     "TPSH", "TPSD", "JVDM", "JVSD", "JPLA", "JVGR", "HXCS", "HXCG", "HXCM", "UNAV", "ENCL", "OLGA", "EMRA", "BEVA",
     "OSOD", "PFAN", "DOMA", "NOVS", "STHC", "STXS", "TCWD", "CHCD", "SPKE", "UNKN", "RAMO", "ARFC", "ARFS", "SCPL")
)  # fmt: skip


@dataclass
class _Draft:
    """A header in the making and where findings go."""

    values: dict[str, Any]
    """Fields of the header by name."""
    log: DiagnosticLog
    types: dict[str, tuple[str, ...]]
    scale_factors: dict[tuple[str, str], int]
    declared: dict[str, tuple[int, int]]
    """Count a types record printed and its line, by system."""
    current: str = ""
    """System of a record that may continue on the next line."""
    scale: tuple[str, int, int] = ("", 1, 0)
    """System, factor and codes still to come of a scale record."""
    time_line: int | None = None
    time_given: bool = False
    position_line: int | None = None

    def set(self, **values: object) -> None:
        """Replace fields of the header."""
        self.values.update(values)

    def header(self) -> ObservationHeader:
        """The header as it stands."""
        self.values |= {"types": self.types, "scale_factors": self.scale_factors}
        return ObservationHeader(**self.values)


_FIELDS = tuple(field.name for field in fields(ObservationHeader))


def read_header(
    records: Iterable[HeaderRecord], version: float, system: str, log: DiagnosticLog
) -> tuple[ObservationHeader, int | None]:
    """Header of a file from its records (without the first), and the line of a RINEX 2 types count that lies."""
    system = system.strip() or ("G" if version < 3.0 else "M")
    records = tuple(records)
    draft = _Draft({"version": version, "system": system, "records": records}, log, {}, {}, {})
    _apply(draft, records)
    _conclude_time_system(draft)
    _conclude_position(draft)
    return draft.header(), _report_counts(draft)


def changed_header(header: ObservationHeader, records: Iterable[HeaderRecord], log: DiagnosticLog) -> ObservationHeader:
    """The header that holds after an event with these records (flags 2, 3 and 4)."""
    values = {name: getattr(header, name) for name in _FIELDS}
    draft = _Draft(values, log, dict(header.types), dict(header.scale_factors), {})
    records = tuple(records)
    _apply(draft, records)
    _report_counts(draft)
    if draft.position_line is not None:
        _conclude_position(draft)
    draft.set(records=header.records + records)
    return draft.header()


def _apply(draft: _Draft, records: Iterable[HeaderRecord]) -> None:
    seen_types: set[str] = set()
    for record in records:
        reader = _READERS.get(record.label)
        if reader is None:
            continue
        if record.label.endswith(("OBS TYPES", "TYPES OF OBSERV")):
            _restart_types(draft, record, seen_types)
        try:
            reader(draft, record.content, record.line)
        except ValueError as error:
            draft.log.note(Code.HEADER_VALUE, record.line, record.content + record.label, str(error))


def _restart_types(draft: _Draft, record: HeaderRecord, seen: set[str]) -> None:
    """The first types line of a system within these records replaces what held before."""
    old_style = record.label.startswith("#")
    key = ALL_SYSTEMS if old_style else record.content[0]
    fresh = record.content[:6].strip() if old_style else key != " "
    if fresh and key not in seen:
        draft.types.pop(key, None)
        draft.declared.pop(key, None)
        seen.add(key)


# --- single records -----------------------------------------------------------------------------------------------


def _text(field: str, start: int = 0, stop: int = 60) -> Callable[[_Draft, str, int], None]:
    def read(draft: _Draft, content: str, line: int) -> None:
        text = content[start:stop].strip()
        if text or field != "marker_type":
            draft.set(**{field: text})

    return read


def _program(draft: _Draft, content: str, line: int) -> None:
    draft.set(program=content[:20].strip(), run_by=content[20:40].strip(), date=content[40:60].strip())


def _observer(draft: _Draft, content: str, line: int) -> None:
    draft.set(observer=content[:20].strip(), agency=content[20:60].strip())


def _receiver(draft: _Draft, content: str, line: int) -> None:
    serial, kind, firmware = content[:20].strip(), content[20:40].strip(), content[40:60].strip()
    draft.set(receiver_serial=serial, receiver_type=kind, receiver_firmware=firmware)


def _antenna(draft: _Draft, content: str, line: int) -> None:
    name, radome = content[20:36].strip(), content[36:40].strip()
    parts = content[20:40].split()
    if not radome and len(parts) == 2:
        known = len(parts[1]) == 4 and parts[1] in _RADOMES
        name, radome = (parts[0], parts[1]) if known else (name, "NONE")
        draft.log.note(Code.ANTENNA_COLUMNS, line, content, "antenna in columns 21-36, radome in 37-40", column=21)
    draft.set(antenna_serial=content[:20].strip(), antenna_type=name, radome=radome)


def _vector(draft: _Draft, content: str, line: int) -> Vector | None:
    """3F14.4; three words where they do not stand in their columns (reported)."""
    try:
        x, y, z = (real(content[n : n + 14]) for n in (0, 14, 28))
    except ValueError:
        words = content.split()
        if len(words) != 3:
            raise
        draft.log.note(Code.HEADER_VALUE, line, content, "three numbers of 14 columns")
        x, y, z = (real(word) for word in words)
    return None if math.isnan(x + y + z) else (x, y, z)


def _position(draft: _Draft, content: str, line: int) -> None:
    draft.position_line = line
    draft.set(position=_vector(draft, content, line))


def _delta(draft: _Draft, content: str, line: int) -> None:
    draft.set(antenna_delta_hen=_vector(draft, content, line) or (0.0, 0.0, 0.0))


def _delta_xyz(draft: _Draft, content: str, line: int) -> None:
    draft.set(antenna_delta_xyz=_vector(draft, content, line))


def _wavelength(draft: _Draft, content: str, line: int) -> None:
    if integer(content[12:18]) in (None, 0):
        draft.set(wavelength_factors=(integer(content[:6]) or 1, integer(content[6:12]) or 0))


def _types_2(draft: _Draft, content: str, line: int) -> None:
    count = integer(content[:6])
    if count is not None:
        draft.declared.setdefault(ALL_SYSTEMS, (count, line))
    codes = tuple(code for n in range(9) if (code := content[6 + 6 * n : 12 + 6 * n].strip()))
    draft.types[ALL_SYSTEMS] = (draft.types.get(ALL_SYSTEMS, ()) + codes)[:_MAX_TYPES]


def _types_3(draft: _Draft, content: str, line: int) -> None:
    if content[0] != " ":
        draft.current = content[0]
        draft.declared[draft.current] = (integer(content[3:6]) or 0, line)
    if not draft.current:
        raise ValueError("expected a system letter in column 1")
    codes = tuple(code for n in range(13) if (code := content[7 + 4 * n : 10 + 4 * n].rstrip()))
    draft.types[draft.current] = (draft.types.get(draft.current, ()) + codes)[:_MAX_TYPES]


def _interval(draft: _Draft, content: str, line: int) -> None:
    value = real(content[:10])
    draft.set(interval_s=value if value > 0.0 else None)


def _calendar(content: str) -> int | None:
    parts = [integer(content[6 * n : 6 * n + 6]) for n in range(5)]
    if parts[0] is None or parts[1] is None or parts[2] is None:
        return None
    second = real(content[30:43])
    year, month, day, hour, minute = (p or 0 for p in parts)
    if year < 100:
        year += 1900 if year >= 80 else 2000
    return gpst_from_calendar(year, month, day, hour, minute, round((0.0 if math.isnan(second) else second) * NS))


def _first_obs(draft: _Draft, content: str, line: int) -> None:
    draft.time_line = line
    system = time_system(content[48:51])
    if system is not None:
        draft.time_given = True
        draft.set(time_system=system)
    draft.set(first_obs=_calendar(content))


def _last_obs(draft: _Draft, content: str, line: int) -> None:
    draft.set(last_obs=_calendar(content))


def _clock_applied(draft: _Draft, content: str, line: int) -> None:
    draft.set(clock_offsets_applied=integer(content[:6]) == 1)


def _dcbs(draft: _Draft, content: str, line: int) -> None:
    draft.set(dcbs=(*draft.values.get("dcbs", ()), _applied(content)))


def _pcvs(draft: _Draft, content: str, line: int) -> None:
    draft.set(pcvs=(*draft.values.get("pcvs", ()), _applied(content)))


def _applied(content: str) -> AppliedCorrection:
    return AppliedCorrection(content[0], content[2:19].strip(), content[20:60].strip())


def _scale(draft: _Draft, content: str, line: int) -> None:
    if content[0] != " ":
        factor, count = integer(content[2:6]), integer(content[8:10]) or 0
        if factor not in (1, 10, 100, 1000):
            raise ValueError(f"scale factor {factor} (expected 1, 10, 100 or 1000)")
        draft.scale = (content[0], factor, count)
        if count == 0:
            draft.scale_factors.update({(content[0], code): factor for code in draft.types.get(content[0], ())})
    system, factor, left = draft.scale
    codes = [code for n in range(12) if (code := content[11 + 4 * n : 14 + 4 * n].strip())][:left]
    draft.scale_factors.update({(system, code): factor for code in codes})
    draft.scale = (system, factor, left - len(codes))


def _phase_shift(draft: _Draft, content: str, line: int) -> None:
    shifts: tuple[PhaseShift, ...] = draft.values.get("phase_shifts", ())
    satellites = tuple(s for n in range(10) if (s := content[19 + 4 * n : 22 + 4 * n].strip()))
    if content[0] == " ":
        if shifts:
            last = replace(shifts[-1], satellites=shifts[-1].satellites + satellites)
            draft.set(phase_shifts=(*shifts[:-1], last))
        return
    cycles = real(content[6:14])
    shift = PhaseShift(content[0], content[2:5].strip(), None if math.isnan(cycles) else cycles, satellites)
    draft.set(phase_shifts=(*shifts, shift))


def _slots(draft: _Draft, content: str, line: int) -> None:
    channels = dict(draft.values.get("glonass_channels", {}))
    for n in range(8):
        name, k = content[4 + 7 * n : 7 + 7 * n], content[8 + 7 * n : 10 + 7 * n]
        slot = integer(name[1:]) if name.strip() else None
        channel = integer(k)
        if slot is not None and channel is not None:
            channels[slot] = channel
    draft.set(glonass_channels=channels)


def _biases(draft: _Draft, content: str, line: int) -> None:
    biases = dict(draft.values.get("glonass_biases", {})) or dict.fromkeys(("C1C", "C1P", "C2C", "C2P"))
    for n in range(4):
        code, value = content[1 + 13 * n : 4 + 13 * n].strip(), real(content[5 + 13 * n : 13 + 13 * n])
        if code:
            biases[code] = None if math.isnan(value) else value
    draft.set(glonass_biases=biases)


def _leap(draft: _Draft, content: str, line: int) -> None:
    draft.set(leap_seconds=whole(content[:6]))


_READERS: dict[str, Callable[[_Draft, str, int], None]] = {
    "PGM / RUN BY / DATE": _program,
    "MARKER NAME": _text("marker_name"),
    "MARKER NUMBER": _text("marker_number", 0, 20),
    "MARKER TYPE": _text("marker_type", 0, 20),
    "OBSERVER / AGENCY": _observer,
    "REC # / TYPE / VERS": _receiver,
    "ANT # / TYPE": _antenna,
    "APPROX POSITION XYZ": _position,
    "ANTENNA: DELTA H/E/N": _delta,
    "ANTENNA: DELTA X/Y/Z": _delta_xyz,
    "WAVELENGTH FACT L1/2": _wavelength,
    "# / TYPES OF OBSERV": _types_2,
    "SYS / # / OBS TYPES": _types_3,
    "SIGNAL STRENGTH UNIT": _text("signal_strength_unit", 0, 20),
    "INTERVAL": _interval,
    "TIME OF FIRST OBS": _first_obs,
    "TIME OF LAST OBS": _last_obs,
    "RCV CLOCK OFFS APPL": _clock_applied,
    "SYS / DCBS APPLIED": _dcbs,
    "SYS / PCVS APPLIED": _pcvs,
    "SYS / SCALE FACTOR": _scale,
    "SYS / PHASE SHIFT": _phase_shift,
    "GLONASS SLOT / FRQ #": _slots,
    "GLONASS COD/PHS/BIS": _biases,
    "LEAP SECONDS": _leap,
}


# --- what only the whole header tells -----------------------------------------------------------------------------


def _conclude_time_system(draft: _Draft) -> None:
    if draft.time_given:
        return
    system = default_system(draft.values["system"])
    if system is None:
        draft.log.note(
            Code.TIME_SYSTEM_MISSING, draft.time_line, "", "a time system in columns 49-51 of TIME OF FIRST OBS"
        )
    draft.set(time_system=system or TimeSystem.GPS)


def _conclude_position(draft: _Draft) -> None:
    position, moving = draft.values.get("position"), draft.values.get("marker_type", "") in MOVING_MARKERS
    radius = math.hypot(*position) if position else 0.0
    if position and (EARTH_SHELL_M[0] <= radius <= EARTH_SHELL_M[1] or (moving and radius > 0.0)):
        return
    if not (moving and draft.position_line is None):
        shown = "" if position is None else " ".join(f"{x:.4f}" for x in position)
        draft.log.note(Code.POSITION_UNKNOWN, draft.position_line, shown, "ECEF coordinates of the marker, m")
    draft.set(position=None)


def _report_counts(draft: _Draft) -> int | None:
    for key, (count, line) in draft.declared.items():
        listed = len(draft.types.get(key, ()))
        if count != listed:
            draft.log.note(Code.TYPES_COUNT, line, f"{count} declared, {listed} listed", f"{listed} declared")
            if key == ALL_SYSTEMS:
                return count
    return None
