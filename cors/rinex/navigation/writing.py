"""Navigation files as text, RINEX 3.05 and 4.00 to 4.02, from ephemerides or from records that were read.

RINEX 3 has no place for CNAV kinds, nor for STO, EOP and ION records: the latter two's header lines are made where the
format has them, the rest is left out and counted. Source: RINEX 3.05 table A5 ff., 4.02 table A5 ff.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.time import BDT_WEEK_OFFSET, DAY_NS, NS, WEEK_NS, calendar
from cors.rinex.errors import UnwritableError
from cors.rinex.labels import COMMENT, END, KNOWN, VERSION
from cors.rinex.navigation.file import NavigationFile, NavigationRecord
from cors.rinex.navigation.header import IonosphericCorrection, LeapSeconds, NavigationHeader, TimeSystemCorrection
from cors.rinex.navigation.made_records import UNKNOWN_DELAY, record_of

VERSIONS = (3.05, 4.0, 4.01, 4.02)
PROGRAM = "corsnet"
_IN_3 = frozenset(("LNAV", "INAV", "FNAV", "D1", "D2", "FDMA", "SBAS"))
_IN_402 = frozenset(("L1NV", "L1OC", "L3OC"))
_KEPT_4 = ("DOI", "LICENSE OF USE", "STATION INFORMATION", "MERGED FILE")
_KLOBUCHAR_IDS = {"G": "GPS", "J": "QZS", "C": "BDS", "I": "IRN"}


class NavigationWriter:
    """Writes records one by one; sans I/O, the caller puts header and records together."""

    def __init__(self, version: float = 3.05) -> None:
        """Raises UnwritableError for another version than 3.05 and 4.00 to 4.02."""
        if not any(abs(version - known) < 0.005 for known in VERSIONS):
            raise UnwritableError(f"RINEX {version:.2f} (expected one of {', '.join(f'{v:.2f}' for v in VERSIONS)})")
        self.version = version
        self.modern = version >= 4.0
        self.left_out: Counter[str] = Counter()
        """What was not written, by kind of record."""

    def header(self, header: NavigationHeader) -> bytes:
        """Header lines; ionosphere and time relations in RINEX 3 only (in 4 they are records)."""
        lines = [_line(f"{self.version:9.2f}{'':11}{'NAVIGATION DATA':<20}{header.system:<20}", VERSION)]
        lines.append(_line(f"{PROGRAM:<20}{header.run_by[:20]:<20}{header.date[:20]:<20}", "PGM / RUN BY / DATE"))
        for record in header.records:
            if record.label == COMMENT or record.label not in KNOWN or (self.modern and record.label in _KEPT_4):
                lines.append(_line(record.content, record.label))
        if not self.modern:
            lines += [_line(_ionospheric(c), "IONOSPHERIC CORR") for c in header.ionosphere]
            lines += [_line(_time_system(c), "TIME SYSTEM CORR") for c in header.time_corrections]
        elif header.ionosphere or header.time_corrections:
            self.left_out["header lines of ionosphere and time"] += len(header.ionosphere) + len(
                header.time_corrections
            )
        if header.leap_seconds is not None:
            lines.append(_line(_leap(header.leap_seconds), "LEAP SECONDS"))
        return "\n".join([*lines, _line("", END), ""]).encode()

    def ephemeris(self, ephemeris: Ephemeris) -> bytes:
        """Lines of an ephemeris; b"" where the version has no place for its message."""
        return self.record(record_of(ephemeris))

    def record(self, record: NavigationRecord) -> bytes:
        """Lines of a record; b"" where the version has no place for it."""
        kind = record.kind
        new = kind.message in _IN_402 and self.version < 4.015
        if new or (not self.modern and (kind.record_class != "EPH" or kind.message not in _IN_3)):
            self.left_out[f"{kind.record_class} {record.satellite[0]} {kind.message}"] += 1
            return b""
        lines = _data_lines(record)
        if self.modern:
            head = f"> {kind.record_class} {record.satellite:<3} {kind.message:<4} {record.subtype}".rstrip()
            lines.insert(0, head)
        return "\n".join([*lines, ""]).encode()


def write_navigation(
    ephemerides: Iterable[Ephemeris], version: float = 3.05, header: NavigationHeader | None = None
) -> bytes:
    """A navigation file of ephemerides, in their order. Raises UnwritableError."""
    writer = NavigationWriter(version)
    records = [record_of(ephemeris) for ephemeris in ephemerides]
    systems = {record.satellite[0] for record in records}
    base = header or NavigationHeader()
    base = _with_system(base, systems.pop() if len(systems) == 1 else "M")
    return writer.header(base) + b"".join(map(writer.record, records))


def rewrite_navigation(
    file: NavigationFile, version: float = 3.05, systems: str = "GREJCIS", date: str = ""
) -> tuple[bytes, Counter[str]]:
    """A file that was read, in another version or for some constellations; and what was left out.

    Raises UnwritableError.
    """
    writer = NavigationWriter(version)
    records = [r for r in file.records() if r.satellite[0] in systems]
    if file.header.version < 3.0:
        records = [_frame_time_of_week(record) for record in records]
    header = _with_system(file.header, file.header.system, date or file.header.date)
    if not writer.modern and file.header.version >= 4.0:
        header = _with_records(header, records)
        records = [r for r in records if r.kind.record_class == "EPH" or not _has_header_line(r)]
    return writer.header(header) + b"".join(map(writer.record, records)), writer.left_out


# --- records ------------------------------------------------------------------------------------------------------


def _number(value: float) -> str:
    """D19.12 with E; blank where it is not known."""
    if math.isnan(value):
        return " " * 19
    return f"{value if abs(value) > 1e-99 else 0.0:19.12E}"


def _epoch(instant: int) -> str:
    year, month, day, hour, minute, second_ns = calendar(instant)
    return f"{year:04d} {month:02d} {day:02d} {hour:02d} {minute:02d} {second_ns // NS:02d}"


def _data_lines(record: NavigationRecord) -> list[str]:
    """Data lines; the first names the satellite in ephemerides only. GLONASS's fifth is never empty."""
    if (
        record.kind.message == "FDMA"
        and record.kind.record_class == "EPH"
        and all(map(math.isnan, record.values[15:19]))
    ):
        values = (*record.values[:16], UNKNOWN_DELAY, *record.values[17:])
        record = replace(record, values=values)
    name = record.satellite if record.kind.record_class == "EPH" else "   "
    first = f"{name:<3} {_epoch(record.calendar)}"
    if record.kind.record_class == "STO":
        code, sbas, utc = record.texts
        first = f"{first} {code:<18} {sbas:<18} {utc:<18}"
    else:
        first += "".join(map(_number, record.values[:3]))
    lines = [first.rstrip()]
    for n in range(1, record.kind.lines):
        lines.append((" " * 4 + "".join(map(_number, record.values[4 * n - 1 : 4 * n + 3]))).rstrip())
    return lines


