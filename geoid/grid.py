"""A regular grid of heights on geographic nodes, the one shape every format is read into.

Decides: rows from south to north, columns from west to east, float64 metres, NaN where there is no data, values on
nodes (pixel-is-area files are moved by half a cell when read). West lies in [-180, 180), east may pass 180.
A grid that goes round the Earth is recognised with and without its duplicate column.
Refuses: steps, limits or sizes that no such grid can have, before anything is allocated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoid.metadata import Metadata

_ROUND = 0.01
"""Part of a step by which limits may be off through rounding in a file (1/60 printed as 0.0167)."""

_FINEST = 1e-7
"""Degrees: a step of a centimetre."""


class Geometry(NamedTuple):
    """What the kernels need to know of a grid beside its values: degrees, distinct columns round the Earth, poles."""

    south: float
    west: float
    dlat: float
    dlon: float
    period: int
    """Distinct columns of a grid round the Earth, 0 for any other grid."""
    south_pole: bool
    """The first row is the pole and the rows can be continued on the opposite meridian."""
    north_pole: bool


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Values [rows, columns] on nodes, read-only; degrees and metres. Raises ValueError on impossible geometry."""

    values: NDArray[np.float64]
    south: float
    west: float
    dlat: float
    dlon: float
    metadata: Metadata = field(default_factory=Metadata)
    format: str | None = None
    """Format of the file it came from; None for a computed grid."""
    sha256: str | None = None
    """Of the file it came from; None for a computed grid."""
    subgrids: tuple[Grid, ...] = ()
    """Finer grids within this one; the finest that has data wins."""

    def __post_init__(self) -> None:
        """Check the geometry, bring west into [-180, 180), make the values contiguous, float64 and read-only."""
        values = np.ascontiguousarray(self.values, np.float64)
        rows, columns = values.shape
        wrong = impossible(self.south, self.west, self.dlat, self.dlon, rows, columns)
        if wrong is None and np.isinf(values).any():
            wrong = "a value is infinite; no data is NaN"
        if wrong is not None:
            raise ValueError(wrong)
        if values.flags.writeable:
            values = values.view()
            values.flags.writeable = False
        period = _period(self.dlon, columns)
        settle = object.__setattr__
        settle(self, "values", values)
        settle(self, "south", float(self.south))
        settle(self, "west", float(self.west) - 360.0 * math.floor((self.west + 180.0) / 360.0))
        settle(self, "dlat", float(self.dlat))
        settle(self, "dlon", 360.0 / period if period else float(self.dlon))

    @property
    def rows(self) -> int:
        """Number of parallels."""
        return int(self.values.shape[0])

    @property
    def columns(self) -> int:
        """Number of meridians, a duplicate one included."""
        return int(self.values.shape[1])

    @property
    def north(self) -> float:
        """Latitude of the last row, degrees."""
        return self.south + (self.rows - 1) * self.dlat

    @property
    def east(self) -> float:
        """Longitude of the last column, degrees; may pass 180."""
        return self.west + (self.columns - 1) * self.dlon

    @property
    def no_data_count(self) -> int:
        """Nodes without a value."""
        return int(np.count_nonzero(np.isnan(self.values)))

    @property
    def geometry(self) -> Geometry:
        """The numbers the interpolation needs."""
        period = _period(self.dlon, self.columns)
        turns = period > 0 and period % 2 == 0 and self.rows >= 3
        near = _ROUND * self.dlat
        return Geometry(
            self.south, self.west, self.dlat, self.dlon, period,
            turns and abs(self.south + 90.0) < near, turns and abs(self.north - 90.0) < near,
        )  # fmt: skip

    @property
    def extent(self) -> str:
        """The limits as text for people, free of commas."""
        return f"{self.south:.6g}..{self.north:.6g} N {self.west:.6g}..{self.east:.6g} E"


def describe(grid: Grid) -> dict[str, object]:
    """Model metadata by its public names, unknown = None; the order is that of the interface."""
    said = grid.metadata
    return {
        "name": said.name, "version": said.version, "kind": said.kind, "units": said.units,
        "ellipsoid": said.ellipsoid, "frame": said.frame, "epoch": said.epoch, "tide_system": said.tide_system,
        "zero_degree": said.zero_degree, "height_datum": said.height_datum, "interpolation": said.interpolation,
        "accuracy_m": said.accuracy_m,
        "south": _tidy(grid.south), "north": _tidy(grid.north), "west": _tidy(grid.west), "east": _tidy(grid.east),
        "dlat": grid.dlat, "dlon": grid.dlon, "rows": grid.rows, "columns": grid.columns,
        "no_data_count": grid.no_data_count, "licence": said.licence, "scope": said.scope, "sha256": grid.sha256,
    }  # fmt: skip


def _tidy(degrees: float) -> float:
    """Degrees without the dust of binary fractions."""
    return round(degrees, 9) + 0.0


def impossible(south: float, west: float, dlat: float, dlon: float, rows: int, columns: int) -> str | None:
    """Why no geographic grid can have this geometry, or None; readers ask before they allocate."""
    if not all(map(math.isfinite, (south, west, dlat, dlon))):
        return f"limits or steps are not finite: south {south} west {west} steps {dlat} {dlon}"
    if not (_FINEST <= dlat <= 180.0 and _FINEST <= dlon <= 360.0):
        return f"steps must be positive and on the globe: {dlat} and {dlon} degrees"
    if rows < 2 or columns < 2:
        return f"a grid needs at least 2 rows and 2 columns: {rows} x {columns}"
    north = south + (rows - 1) * dlat
    if south < -90.0 - _ROUND * dlat or north > 90.0 + _ROUND * dlat:
        return f"latitudes {south} to {north} leave -90..90"
    if (columns - 1) * dlon > 360.0 + _ROUND * dlon:
        return f"{columns} columns of {dlon} degrees are more than once round the Earth"
    if abs(west) > 720.0:
        return f"west {west} is not a longitude"
    return None


def _period(dlon: float, columns: int) -> int:
    """Distinct columns when they go round the Earth, else 0."""
    turn = round(360.0 / dlon)
    off = abs(turn * dlon - 360.0) < _ROUND * dlon
    return turn if off and turn in (columns, columns - 1) else 0
