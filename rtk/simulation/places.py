"""Where the receivers are at an epoch: sites, tracks, tides, and antennas that were moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cors.gnss.coordinates import enu_rotation, geodetic_from_ecef
from cors.gnss.time import NS
from rtk.models.tides import solid_tide
from rtk.simulation import _kernels
from rtk.simulation.atmosphere import hydrostatic_zenith
from rtk.simulation.clocks import ClockReadings
from rtk.simulation.configuration import Configuration
from rtk.simulation.faults import Killed, Moved
from rtk.simulation.layout import Place

Array = NDArray[np.float64]

_TIDE_STEP_S = 60


class TideSteps:
    """Solid tide at fixed places, each minute and straight between: it moves by less than .1 mm a minute.

    One of the two things shared with the engine (the other: the form of antenna calibrations).
    """

    def __init__(self, position_ecef: Array, start: int, on: bool) -> None:
        self._position, self._start, self._on = position_ecef, start, on
        self._nodes: dict[int, Array] = {}

    def _node(self, number: int) -> Array:
        if number not in self._nodes:
            if len(self._nodes) > 4:
                self._nodes.clear()
            self._nodes[number] = solid_tide(self._position, self._start + number * _TIDE_STEP_S * NS)
        return self._nodes[number]

    def at(self, elapsed_s: float) -> Array:
        """[s, 3] m in ECEF."""
        if not self._on:
            return np.zeros_like(self._position)
        number = int(elapsed_s // _TIDE_STEP_S)
        part = elapsed_s / _TIDE_STEP_S - number
        displacement: Array = (1.0 - part) * self._node(number) + part * self._node(number + 1)
        return displacement


class Places:
    """All receivers' places."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        sites = configuration.sites
        self.position = np.array([site.position_ecef for site in sites])
        """[s, 3] ARP, tide-free."""
        self.geodetic = geodetic_from_ecef(self.position)
        self.rotation = np.array([enu_rotation(lat, lon) for lat, lon, _ in self.geodetic])
        centre = geodetic_from_ecef(self.position.mean(axis=0))
        self.centre = float(centre[0]), float(centre[1])
        """Latitude and longitude (rad) the atmosphere's fields are laid out about."""
        self._tides = TideSteps(self.position, configuration.start, configuration.effects.tides)
        self._row = {site.name: row for row, site in enumerate(sites)}
        self._moving = [row for row, site in enumerate(sites) if site.track is not None]

    def local(self, name: str, offset: tuple[float, float, float]) -> Array:
        """East, north, up (m) at a site as ECEF [3]."""
        moved: Array = self.rotation[self._row[name]].T @ np.array(offset)
        return moved

    def plane(self, geodetic: Array) -> Array:
        """Latitude, longitude, height [s, 3] to km east and north of the centre and height in km."""
        latitude, longitude = self.centre
        east = _kernels.EARTH_KM * np.cos(latitude) * np.remainder(geodetic[:, 1] - longitude + np.pi, 2.0 * np.pi)
        east -= _kernels.EARTH_KM * np.cos(latitude) * np.pi  # across the date line too
        return np.column_stack([east, _kernels.EARTH_KM * (geodetic[:, 0] - latitude), geodetic[:, 2] / 1e3])

    def nominal(self, row: int, elapsed_s: float) -> Array:
        """Tide-free ARP [3] of a receiver at an instant, where its track has brought it."""
        track = self._configuration.sites[row].track
        place: Array = self.position[row].copy()
        if track is not None:
            place += self.rotation[row].T @ track.state(elapsed_s)[0]
        return place

    def at(self, elapsed_s: float, clocks: ClockReadings, pressure: float) -> Place:
        """Places at a nominal epoch, with the clocks read then; `pressure` hPa at sea level."""
        position, velocity = self.position.copy(), np.zeros_like(self.position)
        for row in self._moving:
            track = self._configuration.sites[row].track
            if track is not None:
                way, speed = track.state(elapsed_s)
                position[row] += self.rotation[row].T @ way
                velocity[row] = self.rotation[row].T @ speed
        geodetic, rotation = self.geodetic, self.rotation
        if self._moving:
            geodetic = geodetic_from_ecef(position)
            rotation = np.array([enu_rotation(lat, lon) for lat, lon, _ in geodetic])
        active = np.ones(position.shape[0], bool)
        for fault in self._configuration.faults:
            if isinstance(fault, Moved) and fault.acts(elapsed_s):
                position[self._row[fault.station]] += self.local(fault.station, fault.offset)
            elif isinstance(fault, Killed) and fault.acts(elapsed_s):
                active[self._row[fault.station]] = False
        zhd = hydrostatic_zenith(geodetic[:, 0], geodetic[:, 2], pressure)
        return Place(
            position + self._tides.at(elapsed_s), velocity, rotation, self.plane(geodetic), zhd, clocks.reception,
            clocks.code, clocks.phase, clocks.drift, active,
        )  # fmt: skip

    def still(self, position_ecef: Array, pressure: float) -> Place:
        """One place anywhere, with a perfect clock, no tide."""
        geodetic = geodetic_from_ecef(position_ecef)[None]
        zero = np.zeros(1)
        return Place(
            position_ecef[None].copy(), np.zeros((1, 3)), enu_rotation(geodetic[0, 0], geodetic[0, 1])[None],
            self.plane(geodetic), hydrostatic_zenith(geodetic[:, 0], geodetic[:, 2], pressure), zero, zero, zero, zero,
            np.ones(1, bool),
        )  # fmt: skip
