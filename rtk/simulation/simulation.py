"""The simulation: any epoch of any receiver, with its truth, from one configuration.

An epoch depends on the configuration and its number alone. Going forward is cheapest (locks are carried on); going
back starts the locks again. Truth, noise and the sky relative to the start depend on the seed, not on the date;
tides and the reference times of messages do depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cors.epochs.batch import EpochBatch
from cors.gnss.constants import EARTH_ROTATION
from cors.gnss.coordinates import ecef_from_geodetic, enu_rotation, geodetic_from_ecef
from cors.gnss.ephemeris import Ephemeris
from cors.gnss.observations import ObservationFlag, Observations, concatenate, take
from cors.gnss.stations import Station
from cors.gnss.time import NS
from rtk.simulation import _kernels, antennas, atmosphere, broadcast, receiver_faults
from rtk.simulation.clocks import ClockReadings, ReceiverClocks
from rtk.simulation.delivery import Latency, deliveries
from rtk.simulation.epoch import AtmosphereTruth, SimulatedEpoch, Truth
from rtk.simulation.faults import (
    Fault, Killed, Moved, Unhealthy, WrongAntenna, WrongCoordinate, WrongEphemeris, check_names,
)  # fmt: skip
from rtk.simulation.layout import (
    SIGNALS_A_SATELLITE, Place, ReceiverTables, Rows, SatelliteEpoch, new_links, new_rows,
)  # fmt: skip
from rtk.simulation.navigation_sky import NavigationSky
from rtk.simulation.receivers import BEIDOU2_CODE, MAKES, Make, beidou2_group, hardware, signal_tables
from rtk.simulation.reflectors import reflectors
from rtk.simulation.scenarios import CALM, Effects, Scenario
from rtk.simulation.sites import Site, network, rover
from rtk.simulation.sky import NominalSky, Sky
from rtk.simulation.tides import TideSteps
from rtk.simulation.tracking import Tracking

_NODES_NS = (_kernels.NODE_MIDDLE_S + np.array([-1.0, 0.0, 1.0]) * _kernels.NODE_STEP_S) * NS
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is simulated. Raises ValueError where it cannot be."""

    start: int
    """Nominal first epoch, gpst ns; whole seconds."""
    seed: int = 1
    interval_s: float = 1.0
    stations: tuple[Site, ...] = ()
    rovers: tuple[Site, ...] = ()
    scenario: Scenario = CALM
    effects: Effects = field(default_factory=Effects)
    systems: str = "GRECJ"
    signals: tuple[str, ...] | None = None
    """RINEX names ("G1C") that are tracked; None: all a make can."""
    ephemerides: tuple[Ephemeris, ...] = ()
    """Sets of a navigation file to follow instead of the simulator's own constellations."""
    faults: tuple[Fault, ...] = ()
    latency: Latency = field(default_factory=Latency)
    integer_spread: float = 2000.0
    """Integers are within this of zero; MSM carries phases within 1171 m of the code."""

    def __post_init__(self) -> None:
        names = [site.name for site in self.sites]
        if not names or len(set(names)) < len(names):
            raise ValueError("a simulation needs receivers with different names")
        if self.start % NS or self.seed < 0:
            raise ValueError(f"start {self.start} (expected whole seconds) or seed {self.seed} (expected 0 or more)")
        milliseconds = self.interval_s * 1e3
        if milliseconds < 10.0 or milliseconds != round(milliseconds):
            raise ValueError(f"interval of {self.interval_s} s (expected whole milliseconds, 0.01 s or more)")

    @property
    def sites(self) -> tuple[Site, ...]:
        """Stations, then rovers."""
        return self.stations + self.rovers


