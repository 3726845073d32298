"""True orbits and clocks of a sky, and the messages that describe them almost right.

`NominalSky` is made by the simulator; `navigation_sky.NavigationSky` follows the sets of a file. Times called elapsed
are ns or s since the start; truth depends on them alone, messages on the calendar too (their reference times do).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cors.gnss.constants import EARTH_ROTATION, SPEED_OF_LIGHT
from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.orbits import EphemerisTable, ephemeris_table, satellite_states
from cors.gnss.satellites import Constellation
from cors.gnss.time import NS
from rtk.simulation import broadcast
from rtk.simulation.constellations import NominalSatellite, nominal_satellites
from rtk.simulation.elements import state_from_elements
from rtk.simulation.scenarios import Effects
from rtk.simulation.transmitters import ClockNoise, Transmitter, transmitter

_ARC_NS = 900 * NS
_SETS_KEPT = 1024


class SkyStates(NamedTuple):
    """n satellites at m instants."""

    position: NDArray[np.float64]
    """[n, m, 3] ECEF of the instant, m, antenna phase centre."""
    clock: NDArray[np.float64]
    """[n, m] s, positive when fast, relativity in, group delays not."""
    usable: NDArray[np.bool_]
    """[n]."""


class Sky(Protocol):
    """What the simulation needs of a sky."""

    satellites: NDArray[np.int16]
    """[n], sorted."""
    channels: NDArray[np.int64]
    """[n] GLONASS frequency channels, else 0."""

    def states(self, elapsed: NDArray[np.int64]) -> SkyStates:
        """Truth at instants [m], ns since the start."""
        ...

    def ephemerides(self, gpst: int) -> list[Ephemeris]:
        """Sets being sent at an instant."""
        ...

    def delay(self, row: int, code: str) -> float:
        """True code delay of a satellite (by row) and RINEX code, s."""
        ...


class _GlonassTruth:
    """States every 15 minutes, each the last one carried on: continuous, and by the ICD's own equations of motion."""

    def __init__(self, satellites: list[NominalSatellite]) -> None:
        self._satellites = satellites
        self._arcs: list[EphemerisTable] = []
        if satellites:
            self._arcs.append(ephemeris_table([self._first(s) for s in satellites]))

    def _first(self, nominal: NominalSatellite) -> StateEphemeris:
        position, velocity = state_from_elements(nominal.orbit, nominal.mu)
        velocity = velocity - np.cross([0.0, 0.0, EARTH_ROTATION], position)
        return self._arc(nominal, 0, np.concatenate([position, velocity]))

    @staticmethod
    def _arc(nominal: NominalSatellite, index: int, state: NDArray[np.float64]) -> StateEphemeris:
        """One arc: its lunisolar acceleration is constant, of the size messages show, and turns in half a day."""
        unit = broadcast.GLONASS_ACCELERATION_UNIT
        phase = nominal.orbit.node + 2.0 * np.pi * index / 48.0 + np.array([0.0, 2.1, 4.2])
        acceleration = np.round(2.4 * np.cos(phase)) * unit + 0.0  # no minus zero
        return StateEphemeris(
            nominal.satellite, NavigationMessage.FDMA, index * _ARC_NS, None, None, 0, 2.0,
            broadcast.triple(state[:3]), broadcast.triple(state[3:6]), broadcast.triple(acceleration), 0.0, 0.0,
            nominal.channel,
        )  # fmt: skip

    def arc(self, index: int) -> EphemerisTable:
        """Table of the arc that starts at index x 15 min (before the start: arc 0, run backwards)."""
        index = max(index, 0)
        while len(self._arcs) <= index:
            end = len(self._arcs)
            state = satellite_states(self._arcs[-1], np.arange(len(self._satellites)), end * _ARC_NS)
            vectors = np.hstack([state.position, state.velocity])
            self._arcs.append(
                ephemeris_table([self._arc(s, end, v) for s, v in zip(self._satellites, vectors, strict=True)])
            )
        return self._arcs[index]

    def at(self, elapsed: int) -> NDArray[np.float64]:
        """Position and velocity [n, 6]."""
        table = self.arc(elapsed // _ARC_NS)
        state = satellite_states(table, np.arange(len(self._satellites)), elapsed)
        return np.hstack([state.position, state.velocity])

    def acceleration(self, elapsed: int, row: int) -> tuple[float, float, float]:
        """Lunisolar acceleration of the arc in force, m/s^2."""
        ephemeris = self.arc(elapsed // _ARC_NS).ephemerides[row]
        assert isinstance(ephemeris, StateEphemeris)
        return ephemeris.acceleration


class NominalSky:
    """The simulator's own constellations."""

    def __init__(self, seed: int, start: int, systems: str, effects: Effects) -> None:
        self._start, self._exact = start, not effects.orbits
        self._nominal = nominal_satellites(seed, systems)
        self.satellites = np.array([s.satellite for s in self._nominal], np.int16)
        self.channels = np.array([s.channel for s in self._nominal], np.int64)
        self._transmitters = [transmitter(seed, s.satellite, effects.group_delays) for s in self._nominal]
        self._noise = ClockNoise(seed, self.satellites, float(effects.satellite_clocks))
        scales = float(effects.orbits), float(effects.satellite_clocks)
        self._errors = [broadcast.SlowErrors(seed, s.satellite, *scales) for s in self._nominal]
        glonass = self.satellites >> 6 == Constellation.GLONASS
        self._glonass_rows, self._kepler_rows = np.flatnonzero(glonass), np.flatnonzero(~glonass)
        self._glonass = _GlonassTruth([self._nominal[k] for k in self._glonass_rows])
        self._kepler = ephemeris_table([self._true(int(k), 0, 0.0) for k in self._kepler_rows])
        self._sets: OrderedDict[tuple[int, int], tuple[Ephemeris, ...]] = OrderedDict()

    def _true(self, row: int, toe: int, elapsed_s: float) -> KeplerEphemeris:
        return broadcast.true_set(self._nominal[row], self._transmitters[row], toe, elapsed_s)

    def delay(self, row: int, code: str) -> float:
        """True code delay, s."""
        return self._transmitters[row].delay(code)

    def states(self, elapsed: NDArray[np.int64]) -> SkyStates:
        """Truth at instants [m], ns since the start."""
        n, m = self.satellites.size, elapsed.size
        position, clock = np.empty((n, m, 3)), self._noise.at(elapsed / NS)
        which = np.repeat(np.arange(self._kepler_rows.size), m)
        state = satellite_states(self._kepler, which, np.tile(elapsed, self._kepler_rows.size))
        position[self._kepler_rows] = state.position.reshape(-1, m, 3)
        clock[self._kepler_rows] += state.clock.reshape(-1, m)
        for k, instant in enumerate(elapsed):
            if self._glonass_rows.size:
                position[self._glonass_rows, k] = self._glonass.at(int(instant))[:, :3]
        for row in self._glonass_rows:
            t = self._transmitters[row]
            clock[row] += t.offset + t.drift * (elapsed / NS)
        return SkyStates(position, clock, np.ones(n, bool))

    def ephemerides(self, gpst: int) -> list[Ephemeris]:
        """The set now sent by each satellite (Galileo: I/NAV and F/NAV), and the one before it."""
        found: list[Ephemeris] = []
        for row in range(self.satellites.size):
            number = broadcast.issue_number(Constellation(int(self.satellites[row]) >> 6), gpst)
            found.extend(self._issue(row, number - 1))
            found.extend(self._issue(row, number))
        return found

    def _issue(self, row: int, number: int) -> tuple[Ephemeris, ...]:
        key = row, number
        if key not in self._sets:
            state = row in self._glonass_rows
            self._sets[key] = self._state_issue(row, number) if state else self._kepler_issue(row, number)
            if len(self._sets) > _SETS_KEPT:
                self._sets.popitem(last=False)
        return self._sets[key]

    def _times(self, row: int, number: int) -> tuple[broadcast.IssueTimes, float, NDArray[np.float64]]:
        system = Constellation(int(self.satellites[row]) >> 6)
        times = broadcast.issue_times(system, number)
        elapsed_s = (times.reference - self._start) / NS
        since = number - broadcast.issue_number(system, self._start)
        return times, elapsed_s, self._errors[row].of_issue(since, elapsed_s)

    def _kepler_issue(self, row: int, number: int) -> tuple[Ephemeris, ...]:
        system = Constellation(int(self.satellites[row]) >> 6)
        times, elapsed_s, error = self._times(row, number)
        truth = self._true(row, times.reference, elapsed_s)
        fields: dict[str, Any] = broadcast.moved_set(truth, error)
        iode, iodc = broadcast.issue_words(system, number)
        fit = {Constellation.GPS: 14_400.0, Constellation.QZSS: 7200.0}.get(system, float("nan"))
        fields |= {"iode": iode, "iodc": iodc, "transmission": times.transmission, "fit_interval_s": fit}
        if system is Constellation.GALILEO:
            fields["accuracy_m"] = 3.12
        sent = self._rounded(replace(truth, **fields))
        if system is not Constellation.GALILEO:
            return (sent,)
        delays = sent.group_delays
        clock = sent.af0 + delays["BGD_E1E5a"] - delays["BGD_E1E5b"]
        own = {"BGD_E1E5a": delays["BGD_E1E5a"]}
        fnav = replace(sent, message=NavigationMessage.FNAV, af0=clock, group_delays=own)
        return sent, self._rounded(fnav)

    def _rounded(self, ephemeris: KeplerEphemeris) -> KeplerEphemeris:
        if self._exact:
            return ephemeris
        values = {name: getattr(ephemeris, name) for name in broadcast.FIELDS}
        fields: dict[str, Any] = dict(broadcast.rounded_fields(ephemeris.satellite, values))
        return replace(ephemeris, **fields)

    def _state_issue(self, row: int, number: int) -> tuple[Ephemeris, ...]:
        times, elapsed_s, error = self._times(row, number)
        own = int(np.searchsorted(self._glonass_rows, row))
        elapsed = times.reference - self._start
        state = self._glonass.at(elapsed)[own]
        values = state + broadcast.state_error(state, error)
        exact = broadcast.triple(values[:3]), broadcast.triple(values[3:])
        position, velocity = exact if self._exact else broadcast.rounded_state(values)
        hardware: Transmitter = self._transmitters[row]
        bias = hardware.offset + hardware.drift * elapsed_s + error[3] / SPEED_OF_LIGHT
        issue = broadcast.glonass_issue(times.reference)
        return (
            StateEphemeris(
                int(self.satellites[row]), NavigationMessage.FDMA, times.reference, times.transmission, issue, 0, 4.0,
                position, velocity, self._glonass.acceleration(elapsed, own),
                bias if self._exact else round(bias * 2.0**30) * 2.0**-30 + 0.0,
                hardware.drift if self._exact else round(hardware.drift * 2.0**40) * 2.0**-40 + 0.0,
                int(self.channels[row]), 0.0, hardware.group_delays["DELTA_TAU"],
            ),
        )  # fmt: skip
