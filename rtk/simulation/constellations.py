"""The satellites of a simulated sky, laid out relative to the simulation's start.

A satellite's place in the Earth's frame at the start, and so the whole sky after it, depends on the seed alone,
whatever the date. Geometry is that of the real systems: GPS slots of the SPS Performance Standard (2008, table A.2)
plus seven satellites in the widest gaps; GLONASS Walker 24/3/1 at 64.8 degrees; Galileo Walker 24/3/1 at 56 degrees,
one spare and the two eccentric ones; BDS-3 Walker 24/3/1 at 55 degrees with three inclined and three fixed satellites,
BDS-2's five fixed, seven inclined and three others; QZSS's four inclined and one fixed. The seed turns each Walker
pattern about the Earth and along its orbits; satellites over China stay over China.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cors.gnss.satellites import (
    Constellation,
    constellation_of,
    is_beidou_2,
    is_beidou_geo,
    pack_satellite,
    satellite_id,
)
from rtk.simulation.elements import EARTH_RADIUS, J2, Elements, repeating_axis, secular_rates

_MU_GPS, _MU = 3.986005e14, 3.986004418e14
MU = {Constellation.GPS: _MU_GPS, Constellation.QZSS: _MU_GPS}
"""m^3/s^2 where it is not 3.986004418e14."""
EARTH_RATE = {Constellation.BEIDOU: 7.292115e-5, Constellation.GLONASS: 7.292115e-5}
"""rad/s where it is not 7.2921151467e-5."""

# Argument of latitude (degrees) of the slots in planes A-F, nodes 60 degrees apart (SPS PS 2008, table A.2).
_GPS_SLOTS = (
    (268.126, 161.786, 11.676, 41.806),
    (80.956, 173.336, 309.976, 204.376),
    (111.876, 11.796, 339.666, 241.556),
    (135.226, 265.446, 35.156, 167.356),
    (197.046, 302.596, 66.066, 333.686),
    (238.886, 345.226, 105.206, 135.346),
)
_GPS_NUMBERS = tuple(n for n in range(1, 33) if n != 22)
_GALILEO_NUMBERS = (2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 15, 16, 19, 21, 23, 24, 25, 26, 27, 29, 30, 31, 33, 34)
_GALILEO_ECCENTRIC = (14, 18)
_BDS3_NUMBERS = (*range(19, 31), *range(32, 38), *range(41, 47))
GLONASS_CHANNELS = (1, -4, 5, 6, 1, -4, 5, 6, -2, -7, 0, -1, -2, -7, 0, -1, 4, -3, 3, 2, 4, -3, 3, 2)
"""Frequency channel of slots 1..24."""
# Number, longitude, phase (degrees) of satellites with one revolution a day.
_FIXED_BDS = ((1, 140.0), (2, 84.0), (3, 110.5), (4, 160.0), (5, 58.75), (59, 140.2), (60, 80.1), (61, 110.7))
_INCLINED_BDS = (
    (6, 118.0, 0.0), (7, 118.0, 120.0), (8, 118.0, 240.0), (9, 95.0, 40.0), (10, 95.0, 160.0), (13, 95.0, 280.0),
    (16, 112.0, 80.0), (38, 109.0, 20.0), (39, 109.0, 140.0), (40, 109.0, 260.0),
)  # fmt: skip
_INCLINED_QZS = ((2, 135.0, 0.0), (3, 135.0, 90.0), (4, 135.0, 180.0), (5, 139.0, 270.0))

_L5_GPS = {1, 3, 4, 6, 8, 9, 10, 11, 14, 18, 23, 24, 25, 26, 27, 28, 30, 32}
_L2C_GPS = _L5_GPS | {5, 7, 12, 15, 17, 29, 31}


@dataclass(frozen=True, slots=True)
class NominalSatellite:
    """Mean orbit at the start in the Earth's frame of that instant, with its slow motion."""

    satellite: int
    orbit: Elements
    """`node` is the longitude of the ascending node at the start."""
    along_rate: float
    """What J2 adds to the mean motion, rad/s."""
    node_rate: float
    """rad/s in inertial space."""
    idot: float
    harmonics: tuple[float, float, float, float, float, float]
    """cuc, cus, crc, crs, cic, cis."""
    channel: int = 0

    @property
    def mu(self) -> float:
        """m^3/s^2 of its interface document."""
        return MU.get(Constellation(self.satellite >> 6), _MU)

    @property
    def earth_rate(self) -> float:
        """rad/s of its interface document."""
        return EARTH_RATE.get(Constellation(self.satellite >> 6), 7.2921151467e-5)


