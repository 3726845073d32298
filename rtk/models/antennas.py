"""Receiver (and satellite) antennas from ANTEX 1.4: phase centre offsets and variations, absolute calibrations.

Decides which calibration a station gets (individual, type and radome, type with NONE) and which frequency stands in for
one that was never calibrated; every substitution is told, never silent. `correction = PCO.e - PCV` is added to an
observation to bring it from the phase centre to the antenna reference point.
Sources: ANTEX 1.4 (Rothacher & Schmid 2010); sign as in RTKLIB's antmodel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import LETTERS
from cors.gnss.signals import FREQUENCY, signal_code
from cors.gnss.time import NS, gpst_from_calendar

Array = NDArray[np.float64]


class AntexError(ValueError):
    """A text that is not ANTEX, or an antenna block that contradicts itself; names the line."""


class Pattern(NamedTuple):
    """Calibration at one frequency."""

    pco: Array
    """[3] north, east, up (satellites: body X, Y, Z), m."""
    noazi: Array
    """[m] m, by zenith (or nadir) angle."""
    grid: Array | None
    """[k, m] m, by azimuth 0..360 and zenith; None where only NOAZI is given."""


@dataclass(frozen=True)
class Antenna:
    """One block of an ANTEX file."""

    name: str
    """Antenna type without radome, or satellite type."""
    radome: str
    serial: str
    """Blank for a type mean; the PRN ("G05") for a satellite."""
    zenith_deg: tuple[float, float, float]
    """First, last, step."""
    azimuth_step_deg: float
    valid_from: int | None
    valid_until: int | None
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    """By frequency code: G01, C02, ..."""


class Calibration(NamedTuple):
    """What was found for a station, and what to tell about it."""

    antenna: Antenna | None
    match: str | None
    """individual, type+radome, NONE substituted, or None."""
    diagnostics: tuple[str, ...]


class AntennaTable:
    """Receiver and satellite antennas of an ANTEX file."""

    def __init__(self, antennas: Iterable[Antenna]) -> None:
        self.antennas = tuple(antennas)
        self._receivers: dict[tuple[str, str, str], Antenna] = {}
        self._satellites: dict[str, list[Antenna]] = {}
        for antenna in self.antennas:
            if len(antenna.serial) == 3 and antenna.serial[0] in LETTERS and antenna.serial[1:].isdigit():
                self._satellites.setdefault(antenna.serial, []).append(antenna)
            else:
                self._receivers.setdefault((antenna.name, antenna.radome, antenna.serial), antenna)

    def receiver(self, name: str, radome: str = "NONE", serial: str = "") -> Calibration:
        """Individual calibration, else the type's mean with its radome, else with NONE, else nothing."""
        radome = radome or "NONE"
        if serial and (found := self._receivers.get((name, radome, serial))):
            return Calibration(found, "individual", ())
        if found := self._receivers.get((name, radome, "")):
            return Calibration(found, "type+radome", ())
        if found := self._receivers.get((name, "NONE", "")):
            return Calibration(found, "NONE substituted", ("antex.radome_substituted",))
        return Calibration(None, None, ("antex.antenna_missing",))

    def satellite(self, prn: str, gpst: int) -> Antenna | None:
        """The block of a PRN ("C19") that is valid at an instant."""
        for antenna in self._satellites.get(prn, ()):
            if (antenna.valid_from or -math.inf) <= gpst <= (antenna.valid_until or math.inf):
                return antenna
        return None


def frequency_code(signal: int) -> str:
    """ANTEX frequency of a packed signal: "G01", "C02", "E07"."""
    return f"{LETTERS[signal >> 6]}0{signal_code(signal)[0]}"


_CODE_FREQUENCY = {
    frequency_code(s): float(FREQUENCY[s]) for s in range(FREQUENCY.size) if not math.isnan(FREQUENCY[s])
}


def pattern_for(antenna: Antenna, code: str) -> tuple[Pattern | None, str | None]:
    """Pattern of a frequency code, and the code it was borrowed from when its own is missing.

    Order: own; nearest frequency of the same system; nearest of GPS.
    """
    if code in antenna.patterns:
        return antenna.patterns[code], None
    wanted = _CODE_FREQUENCY.get(code)
    if wanted is None:
        return None, None
    for system in (code[0], "G"):
        near = [c for c in antenna.patterns if c[0] == system and c in _CODE_FREQUENCY]
        if near:
            best = min(near, key=lambda c: abs(_CODE_FREQUENCY[c] - wanted))
            return antenna.patterns[best], best
    return None, None


def phase_centre_correction(antenna: Antenna, pattern: Pattern, azimuth: Array, elevation: Array) -> Array:
    """PCO.e - PCV (m), to be added to observations at azimuths and elevations (rad, any shape)."""
    north, east, up = pattern.pco
    cosine = np.cos(elevation)
    offset = cosine * (np.cos(azimuth) * north + np.sin(azimuth) * east) + np.sin(elevation) * up
    correction: Array = offset - phase_centre_variation(antenna, pattern, azimuth, elevation)
    return correction


