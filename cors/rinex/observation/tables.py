"""Arrays the reading kernels take and fill: how fields become rows, the epochs of a file, its rows.

NamedTuples because kernels take them as they are; what they mean for a whole file is in `reading`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Layout(NamedTuple):
    """How the fields of each system become rows; tables for F fields and S slots at most."""

    fields: NDArray[np.int64]
    """[7] fields a satellite has."""
    slots: NDArray[np.int64]
    """[7] signals."""
    kind: NDArray[np.uint8]
    """[7, F] 0 not read, 1 pseudorange, 2 phase, 3 Doppler, 4 signal strength."""
    divisor: NDArray[np.float64]
    """[7, F] 1000 times the scale factor."""
    table: NDArray[np.int64]
    """[7, S, 7] fields of C, L, D, S, then rule, a, b (`codes.Slot`)."""
    signal: NDArray[np.uint16]
    """[7, S]."""
    wavelength: NDArray[np.float64]
    """[448, S] m by satellite and slot, NaN where a GLONASS channel is unknown."""


class EpochTable(NamedTuple):
    """One row an observation epoch."""

    begin: NDArray[np.int64]
    """Offset of the epoch line."""
    end: NDArray[np.int64]
    calendar: NDArray[np.int64]
    """ns, as printed."""
    row: NDArray[np.int64]
    """First row of observations."""
    clock: NDArray[np.float64]
    """Receiver clock offset, s; NaN blank."""
    picoseconds: NDArray[np.int32]
    flag: NDArray[np.uint8]
    satellites: NDArray[np.int16]
    layout: NDArray[np.int32]
    """Which of the file's headers holds."""


class Rows(NamedTuple):
    """Columns of `cors.gnss.Observations`, with room to grow."""

    satellite: NDArray[np.int16]
    signal: NDArray[np.uint16]
    pseudorange: NDArray[np.float64]
    phaserange: NDArray[np.float64]
    phaserange_rate: NDArray[np.float64]
    cn0: NDArray[np.float32]
    lock_time: NDArray[np.float32]
    flags: NDArray[np.uint8]


def empty_rows(n: int) -> Rows:
    """Room for n rows."""
    return Rows(
        np.empty(n, np.int16), np.empty(n, np.uint16), np.empty(n), np.empty(n), np.empty(n), np.empty(n, np.float32),
        np.empty(n, np.float32), np.empty(n, np.uint8),
    )  # fmt: skip


def empty_table(n: int) -> EpochTable:
    """Room for n epochs."""
    return EpochTable(
        np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n),
        np.empty(n, np.int32), np.empty(n, np.uint8), np.empty(n, np.int16), np.empty(n, np.int32),
    )  # fmt: skip


def resize(columns: Rows | EpochTable, n: int) -> None:
    """Longer or shorter in place: large arrays move without being copied."""
    for column in columns:
        column.resize(n, refcheck=False)
