"""A sky that follows the sets of a navigation file: truth lies between them, so that it is smooth and no set is right.

Between the reference times of two sets the truth goes over from one to the other, plus the slow errors of the
simulator's own sky. Of several kinds of message of a satellite the one a network prefers is followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cors.gnss.constants import EARTH_ROTATION, SPEED_OF_LIGHT
from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, StateEphemeris
from cors.gnss.group_delays import group_delay
from cors.gnss.orbits import ephemeris_table, satellite_states
from cors.gnss.satellites import Constellation, constellation_of
from cors.gnss.selection import PREFERRED, consistent, healthy, max_age_s
from cors.gnss.signals import find_signal
from cors.gnss.time import NS
from rtk.simulation.broadcast import SlowErrors, slow_errors
from rtk.simulation.scenarios import Effects
from rtk.simulation.sky import SkyStates
from rtk.simulation.transmitters import transmitter

_E1_E5A = (1575.42 / 1176.45) ** 2
_TRUSTED_S = 7200.0
"""A set is followed no further from its reference time: beyond, orbits are off by tens of metres."""


def _followed(sets: list[Ephemeris]) -> list[Ephemeris]:
    """Sets of the preferred kind, by reference time, one a time."""
    kind = min((e.message for e in sets), key=PREFERRED.index)
    return [e for _, e in sorted({e.toe: e for e in sets if e.message is kind}.items())]


class NavigationSky:
    """The sky of a file."""

    def __init__(self, ephemerides: Iterable[Ephemeris], start: int, seed: int, systems: str, effects: Effects) -> None:
        """Takes usable sets of the constellations of these letters. Raises ValueError where there are none."""
        self._start = start
        letters = [constellation_of(letter) for letter in systems]
        self._all: dict[int, list[Ephemeris]] = defaultdict(list)
        for e in ephemerides:
            if Constellation(e.satellite >> 6) in letters and healthy(e) and consistent(e) and e.message in PREFERRED:
                self._all[e.satellite].append(e)
        if not self._all:
            raise ValueError(f"no usable ephemerides of {systems} to simulate")
        self.satellites = np.array(sorted(self._all), np.int16)
        follow = [_followed(self._all[int(s)]) for s in self.satellites]
        self.channels = np.array([getattr(sets[0], "channel", 0) for sets in follow], np.int64)
        self._table = ephemeris_table([e for sets in follow for e in sets])
        self._first = np.concatenate([[0], np.cumsum([len(sets) for sets in follow])])
        self._age = np.array([min(max_age_s(sets[0]), _TRUSTED_S) for sets in follow]).astype(np.int64) * NS
        self._own = [transmitter(seed, int(s), effects.group_delays) for s in self.satellites]
        self._delays = effects.group_delays
        scales = float(effects.orbits), float(effects.satellite_clocks)
        self._errors = [SlowErrors(seed, int(s), *scales) for s in self.satellites]

    def _pair(self, row: int, gpst: int) -> tuple[int, int, float]:
        """Two sets (rows of the table; -1, -1: none) and the weight of the second."""
        first, last = int(self._first[row]), int(self._first[row + 1])
        toe, age = self._table.toe[first:last], self._age[row]
        after = int(np.searchsorted(toe, gpst, side="right"))
        before = after - 1
        old = before >= 0 and gpst - toe[before] <= age
        new = after < toe.size and toe[after] - gpst <= age
        if old and new:  # from one to the other while both are young
            start, end = max(toe[before], toe[after] - age), min(toe[after], toe[before] + age)
            u = (gpst - start) / max(end - start, 1)
            return first + before, first + after, float(u * u * (3.0 - 2.0 * u))
        if old or new:
            only = first + (before if old else after)
            return only, only, 0.0
        return -1, -1, 0.0

    def states(self, elapsed: NDArray[np.int64]) -> SkyStates:
        """Truth at instants [m], ns since the start."""
        n, m = self.satellites.size, elapsed.size
        pairs = [[self._pair(row, self._start + int(t)) for t in elapsed] for row in range(n)]
        which = np.array([[p[:2] for p in row] for row in pairs]).reshape(n, m, 2)
        weight = np.array([[p[2] for p in row] for row in pairs]).reshape(n, m, 1)
        usable = np.asarray((which[:, :, 0] >= 0).all(axis=1))
        instants = np.broadcast_to(self._start + elapsed[None, :], (n, m)).ravel()
        one, two = (satellite_states(self._table, np.maximum(which[:, :, k].ravel(), 0), instants) for k in (0, 1))
        mixed = [
            ((1.0 - weight) * a.reshape(n, m, -1) + weight * b.reshape(n, m, -1))
            for a, b in zip((*one[:2], one.clock), (*two[:2], two.clock), strict=True)
        ]
        position, velocity, clock = mixed[0], mixed[1], mixed[2][:, :, 0]
        errors = slow_errors(self._errors, elapsed / NS)
        position -= _radial_along_cross(position, velocity, errors[:, :, :3])
        clock -= errors[:, :, 3] / SPEED_OF_LIGHT
        position[~usable] = 0.0
        return SkyStates(position, clock, usable)

    def ephemerides(self, gpst: int) -> list[Ephemeris]:
        """The two newest sets of each satellite and kind that are sent by then and not too old."""
        found: list[Ephemeris] = []
        for sets in self._all.values():
            sent = [e for e in sets if abs(gpst - e.toe) <= max_age_s(e) * NS and _sent(e) <= gpst]
            for kind in dict.fromkeys(e.message for e in sent):
                found.extend(sorted((e for e in sent if e.message is kind), key=lambda e: e.toe)[-2:])
        return found

    def delay(self, row: int, code: str) -> float:
        """True code delay, s: what the file's message tells, else the simulator's own draw."""
        if not self._delays:
            return 0.0
        ephemeris = self._table.ephemerides[self._first[row]]
        signal = find_signal(ephemeris.satellite >> 6, code)
        told = group_delay(ephemeris, signal) if signal is not None else float("nan")
        if np.isnan(told) and isinstance(ephemeris, KeplerEphemeris):
            d = ephemeris.group_delays
            a, b = d.get("BGD_E1E5a", float("nan")), d.get("BGD_E1E5b", float("nan"))
            told = _E1_E5A * a - a + b if code[0] == "5" else float("nan")
        return self._own[row].delay(code) if np.isnan(told) else float(told)


def _sent(ephemeris: Ephemeris) -> int:
    """When the set is first sent, as far as it tells; GPS sets two hours before their reference time."""
    if ephemeris.transmission is not None:
        return min(ephemeris.transmission, ephemeris.toe)
    return ephemeris.toe - (0 if isinstance(ephemeris, StateEphemeris) else 7200 * NS)


def _radial_along_cross(
    position: NDArray[np.float64], velocity: NDArray[np.float64], errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Errors [..., 3] of satellites' frames in ECEF."""
    radial = position / np.linalg.norm(position, axis=-1, keepdims=True)
    cross = np.cross(position, velocity + np.cross([0.0, 0.0, EARTH_ROTATION], position))
    cross /= np.linalg.norm(cross, axis=-1, keepdims=True)
    axes = np.stack([radial, np.cross(cross, radial), cross], axis=-1)
    moved: NDArray[np.float64] = np.einsum("...ij,...j->...i", axes, errors)
    return moved