def phase_centre_variation(antenna: Antenna, pattern: Pattern, azimuth: Array, elevation: Array) -> Array:
    """PCV (m), bilinear in azimuth and zenith angle; beyond the table its last value."""
    first, last, step = antenna.zenith_deg
    zenith = np.clip(90.0 - np.degrees(elevation), first, last)
    z = (zenith - first) / step
    i = np.minimum(z.astype(np.int64), pattern.noazi.size - 2)
    w = z - i
    if pattern.grid is None:
        level: Array = pattern.noazi[i] * (1.0 - w) + pattern.noazi[i + 1] * w
        return level
    a = np.degrees(azimuth) % 360.0 / antenna.azimuth_step_deg
    j = np.minimum(a.astype(np.int64), pattern.grid.shape[0] - 2)
    v = a - j
    low: Array = pattern.grid[j, i] * (1.0 - w) + pattern.grid[j, i + 1] * w
    high: Array = pattern.grid[j + 1, i] * (1.0 - w) + pattern.grid[j + 1, i + 1] * w
    between: Array = low * (1.0 - v) + high * v
    return between


def parse_antex(text: str) -> AntennaTable:
    """Antennas of an ANTEX 1.4 text. Raises AntexError for a text that is not ANTEX or not absolute."""
    lines = text.splitlines()
    if not lines or "ANTEX VERSION / SYST" not in lines[0]:
        raise AntexError(f"line 1: not ANTEX: {lines[0][:60] if lines else ''!r}")
    kind = next((line[:1] for line in lines[:50] if line[60:].startswith("PCV TYPE / REFANT")), "A")
    if kind != "A":
        raise AntexError("relative calibrations (PCV TYPE R) must not be mixed with absolute ones")
    antennas, start = [], None
    for number, line in enumerate(lines):
        label = line[60:].strip()
        if label == "START OF ANTENNA":
            start = number
        elif label == "END OF ANTENNA" and start is not None:
            antennas.append(_block(lines, start, number))
            start = None
    return AntennaTable(antennas)


def _block(lines: list[str], start: int, end: int) -> Antenna:
    """One antenna of lines start..end."""
    values = {line[60:].strip(): line for line in lines[start:end]}
    try:
        head = values["TYPE / SERIAL NO"]
        zenith = values["ZEN1 / ZEN2 / DZEN"]
        grid = float(zenith[2:8]), float(zenith[8:14]), float(zenith[14:20])
        step = float(values["DAZI"][2:8])
        count = round((grid[1] - grid[0]) / grid[2]) + 1
        antenna = Antenna(
            name=head[:16].strip(), radome=head[16:20].strip(), serial=head[20:40].strip(), zenith_deg=grid,
            azimuth_step_deg=step, valid_from=_instant(values.get("VALID FROM")),
            valid_until=_instant(values.get("VALID UNTIL")), patterns=_patterns(lines, start, end, count, step),
        )  # fmt: skip
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise AntexError(f"antenna block at line {start + 1}: {error}") from error
    return antenna


def _instant(line: str | None) -> int | None:
    if line is None or not line[:43].strip():
        return None
    year, month, day, hour, minute = (int(line[6 * k : 6 * k + 6]) for k in range(5))
    return gpst_from_calendar(year, month, day, hour, minute, round(float(line[30:43]) * NS))


def _patterns(lines: list[str], start: int, end: int, count: int, step: float) -> dict[str, Pattern]:
    patterns: dict[str, Pattern] = {}
    code, pco, noazi = "", np.zeros(3), np.zeros(0)
    rows: list[Array] = []
    for number in range(start, end):
        line, label = lines[number], lines[number][60:].strip()
        if label == "START OF FREQUENCY":
            code, noazi, rows = line[3:6].replace(" ", "0"), np.zeros(0), []
        elif label == "NORTH / EAST / UP" and code:
            pco = np.array([float(line[10 * k : 10 * k + 10]) for k in range(3)]) * 1e-3
        elif label == "END OF FREQUENCY" and code:
            full = step > 0.0 and len(rows) == round(360.0 / step) + 1
            patterns[code] = Pattern(pco, noazi, np.array(rows) if full else None)
            code = ""
        elif code and line[3:8] == "NOAZI":
            noazi = _row(line, count, number)
        elif code and line[:8].strip():
            rows.append(_row(line, count, number))
    return patterns


def _row(line: str, count: int, number: int) -> Array:
    values = [line[8 + 8 * k : 16 + 8 * k] for k in range(count)]
    if not values[-1].strip():
        raise ValueError(f"line {number + 1}: fewer than {count} values: {line.strip()[:60]!r}")
    return np.array([float(v) for v in values]) * 1e-3
