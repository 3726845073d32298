"""Antenna types of the simulated network, as invented calibrations: formulae for the simulator, ANTEX for the rest.

Names are nobody's. Sizes are those of real types: a choke ring's phase centre lies 8-10 cm above its reference point
and differs between bands by 1-3 cm, patterns reach some millimetres at the horizon (ANTEX files of the IGS). The
rover's antenna and "SIMNULL" are null antennas, as a foreign program knows no invented type.
Sign as in ANTEX: observed range = geometric range to the reference point - offset . e + variation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cors.gnss.signals import signal_code
from rtk.simulation.layout import AntennaTables

BANDS = (
    ("G01", "R01", "E01", "C01", "J01"), ("C02",), ("G02", "J02"), ("R02",), ("C06",), ("E07", "C07"),
    ("G05", "E05", "C05", "J05"),
)  # fmt: skip
"""ANTEX frequency names that share a row of the tables."""
_ROW = {name: row for row, names in enumerate(BANDS) for name in names}
NULL = "ADVNULLANTENNA"


@dataclass(frozen=True, slots=True)
class AntennaType:
    """An invented type; one row a band."""

    name: str
    radome: str
    offsets_mm: tuple[tuple[float, float, float], ...]
    """North, east, up."""
    patterns_mm: tuple[tuple[float, float, float, float], ...]
    """Coefficients of sin^2 z, sin^4 z, sin^2 z cos 2(az - az0), and az0 in degrees."""


ANTENNA_TYPES = (
    AntennaType(NULL, "NONE", ((0.0, 0.0, 0.0),) * 7, ((0.0, 0.0, 0.0, 0.0),) * 7),
    AntennaType(
        "SIMCHOKE3D", "NONE",
        ((0.6, -0.4, 91.3), (0.6, -0.4, 91.9), (-0.3, 0.5, 119.6), (-0.2, 0.5, 118.4), (-0.1, 0.2, 114.0),
         (-0.3, 0.4, 120.3), (-0.5, 0.3, 121.8)),
        ((-6.0, 4.5, 0.4, 20.0), (-6.0, 4.6, 0.4, 20.0), (-4.2, 3.9, 0.5, 70.0), (-4.3, 3.9, 0.5, 70.0),
         (-4.6, 4.1, 0.5, 60.0), (-4.0, 3.8, 0.5, 70.0), (-3.7, 3.6, 0.6, 80.0)),
    ),
    AntennaType(
        "SIMGEOD2", "SIMD",
        ((1.1, 0.7, 63.2), (1.1, 0.6, 62.5), (0.2, 1.4, 57.1), (0.3, 1.3, 57.6), (0.4, 1.1, 58.8),
         (0.2, 1.4, 56.9), (0.1, 1.6, 55.4)),
        ((3.0, -6.5, 1.0, 0.0), (3.1, -6.6, 1.0, 5.0), (5.2, -9.0, 1.2, 45.0), (5.1, -8.9, 1.2, 45.0),
         (4.7, -8.3, 1.1, 40.0), (5.3, -9.1, 1.2, 45.0), (5.8, -9.8, 1.3, 50.0)),
    ),
)  # fmt: skip
NAMES = tuple(antenna.name for antenna in ANTENNA_TYPES)
_INDEX = {antenna.name: row for row, antenna in enumerate(ANTENNA_TYPES)}


def antenna_index(name: str) -> int:
    """Row of a type's tables. Raises ValueError."""
    if name not in _INDEX:
        raise ValueError(f"no simulated antenna {name!r} (expected one of {', '.join(_INDEX)})")
    return _INDEX[name]


def radome(name: str) -> str:
    """Radome of a type."""
    return ANTENNA_TYPES[antenna_index(name)].radome


def band_row(constellation: int, signal: int) -> int:
    """Row of `BANDS` for a packed signal; the nearest where ANTEX has no such band."""
    letter, band = "GRESJCI"[constellation], signal_code(signal)[0]
    return _ROW.get(f"{letter}0{band}", _ROW["G01"])


def antenna_tables(calibrated: bool) -> AntennaTables:
    """Tables for the kernels; all zero where antennas have no effect."""
    scale = 1e-3 if calibrated else 0.0
    offset = np.array([a.offsets_mm for a in ANTENNA_TYPES]) * scale
    pattern = np.array([a.patterns_mm for a in ANTENNA_TYPES])
    pattern[..., :3] *= scale
    pattern[..., 3] = np.radians(pattern[..., 3])
    return AntennaTables(np.ascontiguousarray(offset), np.ascontiguousarray(pattern))


def variation_mm(pattern: tuple[float, float, float, float], azimuth: float) -> NDArray[np.float64]:
    """Phase variation at zenith angles 0, 5, ... 90 degrees for an azimuth in degrees."""
    s2 = np.sin(np.radians(np.arange(0.0, 91.0, 5.0))) ** 2
    a, b, c, zero = pattern
    variation: NDArray[np.float64] = s2 * (a + b * s2 + c * math.cos(2.0 * math.radians(azimuth - zero)))
    return variation


def _line(text: str, label: str) -> str:
    return f"{text:<60}{label}\n"


def _frequency(name: str, antenna: AntennaType) -> str:
    offset, pattern = antenna.offsets_mm[_ROW[name]], antenna.patterns_mm[_ROW[name]]
    text = _line(f"   {name}", "START OF FREQUENCY")
    text += _line("".join(f"{v:10.2f}" for v in offset), "NORTH / EAST / UP")
    mean = variation_mm((pattern[0], pattern[1], 0.0, 0.0), 0.0)
    text += "   NOAZI" + "".join(f"{v:8.2f}" for v in mean) + "\n"
    for azimuth in range(0, 361, 5):
        text += f"{azimuth:8.1f}" + "".join(f"{v:8.2f}" for v in variation_mm(pattern, azimuth)) + "\n"
    return text + _line(f"   {name}", "END OF FREQUENCY")


def _type(antenna: AntennaType) -> str:
    names = [name for names in BANDS for name in names]
    text = _line("", "START OF ANTENNA") + _line(f"{antenna.name:<16}{antenna.radome:<4}", "TYPE / SERIAL NO")
    text += _line(f"{'SIMULATED':<20}{'':<20}{0:6d}{'':4}{'01-JAN-26':<10}", "METH / BY / # / DATE")
    text += _line(f"{5.0:8.1f}", "DAZI") + _line(f"  {0.0:6.1f}{90.0:6.1f}{5.0:6.1f}", "ZEN1 / ZEN2 / DZEN")
    text += _line(f"{len(names):6d}", "# OF FREQUENCIES")
    return text + "".join(_frequency(name, antenna) for name in names) + _line("", "END OF ANTENNA")


def antex() -> str:
    """The types as an ANTEX 1.4 file (IGS, 2010), absolute, values every 5 degrees of both angles."""
    text = _line(f"{1.4:8.1f}{'':12}M", "ANTEX VERSION / SYST") + _line("A", "PCV TYPE / REFANT")
    text += _line("invented antennas of a simulated network", "COMMENT") + _line("", "END OF HEADER")
    return text + "".join(_type(antenna) for antenna in ANTENNA_TYPES)
