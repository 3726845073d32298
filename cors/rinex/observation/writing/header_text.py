"""Observation headers as text, in the order validators want and with all records the version asks for.

Values come from an `ObservationHeader`; comments, unknown lines and records without a value of their own keep the place
they had among the records that were read. Only what is known to be true is written: no counts of observations.
Source: RINEX 2.11, 3.05, 4.02 table A2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cors.gnss.time import NS, calendar
from cors.rinex.labels import COMMENT, END, KNOWN, VERSION, HeaderRecord
from cors.rinex.observation.header import ALL_SYSTEMS, ObservationHeader
from cors.rinex.timescale import TimeSystem

PROGRAM = "corsnet"
_KEPT = frozenset(
    ("ANTENNA: PHASECENTER", "ANTENNA: B.SIGHT XYZ", "ANTENNA: ZERODIR AZI", "ANTENNA: ZERODIR XYZ",
     "CENTER OF MASS: XYZ", "DOI", "LICENSE OF USE", "STATION INFORMATION")
)  # fmt: skip
"""Known records that have no field of their own: written as read."""
_ONLY_4 = frozenset(("DOI", "LICENSE OF USE", "STATION INFORMATION"))
_BIAS_CODES = ("C1C", "C1P", "C2C", "C2P")


@dataclass(frozen=True, slots=True)
class Written:
    """What the data behind a header are."""

    version: float
    types: Mapping[str, tuple[str, ...]]
    """Codes by system letter (RINEX 2: under `ALL_SYSTEMS`)."""
    systems: str
    """Letters of the constellations in the data."""
    first: int | None = None
    """Calendar ns of the first epoch."""
    last: int | None = None
    """Calendar ns of the last epoch where it is known."""


def line(content: str, label: str) -> str:
    """One header line of 80 columns, ASCII."""
    ascii_only = content.encode("ascii", "replace").decode()
    return f"{ascii_only[:60]:<60}{label:<20}"


def header_lines(header: ObservationHeader, written: Written) -> list[str]:
    """All lines of a header, END OF HEADER included."""
    kept = _placed(header, written.version)
    lines = kept.pop("", [])
    for label, content in _contents(header, written):
        lines += [line(text, label) for text in content(header, written)]
        lines += kept.pop(label, [])
    for left in kept.values():
        lines += left
    return [_version(header, written), *_first(lines), line("", END)]


def event_lines(records: tuple[HeaderRecord, ...]) -> list[str]:
    """Lines of an event record."""
    return [line(record.content, record.label) for record in records]


def date_text(gpst_utc_ns: int) -> str:
    """`20260309 000000 UTC` of a UTC instant (ns since 1980-01-06), for PGM / RUN BY / DATE."""
    year, month, day, hour, minute, second_ns = calendar(gpst_utc_ns)
    return f"{year:04d}{month:02d}{day:02d} {hour:02d}{minute:02d}{second_ns // NS:02d} UTC"


def _first(lines: list[str]) -> list[str]:
    """PGM / RUN BY / DATE comes before comments that stood above it."""
    at = next((n for n, text in enumerate(lines) if text[60:].startswith("PGM")), 0)
    return [lines[at], *lines[:at], *lines[at + 1 :]]


def _placed(header: ObservationHeader, version: float) -> dict[str, list[str]]:
    """Lines kept as read, by the label of the written record they stood behind ("" at the top)."""
    kept: dict[str, list[str]] = {}
    anchor = ""
    for record in header.records:
        own = record.label == COMMENT or record.label in _KEPT or record.label not in KNOWN
        if not own:
            anchor = record.label if record.label not in ("# / TYPES OF OBSERV", "SYS / # / OBS TYPES") else "TYPES"
        elif record.label not in _ONLY_4 or version >= 4.0:
            kept.setdefault(anchor, []).append(line(record.content, record.label))
    if "TYPES" in kept:
        kept["# / TYPES OF OBSERV" if version < 3.0 else "SYS / # / OBS TYPES"] = kept.pop("TYPES")
    return kept


# --- records ------------------------------------------------------------------------------------------------------

_Lines = Callable[[ObservationHeader, Written], Iterator[str]]


def _version(header: ObservationHeader, written: Written) -> str:
    system = written.systems if len(written.systems) == 1 else "M"
    return line(f"{written.version:9.2f}{'':11}{'OBSERVATION DATA':<20}{system:<20}", VERSION)


def _program(header: ObservationHeader, written: Written) -> Iterator[str]:
    yield f"{PROGRAM:<20}{header.run_by[:20]:<20}{header.date[:20]:<20}"


def _observer(header: ObservationHeader, written: Written) -> Iterator[str]:
    yield f"{header.observer[:20]:<20}{header.agency[:40]:<40}"


def _receiver(header: ObservationHeader, written: Written) -> Iterator[str]:
    yield f"{header.receiver_serial[:20]:<20}{header.receiver_type[:20]:<20}{header.receiver_firmware[:20]:<20}"


def _antenna(header: ObservationHeader, written: Written) -> Iterator[str]:
    radome = header.radome or ("NONE" if header.antenna_type else "")
    yield f"{header.antenna_serial[:20]:<20}{header.antenna_type[:16]:<16}{radome[:4]:<4}"


def _vector(vector: tuple[float, float, float]) -> str:
    return "".join(f"{x + 0.0:14.4f}" for x in vector)


def _position(header: ObservationHeader, written: Written) -> Iterator[str]:
    yield _vector(header.position or (0.0, 0.0, 0.0))


def _delta(header: ObservationHeader, written: Written) -> Iterator[str]:
    yield _vector(header.antenna_delta_hen)


def _delta_xyz(header: ObservationHeader, written: Written) -> Iterator[str]:
    if header.antenna_delta_xyz is not None:
        yield _vector(header.antenna_delta_xyz)


def _wavelength(header: ObservationHeader, written: Written) -> Iterator[str]:
    yield f"{header.wavelength_factors[0]:6d}{header.wavelength_factors[1]:6d}"


def _types_2(header: ObservationHeader, written: Written) -> Iterator[str]:
    codes = written.types.get(ALL_SYSTEMS, ())
    for n in range(0, max(len(codes), 1), 9):
        front = f"{len(codes):6d}" if n == 0 else " " * 6
        yield front + "".join(f"    {code:2s}" for code in codes[n : n + 9])


def _types_3(header: ObservationHeader, written: Written) -> Iterator[str]:
    for system in written.systems:
        codes = written.types[system]
        for n in range(0, len(codes), 13):
            front = f"{system}  {len(codes):3d}" if n == 0 else " " * 6
            yield front + "".join(f" {code:3s}" for code in codes[n : n + 13])


def _unit(header: ObservationHeader, written: Written) -> Iterator[str]:
    if header.signal_strength_unit:
        yield header.signal_strength_unit
    elif not header.records and any(code[0] == "S" for codes in written.types.values() for code in codes):
        yield "DBHZ"


def _interval(header: ObservationHeader, written: Written) -> Iterator[str]:
    if header.interval_s is not None:
        yield f"{header.interval_s:10.3f}"


def _time(instant: int, system: TimeSystem) -> str:
    year, month, day, hour, minute, second_ns = calendar(instant)
    second = f"{second_ns // NS:5d}.{second_ns % NS // 100:07d}"
    return f"{year:6d}{month:6d}{day:6d}{hour:6d}{minute:6d}{second}     {system.value}"


def _first_obs(header: ObservationHeader, written: Written) -> Iterator[str]:
    first = written.first if written.first is not None else header.first_obs
    if first is not None:
        yield _time(first, header.time_system)


def _last_obs(header: ObservationHeader, written: Written) -> Iterator[str]:
    if written.last is not None:
        yield _time(written.last, header.time_system)


def _clock_applied(header: ObservationHeader, written: Written) -> Iterator[str]:
    if header.clock_offsets_applied:
        yield f"{1:6d}"


def _dcbs(header: ObservationHeader, written: Written) -> Iterator[str]:
    for c in header.dcbs:
        yield f"{c.system:1s} {c.program[:17]:<17s} {c.source[:40]}"


def _pcvs(header: ObservationHeader, written: Written) -> Iterator[str]:
    for c in header.pcvs:
        yield f"{c.system:1s} {c.program[:17]:<17s} {c.source[:40]}"


def _scale(header: ObservationHeader, written: Written) -> Iterator[str]:
    groups: dict[tuple[str, int], list[str]] = {}
    for (system, code), factor in header.scale_factors.items():
        if factor != 1 and code in written.types.get(system, ()):
            groups.setdefault((system, factor), []).append(code)
    for (system, factor), codes in groups.items():
        for n in range(0, len(codes), 12):
            front = f"{system} {factor:4d}  {len(codes):2d}" if n == 0 else " " * 10
            yield front + "".join(f" {code:3s}" for code in codes[n : n + 12])


def _phase_shift(header: ObservationHeader, written: Written) -> Iterator[str]:
    told = {(s.system, s.code): s for s in header.phase_shifts}
    for system in written.systems:
        if (system, "") in told and not any(key[0] == system and key[1] for key in told):
            yield system
            continue
        for code in written.types[system]:
            if code[0] == "L":
                shift = told.get((system, code))
                cycles = 0.0 if shift is None else shift.cycles
                satellites = shift.satellites if shift is not None else ()
                text = f"{system} {code}" + ("" if cycles is None else f" {cycles + 0.0:8.5f}")
                if satellites:
                    text = f"{text:<14}  {len(satellites):02d}"
                yield text + "".join(f" {s:3s}" for s in satellites[:10])
                for n in range(10, len(satellites), 10):
                    yield " " * 18 + "".join(f" {s:3s}" for s in satellites[n : n + 10])


def _slots(header: ObservationHeader, written: Written) -> Iterator[str]:
    if "R" not in written.systems:
        return
    slots = sorted(header.glonass_channels.items())
    for n in range(0, max(len(slots), 1), 8):
        front = f"{len(slots):3d} " if n == 0 else " " * 4
        yield front + "".join(f"R{slot:02d} {k:2d} " for slot, k in slots[n : n + 8])


def _biases(header: ObservationHeader, written: Written) -> Iterator[str]:
    if "R" in written.systems:
        biases = [(code, header.glonass_biases.get(code)) for code in _BIAS_CODES]
        yield "".join(f" {code} {'' if bias is None else format(bias + 0.0, '.3f'):>8s}" for code, bias in biases)


def _leap(header: ObservationHeader, written: Written) -> Iterator[str]:
    read = [r.content for r in header.records if r.label == "LEAP SECONDS"]
    if read:
        yield read[-1] if written.version >= 3.0 else read[-1][:6]
    elif header.leap_seconds is not None:
        yield f"{header.leap_seconds:6d}"


def _text(field: str, width: int = 60) -> _Lines:
    def lines(header: ObservationHeader, written: Written) -> Iterator[str]:
        text = getattr(header, field)
        if text or field == "marker_name" or (field == "marker_type" and written.version >= 3.0):
            yield text[:width]

    return lines


def _contents(header: ObservationHeader, written: Written) -> Iterator[tuple[str, _Lines]]:
    """Records in the order they are written, by version."""
    old = written.version < 3.0
    yield "PGM / RUN BY / DATE", _program
    yield "MARKER NAME", _text("marker_name")
    yield "MARKER NUMBER", _text("marker_number", 20)
    if not old:
        yield "MARKER TYPE", _text("marker_type", 20)
    yield "OBSERVER / AGENCY", _observer
    yield "REC # / TYPE / VERS", _receiver
    yield "ANT # / TYPE", _antenna
    yield "APPROX POSITION XYZ", _position
    yield "ANTENNA: DELTA H/E/N", _delta
    if old:
        yield "WAVELENGTH FACT L1/2", _wavelength
        yield "# / TYPES OF OBSERV", _types_2
    else:
        yield "ANTENNA: DELTA X/Y/Z", _delta_xyz
        yield "SYS / # / OBS TYPES", _types_3
        yield "SIGNAL STRENGTH UNIT", _unit
    yield "INTERVAL", _interval
    yield "TIME OF FIRST OBS", _first_obs
    yield "TIME OF LAST OBS", _last_obs
    yield "RCV CLOCK OFFS APPL", _clock_applied
    if not old:
        yield "SYS / DCBS APPLIED", _dcbs
        yield "SYS / PCVS APPLIED", _pcvs
        yield "SYS / SCALE FACTOR", _scale
        if written.version < 4.0 or any(s.cycles for s in header.phase_shifts):
            yield "SYS / PHASE SHIFT", _phase_shift
        yield "GLONASS SLOT / FRQ #", _slots
        if written.version < 4.0 or any(bias is not None for bias in header.glonass_biases.values()):
            yield "GLONASS COD/PHS/BIS", _biases
    yield "LEAP SECONDS", _leap
