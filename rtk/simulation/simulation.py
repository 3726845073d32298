"""The simulation: any epoch of any receiver, with its truth, from one configuration.

An epoch depends on the configuration and its number alone. Going forward is cheapest (locks are carried on); going
back starts the locks again. Truth, noise and the sky relative to the start depend on the seed, not on the date;
tides and the reference times of messages do depend on it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cors.epochs.batch import EpochBatch
from cors.gnss.constants import EARTH_ROTATION
from cors.gnss.ephemeris import Ephemeris
from cors.gnss.observations import Observations
from cors.gnss.stations import Station
from cors.gnss.time import NS
from rtk.simulation import _kernels, antennas, atmosphere, receiver_faults
from rtk.simulation.announcements import Announcements
from rtk.simulation.batches import Batches
from rtk.simulation.clocks import ClockReadings, ReceiverClocks
from rtk.simulation.configuration import Configuration
from rtk.simulation.epoch import AtmosphereTruth, SimulatedEpoch, Truth
from rtk.simulation.fault_reader import check_names
from rtk.simulation.layout import (
    SIGNALS_A_SATELLITE,
    Place,
    ReceiverTables,
    Rows,
    SatelliteEpoch,
    new_links,
    new_rows,
)  # fmt: skip
from rtk.simulation.navigation_sky import NavigationSky
from rtk.simulation.places import Places
from rtk.simulation.receivers import BEIDOU2_CODE, MAKES, Make, beidou2_group, hardware, signal_tables
from rtk.simulation.reflectors import reflectors
from rtk.simulation.sky import NominalSky, Sky
from rtk.simulation.tracking import Tracking

_NODES_NS = (_kernels.NODE_MIDDLE_S + np.array([-1.0, 0.0, 1.0]) * _kernels.NODE_STEP_S) * NS
_MINUTE_S = 60.0


class Simulation:
    """A network with known truth."""

    def __init__(self, configuration: Configuration) -> None:
        """Draws everything that stays. Raises ValueError (FaultError for faults) where the configuration cannot be."""
        c = self.configuration = configuration
        self.sites = c.sites
        self.names = tuple(site.name for site in c.sites)
        self.sky: Sky = (
            NavigationSky(c.ephemerides, c.start, c.seed, c.systems, c.effects)
            if c.ephemerides
            else NominalSky(c.seed, c.start, c.systems, c.effects)
        )
        check_names(c.faults, set(self.names), {int(s) for s in self.sky.satellites})
        self.places = Places(c)
        self._said = Announcements(c, self.places, self.sky)
        self._atmosphere, self._pressure = atmosphere.draw_atmosphere(
            c.seed, c.scenario, *self.places.centre, c.effects
        )
        makes = self._used_makes()
        index = {make.name: row for row, make in enumerate(makes)}
        self._signals = signal_tables(makes, self.sky, c.seed, c.effects.hardware, c.effects.quarter_cycles)
        self._receivers = self._receiver_tables(np.array([index[site.make] for site in c.sites]))
        self._antennas = antennas.antenna_tables(c.effects.antennas)
        self._clocks = ReceiverClocks(c.sites, c.seed, c.effects.receiver_clocks, c.faults)
        self._group = np.array(
            [beidou2_group(int(s)) if c.effects.beidou2_code else -1 for s in self.sky.satellites], np.int64
        )
        half = np.array([make.half_cycle_ratio * c.effects.half_cycles for make in makes])
        self._tracking = Tracking(
            self.sky, self.places.position, self.places.rotation, self._receivers, self._signals, self._atmosphere,
            np.array([site.mask for site in c.sites]), half, c.scenario.slip_rate * c.effects.slips,
            c.integer_spread * c.effects.ambiguities,
        )  # fmt: skip
        links = len(c.sites) * self.sky.satellites.size
        self._rows, self._links = new_rows(links * SIGNALS_A_SATELLITE), new_links(links)
        self._minute: int | None = None
        self._batches = Batches(self)

    def _used_makes(self) -> list[Make]:
        names = dict.fromkeys(site.make for site in self.sites)
        wanted = self.configuration.signals
        makes = [MAKES[name] for name in names]
        if wanted is None:
            return makes
        return [replace(make, signals=tuple(s for s in make.signals if s in wanted)) for make in makes]

    def _receiver_tables(self, make: NDArray[np.int64]) -> ReceiverTables:
        c, e = self.configuration, self.configuration.effects
        self._hardware = [
            hardware(MAKES[s.make], c.seed, s.key, self.sky, e.hardware, e.glonass_biases, e.quarter_cycles)
            for s in c.sites
        ]
        quality = np.array([s.quality for s in c.sites])
        moving = np.array([s.track is not None for s in c.sites])
        scale = c.scenario.multipath * e.multipath * quality
        walls = [reflectors(c.seed, s.key, k * (s.track is None)) for s, k in zip(c.sites, scale, strict=True)]
        rough = e.coloured_noise * quality * np.where(moving, 3.0, 1.0)
        return ReceiverTables(
            make, np.array([antennas.antenna_index(s.antenna) for s in c.sites]),
            np.array([_kernels.key2(_kernels.mix(c.seed & 0xFFFFFFFF), s.key) for s in c.sites], np.int64),
            np.array(walls), np.column_stack([0.08 * rough, 0.0008 * rough]),
            e.noise * np.sqrt(quality) * np.array([MAKES[s.make].noise for s in c.sites]),
            np.array([np.random.default_rng((c.seed, 204, s.key)).uniform(-1.0, 1.0) for s in c.sites]),
            np.array([h.code for h in self._hardware]), np.array([h.phase for h in self._hardware]),
            np.array([h.glonass_code for h in self._hardware]),
        )  # fmt: skip

    def _warm(self, t: float) -> None:
        """Bring what changes by the minute to its value: slow drifts of receiver phases."""
        minute = int(t // _MINUTE_S)
        if minute == self._minute:
            return
        self._minute = minute
        for row, h in enumerate(self._hardware):
            swing = np.sin(2.0 * np.pi * minute * _MINUTE_S / h.period_s)
            self._receivers.phase_bias[row] = h.phase + h.drift * swing

    def _satellites(self, elapsed: int) -> SatelliteEpoch:
        states = self.sky.states(elapsed + np.round(_NODES_NS).astype(np.int64))
        turn = EARTH_ROTATION * _NODES_NS / NS
        p = states.position
        x = np.cos(turn) * p[:, :, 0] - np.sin(turn) * p[:, :, 1]
        y = np.sin(turn) * p[:, :, 0] + np.cos(turn) * p[:, :, 1]
        nodes = np.stack([x, y, p[:, :, 2]], axis=-1)
        before, middle, after = nodes[:, 0], nodes[:, 1], nodes[:, 2]
        coefficients = np.stack([middle, (after - before) / 2.0, (after + before) / 2.0 - middle], axis=1)
        rate = (states.clock[:, 2] - states.clock[:, 0]) / (2.0 * _kernels.NODE_STEP_S)
        return SatelliteEpoch(
            np.ascontiguousarray(coefficients), np.column_stack([states.clock[:, 1], rate]), states.usable,
            self.sky.satellites, self._group, BEIDOU2_CODE, self.configuration.effects.shapiro,
        )  # fmt: skip

    def epoch(self, number: int) -> SimulatedEpoch:
        """Everything all receivers measure at nominal epoch `number` (0 is the start)."""
        elapsed = self.configuration.elapsed(number)
        t = elapsed / NS
        self._warm(t)
        self._tracking.at(t)
        clocks = self._clocks.at(t)
        place, satellites = self.places.at(t, clocks, self._pressure), self._satellites(elapsed)
        n, m = _kernels.observe(
            t, place, satellites, self._receivers, self._signals, self._atmosphere, self._antennas,
            self._tracking.locks, self._rows, self._links,
        )  # fmt: skip
        rows = Rows._make(column[:n].copy() for column in self._rows)
        links = [column[:m].copy() for column in self._links]
        rows = receiver_faults.apply(self, rows, self._links.satellite[:m], t)
        return self._assemble(number, t, place, clocks, rows, links)

    def _assemble(
        self, number: int, t: float, place: Place, clocks: ClockReadings, rows: Rows, links: list[NDArray[Any]]
    ) -> SimulatedEpoch:
        gpst = self.configuration.start + self.configuration.elapsed(number)
        values = links[2]
        reach = place.position + place.velocity * place.reception[:, None]
        truth = Truth(
            rows.integer, rows.code_bias, rows.phase_bias, rows.code_error, rows.phase_error, rows.lock_from,
            rows.half_until, rows.station, rows.link, links[0], self.sky.satellites[links[1]], values[:, 0],
            values[:, 2], values[:, 3] % (2.0 * np.pi), np.arcsin(values[:, 4]), values[:, 5], values[:, 7],
            clocks.code, clocks.phase, reach, place.zhd, self._zenith_wet(place, t),
        )  # fmt: skip
        offsets = np.searchsorted(rows.station, np.arange(len(self.sites) + 1))
        observations = Observations(*rows[:8])
        return SimulatedEpoch(number, gpst, self.names, gpst + clocks.tag, offsets, observations, truth)

    def _zenith_wet(self, place: Place, t: float) -> NDArray[np.float64]:
        tropo = self._atmosphere.tropo
        wet = [_kernels.zenith_wet(tropo, x, y, t) * np.exp(-h / tropo.wet_height) for x, y, h in place.plane]
        return np.array(wet)

    def atmosphere(self, position_ecef: NDArray[np.float64], number: int) -> AtmosphereTruth:
        """The atmosphere at epoch `number` over any point [3], tide and antenna aside: for virtual stations."""
        elapsed = self.configuration.elapsed(number)
        satellites = self._satellites(elapsed)
        place = self.places.still(np.asarray(position_ecef, float), self._pressure)
        e, values = np.empty(3), np.empty((self.sky.satellites.size, 11))
        values[:, 4] = -1.0
        for n in np.flatnonzero(satellites.usable):
            _kernels.link(place, 0, satellites, n, self._atmosphere, elapsed / NS, e, values[n])
        v = values[values[:, 4] > 0.0]
        return AtmosphereTruth(
            self.sky.satellites[values[:, 4] > 0.0],
            v[:, 3] % (2.0 * np.pi),
            np.arcsin(v[:, 4]),
            v[:, 0],
            v[:, 5],
            v[:, 7],
        )

    def described(self, gpst: int) -> tuple[Station, ...]:
        """What stations and rovers say of themselves at an instant."""
        return self._said.stations(gpst)

    def ephemerides(self, gpst: int) -> tuple[Ephemeris, ...]:
        """Sets being sent at an instant, and those before them."""
        return self._said.ephemerides(gpst)

    def batch(self, number: int) -> EpochBatch:
        """The stations' rows of an epoch as an assembler would hand them to an engine."""
        return self._batches.batch(number)
