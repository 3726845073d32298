"""Precise orbits and clocks: SP3 versions a to d, positions and clocks only.

Satellites are matched by id, never by order; zeros and 999999.999999 are absent. Velocities, accuracies and
correlations are passed over. Epochs that cannot be read lose their lines. Source: S. Hilla, The Extended
Standard Product 3 Orbit Format (SP3-d), 2016; SP3-c, 2010.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import parse_satellite
from cors.gnss.time import BDT_OFFSET_S, NS, gpst_from_calendar, gpst_from_utc_ns
from cors.rinex.diagnostics import Code, Diagnostic, DiagnosticLog
from cors.rinex.errors import NotRinexError
from cors.rinex.fields import integer, real
from cors.rinex.transport import Source, load

MISSING_CLOCK_US = 999_999.0
TAI_OFFSET_S = 19
"""TAI - GPST, s."""
MAX_VALUES = 50_000_000
"""Epochs times satellites a file may have (a day at 5 s has 2.5 million)."""


@dataclass(frozen=True, slots=True)
class PreciseOrbits:
    """Positions and clocks of m satellites at n epochs."""

    version: str
    frame: str
    agency: str
    time_system: str
    interval_s: float
    gpst: NDArray[np.int64]
    """[n] ns, strictly increasing."""
    satellites: NDArray[np.int16]
    """[m] packed, sorted."""
    position: NDArray[np.float64]
    """[n, m, 3] m in the file's frame, centre of mass; NaN missing."""
    clock: NDArray[np.float64]
    """[n, m] s; NaN missing."""
    flags: NDArray[np.uint8]
    """[n, m] bits: 1 clock event, 2 clock predicted, 4 manoeuvre, 8 orbit predicted."""
    diagnostics: tuple[Diagnostic, ...]
    diagnostic_counts: Mapping[str, int]


def read_sp3(source: Source) -> PreciseOrbits:
    """Read an SP3 file from a path or bytes. Raises OSError, NotRinexError, UnreadableArchiveError."""
    log = DiagnosticLog()
    loaded = load(source, log)
    start = loaded.text.first_line_with_content()
    lines = loaded.text.raw(start, loaded.text.size).decode("latin-1").splitlines()
    first = lines[0].ljust(80) if lines else ""
    if first[:1] != "#" or first[1] not in " abcd" or not first[3:7].isdigit():
        shown = first.strip()[:40] or "nothing"
        raise NotRinexError(f"{loaded.name or 'bytes'}: not SP3, begins with {shown!r} (expected '#c' or '#d')")
    reader = _Reader(log)
    for number, line in enumerate(lines[1:], loaded.text.line_number(start) + 1):
        if reader.ended:
            break
        reader.line(line, number)
    return reader.result(first)


class _Reader:
    def __init__(self, log: DiagnosticLog) -> None:
        self.log = log
        self.system = "GPS"
        self.interval_s = float("nan")
        self.listed: set[str] = set()
        self.epochs: list[int] = []
        self.rows: list[tuple[int, int, float, float, float, float, int]] = []
        self.open = False
        self.ended = False
        self._headed = False
        self._ids: dict[str, int | None] = {}

    def line(self, line: str, number: int) -> None:
        """One line, whatever it is."""
        try:
            if line.startswith("P"):
                self._position(line, number)
            elif line.startswith("*"):
                self._epoch(line)
            elif line.startswith("+") and not line.startswith("++"):
                self.listed |= {
                    line[n : n + 3] for n in range(9, 60, 3) if line[n : n + 3].strip() not in ("", "0", "00")
                }
            elif line.startswith("%c") and not self._headed:
                self._headed = True
                self.system = line[9:12].strip() if line[9:12].strip() not in ("", "ccc") else "GPS"
            elif line.startswith("##"):
                self.interval_s = real(line[24:38])
            elif line.startswith("EOF"):
                self.ended = True
        except ValueError as error:
            self.open = self.open and not line.startswith("*")
            self.log.note(Code.SP3_LINE, number, line, str(error))

    def _epoch(self, line: str) -> None:
        self.open = False
        parts = [integer(line[a:b]) for a, b in ((3, 7), (8, 10), (11, 13), (14, 16), (17, 19))]
        second = real(line[20:31])
        year, month, day, hour, minute = (part or 0 for part in parts)
        if any(part is None for part in parts) or not 0.0 <= second < 61.0 or not 1980 <= year <= 2199:
            raise ValueError("expected a date and time")
        instant = gpst_from_calendar(year, month, day, hour, minute, round(second * NS))
        gpst = _gpst(instant, self.system)
        if self.epochs and gpst <= self.epochs[-1]:
            raise ValueError("expected an epoch later than the one before")
        self.epochs.append(gpst)
        self.open = True

    def _position(self, line: str, number: int) -> None:
        if not self.open:
            return
        name = line[1:4]
        if name not in self._ids:
            self._ids[name] = _packed(name)
        satellite = self._ids[name]
        if satellite is None:
            raise ValueError(f"not a satellite: {name!r}")
        if self.listed and name not in self.listed:
            self.log.note(Code.SP3_UNLISTED, number, line, "a satellite the header lists")
        x, y, z, clock = (real(line[n : n + 14]) for n in (4, 18, 32, 46))
        if x == y == z == 0.0:
            x = y = z = float("nan")
        clock = clock if abs(clock) < MISSING_CLOCK_US else float("nan")
        flags = (line[74:75] == "E") | (line[75:76] == "P") << 1 | (line[78:79] == "M") << 2 | (line[79:80] == "P") << 3
        self.rows.append((len(self.epochs) - 1, satellite, x * 1e3, y * 1e3, z * 1e3, clock * 1e-6, int(flags)))

    def result(self, first: str) -> PreciseOrbits:
        """Arrays of what was read."""
        if not self.ended:
            self.log.note(Code.SP3_NO_EOF, None, "", "EOF at the end")
        satellites = sorted({row[1] for row in self.rows})
        n, m = len(self.epochs), len(satellites)
        if n * m > MAX_VALUES:
            raise NotRinexError(f"{n} epochs of {m} satellites (at most {MAX_VALUES} values are read)")
        position, clock, flags = np.full((n, m, 3), np.nan), np.full((n, m), np.nan), np.zeros((n, m), np.uint8)
        place = {satellite: index for index, satellite in enumerate(satellites)}
        for epoch, satellite, x, y, z, dt, bits in self.rows:
            column = place[satellite]
            position[epoch, column], clock[epoch, column], flags[epoch, column] = (x, y, z), dt, bits
        return PreciseOrbits(
            first[1], first[46:51].strip(), first[56:60].strip(), self.system, self.interval_s,
            np.array(self.epochs, np.int64), np.array(satellites, np.int16), position, clock, flags,
            self.log.diagnostics, self.log.counts,
        )  # fmt: skip


def _packed(name: str) -> int | None:
    """Satellite of an id; a blank letter is GPS (version a)."""
    try:
        return parse_satellite(("G" if name[:1] == " " else name[:1]) + name[1:].strip())
    except ValueError:
        return None


def _gpst(instant: int, system: str) -> int:
    if system in ("BDT", "BDS"):
        return instant + BDT_OFFSET_S * NS
    if system == "TAI":
        return instant - TAI_OFFSET_S * NS
    return gpst_from_utc_ns(instant) if system in ("UTC", "GLO") else instant
