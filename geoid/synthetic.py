"""A smooth quasi-geoid that does not exist, for demonstrations and tests; its metadata say so.

Decides: -17 m as in Hunan, a slope of a few mm/km out of a wave longer than any province, and two to three decimetres
of relief with wavelengths of some 60 to 300 km. A function of place and seed alone: two areas of one seed agree where
they overlap, and it closes round the Earth.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geoid.grid import Grid
from geoid.metadata import Kind, Metadata, Scope

ACCURACY_M = 0.02
"""Stated as a real provincial model would; the synthetic surface itself is exact at its nodes."""
_MEAN = -17.0
_SLOPE = 2.0
"""Amplitude in m of the long wave: up to 3 mm/km."""
_TERMS = 12


def quasigeoid(
    south: float, north: float, west: float, east: float, step_deg: float = 1.0 / 60.0, seed: int = 1
) -> Grid:
    """A grid over the area (degrees; the last row and column reach or pass north and east). Raises ValueError."""
    rows, columns = _count(south, north, step_deg), _count(west, east, step_deg)
    latitude = south + step_deg * np.arange(rows, dtype=np.float64)
    longitude = west + step_deg * np.arange(columns, dtype=np.float64)
    metadata = Metadata(
        name=f"synthetic quasi-geoid, seed {seed}",
        version="1",
        kind=Kind.QUASIGEOID,
        ellipsoid="GRS80",
        frame="CGCS2000",
        epoch=2000.0,
        height_datum="synthetic, not a real height datum",
        interpolation="bicubic",
        accuracy_m=ACCURACY_M,
        licence="CC0-1.0",
        scope=Scope.OPEN,
    )
    return Grid(_surface(latitude, longitude, seed), south, west, step_deg, step_deg, metadata)


def _count(low: float, high: float, step: float) -> int:
    """Nodes from low on that reach high."""
    if not (step > 0.0 and high > low and math.isfinite(high - low)):
        raise ValueError(f"no grid from {low} to {high} in steps of {step} degrees")
    return math.ceil((high - low) / step - 1e-6) + 1


def _surface(latitude: NDArray[np.float64], longitude: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Values [latitudes, longitudes] in m: waves with whole numbers of cycles a turn."""
    random = np.random.default_rng(seed)
    phi, lam = np.radians(latitude)[:, None], np.radians(longitude)[None, :]
    values = _MEAN + _SLOPE * np.cos(7.0 * lam + 3.0 * phi + random.uniform(-0.5, 0.5) + 1.8)
    for _ in range(_TERMS):
        cycles = 360.0 * 111.0 / random.uniform(60.0, 300.0)
        direction = random.uniform(0.0, 2.0 * np.pi)
        along_phi, along_lam = round(cycles * np.sin(direction)), round(cycles * 0.88 * np.cos(direction))
        phase, amplitude = random.uniform(0.0, 2.0 * np.pi), 12.0 / cycles
        values = values + amplitude * np.cos(along_phi * phi + along_lam * lam + phase)
    return values
