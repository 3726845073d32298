"""Event records of observation files: the lines that belong to them, cycle slips in cycles (flag 6).

An event never takes lines of the epoch that follows, whatever its count says.
Source: RINEX 2.11 table A2, 3.05 table A3.
"""

from __future__ import annotations

import math
import re

from cors.rinex.fields import real
from cors.rinex.observation.header import ObservationHeader
from cors.rinex.text import Text

Slips = dict[str, dict[str, float]]
"""Cycles by satellite and code."""
_LOOK_AHEAD = 100


def event_lines(text: Text, offset: int, count: int, epoch: re.Pattern[bytes]) -> tuple[list[str], int]:
    """Lines of an event record, fewer than `count` where an epoch line comes first; and the offset behind them."""
    lines: list[str] = []
    while len(lines) < count and offset < text.size and not epoch.match(text.raw(offset, offset + _LOOK_AHEAD)):
        line, offset = text.line(offset)
        lines.append(line)
    return lines, offset


def slips_3(lines: list[str], header: ObservationHeader) -> Slips:
    """Cycle slips of RINEX 3 and 4 satellite lines."""
    return {line[:3].replace(" ", "0"): _cycles(line[3:], header.codes(line[:1])) for line in lines}


def slips_2(
    lines: list[str], epoch_line: str, blank_system: str, header: ObservationHeader, per_satellite: int
) -> Slips:
    """Cycle slips of RINEX 2, whose satellites stand on the epoch line (twelve at most)."""
    slips: Slips = {}
    for n in range(min(len(lines) // per_satellite, 12)):
        name = epoch_line[32 + 3 * n : 35 + 3 * n].ljust(3)
        name = ((blank_system if name[0] == " " else name[0]) + name[1:]).replace(" ", "0")
        values: dict[str, float] = {}
        for part, line in enumerate(lines[per_satellite * n : per_satellite * (n + 1)]):
            values |= _cycles(line, header.codes(name[0])[5 * part : 5 * part + 5])
        slips[name] = values
    return slips


def _cycles(text: str, codes: tuple[str, ...]) -> dict[str, float]:
    values: dict[str, float] = {}
    for n, code in enumerate(codes):
        try:
            value = real(text[16 * n : 16 * n + 14])
        except ValueError:
            continue
        if not math.isnan(value):
            values[code] = value
    return values
