"""Modelled ranges of a fixed station from broadcast ephemerides, as a service gives them to quality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.ephemeris import Ephemeris
from cors.gnss.observations import Observations
from cors.gnss.selection import choose, identity
from cors.gnss.time import NS
from cors.quality.judgement import ModelledRanges
from rtk.models.computed import computed, local_axes, sky_at
from rtk.models.troposphere import mops


class StationRanges:
    """Ranges of one station, at the true time of reception: the receiver's clock comes from its own codes."""

    def __init__(self, position_ecef: Sequence[float], ephemerides: Sequence[Ephemeris], gpst: int) -> None:
        self._position = np.asarray(position_ecef, float)
        self._axes = local_axes(self._position)
        self._atmosphere = mops(self._position, gpst)
        self._sets: dict[int, dict[object, Ephemeris]] = {}
        for ephemeris in ephemerides:
            self.tell(ephemeris)
        self._clock_s = 0.0

    def tell(self, ephemeris: Ephemeris) -> None:
        """One more broadcast set."""
        self._sets.setdefault(ephemeris.satellite, {})[identity(ephemeris)] = ephemeris

    def __call__(self, tag: int, observations: Observations) -> ModelledRanges:
        chosen = [choose(self._sets.get(int(s), {}).values(), tag) for s in np.unique(observations.satellite)]
        sky = sky_at([e for e in chosen if e is not None], tag)
        for _ in range(2):
            c = computed(sky, self._position, -self._clock_s, self._atmosphere, self._axes)
            ranges = self._spread(observations, sky.satellites, c.range[0])
            off = observations.pseudorange - ranges
            if np.isfinite(off).any():
                self._clock_s = float(np.nanmedian(off)) / SPEED_OF_LIGHT
        issue = np.array([e.toe // NS for e in sky.ephemerides], float)
        issues = np.nan_to_num(self._spread(observations, sky.satellites, issue)).astype(np.int64)
        return ModelledRanges(ranges, self._spread(observations, sky.satellites, c.elevation[0]), issues)

    @staticmethod
    def _spread(
        observations: Observations, satellites: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Values a satellite to values a row; NaN for satellites without."""
        table = np.full(448, np.nan)
        table[satellites] = values
        spread: NDArray[np.float64] = table[observations.satellite]
        return spread
