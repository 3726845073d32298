"""Epoch lines as text. Source: RINEX 2.11 table A2, 3.05 and 4.02 table A3."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cors.gnss.time import NS, calendar


def epoch_line_3(
    instant: int, flag: int, count: int, clock_offset_s: float = math.nan, picoseconds: int | None = None
) -> str:
    """RINEX 3 and 4 line of a calendar instant (ns, cut to 100 ns), no newline."""
    year, month, day, hour, minute, second_ns = calendar(instant)
    second = f"{second_ns // NS:3d}.{second_ns % NS // 100:07d}"
    line = f"> {year:04d} {month:02d} {day:02d} {hour:02d} {minute:02d}{second}  {flag:1d}{count:3d}"
    if not math.isnan(clock_offset_s):
        line += f"      {clock_offset_s + 0.0:15.12f}"
    return line if picoseconds is None else f"{line:<56} {picoseconds:05d}"


def epoch_line_2(instant: int, flag: int, satellites: Sequence[str], clock_offset_s: float = math.nan) -> str:
    """RINEX 2 line with its continuations; satellites of three characters, 12 a line."""
    year, month, day, hour, minute, second_ns = calendar(instant)
    second = f"{second_ns // NS:3d}.{second_ns % NS // 100:07d}"
    line = f" {year % 100:02d} {month:2d} {day:2d} {hour:2d} {minute:2d}{second}  {flag:1d}{len(satellites):3d}"
    line += "".join(satellites[:12])
    if not math.isnan(clock_offset_s):
        line = f"{line:<68}{clock_offset_s + 0.0:12.9f}"
    for n in range(12, len(satellites), 12):
        line += "\n" + " " * 32 + "".join(satellites[n : n + 12])
    return line


def event_line_3(flag: int, count: int, instant: int | None) -> str:
    """RINEX 3 and 4 line of an event, with a blank date where it has none."""
    return f"> {'':29}{flag:1d}{count:3d}" if instant is None else epoch_line_3(instant, flag, count)


def event_line_2(flag: int, count: int, instant: int | None) -> str:
    """RINEX 2 line of an event."""
    if instant is None:
        return f"{'':28}{flag:1d}{count:3d}"
    return epoch_line_2(instant, flag, ())[:29] + f"{count:3d}"
