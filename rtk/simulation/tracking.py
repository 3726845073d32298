"""What every receiver has locked on, minute by minute, from an hour before the start.

Locks depend on what came before, so they are carried forward in cells of a minute: satellites rise and set through the
mask, signals are acquired one after the other, slips and short gaps happen. A cell is a pure function of the seed and
the cells before it, hence the same however epochs are asked for; going back starts again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cors.gnss.time import NS
from rtk.simulation import _kernels
from rtk.simulation.layout import Atmosphere, ReceiverTables, SignalTables, new_locks
from rtk.simulation.sky import Sky

FIRST_CELL = -60


class Tracking:
    """Locks of all receivers; `at` moves them to the cell of an instant."""

    def __init__(
        self, sky: Sky, position: NDArray[np.float64], rotation: NDArray[np.float64], receivers: ReceiverTables,
        signals: SignalTables, atmosphere: Atmosphere, masks: NDArray[np.float64],
        half_cycle_ratio: NDArray[np.float64], slip_rate: float, spread: float,
    ) -> None:  # fmt: skip
        self._sky, self._position, self._rotation = sky, position, rotation
        self._receivers, self._signals, self._atmosphere = receivers, signals, atmosphere
        self._masks, self._half, self._rate, self._spread = masks, half_cycle_ratio, slip_rate, spread
        self._cell = FIRST_CELL - 1
        self.locks = new_locks(receivers.make.size, sky.satellites.size)

    def at(self, elapsed_s: float) -> None:
        """Bring the locks to the cell that holds `elapsed_s`."""
        cell = math.floor(elapsed_s / _kernels.CELL_S)
        if cell < FIRST_CELL:
            raise ValueError(f"{elapsed_s} s is before the receivers were switched on ({FIRST_CELL} min)")
        if cell < self._cell:
            self._cell = FIRST_CELL - 1
            for old, new in zip(self.locks, new_locks(*self.locks.ends.shape), strict=True):
                old[:] = new
        while self._cell < cell:
            self._cell += 1
            self._advance(self._cell)

    def _advance(self, cell: int) -> None:
        instants = np.array([cell, cell + 1], np.int64) * int(_kernels.CELL_S) * NS
        ends = np.ascontiguousarray(self._sky.states(instants).position.transpose(1, 0, 2))
        _kernels.advance(
            cell, cell == FIRST_CELL, self._position, self._rotation, ends, self._receivers.make,
            self._receivers.key, self._signals.tracked, self._atmosphere.iono, self.locks, self._masks, self._rate,
            self._spread, self._half,
        )  # fmt: skip
