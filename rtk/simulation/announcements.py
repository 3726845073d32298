"""What stations and satellites say of themselves, right or, where a fault makes it so, wrong."""

from __future__ import annotations

from dataclasses import replace

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.stations import Station
from cors.gnss.time import NS
from rtk.simulation import antennas, broadcast
from rtk.simulation.configuration import Configuration
from rtk.simulation.faults import Unhealthy, WrongAntenna, WrongCoordinate, WrongEphemeris
from rtk.simulation.places import Places
from rtk.simulation.sky import Sky

_LOOK_S = 10
"""How often a file is looked through for new sets."""


class Announcements:
    """Descriptions and ephemerides at any instant."""

    def __init__(self, configuration: Configuration, places: Places, sky: Sky) -> None:
        self._configuration, self._places, self._sky = configuration, places, sky
        self._key: tuple[int, ...] = ()
        self._sets: tuple[Ephemeris, ...] = ()

    def stations(self, gpst: int) -> tuple[Station, ...]:
        """Stations, then rovers; `position_ecef` is what 1006 says."""
        t = (gpst - self._configuration.start) / NS
        found = {site.name: site.station() for site in self._configuration.sites}
        for fault in self._configuration.faults:
            if isinstance(fault, WrongCoordinate) and fault.acts(t):
                station = found[fault.station]
                offset = self._places.local(fault.station, fault.offset)
                x, y, z = (float(a + b) for a, b in zip(station.position_ecef, offset, strict=True))
                found[fault.station] = replace(station, position_ecef=(x, y, z))
            elif isinstance(fault, WrongAntenna) and fault.acts(t):
                radome = antennas.radome(fault.antenna) if fault.antenna in antennas.NAMES else "NONE"
                found[fault.station] = replace(found[fault.station], antenna=fault.antenna, radome=radome)
        return tuple(found.values())

    def ephemerides(self, gpst: int) -> tuple[Ephemeris, ...]:
        """The set each satellite (and kind of message) sends at an instant, and the one before it."""
        t = (gpst - self._configuration.start) / NS
        acting = tuple(int(fault.acts(t)) for fault in self._configuration.faults)
        issues = tuple(broadcast.issue_number(system, gpst) for system in broadcast.CADENCE_S)
        if self._configuration.ephemerides:  # a file's sets come and go at any time
            issues = (gpst // (_LOOK_S * NS),)
        key = issues + acting
        if key != self._key:
            self._key, self._sets = key, self._faulty(tuple(self._sky.ephemerides(gpst)), t)
        return self._sets

    def _faulty(self, sets: tuple[Ephemeris, ...], t: float) -> tuple[Ephemeris, ...]:
        for fault in self._configuration.faults:
            if isinstance(fault, WrongEphemeris | Unhealthy) and fault.acts(t):
                sets = broadcast.spoiled(sets, fault)
        return sets