def transmits(satellite: int, code: str) -> bool:
    """True where the satellite sends the signal of this RINEX code (band and attribute)."""
    number, system = satellite_id(satellite), Constellation(satellite >> 6)
    if system is Constellation.GPS:
        if code in ("2C", "2S", "2L", "2X", "1S", "1L", "1X"):
            return number in _L2C_GPS
        return number in _L5_GPS if code[0] == "5" else True
    if system is Constellation.BEIDOU:
        if is_beidou_2(satellite):
            return code in ("2I", "7I", "6I")
        return code in ("2I", "6I") if is_beidou_geo(satellite) else code[1] in "PXD" or code in ("2I", "6I")
    return True


class _Draw:
    """Random numbers of one constellation, the same whatever other constellations are simulated."""

    def __init__(self, seed: int, system: Constellation) -> None:
        self.rng = np.random.default_rng((seed, 101, int(system)))
        self.system = system
        self.turn, self.phase = self.rng.uniform(0.0, 360.0, 2)

    def satellite(
        self,
        number: int,
        revolutions: float,
        i: float,
        node: float,
        latitude: float,
        e: float,
        perigee: float = math.nan,
    ) -> NominalSatellite:
        """Degrees; `latitude` is the mean argument of latitude at the start."""
        satellite = pack_satellite(self.system, number)
        mu, rate = MU.get(self.system, _MU), EARTH_RATE.get(self.system, 7.2921151467e-5)
        inclination = math.radians(i)
        draw = self.rng.uniform(-1.0, 1.0, 8)
        perigee = 180.0 * draw[0] if math.isnan(perigee) else perigee
        a = repeating_axis(revolutions, e, inclination, mu, rate)
        orbit = Elements(a, e, inclination, math.radians(node), math.radians(perigee), math.radians(latitude - perigee))
        _, along, node_rate = secular_rates(a, e, inclination, mu)
        crc = J2 * EARTH_RADIUS**2 / (4.0 * a) * math.sin(inclination) ** 2
        scale = (26_560e3 / a) ** 2
        harmonics = (2e-6 * draw[1] * scale, 8e-6 * scale, crc, 60.0 * draw[2], 1.5e-7 * draw[3], 1.5e-7 * draw[4])
        channel = GLONASS_CHANNELS[number - 1] if self.system is Constellation.GLONASS else 0
        return NominalSatellite(satellite, orbit, along, node_rate, 2e-10 * draw[5], harmonics, channel)

    def fixed(self, number: int, longitude: float) -> NominalSatellite:
        """Near a fixed longitude: two-body motion, inclined by a degree or two, so a small figure of eight."""
        satellite = pack_satellite(self.system, number)
        mu, rate = MU.get(self.system, _MU), EARTH_RATE.get(self.system, 7.2921151467e-5)
        node, perigee = self.rng.uniform(0.0, 360.0, 2)
        i, e = self.rng.uniform(0.8, 1.8), self.rng.uniform(2e-4, 6e-4)
        a = (mu / rate**2) ** (1.0 / 3.0)
        anomaly = math.radians(longitude - node - perigee)
        orbit = Elements(a, e, math.radians(i), math.radians(node), math.radians(perigee), anomaly)
        return NominalSatellite(satellite, orbit, 0.0, 0.0, 0.0, (0.0,) * 6)


