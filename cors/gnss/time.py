"""Time as int64 nanoseconds of GPS time since 1980-01-06 00:00:00, and its way to every other scale.

1 ns is 30 cm of range, so this is for time tags; clock offsets are float seconds of their own.
Leap seconds exist only at the edges (UTC, GLONASS time). A `gpst` argument is always int ns.
Sources: IS-GPS-200 (week), BDS-SIS-ICD (BDT = GPST - 14 s), GLONASS ICD (UTC(SU) + 3 h), IERS Bulletin C (leaps).
"""

from __future__ import annotations

import datetime as dt
import re

NS = 1_000_000_000
"""Nanoseconds in a second."""
WEEK_S = 604_800
DAY_S = 86_400
WEEK_NS = WEEK_S * NS
DAY_NS = DAY_S * NS
HALF_WEEK_NS = WEEK_NS // 2

BDT_OFFSET_S = 14
"""GPST - BDT, seconds, constant."""
BDT_WEEK_OFFSET = 1356
"""GPS week of BDT week 0 (2006-01-01)."""
GST_WEEK_OFFSET = 1024
"""GPS week of GST (and NavIC) week 0 (1999-08-22)."""
GPS_EPOCH_MJD = 44_244
GLONASS_DAY_OFFSET_S = 3 * 3600
"""GLONASS time - UTC, seconds."""

_EPOCH = dt.datetime(1980, 1, 6)

# UTC dates from which GPST - UTC grew by one (IERS Bulletin C); value after the date is the index + 1.
_LEAP_DATES = (
    (1981, 7, 1), (1982, 7, 1), (1983, 7, 1), (1985, 7, 1), (1988, 1, 1), (1990, 1, 1), (1991, 1, 1), (1992, 7, 1),
    (1993, 7, 1), (1994, 7, 1), (1996, 1, 1), (1997, 7, 1), (1999, 1, 1), (2006, 1, 1), (2009, 1, 1), (2012, 7, 1),
    (2015, 7, 1), (2017, 1, 1),
)  # fmt: skip
LEAP_STARTS_UTC_S = tuple((dt.datetime(*date) - _EPOCH).days * DAY_S for date in _LEAP_DATES)
"""UTC instants from which GPST - UTC is one more, s since 1980-01-06 in days of 86,400 s."""
_LEAP_GPST_S = tuple(s + i + 1 for i, s in enumerate(LEAP_STARTS_UTC_S))


def leap_seconds(gpst: int) -> int:
    """GPST - UTC in seconds at an instant of GPS time (18 since 2017).

    During an inserted second (UTC 23:59:60) the value before it still holds.
    """
    seconds = gpst // NS
    return sum(1 for start in _LEAP_GPST_S if seconds >= start)


def leap_seconds_at_utc(utc_ns: int) -> int:
    """GPST - UTC in seconds at a UTC instant given as ns since 1980-01-06 counted in days of 86,400 s."""
    seconds = utc_ns // NS
    return sum(1 for start in LEAP_STARTS_UTC_S if seconds >= start)


def gpst_from_week(week: int, seconds_of_week: float | int) -> int:
    """Instant of a full GPS week and seconds of week; floats are rounded to the nanosecond."""
    return week * WEEK_NS + round(seconds_of_week * NS)


def gps_week(gpst: int) -> tuple[int, float]:
    """Full GPS week and seconds of week."""
    week, ns = divmod(gpst, WEEK_NS)
    return week, ns / NS


def gpst_from_calendar(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second_ns: int = 0) -> int:
    """Calendar date and time read in GPS time; `second_ns` = seconds of the minute in ns, 60 s and more carry.

    Raises ValueError for an impossible date, hour or minute.
    """
    if not (0 <= hour <= 24 and 0 <= minute < 60):
        raise ValueError(f"no such time of day: {hour:02d}:{minute:02d}")
    days = (dt.datetime(year, month, day) - _EPOCH).days
    return (days * DAY_S + hour * 3600 + minute * 60) * NS + second_ns


def calendar(gpst: int) -> tuple[int, int, int, int, int, int]:
    """Year, month, day, hour, minute and seconds of the minute in ns (so < 60e9), read in GPS time."""
    days, rest = divmod(gpst, DAY_NS)
    date = _EPOCH + dt.timedelta(days=days)
    hour, rest = divmod(rest, 3600 * NS)
    minute, second_ns = divmod(rest, 60 * NS)
    return date.year, date.month, date.day, hour, minute, second_ns


