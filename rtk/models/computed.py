"""The computed range: what an observation should read but for receiver clock, ionosphere and what is estimated.

One function for the engine (all stations) and for a virtual station (master and virtual point): both must take off
exactly the same. Satellites are evaluated once an epoch and expanded to each receiver's own transmission time; light
time is iterated and the Earth's rotation applied as a rotation (once; no first-order term beside it).
`computed = distance - c dt_s + troposphere`; observed minus computed then holds c dt_r, ionosphere, residual
troposphere, biases and ambiguities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.coordinates import enu_rotation, geodetic_from_ecef
from cors.gnss.ephemeris import Ephemeris
from cors.gnss.orbits import SatelliteStates, ephemeris_table, satellite_states
from cors.gnss.time import NS
from rtk.models import _kernels
from rtk.models.troposphere import ZenithModel, troposphere

Array = NDArray[np.float64]

TRAVEL_NS = 75_000_000
"""Nominal travel time: the satellites' states hold this much before the epoch."""


class Sky(NamedTuple):
    """Satellites of one epoch, each evaluated once."""

    gpst: int
    """The epoch, ns; the states hold TRAVEL_NS earlier."""
    satellites: NDArray[np.int64]
    """[n] packed, ascending."""
    ephemerides: tuple[Ephemeris, ...]
    states: SatelliteStates


class Computed(NamedTuple):
    """S receivers, n satellites."""

    distance: Array
    """[S, n] m, receiver to satellite's antenna, in the frame of reception."""
    rate: Array
    """[S, n] m/s, of the distance."""
    satellite_clock: Array
    """[S, n] s at transmission."""
    direction: Array
    """[S, n, 3] unit vector receiver to satellite, ECEF."""
    azimuth: Array
    """[S, n] rad."""
    elevation: Array
    """[S, n] rad."""
    troposphere: Array
    """[S, n] m, a priori."""
    wet_mapping: Array
    """[S, n]."""

    @property
    def range(self) -> Array:
        """[S, n] m: distance - c dt_s + troposphere."""
        return self.distance - SPEED_OF_LIGHT * self.satellite_clock + self.troposphere


def sky_at(ephemerides: Sequence[Ephemeris], gpst: int) -> Sky:
    """Evaluate one set a satellite at an epoch (ns); sets of the same satellite are an error (ValueError)."""
    chosen = sorted(ephemerides, key=lambda e: e.satellite)
    satellites = np.array([e.satellite for e in chosen], np.int64)
    if satellites.size > 1 and not np.all(np.diff(satellites) > 0):
        raise ValueError("more than one ephemeris of a satellite in one epoch")
    states = satellite_states(ephemeris_table(chosen), np.arange(len(chosen)), gpst - TRAVEL_NS)
    return Sky(gpst, satellites, tuple(chosen), states)


def local_axes(positions_ecef: ArrayLike) -> Array:
    """[S, 3, 3] rows east, north, up of receivers [S, 3]."""
    places = geodetic_from_ecef(np.atleast_2d(np.asarray(positions_ecef, float)))
    return np.array([enu_rotation(lat, lon) for lat, lon, _ in places])


def computed(
    sky: Sky, positions_ecef: ArrayLike, offset_s: ArrayLike, atmosphere: ZenithModel, axes: Array | None = None
) -> Computed:
    """Computed ranges of receivers [S, 3] (ECEF m, tides in) whose true reception times are epoch + offset_s [S].

    offset_s = tag - epoch - receiver clock; `axes` are those of `local_axes`, when they are at hand.
    """
    receivers = np.ascontiguousarray(np.atleast_2d(np.asarray(positions_ecef, float)))
    s, n = receivers.shape[0], sky.satellites.size
    offsets = np.broadcast_to(np.asarray(offset_s, float), (s,)) + TRAVEL_NS / NS
    distance, rate, clock = np.empty((s, n)), np.empty((s, n)), np.empty((s, n))
    look = np.empty((s, n, 5))
    states = sky.states
    _kernels.geometry(
        states.position, states.velocity, states.acceleration, states.clock, states.clock_rate, receivers,
        local_axes(receivers) if axes is None else axes, offsets, distance, rate, clock, look,
    )  # fmt: skip
    elevation = np.ascontiguousarray(look[:, :, 4])
    air = troposphere(atmosphere, elevation)
    return Computed(distance, rate, clock, look[:, :, :3], look[:, :, 3], elevation, air.slant, air.wet_mapping)
