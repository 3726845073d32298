"""Small worlds the tests share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cors.gnss.signals import carrier_frequency
from cors.gnss.time import parse_time
from rtk.simulation.configuration import Configuration
from rtk.simulation.epoch import SimulatedEpoch
from rtk.simulation.receivers import ReceiverClock
from rtk.simulation.simulation import Simulation
from rtk.simulation.sites import Site

START = parse_time("2026-11-25T05:20:00")
C = 299_792_458.0


def site(number: int, latitude: float = 28.0, longitude: float = 112.5, height: float = 100.0, **changes: Any) -> Site:
    """A receiver near the default network's centre."""
    return Site(f"S{number:03d}00CHN", number, latitude, longitude, height, **changes)


PAIR = (site(1), site(2, 28.4, 112.8, 520.0, make="BOREAS B10", clock=ReceiverClock.RESETS_BOTH))
"""About 53 km apart, 420 m in height, of two makes, one with a free-running clock."""


def world(*sites: Site, **changes: Any) -> Simulation:
    """A simulation of these sites (default: the pair)."""
    return Simulation(Configuration(START, changes.pop("seed", 1), stations=sites or PAIR, **changes))


def frequencies(simulation: Simulation, epoch: SimulatedEpoch) -> NDArray[np.float64]:
    """Hz of every row."""
    channels = dict(zip(simulation.sky.satellites.tolist(), simulation.sky.channels.tolist(), strict=True))
    o = epoch.observations
    return np.array(
        [carrier_frequency(int(s), channels[int(n)]) for n, s in zip(o.satellite, o.signal, strict=True)], float
    )


def single(epoch: SimulatedEpoch, name: str, values: NDArray[Any]) -> dict[tuple[int, int], float]:
    """Values of one station's rows by satellite and signal."""
    rows = epoch.rows(epoch.stations.index(name))
    o = epoch.observations
    keys = zip(o.satellite[rows].tolist(), o.signal[rows].tolist(), strict=True)
    return dict(zip(keys, values[rows].tolist(), strict=True))
