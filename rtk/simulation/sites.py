"""Where receivers stand or move, and what stands there: the default network and networks of any size.

The default network lies about 28 N 112.5 E: a jittered triangular lattice (Hunan's relief: heights 50 to 800 m), a
rover in the middle of its innermost triangle, more than 20 km from any station.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cors.gnss.coordinates import ecef_from_degrees, enu_from_ecef
from cors.gnss.stations import Station
from rtk.simulation import antennas
from rtk.simulation.receivers import MAKES, ReceiverClock

CENTRE = (28.0, 112.5)
"""Latitude and longitude of the default network, degrees."""
MAX_STATIONS = 240
_NAMES = ("YUEL", "XIAN", "ZHUZ", "LOUD", "HENG", "YIYA", "LIUY", "SHAO")
_EARTH_KM = 6371.0

# Make, antenna, clock of the stations in turn.
_EQUIPMENT = (
    ("AQUILA A9", "SIMCHOKE3D", ReceiverClock.STEERED),
    ("BOREAS B10", "SIMGEOD2", ReceiverClock.STEERED),
    ("AQUILA A9", "SIMCHOKE3D", ReceiverClock.RESETS_BOTH),
    ("CORVUS C5", "SIMCHOKE3D", ReceiverClock.OCXO),
    ("BOREAS B10", "SIMGEOD2", ReceiverClock.STEERED),
    ("AQUILA A9", "SIMGEOD2", ReceiverClock.MOVES_TAG),
    ("CORVUS C5", "SIMCHOKE3D", ReceiverClock.STEERED),
    ("AQUILA A9", "SIMCHOKE3D", ReceiverClock.STEERED),
)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A closed track: a circle about the site, with hills, driven at constant ground speed."""

    radius_m: float = 2500.0
    speed: float = 30.0
    """m/s."""
    rise_m: float = 20.0

    def state(self, elapsed_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """East, north, up (m) from the site's point and their rates (m/s)."""
        rate = self.speed / self.radius_m
        a = rate * elapsed_s
        r, h = self.radius_m, self.rise_m
        place = np.array([r * math.sin(a), r * (1.0 - math.cos(a)), h * math.sin(3.0 * a)])
        speed = np.array([r * rate * math.cos(a), r * rate * math.sin(a), 3.0 * h * rate * math.cos(3.0 * a)])
        return place, speed


@dataclass(frozen=True, slots=True)
class Site:
    """A place and its receiver. Degrees and metres; the point is the antenna reference point."""

    name: str
    rtcm_id: int
    latitude: float
    longitude: float
    height: float
    make: str = "AQUILA A9"
    antenna: str = antennas.NULL
    clock: ReceiverClock = ReceiverClock.STEERED
    quality: float = 1.0
    """Scale of noise and multipath: 0.4 a choke ring on a roof of its own, 1 ordinary, 0 a receiver without errors."""
    mask: float = 5.0
    """Elevation above which it tracks, degrees."""
    antenna_height: float = 0.0
    track: Circuit | None = None

    @property
    def position_ecef(self) -> NDArray[np.float64]:
        """[3] m; a moving receiver's site."""
        return ecef_from_degrees(self.latitude, self.longitude, self.height)

    @property
    def key(self) -> int:
        """Number its random draws hang on: the name's, whatever other stations there are."""
        return zlib.crc32(self.name.encode())

    def station(self) -> Station:
        """What the station says of itself: its true place."""
        x, y, z = (float(v) for v in self.position_ecef)
        return Station(
            self.name, self.rtcm_id, (x, y, z), "CGCS2000", "", self.antenna, antennas.radome(self.antenna), "",
            self.antenna_height, self.make, MAKES[self.make].firmware, f"{self.key % 1_000_000:06d}",
        )  # fmt: skip


def _lattice(count: int, spacing_km: float, seed: int) -> NDArray[np.float64]:
    """East and north (km) of the first `count` points of a jittered triangular lattice, from the centre outwards."""
    reach = int(math.sqrt(count)) + 3
    points: list[tuple[float, float, float]] = []
    for row in range(-reach, reach + 1):
        for column in range(-reach, reach + 1):
            x, y = (column + 0.5 * (row % 2) + 0.13) * spacing_km, row * spacing_km * math.sqrt(0.75) + 0.21
            draw = np.random.default_rng((seed, 401, row + 1000, column + 1000)).uniform(-1.0, 1.0, 2)
            points.append((math.hypot(x, y), x + 0.12 * spacing_km * draw[0], y + 0.12 * spacing_km * draw[1]))
    return np.array(sorted(points)[:count])[:, 1:]


def _degrees(east_km: float, north_km: float, centre: tuple[float, float]) -> tuple[float, float]:
    latitude = centre[0] + math.degrees(north_km / _EARTH_KM)
    return latitude, centre[1] + math.degrees(east_km / _EARTH_KM / math.cos(math.radians(latitude)))


def network(
    stations: int = 8, spacing_km: float = 55.0, seed: int = 1, centre: tuple[float, float] = CENTRE
) -> tuple[Site, ...]:
    """Stations of a jittered lattice, mixed makes, antennas and clocks. Raises ValueError.

    A smaller network of the same seed is the inner part of a larger one.
    """
    if not 1 <= stations <= MAX_STATIONS:
        raise ValueError(f"{stations} stations (expected 1..{MAX_STATIONS})")
    if not 1.0 <= spacing_km <= 300.0:
        raise ValueError(f"spacing of {spacing_km} km (expected 1..300)")
    offset = float(np.random.default_rng((seed, 402)).uniform())
    sites = []
    for k, (east, north) in enumerate(_lattice(stations, spacing_km, seed)):
        latitude, longitude = _degrees(east, north, centre)
        make, antenna, clock = _EQUIPMENT[k % len(_EQUIPMENT)]
        height = 50.0 + 750.0 * ((offset + 0.618034 * k) % 1.0) ** 1.5
        quality = 0.6 if antenna == "SIMCHOKE3D" else 0.9
        mark = _NAMES[k] if k < len(_NAMES) else f"N{k + 1:03d}"
        sites.append(Site(f"{mark}00CHN", k + 1, latitude, longitude, height, make, antenna, clock, quality))
    return tuple(sites)


def _triangle(sites: tuple[Site, ...]) -> NDArray[np.intp]:
    """The three stations of the most compact triangle near the middle of the network."""
    places = np.array([s.position_ecef for s in sites])
    plane = enu_from_ecef(places, places.mean(axis=0))[:, :2]
    near = np.argsort(np.hypot(*plane.T))[:5]
    best, chosen = math.inf, near[:3]
    for i, a in enumerate(near):
        for j, b in enumerate(near[i + 1 :], i + 1):
            for c in near[j + 1 :]:
                sides = [math.dist(plane[p], plane[q]) for p, q in ((a, b), (b, c), (c, a))]
                centre = plane[[a, b, c]].mean(axis=0)
                score = max(sides) / min(sides) + max(sides) / 60e3 + float(np.hypot(*centre)) / 60e3
                if score < best:
                    best, chosen = score, np.array([a, b, c])
    return chosen


def rover(sites: tuple[Site, ...], name: str = "ROVE00CHN", track: Circuit | None = None, quality: float = 0.8) -> Site:
    """A rover near the middle of the network's innermost triangle, between its stations in height."""
    if len(sites) < 3:
        here = sites[0]
        latitude, longitude, height = here.latitude + 0.2, here.longitude + 0.05, here.height + 60.0
    else:
        corners = [sites[int(k)] for k in _triangle(sites)]
        latitude = sum(s.latitude for s in corners) / 3.0 + 0.01
        longitude = sum(s.longitude for s in corners) / 3.0 - 0.01
        height = sum(s.height for s in corners) / 3.0 + 120.0
    return Site(name, 1999, latitude, longitude, height, "FORNAX F1", quality=quality, track=track)
