"""Broadcast orbits and clocks: where a satellite's antenna was, and what its clock read, at an instant.

`ephemeris_table` lays sets out for the kernels once; `satellite_states` evaluates any of them at any instants. The
clock holds the relativistic term and no group delay (those are the signal's: `cors.gnss.group_delays`). Time arguments
are the true (system) time of transmission. Constants are each ICD's own (IS-GPS-200, Galileo, BDS-SIS-ICD, GLONASS).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cors.gnss import _kernels
from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.satellites import Constellation, is_beidou_geo
from cors.gnss.time import BDT_OFFSET_S, NS, WEEK_NS

GLONASS_STEP_S = 60.0
"""RK4 step: 15 min of propagation err 0.6 mm."""

# mu m^3/s^2, Earth rotation rad/s, relativity constant F s/m^0.5, by constellation.
_MU_GPS, _MU = 3.986005e14, 3.986004418e14
_RATE, _RATE_BDS = 7.2921151467e-5, 7.292115e-5
_CONSTANTS = {
    Constellation.GPS: (_MU_GPS, _RATE, -4.442807633e-10),
    Constellation.QZSS: (_MU_GPS, _RATE, -4.442807633e-10),
    Constellation.NAVIC: (_MU_GPS, _RATE, -4.442807633e-10),
    Constellation.GALILEO: (_MU, _RATE, -4.442807309e-10),
    Constellation.BEIDOU: (_MU, _RATE_BDS, -2.0 * _MU**0.5 / SPEED_OF_LIGHT**2),
}

_KEPLER_FIELDS = (
    "sqrt_a", "eccentricity", "m0", "delta_n", "omega0", "i0", "omega", "omega_dot", "idot",
    "cuc", "cus", "crc", "crs", "cic", "cis", "af0", "af1", "af2", "a_dot", "delta_n_dot",
)  # fmt: skip


class EphemerisTable(NamedTuple):
    """Sets laid out for the kernels; row k is set k of `ephemerides`."""

    ephemerides: tuple[Ephemeris, ...]
    kind: NDArray[np.uint8]
    rows: NDArray[np.float64]
    toe: NDArray[np.int64]
    toc: NDArray[np.int64]


class SatelliteStates(NamedTuple):
    """m states in ECEF of the instant asked for."""

    position: NDArray[np.float64]
    """[m, 3] m, antenna phase centre."""
    velocity: NDArray[np.float64]
    """[m, 3] m/s."""
    acceleration: NDArray[np.float64]
    """[m, 3] m/s^2."""
    clock: NDArray[np.float64]
    """[m] s, positive when the satellite's clock is fast; relativity in, group delay not."""
    clock_rate: NDArray[np.float64]
    """[m] s/s."""


def _kepler_row(ephemeris: KeplerEphemeris) -> list[float]:
    system = Constellation(ephemeris.satellite >> 6)
    mu, rate, relativity = _CONSTANTS[system]
    offset = BDT_OFFSET_S * NS if system is Constellation.BEIDOU else 0
    toe_of_week = (ephemeris.toe - offset) % WEEK_NS / NS
    geo = ephemeris.message is NavigationMessage.D2 and is_beidou_geo(ephemeris.satellite)
    return [getattr(ephemeris, name) for name in _KEPLER_FIELDS] + [mu, rate, relativity, toe_of_week, float(geo)]


def _state_row(ephemeris: StateEphemeris) -> list[float]:
    values = [*ephemeris.position, *ephemeris.velocity, *ephemeris.acceleration]
    return [*values, ephemeris.clock_bias, ephemeris.clock_rate] + [0.0] * (_kernels.KEPLER_COLUMNS - 11)


def ephemeris_table(ephemerides: Sequence[Ephemeris]) -> EphemerisTable:
    """Lay out sets of any constellation for `satellite_states`."""
    n = len(ephemerides)
    kind = np.zeros(n, np.uint8)
    rows = np.zeros((n, _kernels.KEPLER_COLUMNS))
    toe, toc = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for k, ephemeris in enumerate(ephemerides):
        toe[k] = ephemeris.toe
        if isinstance(ephemeris, KeplerEphemeris):
            rows[k] = _kepler_row(ephemeris)
            toc[k] = ephemeris.toc
        else:
            kind[k] = 2 if ephemeris.message is NavigationMessage.SBAS else 1
            rows[k] = _state_row(ephemeris)
            toc[k] = ephemeris.toe
    return EphemerisTable(tuple(ephemerides), kind, rows, toe, toc)


def satellite_states(table: EphemerisTable, which: ArrayLike, gpst: ArrayLike) -> SatelliteStates:
    """States of sets `which` [m] (rows of the table) at `gpst` [m] or one int, ns."""
    rows = np.atleast_1d(np.asarray(which, np.int64))
    instants = np.ascontiguousarray(np.broadcast_to(np.asarray(gpst, np.int64), rows.shape))
    out = np.empty((rows.size, 11))
    _kernels.evaluate(table.kind, table.rows, table.toe, table.toc, rows, instants, GLONASS_STEP_S, out)
    return SatelliteStates(out[:, 0:3], out[:, 3:6], out[:, 6:9], out[:, 9], out[:, 10])
