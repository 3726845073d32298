"""GTX, NOAA VDatum's binary grid: 40 bytes of header and float32, all big-endian, rows from the south.

Decides: no data is -88.8888 or anything beyond 1000 m (PROJ's rule); the length must be 40 + 4 rows x columns.
Refuses: a wrong length, impossible geometry; on writing, values a reader would take for no data.
Source: VDatum's GTX description; layout as PROJ and GDAL read it.
"""

from __future__ import annotations

import struct

import numpy as np

from geoid.errors import GridFormatError, ModelError
from geoid.grid import Grid, impossible

NAME = "gtx"
SUFFIXES: tuple[str, ...] = (".gtx",)
_HEADER = struct.Struct(">4d2i")
_NO_DATA = np.float32(-88.8888)
_LARGEST = 1000.0
"""Metres; no height anomaly on Earth comes near."""


def sniff(data: bytes) -> bool:
    """Whether size and header agree; GTX has no signature, so this is asked last."""
    if len(data) < _HEADER.size:
        return False
    south, west, dlat, dlon, rows, columns = _HEADER.unpack_from(data)
    exact = len(data) == _HEADER.size + 4 * rows * columns
    return exact and impossible(south, west, dlat, dlon, rows, columns) is None


def parse(data: bytes, name: str) -> Grid:
    """The grid of a GTX file's bytes. Raises GridFormatError."""
    if len(data) < _HEADER.size:
        raise GridFormatError(name, "bytes 0-39", f"a file of {len(data)} bytes", "a GTX header of 40 bytes")
    south, west, dlat, dlon, rows, columns = _HEADER.unpack_from(data)
    wrong = impossible(south, west, dlat, dlon, rows, columns)
    if wrong is not None:
        raise GridFormatError(name, "bytes 0-39", data[: _HEADER.size], f"a GTX header: {wrong}")
    size = _HEADER.size + 4 * rows * columns
    if len(data) != size:
        raise GridFormatError(name, "its length", f"{len(data)} bytes", f"{size} bytes for {rows} x {columns} nodes")
    raw = np.frombuffer(data, ">f4", rows * columns, _HEADER.size).reshape(rows, columns)
    with np.errstate(invalid="ignore"):
        values = raw.astype(np.float64)
        values[~(np.abs(values) <= _LARGEST) | (np.abs(values - float(_NO_DATA)) < 1e-4)] = np.nan
    return Grid(values, south, west, dlat, dlon, format=NAME)


def encode(grid: Grid) -> bytes:
    """A grid as a GTX file's bytes, values rounded to float32. Raises ModelError for what GTX cannot hold."""
    if grid.subgrids:
        raise ModelError(f"GTX holds one grid, this one has {len(grid.subgrids)} sub-grids")
    with np.errstate(invalid="ignore"):
        clash = (np.abs(grid.values) > _LARGEST) | (np.abs(grid.values - float(_NO_DATA)) < 1e-4)
    if clash.any():
        row, column = np.argwhere(clash)[0]
        raise ModelError(f"GTX would read {grid.values[row, column]} m (row {row}, column {column}) as no data")
    header = _HEADER.pack(grid.south, grid.west, grid.dlat, grid.dlon, grid.rows, grid.columns)
    return header + np.where(np.isnan(grid.values), _NO_DATA, grid.values).astype(">f4").tobytes()
