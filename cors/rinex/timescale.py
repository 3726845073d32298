"""The time systems of RINEX headers, and calendar times as printed in them.

A calendar time is int64 ns since 1980-01-06 counted in days of 86,400 s *in the file's own system*; GPS time comes of
it by adding BDT's 14 s or, for GLONASS files (whose time in RINEX is UTC), the leap seconds. Source: RINEX 4.02
section 4.1, table A2 (TIME OF FIRST OBS).
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cors.gnss.time import BDT_OFFSET_S, NS, calendar, gpst_from_utc_ns, leap_seconds_at_utc, utc_ns


class TimeSystem(StrEnum):
    """Three-letter codes of headers."""

    GPS = "GPS"
    GLONASS = "GLO"
    GALILEO = "GAL"
    QZSS = "QZS"
    BEIDOU = "BDT"
    NAVIC = "IRN"
    UTC = "UTC"


_BY_SYSTEM = {
    "G": TimeSystem.GPS, "R": TimeSystem.GLONASS, "E": TimeSystem.GALILEO, "J": TimeSystem.QZSS,
    "C": TimeSystem.BEIDOU, "I": TimeSystem.NAVIC, "S": TimeSystem.GPS,
}  # fmt: skip


def time_system(code: str) -> TimeSystem | None:
    """The system of a header code; None where it is blank or none."""
    code = code.strip().upper()
    if code == "BDS":
        return TimeSystem.BEIDOU
    return TimeSystem(code) if code in set(TimeSystem) else None


def default_system(letter: str) -> TimeSystem | None:
    """The system a file of one constellation is in when its header does not say; None for a mixed file."""
    return _BY_SYSTEM.get(letter)


def gpst_from_printed(calendar_ns: int, system: TimeSystem) -> int:
    """GPS time of a calendar time of the file's system."""
    if system is TimeSystem.BEIDOU:
        return calendar_ns + BDT_OFFSET_S * NS
    if system in (TimeSystem.GLONASS, TimeSystem.UTC):
        return gpst_from_utc_ns(calendar_ns)
    return calendar_ns


def printed_from_gpst(gpst: int, system: TimeSystem) -> int:
    """Inverse of `gpst_from_printed`."""
    if system is TimeSystem.BEIDOU:
        return gpst - BDT_OFFSET_S * NS
    return utc_ns(gpst) if system in (TimeSystem.GLONASS, TimeSystem.UTC) else gpst


def tags_from_printed(calendar_ns: NDArray[np.int64], system: TimeSystem) -> NDArray[np.int64]:
    """`gpst_from_printed` of many [n]."""
    if system not in (TimeSystem.GLONASS, TimeSystem.UTC) or not calendar_ns.size:
        return calendar_ns + (BDT_OFFSET_S * NS if system is TimeSystem.BEIDOU else 0)
    days, which = np.unique(calendar_ns // (86_400 * NS), return_inverse=True)
    leaps = np.array([leap_seconds_at_utc(int(day) * 86_400 * NS) for day in days], np.int64)
    return calendar_ns + leaps[which] * NS


def iso_calendar(calendar_ns: int, digits: int = 7) -> str:
    """`2026-03-09T00:00:30.0000000` of a calendar time as printed, no zone."""
    year, month, day, hour, minute, second_ns = calendar(calendar_ns)
    fraction = f".{second_ns % NS:09d}"[: digits + 1] if digits else ""
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second_ns // NS:02d}{fraction}"
