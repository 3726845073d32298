"""One simulated epoch: what the receivers measured, and the truth beside every row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations, take


class Truth(NamedTuple):
    """What the measurements of an epoch are made of; lengths m unless said otherwise.

    Pseudorange = range + c (clock - satellite clock) + troposphere + mu ionosphere + antenna + code_bias + code_error;
    phaserange = range + c (phase_clock - satellite clock) + troposphere - mu ionosphere + antenna + phase_bias
    + wavelength integer + phase_error. Ionosphere is at 1575.42 MHz.
    """

    integer: NDArray[np.int64]
    """[row] cycles; the double difference of these is what ambiguity resolution must find."""
    code_bias: NDArray[np.float64]
    phase_bias: NDArray[np.float64]
    """[row] everything constant in the phase but whole cycles; open half cycles are in it."""
    code_error: NDArray[np.float64]
    """[row] noise and multipath."""
    phase_error: NDArray[np.float64]
    lock_from: NDArray[np.float64]
    """[row] s since the start of the simulation."""
    half_until: NDArray[np.float64]
    """[row] s since the start: until then the half cycle is open; far in the past where it never was."""
    station: NDArray[np.int64]
    """[row]."""
    link: NDArray[np.int64]
    """[row] into the arrays of links."""
    link_station: NDArray[np.int64]
    link_satellite: NDArray[np.int16]
    """[link] packed."""
    range: NDArray[np.float64]
    """[link] from the ARP at reception to the satellite at emission."""
    emission: NDArray[np.float64]
    """[link] true emission time minus nominal epoch, s."""
    azimuth: NDArray[np.float64]
    elevation: NDArray[np.float64]
    """[link] rad."""
    ionosphere: NDArray[np.float64]
    """[link] slant delay at 1575.42 MHz."""
    troposphere: NDArray[np.float64]
    """[link] slant delay."""
    clock: NDArray[np.float64]
    """[station] s, of the code and of the tag: true reception = tag - clock."""
    phase_clock: NDArray[np.float64]
    position_ecef: NDArray[np.float64]
    """[station, 3] ARP at the true reception time, tides in."""
    zenith_hydrostatic: NDArray[np.float64]
    """[station]."""
    zenith_wet: NDArray[np.float64]
    """[station]."""


class SimulatedEpoch(NamedTuple):
    """All receivers at one nominal epoch: stations first, then rovers."""

    number: int
    gpst: int
    """Nominal epoch, ns."""
    stations: tuple[str, ...]
    tags: NDArray[np.int64]
    """[station] the receivers' own time tags, gpst ns."""
    offsets: NDArray[np.int64]
    """[station + 1] first row of each."""
    observations: Observations
    truth: Truth

    def rows(self, index: int) -> slice:
        """Rows of one receiver."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def station(self, index: int) -> Observations:
        """Views of one receiver's rows."""
        return take(self.observations, self.rows(index))


class AtmosphereTruth(NamedTuple):
    """The atmosphere over any point, all satellites above its horizon; arrays [satellites]."""

    satellite: NDArray[np.int16]
    azimuth: NDArray[np.float64]
    elevation: NDArray[np.float64]
    """rad."""
    range: NDArray[np.float64]
    """m."""
    ionosphere: NDArray[np.float64]
    """Slant delay at 1575.42 MHz, m."""
    troposphere: NDArray[np.float64]
    """Slant delay, m."""
