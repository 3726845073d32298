"""Which of a rover's sentences is a position worth acting on (ntrip 5.3). Pure: the time comes in.

A flood is coalesced to the newest sentence an interval. A jump faster than anything flies waits for a second sentence
that agrees with it. A place within a kilometre of 0 N 0 E is a misconfigured client, not a rover in the Gulf of
Guinea.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from api.caster.settings import PositionSettings
from cors.ntrip.gga import Gga

NULL_ISLAND_DEG = 0.01
FIXED = 4


@dataclass(frozen=True, slots=True)
class RoverPosition:
    """Where a rover says it is."""

    latitude: float
    """Degrees."""
    longitude: float
    height: float
    """Ellipsoidal, m: altitude + separation; the altitude alone where the rover gives no separation; NaN unknown."""
    quality: int
    """As sent; RTKLIB always says 1."""
    satellites: int | None
    hdop: float
    age_s: float
    """Of the corrections it uses, as it says."""
    received: float
    """Monotonic s."""


def rover_position(gga: Gga, received: float) -> RoverPosition:
    """The position of a sentence that has one."""
    height = gga.height if not math.isnan(gga.height) else gga.altitude
    return RoverPosition(
        gga.latitude, gga.longitude, height, gga.quality, gga.satellites, gga.hdop, gga.age_s, received
    )


def distance_m(a: RoverPosition, b: RoverPosition) -> float:
    """Great-circle distance on a sphere of 6371 km: good to 0.5 %."""
    phi_a, phi_b = math.radians(a.latitude), math.radians(b.latitude)
    d_lambda = math.radians(b.longitude - a.longitude)
    h = math.sin((phi_b - phi_a) / 2.0) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(d_lambda / 2.0) ** 2
    return 2.0 * 6_371_000.0 * math.asin(min(1.0, math.sqrt(h)))


class PositionTrack:
    """What one rover has said so far."""

    __slots__ = (
        "_candidate", "_newest", "_passed_on", "first", "fixed", "heard", "implausible", "last", "nowhere_since",
        "qualities", "unplaced",
    )  # fmt: skip

    def __init__(self) -> None:
        self.first: RoverPosition | None = None
        self.last: RoverPosition | None = None
        """The first and the newest believed position."""
        self.qualities: Counter[int] = Counter()
        """Sentences by their quality."""
        self.fixed: float | None = None
        """When it first said that it is fixed (quality 4)."""
        self.heard: float | None = None
        """When the last sentence came, with or without a position."""
        self.implausible = 0
        """Positions not believed: jumps and 0 N 0 E."""
        self.unplaced = 0
        """Sentences without a position."""
        self.nowhere_since: float | None = None
        """Since when it says 0 N 0 E."""
        self._candidate: RoverPosition | None = None
        self._newest: RoverPosition | None = None
        self._passed_on = -math.inf

    def offer(self, gga: Gga, now: float, settings: PositionSettings) -> RoverPosition | None:
        """Take a sentence; the position to act on now, or None (nothing new, or `due` will have it)."""
        self.heard = now
        self.qualities[gga.quality] += 1
        if gga.quality == FIXED and self.fixed is None:
            self.fixed = now
        if not gga.has_position:
            self.unplaced += 1
            return None
        position = rover_position(gga, now)
        if max(abs(position.latitude), abs(position.longitude)) < NULL_ISLAND_DEG:
            self.nowhere_since = self.nowhere_since if self.nowhere_since is not None else now
            self.implausible += 1
            return None
        if not self._is_plausible(position, settings.max_speed_m_s):
            self.implausible += 1
            return None
        self.nowhere_since = None
        self.first = self.first or position
        self.last = self._newest = position
        return self.due(now, settings)

    def due(self, now: float, settings: PositionSettings) -> RoverPosition | None:
        """The newest position not passed on yet, once the interval since the last one is over."""
        if self._newest is None or now - self._passed_on < settings.interval_s:
            return None
        position, self._newest = self._newest, None
        self._passed_on = now
        return position

    def _is_plausible(self, position: RoverPosition, max_speed: float) -> bool:
        if self.last is None or _speed(self.last, position) <= max_speed:
            self._candidate = None
            return True
        agrees = self._candidate is not None and _speed(self._candidate, position) <= max_speed
        self._candidate = None if agrees else position
        return agrees


def _speed(a: RoverPosition, b: RoverPosition) -> float:
    """m/s; within a second counted as one, so that sentences in one segment are no jumps."""
    return distance_m(a, b) / max(b.received - a.received, 1.0)
