"""Epoch and event lines that are not as the kernels want them: blank dates, shifted flags, seconds of 60, odd years.

Gives what the line says and what is wrong with it; None where it says nothing certain. Source: RINEX 2.11 table A2,
3.05 and 4.02 table A3; the shifted flag and three-digit years are faults of known writers.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from cors.gnss.time import NS, gpst_from_calendar
from cors.rinex.diagnostics import Code
from cors.rinex.fields import real

EPOCH_2 = re.compile(
    rb"^ (?:[ \d]\d [ \d]\d [ \d]\d [ \d]\d [ \d]\d [ \d]{2}\.\d{7}  [0-6][ \d]{2}\d| {27}[2-6][ \d]{2}\d *\r?$)", re.M
)
"""What a RINEX 2 epoch or event line looks like; where reading goes on after damage."""
EPOCH_3 = re.compile(rb"^>", re.M)
_YEAR_OF_THREE = re.compile(r" 1\d\d[ \d]")
_PICOSECONDS = re.compile(r"[ \d]{1,5}")


@dataclass(slots=True)
class EpochLine:
    """What an epoch or event line says."""

    calendar: int | None
    """ns; None for a blank date."""
    flag: int
    count: int
    clock_offset_s: float = math.nan
    picoseconds: int = -1
    shift: int = 0
    """Columns by which what follows the date is displaced (RINEX 2)."""
    findings: list[tuple[Code, int, str]] = field(default_factory=list)
    """Code, column and what was expected."""
    leap: bool = False
    """Seconds of 60 and more: an inserted second where the date has one."""


def parse_epoch_3(line: str, version: float) -> EpochLine | None:
    """Line of RINEX 3 or 4 that begins with `>`."""
    padded = line.ljust(62)
    in_place = padded[31].isdigit() and padded[29:31] == "  " and padded[32:35].strip().isdigit()
    try:
        if not padded[1:29].strip():
            return _event(padded[31], padded[32:35])
        date = _date_by_columns(padded) if in_place and padded[1] == " " else None
        if date is not None:
            found = _with_date(date, padded[31], padded[32:35])
            found.clock_offset_s = real(padded[41:56])
            if version >= 4.015 and _PICOSECONDS.fullmatch(padded[57:62]) and padded[57:62].strip():
                found.picoseconds = int(padded[57:62])
            return found
        return _by_tokens(line)
    except (ValueError, IndexError, OverflowError):
        return None


def parse_epoch_2(line: str) -> EpochLine | None:
    """Line of RINEX 2."""
    padded, shift = line.ljust(80), 0
    try:
        if not padded[:28].strip():
            return _event(padded[28], padded[29:32])
        if _YEAR_OF_THREE.match(padded) and padded[3].isdigit():
            year, shift = 1900 + int(padded[1:4]), 1
        else:
            year = int(padded[1:3])
            year += 1900 if year >= 80 else 2000
        rest = padded[2 + shift :]
        if any(rest[n] != " " for n in (1, 4, 7, 10)):
            return None
        parts = [int(rest[n : n + 2]) for n in (2, 5, 8, 11)]
        date = (year, parts[0], parts[1], parts[2], parts[3], real(rest[13:24]))
        found = _with_date(date, rest[26], rest[27:30])
        found.shift = shift
        found.clock_offset_s = real(rest[66:78])
    except (ValueError, OverflowError):
        return None
    if shift:
        found.findings.append((Code.EPOCH_YEAR, 2, "a year of two digits"))
    return found


Date = tuple[int, int, int, int, int, float]


def _event(flag: str, count: str) -> EpochLine | None:
    if flag not in "23456" or not count.strip().isdigit():
        return None
    return EpochLine(None, int(flag), int(count))


def _date_by_columns(line: str) -> Date | None:
    if any(line[n] != " " for n in (6, 9, 12, 15)):
        return None
    try:
        parts = [int(line[a:b]) for a, b in ((2, 6), (7, 9), (10, 12), (13, 15), (16, 18))]
        return parts[0], parts[1], parts[2], parts[3], parts[4], real(line[18:29])
    except ValueError:
        return None


def _with_date(date: Date, flag: str, count: str) -> EpochLine:
    """Raises ValueError for what is no date, time, flag or count."""
    year, month, day, hour, minute, second = date
    if math.isnan(second) or not 0.0 <= second < 62.0 or flag not in "0123456" or not 1980 <= year <= 2199:
        raise ValueError("no epoch")
    ten_millionths = round(second * 1e7)
    if hour > 23:
        raise ValueError("no such hour")
    calendar = gpst_from_calendar(year, month, day, hour, minute, ten_millionths * 100)
    found = EpochLine(calendar, int(flag), int(count))
    if ten_millionths >= 600_000_000:
        found.leap = True
        found.findings.append((Code.EPOCH_SIXTY, 19, "seconds below 60"))
    if calendar < 0 or found.count < 0 or ten_millionths * 100 >= 62 * NS:
        raise ValueError("no epoch")
    return found


def _by_tokens(line: str) -> EpochLine | None:
    """A line whose columns are displaced: read as words."""
    words = line[1:].split()
    if len(words) < 8:
        return None
    date = (int(words[0]), int(words[1]), int(words[2]), int(words[3]), int(words[4]), real(words[5]))
    if len(words[6]) != 1:
        return None
    found = _with_date(date, words[6], words[7])
    if len(words) > 8:
        found.clock_offset_s = real(words[8])
    found.findings.insert(0, (Code.EPOCH_LAYOUT, 30, "the flag in column 32 and the count in columns 33-35"))
    return found
