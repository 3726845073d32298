"""Slips of rows that never reach a batch, carried to the signal's next row that does.

A late or off-interval epoch is dropped, but the engine must still learn that a phase slipped in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import ObservationFlag, Observations

_SLIP = np.uint8(ObservationFlag.SLIP)


def row_keys(observations: Observations) -> NDArray[np.int32]:
    """[n] satellite << 16 | signal: strictly growing where rows are in order and none is twice."""
    keys: NDArray[np.int32] = observations.satellite.astype(np.int32) << 16 | observations.signal
    return keys


class CarriedSlips:
    """Signals of one station with a slip that nobody has been told of."""

    def __init__(self) -> None:
        """None yet; at most one entry a signal ever."""
        self._keys: NDArray[np.int32] = np.zeros(0, np.int32)

    def keep(self, dropped: Observations) -> None:
        """Note the slips of rows that are dropped."""
        slipped = row_keys(dropped)[dropped.flags & _SLIP != 0]
        if slipped.size:
            self._keys = np.union1d(self._keys, slipped)

    def hand_over(self, observations: Observations) -> Observations:
        """The rows, with what was kept of their signals."""
        if not self._keys.size:
            return observations
        keys = row_keys(observations)
        flags = observations.flags | np.where(np.isin(keys, self._keys), _SLIP, np.uint8(0))
        self._keys = np.setdiff1d(self._keys, keys)
        return observations._replace(flags=flags)
