"""Values of a grid between its nodes.

Decides: bilinear, and Keys' cubic convolution (a = -1/2, Catmull-Rom) on 4 x 4 nodes; where the 4 x 4 leave the grid
(a frame of one cell) the cubic is bilinear; round the Earth columns continue, over a pole rows continue on the
opposite meridian. A point on the border is inside. Sub-grids: the finest that contains the point and has data.
Refuses: any point outside and any stencil with a weighted node that has no data gives NaN and a status, never a guess.

One point, or a few, are worked out here in plain Python, which answers in microseconds without waking the compiler;
many go through `geoid._kernels`, the same arithmetic in the same order.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoid.grid import Geometry, Grid

FEW = 16
"""Up to this many points plain Python is used."""
_SNAP = 1e-9


class Method(StrEnum):
    """Ways to interpolate."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


class Status(StrEnum):
    """What became of a point. Arrays hold the position in this list."""

    OK = "ok"
    OUTSIDE_GRID = "outside_grid"
    NO_DATA = "no_data"
    UNKNOWN_DATUM = "unknown_datum"
    """The point's frame is not the model's, or the model does not say its own."""
    BAD_ROW = "bad_row"
    """The input cannot be a point."""
    EXTRAPOLATED = "extrapolated"
    """A value beyond the marks of a fitted surface: given, but with the trend's uncertainty."""

    @property
    def code(self) -> int:
        """Position in the list, as arrays hold it."""
        return STATUSES.index(self)


STATUSES: tuple[Status, ...] = tuple(Status)


class Interpolated(NamedTuple):
    """Values in m (NaN where there is none) and uint8 positions in `STATUSES`, both of the points' shape."""

    values: NDArray[np.float64]
    status: NDArray[np.uint8]


def evaluate(grid: Grid, latitude: ArrayLike, longitude: ArrayLike, method: Method = Method.BICUBIC) -> Interpolated:
    """Values at points in degrees, arrays of one shape or broadcast together; longitudes within two turns."""
    lat, lon = np.broadcast_arrays(np.asarray(latitude, np.float64), np.asarray(longitude, np.float64))
    values, status = np.empty(lat.shape), np.empty(lat.shape, np.uint8)
    flat = (_line(lat), _line(lon), values.reshape(-1), status.reshape(-1))
    _evaluate_one(grid, *flat, method)
    for finer in sorted(grid.subgrids, key=lambda sub: -sub.dlat):
        trial = evaluate(finer, flat[0], flat[1], method)
        good = trial.status == Status.OK.code
        flat[2][good], flat[3][good] = trial.values[good], Status.OK.code
    return Interpolated(values, status)


def _line(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points as a contiguous read-only line: the one layout the kernels are compiled for."""
    line = np.ascontiguousarray(points).reshape(-1).view()
    line.flags.writeable = False
    return line


def _evaluate_one(
    grid: Grid,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    values: NDArray[np.float64],
    status: NDArray[np.uint8],
    method: Method,
) -> None:
    """Fill values and status of one grid without its sub-grids."""
    geometry = grid.geometry
    if lat.size > FEW:
        from geoid import _kernels

        kernel = _kernels.bicubic if method is Method.BICUBIC else _kernels.bilinear
        kernel(grid.values, geometry, lat, lon, values, status)
        return
    for n in range(lat.size):
        value, found = _at(grid.values, geometry, float(lat[n]), float(lon[n]), method)
        values[n], status[n] = value, found.code


def _at(values: NDArray[np.float64], g: Geometry, lat: float, lon: float, method: Method) -> tuple[float, Status]:
    """Value and status at one point; the arithmetic of `_kernels`."""
    rows, columns = values.shape
    if not (math.isfinite(lat) and abs(lon) <= 720.0):
        return math.nan, Status.OUTSIDE_GRID
    y = _snapped((lat - g.south) / g.dlat)
    turned = lon - g.west
    turned -= 360.0 * math.floor(turned / 360.0)
    if 360.0 - turned < _SNAP * g.dlon:
        turned -= 360.0
    x = _snapped(turned / g.dlon)
    last = g.period - _SNAP if g.period else columns - 1.0
    if not (0.0 <= y <= rows - 1.0 and 0.0 <= x <= last):
        return math.nan, Status.OUTSIDE_GRID
    i = min(int(y), rows - 2)
    j = int(x) if g.period else min(int(x), columns - 2)
    u, v = y - i, x - j
    z = None
    if method is Method.BICUBIC:
        z = _weighted(values, g, i - 1, j - 1, _keys(u), _keys(v))
    if z is None:
        z = _weighted(values, g, i, j, (1.0 - u, u), (1.0 - v, v))
    return (math.nan, Status.NO_DATA) if z is None or math.isnan(z) else (z, Status.OK)


def _snapped(index: float) -> float:
    """An index that is meant to be a whole number, made one."""
    nearest = math.floor(index + 0.5)
    return float(nearest) if abs(index - nearest) < _SNAP else index


def _keys(t: float) -> tuple[float, ...]:
    """Keys' weights (a = -1/2) of the nodes at -1, 0, 1, 2 for a point at t in [0, 1]."""
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )


def _weighted(
    values: NDArray[np.float64], g: Geometry, row: int, column: int, down: tuple[float, ...], across: tuple[float, ...]
) -> float | None:
    """Sum over the nodes from (row, column) on; None where the stencil leaves the grid, NaN if a weight lacks data."""
    cells = [[_place(values, g, row + r, column + c) for c in range(len(across))] for r in range(len(down))]
    if any(cell is None for line in cells for cell in line):
        return None
    total = 0.0
    for w, line in zip(down, cells, strict=True):
        subtotal = 0.0
        for weight, cell in zip(across, line, strict=True):
            if w != 0.0 and weight != 0.0 and cell is not None:
                subtotal += weight * float(values[cell])
        total += w * subtotal
    return total


def _place(values: NDArray[np.float64], g: Geometry, r: int, c: int) -> tuple[int, int] | None:
    """Indices of a node, continued round the Earth and over the poles; None where the grid has no such node."""
    rows, columns = values.shape
    if not 0 <= r < rows:
        if not (g.south_pole if r < 0 else g.north_pole):
            return None
        r = -r if r < 0 else 2 * (rows - 1) - r
        c += g.period // 2
    if g.period:
        return r, c % g.period
    return (r, c) if 0 <= c < columns else None
