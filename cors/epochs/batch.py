"""One epoch of the whole network: what the engine takes in, ragged, a station a slice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.observations import Observations, take


class EpochBatch(NamedTuple):
    """Rows of all stations that were in time, sorted by station, satellite, signal."""

    gpst: int
    """Nominal epoch, ns: the tags rounded to the interval."""
    stations: tuple[str, ...]
    """Names, in the order of `offsets`; a station without rows is not here."""
    tags: NDArray[np.int64]
    """[n] the receivers' own time tags, gpst ns; a free-running clock is off by up to a millisecond."""
    offsets: NDArray[np.int64]
    """[n + 1] first row of each station."""
    observations: Observations
    ephemerides: tuple[Ephemeris, ...]
    """Current sets of all satellites, deduplicated, as many a satellite as are current."""
    late: tuple[str, ...] = ()
    """Stations that were expected and not there when the epoch was closed."""

    def station(self, index: int) -> Observations:
        """Views of one station's rows."""
        return take(self.observations, slice(int(self.offsets[index]), int(self.offsets[index + 1])))