def _gps(draw: _Draw) -> Iterator[NominalSatellite]:
    planes = [sorted(slots) for slots in _GPS_SLOTS]
    for extra in range(len(_GPS_NUMBERS) - 24):
        slots = planes[extra % 6]
        gaps = [(b - a) % 360.0 for a, b in zip(slots, slots[1:] + slots[:1], strict=True)]
        widest = int(np.argmax(gaps))
        slots.append((slots[widest] + gaps[widest] / 2.0) % 360.0)
        slots.sort()
    places = [(60.0 * plane, slot) for plane, slots in enumerate(planes) for slot in slots]
    # 12 and 31 have no common divisor: numbers, and with them the newer blocks, spread over all planes.
    for k, number in enumerate(_GPS_NUMBERS):
        node, slot = places[12 * k % len(places)]
        e = draw.rng.uniform(0.001, 0.015)
        yield draw.satellite(number, 2.0, 55.0 + draw.rng.uniform(-0.8, 0.8), node + draw.turn, slot + draw.phase, e)


def _walker(
    draw: _Draw, numbers: tuple[int, ...], revolutions: float, i: float, e: tuple[float, float]
) -> Iterator[NominalSatellite]:
    """24/3/1, the first 24 numbers plane by plane; further ones sit between slots."""
    for k, number in enumerate(numbers):
        plane, slot = (k // 8, k % 8) if k < 24 else (k - 24, 0.5)
        node, latitude = 120.0 * plane + draw.turn, 45.0 * slot + 15.0 * plane + draw.phase
        inclination = i + draw.rng.uniform(-0.3, 0.3)
        yield draw.satellite(number, revolutions, inclination, node, latitude, draw.rng.uniform(*e))


def _galileo(draw: _Draw) -> Iterator[NominalSatellite]:
    yield from _walker(draw, _GALILEO_NUMBERS, 1.7, 56.0, (1e-4, 6e-4))
    for k, number in enumerate(_GALILEO_ECCENTRIC):
        node, latitude = draw.turn + 60.0, draw.phase + 180.0 * k
        yield draw.satellite(number, 37.0 / 20.0, 50.1, node, latitude, 0.162, 100.0)


def _inclined(draw: _Draw, number: int, longitude: float, phase: float, i: float, e: float) -> NominalSatellite:
    latitude = phase + draw.phase
    return draw.satellite(number, 1.0, i, longitude - latitude, latitude, e, 270.0)


def _beidou(draw: _Draw) -> Iterator[NominalSatellite]:
    yield from _walker(draw, _BDS3_NUMBERS, 13.0 / 7.0, 55.0, (5e-4, 1.5e-3))
    for number, longitude in _FIXED_BDS:
        yield draw.fixed(number, longitude)
    for number, longitude, phase in _INCLINED_BDS:
        yield _inclined(
            draw, number, longitude, phase, 55.0 + draw.rng.uniform(-1.0, 1.0), draw.rng.uniform(2e-3, 8e-3)
        )
    for k, number in enumerate((11, 12, 14)):
        latitude = draw.phase + 20.0 + 110.0 * k
        yield draw.satellite(number, 13.0 / 7.0, 55.3, draw.turn + 120.0 * k, latitude, draw.rng.uniform(1e-3, 3e-3))


def _qzss(draw: _Draw) -> Iterator[NominalSatellite]:
    for number, longitude, phase in _INCLINED_QZS:
        yield _inclined(draw, number, longitude, phase, 41.5, 0.075)
    yield draw.satellite(7, 1.0, 0.6, 127.0 - draw.phase, draw.phase, 3e-4)


def nominal_satellites(seed: int, systems: str = "GRECJ") -> tuple[NominalSatellite, ...]:
    """All satellites of the constellations of these RINEX letters, sorted by packed satellite."""
    found: list[NominalSatellite] = []
    for letter in systems:
        system = constellation_of(letter)
        draw = _Draw(seed, system)
        if system is Constellation.GPS:
            found.extend(_gps(draw))
        elif system is Constellation.GLONASS:
            found.extend(_walker(draw, tuple(range(1, 25)), 17.0 / 8.0, 64.8, (5e-4, 2e-3)))
        elif system is Constellation.GALILEO:
            found.extend(_galileo(draw))
        elif system is Constellation.BEIDOU:
            found.extend(_beidou(draw))
        elif system is Constellation.QZSS:
            found.extend(_qzss(draw))
        else:
            raise ValueError(f"no simulated satellites of system {letter!r} (expected letters of GRECJ)")
    return tuple(sorted(found, key=lambda s: s.satellite))
