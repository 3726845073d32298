"""A grid out of a list of points, as sparse and plain-text formats carry it.

Decides: the step is the smallest distance between different parallels (meridians); a point may be off its node by a
twentieth of it, which is what printing with six decimals does to small steps. Nodes that are not listed are holes.
Refuses: points off the lattice, nodes named twice, lattices so empty that they are no grid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoid.errors import GridFormatError
from geoid.grid import impossible

_OFF = 0.05
_EMPTIEST = 16
"""Nodes a listed point may stand for; bounds what a hostile list can make us allocate."""


class Lattice(NamedTuple):
    """Values [rows, columns] from the south with NaN for holes, first node and steps in degrees."""

    values: NDArray[np.float64]
    south: float
    west: float
    dlat: float
    dlon: float


def from_points(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], values: NDArray[np.float64], name: str
) -> Lattice:
    """The grid on which these points lie. Raises GridFormatError naming the first point that does not."""
    south, dlat, rows, row = _axis(latitude, "latitude", name)
    west, dlon, columns, column = _axis(longitude, "longitude", name)
    wrong = impossible(south, west, dlat, dlon, rows, columns)
    if wrong is not None:
        raise GridFormatError(name, "its points", f"{rows} x {columns} nodes", wrong)
    if rows * columns > _EMPTIEST * values.size:
        found = f"{values.size} points for {rows} x {columns} nodes"
        raise GridFormatError(name, "its points", found, "points that fill a grid")
    node = row * columns + column
    _, first, counts = np.unique(node, return_index=True, return_counts=True)
    if (counts > 1).any():
        twice = first[counts > 1][0]
        raise GridFormatError(name, f"point {twice + 1}", f"{latitude[twice]} {longitude[twice]}", "each node once")
    grid = np.full(rows * columns, np.nan)
    grid[node] = values
    return Lattice(grid.reshape(rows, columns), south, west, dlat, dlon)


def _axis(along: NDArray[np.float64], axis: str, name: str) -> tuple[float, float, int, NDArray[np.int64]]:
    """First node, step, count of one axis, and each point's index on it."""
    if not (np.abs(along) <= 720.0).all():
        worst = int(np.argmax(~(np.abs(along) <= 720.0)))
        raise GridFormatError(name, f"point {worst + 1}", f"{axis} {along[worst]}", "degrees")
    distinct = np.unique(along)
    steps = np.diff(distinct)
    steps = steps[steps > 1e-5]
    if steps.size == 0:
        raise GridFormatError(name, "its points", f"one {axis}", f"points on at least two {axis}s")
    span = float(distinct[-1] - distinct[0])
    intervals = round(span / float(steps.min()))
    if intervals > _EMPTIEST * along.size:
        raise GridFormatError(
            name, "its points", f"steps of {steps.min()} over {span} degrees", "points that fill a grid"
        )
    step = span / intervals
    place = (along - distinct[0]) / step
    index = np.rint(place).astype(np.int64)
    off = np.abs(place - index) > _OFF
    if off.any():
        irregular = int(np.argmax(off))
        found = f"{axis} {along[irregular]}"
        raise GridFormatError(name, f"point {irregular + 1}", found, f"a multiple of {step:.7g} from {distinct[0]}")
    return float(distinct[0]), step, intervals + 1, index