def demo(start: int, seed: int = 1, stations: int = 8, spacing_km: float = 55.0, **changes: Any) -> Configuration:
    """The default network with a rover in it; `changes` are fields of `Configuration`."""
    sites = network(stations, spacing_km, seed)
    return replace(Configuration(start, seed, stations=sites, rovers=(rover(sites),)), **changes)


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
        self._positions = np.array([site.position_ecef for site in c.sites])
        self._geodetic = geodetic_from_ecef(self._positions)
        self._rotation = np.array([enu_rotation(lat, lon) for lat, lon, _ in self._geodetic])
        centre = self._geodetic[:, :2].mean(axis=0)
        self._centre = float(centre[0]), float(centre[1])
        self._atmosphere, self._pressure = atmosphere.draw_atmosphere(c.seed, c.scenario, *self._centre, c.effects)
        self._makes = self._used_makes()
        index = {make.name: row for row, make in enumerate(self._makes)}
        make = np.array([index[site.make] for site in c.sites])
        self._signals = signal_tables(self._makes, self.sky, c.seed, c.effects.quarter_cycles)
        self._receivers = self._receiver_tables(make)
        self._antennas = antennas.antenna_tables(c.effects.antennas)
        self._clocks = ReceiverClocks(c.sites, c.seed, c.effects.receiver_clocks, c.faults)
        self._tides = TideSteps(self._positions, c.start, c.effects.tides)
        self._group = np.array(
            [beidou2_group(int(s)) if c.effects.beidou2_code else -1 for s in self.sky.satellites], np.int64
        )
        half = np.array([m.half_cycle_ratio * c.effects.half_cycles for m in self._makes])
        self._tracking = Tracking(
            self.sky, self._positions, self._rotation, self._receivers, self._signals, self._atmosphere,
            np.array([site.mask for site in c.sites]), half, c.scenario.slip_rate * c.effects.slips,
            c.integer_spread * c.effects.ambiguities,
        )  # fmt: skip
        links = len(c.sites) * self.sky.satellites.size
        self._rows, self._links = new_rows(links * SIGNALS_A_SATELLITE), new_links(links)
        self._minute: int | None = None
        self._sets: tuple[tuple[int, ...], tuple[Ephemeris, ...]] = ((), ())

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

    def _place(self, t: float, clocks: ClockReadings) -> Place:
        c = self.configuration
        position, velocity = self._positions.copy(), np.zeros_like(self._positions)
        geodetic, rotation = self._geodetic, self._rotation
        for row, site in enumerate(self.sites):
            if site.track is not None:
                east, speed = site.track.state(t)
                position[row] += self._rotation[row].T @ east
                velocity[row] = self._rotation[row].T @ speed
        if any(site.track is not None for site in self.sites):
            geodetic = geodetic_from_ecef(position)
            rotation = np.array([enu_rotation(lat, lon) for lat, lon, _ in geodetic])
        for fault in c.faults:
            if isinstance(fault, Moved) and fault.acts(t):
                row = self.names.index(fault.station)
                position[row] += self._rotation[row].T @ np.array(fault.offset)
        active = np.ones(len(self.sites), bool)
        for fault in c.faults:
            if isinstance(fault, Killed) and fault.acts(t):
                active[self.names.index(fault.station)] = False
        zhd = atmosphere.hydrostatic_zenith(geodetic[:, 0], geodetic[:, 2], self._pressure)
        return Place(
            position + self._tides.at(t), velocity, rotation, self._plane(geodetic), zhd, clocks.reception,
            clocks.code, clocks.phase, clocks.drift, active,
        )  # fmt: skip

    def _plane(self, geodetic: NDArray[np.float64]) -> NDArray[np.float64]:
        """East, north (km) of the network's centre and height (km)."""
        latitude, longitude = self._centre
        east = _kernels.EARTH_KM * np.cos(latitude) * (geodetic[:, 1] - longitude)
        return np.column_stack([east, _kernels.EARTH_KM * (geodetic[:, 0] - latitude), geodetic[:, 2] / 1e3])

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

    def elapsed(self, number: int) -> int:
        """Nominal epoch `number` in ns after the start."""
        return number * round(self.configuration.interval_s * 1e3) * 1_000_000

    def epoch(self, number: int) -> SimulatedEpoch:
        """Everything all receivers measure at nominal epoch `number` (0 is the start)."""
        elapsed = self.elapsed(number)
        t = elapsed / NS
        self._warm(t)
        self._tracking.at(t)
        clocks = self._clocks.at(t)
        place, satellites = self._place(t, clocks), self._satellites(elapsed)
        n, m = _kernels.observe(
            t, place, satellites, self._receivers, self._signals, self._atmosphere, self._antennas,
            self._tracking.locks, self._rows, self._links,
        )  # fmt: skip
        rows = Rows._make(column[:n].copy() for column in self._rows)
        links = [column[:m].copy() for column in self._links]
        rows = receiver_faults.apply(self, rows, links[1], t)
        return self._assemble(number, t, place, clocks, rows, links)

    def _assemble(
        self, number: int, t: float, place: Place, clocks: ClockReadings, rows: Rows, links: list[NDArray[Any]]
    ) -> SimulatedEpoch:
        gpst = self.configuration.start + self.elapsed(number)
        values = links[2]
        reach = place.position + place.velocity * place.reception[:, None]
        truth = Truth(
            rows.integer, rows.code_bias, rows.phase_bias, rows.code_error, rows.phase_error, rows.lock_from,
            rows.station, rows.link, links[0], self.sky.satellites[links[1]], values[:, 0], values[:, 2],
            values[:, 3] % (2.0 * np.pi), np.arcsin(values[:, 4]), values[:, 5], values[:, 7], clocks.code,
            clocks.phase, reach, place.zhd, self._zenith_wet(place, t),
        )  # fmt: skip
        offsets = np.searchsorted(rows.station, np.arange(len(self.sites) + 1))
        observations = Observations(*rows[:8])
        return SimulatedEpoch(number, gpst, self.names, gpst + clocks.tag, offsets, observations, truth)

    def _zenith_wet(self, place: Place, t: float) -> NDArray[np.float64]:
        tropo = self._atmosphere.tropo
        wet = [_kernels.zenith_wet(tropo, x, y, t) * np.exp(-h / tropo.wet_height) for x, y, h in place.plane]
        return np.array(wet)

    def atmosphere(self, position_ecef: NDArray[np.float64], number: int) -> AtmosphereTruth:
        """The atmosphere at epoch `number` over any point, tide and antenna aside: for virtual stations."""
        elapsed = self.elapsed(number)
        satellites, t = self._satellites(elapsed), elapsed / NS
        geodetic = geodetic_from_ecef(np.asarray(position_ecef, float)[None])
        zhd = atmosphere.hydrostatic_zenith(geodetic[:, 0], geodetic[:, 2], self._pressure)
        zero = np.zeros(1)
        place = Place(
            ecef_from_geodetic(geodetic), np.zeros((1, 3)), enu_rotation(geodetic[0, 0], geodetic[0, 1])[None],
            self._plane(geodetic), zhd, zero, zero, zero, zero, np.ones(1, bool),
        )  # fmt: skip
        e, values = np.empty(3), np.empty((self.sky.satellites.size, 11))
        for n in range(self.sky.satellites.size):
            if satellites.usable[n]:
                _kernels.link(place, 0, satellites, n, self._atmosphere, t, e, values[n])
        up = satellites.usable & (values[:, 4] > 0.0)
        v = values[up]
        return AtmosphereTruth(
            self.sky.satellites[up], v[:, 3] % (2.0 * np.pi), np.arcsin(v[:, 4]), v[:, 0], v[:, 5], v[:, 7]
        )

    def described(self, gpst: int) -> tuple[Station, ...]:
        """What stations and rovers say of themselves at an instant, wrong where a fault makes it so."""
        t = (gpst - self.configuration.start) / NS
        found = {site.name: site.station() for site in self.sites}
        for fault in self.configuration.faults:
            if isinstance(fault, WrongCoordinate) and fault.acts(t):
                row = self.names.index(fault.station)
                x, y, z = self._positions[row] + self._rotation[row].T @ np.array(fault.offset)
                found[fault.station] = replace(found[fault.station], position_ecef=(float(x), float(y), float(z)))
            elif isinstance(fault, WrongAntenna) and fault.acts(t):
                found[fault.station] = replace(
                    found[fault.station], antenna=fault.antenna, radome=antennas.radome(fault.antenna)
                )
        return tuple(found.values())

    def ephemerides(self, gpst: int) -> tuple[Ephemeris, ...]:
        """Sets being sent at an instant (and those before them), wrong where a fault makes them so."""
        key = tuple(broadcast.issue_number(system, gpst) for system in broadcast.CADENCE_S)
        key += tuple(int(f.acts((gpst - self.configuration.start) / NS)) for f in self.configuration.faults)
        if key != self._sets[0] or self.configuration.ephemerides:
            self._sets = key, self._faulty(tuple(self.sky.ephemerides(gpst)), gpst)
        return self._sets[1]

    def _faulty(self, sets: tuple[Ephemeris, ...], gpst: int) -> tuple[Ephemeris, ...]:
        t = (gpst - self.configuration.start) / NS
        for fault in self.configuration.faults:
            if isinstance(fault, WrongEphemeris | Unhealthy) and fault.acts(t):
                sets = broadcast.spoiled(sets, fault)
        return sets

    def batch(self, number: int) -> EpochBatch:
        """The stations' rows of an epoch as the assembler would hand them to an engine, slips the receivers tell marked.

        The cheap way past streams and quality checks; stations whose link fails, or is late by more than a second,
        are missing and named `late`.
        """
        batch, late = [], []
        epochs: dict[int, SimulatedEpoch] = {}
        for delivery in deliveries(self, number):
            name = self.names[delivery.station]
            if delivery.copy or delivery.station >= len(self.configuration.stations):
                continue
            if delivery.delay_s > 1.0 or (delivery.number != number and not delivery.renamed_time) or delivery.garbled:
                late.append(name)
                continue
            epoch = epochs.setdefault(delivery.number, self.epoch(delivery.number))
            rows = epoch.rows(delivery.source)
            observations = self._marked(take(epoch.observations, rows), epoch.truth.lock_from[rows], epoch)
            if observations.satellite.size:
                tag = int(epoch.tags[delivery.source]) + self.elapsed(number) - self.elapsed(delivery.number)
                batch.append((name, tag, observations))
        arrived = {name for name, _, _ in batch} | set(late)
        late += [s.name for s in self.configuration.stations if s.name not in arrived]
        gpst = self.configuration.start + self.elapsed(number)
        sizes = [o.satellite.size for _, _, o in batch]
        return EpochBatch(
            gpst, tuple(n for n, _, _ in batch), np.array([tag for _, tag, _ in batch], np.int64),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), concatenate([o for _, _, o in batch]),
            self.ephemerides(gpst), tuple(late),
        )  # fmt: skip

    def _marked(self, o: Observations, lock_from: NDArray[np.float64], epoch: SimulatedEpoch) -> Observations:
        before = self.elapsed(epoch.number - 1) / NS
        flags = o.flags.copy()
        flags[lock_from > before] |= int(ObservationFlag.SLIP)
        return o._replace(flags=flags)