def _frame_time_of_week(record: NavigationRecord) -> NavigationRecord:
    """RINEX 2 prints GLONASS's frame time as seconds of the UTC day, 3 and 4 as seconds of the week."""
    if record.kind.message != "FDMA" or math.isnan(record.values[2]):
        return record
    day = record.calendar // DAY_NS * DAY_NS % WEEK_NS // NS
    return replace(record, values=(*record.values[:2], record.values[2] % 86_400.0 + day, *record.values[3:]))


# --- header lines -------------------------------------------------------------------------------------------------


def _line(content: str, label: str) -> str:
    return f"{content.encode('ascii', 'replace').decode()[:60]:<60}{label:<20}"


def _coefficient(value: float) -> str:
    return " " * 12 if math.isnan(value) else f"{value:12.4E}"


def _ionospheric(c: IonosphericCorrection) -> str:
    text = f"{c.id:<4} " + "".join(map(_coefficient, c.coefficients))
    mark = " " if c.hour is None else chr(ord("A") + c.hour)
    return f"{text} {mark} {'' if c.satellite is None else format(c.satellite, '02d')}"


def _time_system(c: TimeSystemCorrection) -> str:
    a0 = f"{0.0 if math.isnan(c.a0) else c.a0:17.10E}"
    a1 = f"{0.0 if math.isnan(c.a1) else c.a1:16.9E}"
    reference = "" if math.isnan(c.reference_s) else f"{round(c.reference_s):d}"
    week, utc_id = "" if c.week is None else str(c.week), "" if c.utc_id is None else str(c.utc_id)
    return f"{c.id:<4} {a0}{a1}{reference:>7}{week:>5} {c.source:<5} {utc_id:>2}"


def _leap(leap: LeapSeconds) -> str:
    rest = "".join("" if n is None else f"{n:6d}" for n in (leap.future, leap.week, leap.day))
    return f"{leap.current:6d}{rest}" + (leap.system if rest and leap.system != "GPS" else "")


def _with_system(header: NavigationHeader, system: str, date: str | None = None) -> NavigationHeader:
    return replace(header, system=system, date=header.date if date is None else date)


def _has_header_line(record: NavigationRecord) -> bool:
    kind = record.kind
    return (
        kind.names[3:4] == ("alpha3",) or "ai0" in kind.names or (kind.record_class == "STO" and bool(record.texts[0]))
    )


def _with_records(header: NavigationHeader, records: Sequence[NavigationRecord]) -> NavigationHeader:
    """RINEX 4's ION and STO records as the header lines of RINEX 3."""
    ionosphere, times = list(header.ionosphere), list(header.time_corrections)
    for record in records:
        if not _has_header_line(record):
            continue
        if record.kind.record_class == "STO":
            week, rest = divmod(record.calendar, WEEK_NS)
            week -= BDT_WEEK_OFFSET if record.texts[0].startswith("BD") else 0
            v = record.values
            times.append(TimeSystemCorrection(record.texts[0], v[4], v[5], rest / NS, week))
        else:
            ionosphere += _correction_lines(record)
    return replace(header, ionosphere=tuple(ionosphere), time_corrections=tuple(times))


def _correction_lines(record: NavigationRecord) -> list[IonosphericCorrection]:
    v, hour = record.values, record.calendar % DAY_NS // (3600 * NS)
    satellite = int(record.satellite[1:]) if record.satellite[1:].strip() else None
    if "ai0" in record.kind.names:
        return [IonosphericCorrection("GAL", (v[0], v[1], v[2], math.nan), hour, satellite)]
    name = _KLOBUCHAR_IDS[record.satellite[0]]
    return [
        IonosphericCorrection(name + "A", (v[0], v[1], v[2], v[3]), hour, satellite),
        IonosphericCorrection(name + "B", (v[4], v[5], v[6], v[7]), hour, satellite),
    ]