def day_of_year(gpst: int) -> int:
    """1..366, read in GPS time."""
    return (_EPOCH + dt.timedelta(days=gpst // DAY_NS)).timetuple().tm_yday


def mjd(gpst: int) -> float:
    """Modified Julian date, read in GPS time (exact to about 1 us)."""
    return GPS_EPOCH_MJD + gpst / DAY_NS


def utc_ns(gpst: int) -> int:
    """UTC as ns since 1980-01-06 counted in days of 86,400 s; an inserted second repeats the last one."""
    leap = leap_seconds(gpst)
    return gpst - leap * NS


def gpst_from_utc_ns(utc: int) -> int:
    """Inverse of `utc_ns` outside inserted seconds."""
    return utc + leap_seconds_at_utc(utc) * NS


def gpst_from_unix(seconds: float) -> int:
    """From POSIX time (UTC seconds since 1970 without leap seconds), as a machine's clock gives it."""
    unix_ns = round(seconds * NS) if isinstance(seconds, float) else seconds * NS
    return gpst_from_utc_ns(unix_ns - 315_964_800 * NS)


def unix_from_gpst(gpst: int) -> float:
    """POSIX time of an instant, seconds."""
    return (utc_ns(gpst) + 315_964_800 * NS) / NS


def bdt_week(gpst: int) -> tuple[int, float]:
    """BDT week and seconds of week."""
    week, seconds = gps_week(gpst - BDT_OFFSET_S * NS)
    return week - BDT_WEEK_OFFSET, seconds


def gpst_from_bdt(week: int, seconds_of_week: float | int) -> int:
    """Instant of a full BDT week and seconds of week."""
    return gpst_from_week(week + BDT_WEEK_OFFSET, seconds_of_week) + BDT_OFFSET_S * NS


def nearest_week(seconds_of_week_ns: int, now: int) -> int:
    """The instant with this time of GPS week (ns) nearest to `now`: within half a week of it."""
    base = now - now % WEEK_NS + seconds_of_week_ns
    return base + round((now - base) / WEEK_NS) * WEEK_NS


def unroll_week(week: int, modulus: int, now: int) -> int:
    """The full GPS week congruent to `week` modulo `modulus` that lies nearest to `now`."""
    current = now // WEEK_NS
    return current + (week - current + modulus // 2) % modulus - modulus // 2


def glonass_time(gpst: int) -> tuple[int, int]:
    """GLONASS day number since 1980-01-06 (Moscow date) and ns of that day.

    In an inserted second the time of day runs to 86,400,999 ms - 3 h later in Moscow, as RTCM's DF034 does.
    """
    moscow = utc_ns(gpst) + GLONASS_DAY_OFFSET_S * NS
    return moscow // DAY_NS, moscow % DAY_NS


def gpst_from_glonass(day_ns: int, now: int, day_of_week: int | None = None) -> int:
    """Instant of a GLONASS time of day (ns) nearest to `now`, on a given day of week (0 = Sunday) if one is told.

    Source: RTCM DF034 and DF416; UTC(SU) + 3 h.
    """
    moscow_now = utc_ns(now) + GLONASS_DAY_OFFSET_S * NS
    if day_of_week is None:
        base = moscow_now - moscow_now % DAY_NS + day_ns
        moscow = base + round((moscow_now - base) / DAY_NS) * DAY_NS
    else:  # 1980-01-06 was a Sunday, so days count as weeks do
        base = moscow_now - moscow_now % WEEK_NS + day_of_week * DAY_NS + day_ns
        moscow = base + round((moscow_now - base) / WEEK_NS) * WEEK_NS
    return gpst_from_utc_ns(moscow - GLONASS_DAY_OFFSET_S * NS)


def iso_gpst(gpst: int, digits: int = 3) -> str:
    """`2026-11-25T12:00:00.000`, read in GPS time, rounded down to `digits` decimals, no zone."""
    year, month, day, hour, minute, second_ns = calendar(gpst)
    whole, ns = divmod(second_ns, NS)
    text = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{whole:02d}"
    return text + (f".{ns:09d}"[: digits + 1] if digits else "")


def iso_utc(gpst: int, digits: int = 3) -> str:
    """ISO 8601 in UTC with `Z`, rounded down to `digits` decimals."""
    return iso_gpst(utc_ns(gpst), digits) + "Z"


_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?$")


def parse_time(text: str) -> int:
    """ISO 8601 to GPS time: without a zone it is read as GPST, with `Z` or an offset as UTC.

    Raises ValueError with the text and an example.
    """
    match = _ISO.match(text.strip())
    if match is None:
        raise ValueError(f"not a time: {text!r} (expected for example 2026-11-25T12:00:00 or 2026-11-25T12:00:00Z)")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    second_ns = int(second or 0) * NS + int((fraction or "0").ljust(9, "0"))
    instant = gpst_from_calendar(int(year), int(month), int(day), int(hour or 0), int(minute or 0), second_ns)
    if zone is None:
        return instant
    if zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        instant -= sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60) * NS
    return gpst_from_utc_ns(instant)
