"""Solid Earth tide: IERS Conventions 2010 section 7.1.1 step 1 (degrees 2, 3) and the K1 term of step 2.

Within 2 mm of the full model. Sun and Moon are low-precision series (Meeus: 1 arc minute, under 1 mm here). The result
is added to tide-free coordinates (ITRF and CGCS2000 are tide-free); no permanent tide is put back.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cors.gnss.coordinates import enu_rotation, geodetic_from_ecef
from cors.gnss.time import NS, utc_ns

Array = NDArray[np.float64]

_EARTH_RADIUS = 6_378_136.6
_SUN_RATIO, _MOON_RATIO = 332_946.0482, 0.0123000371
_AU = 149_597_870_700.0
_H3, _L3 = 0.292, 0.015
_J2000_NS = 630_763_200 * NS
"""UTC ns (86,400 s days since 1980-01-06) of 2000-01-01 12:00."""


def gmst(gpst: int) -> float:
    """Greenwich mean sidereal time (rad), UT1 taken as UTC (IAU 1982, Aoki et al.)."""
    days = (utc_ns(gpst) - _J2000_NS) / (86_400 * NS)
    return math.radians((280.46061837 + 360.98564736629 * days) % 360.0)


def sun_moon(gpst: int) -> tuple[Array, Array]:
    """Positions [3] of Sun and Moon in ECEF, m (Meeus, Astronomical Algorithms, chapters 25, 47; main terms)."""
    t = ((utc_ns(gpst) - _J2000_NS) / NS + 69.0) / 86_400.0 / 36_525.0  # centuries of TT
    r = math.radians
    g = r(357.5291092 + 35_999.0502909 * t)
    mean = 280.46646 + 36_000.76983 * t
    equation = 1.914602 * math.sin(g) + 0.019993 * math.sin(2 * g) + 0.000289 * math.sin(3 * g)
    sun_longitude = r(mean + equation)
    sun_distance = _AU * (1.000001018 * (1 - 0.016708634**2) / (1 + 0.016708634 * math.cos(g + r(equation))))
    moon_longitude, moon_latitude, moon_distance = _moon(t)
    obliquity = r(23.439291 - 0.0130042 * t)
    angle = gmst(gpst)
    return (
        _to_ecef(sun_longitude, 0.0, sun_distance, obliquity, angle),
        _to_ecef(moon_longitude, moon_latitude, moon_distance, obliquity, angle),
    )


def _moon(t: float) -> tuple[float, float, float]:
    """Ecliptic longitude, latitude (rad) and distance (m) of the Moon, terms above 0.03 degrees or 100 km."""
    r = math.radians
    lp = 218.3164477 + 481_267.88123421 * t
    d = r(297.8501921 + 445_267.1114034 * t)
    m = r(357.5291092 + 35_999.0502909 * t)
    mp = r(134.9633964 + 477_198.8675055 * t)
    f = r(93.2720950 + 483_202.0175233 * t)
    s, c = math.sin, math.cos
    longitude = lp + (
        6.288774 * s(mp) + 1.274027 * s(2 * d - mp) + 0.658314 * s(2 * d) + 0.213618 * s(2 * mp) - 0.185116 * s(m)
        - 0.114332 * s(2 * f) + 0.058793 * s(2 * d - 2 * mp) + 0.057066 * s(2 * d - m - mp) + 0.053322 * s(2 * d + mp)
        + 0.045758 * s(2 * d - m) - 0.040923 * s(m - mp) - 0.034720 * s(d) - 0.030383 * s(m + mp)
    )  # fmt: skip
    latitude = (
        5.128122 * s(f) + 0.280602 * s(mp + f) + 0.277693 * s(mp - f) + 0.173237 * s(2 * d - f)
        + 0.055413 * s(2 * d - mp + f) + 0.046271 * s(2 * d - mp - f) + 0.032573 * s(2 * d + f)
    )  # fmt: skip
    kilometres = (
        385_000.56 - 20_905.355 * c(mp) - 3_699.111 * c(2 * d - mp) - 2_955.968 * c(2 * d) - 569.925 * c(2 * mp)
        + 246.158 * c(2 * d - 2 * mp) - 204.586 * c(2 * d - m) - 170.733 * c(2 * d + mp) - 152.138 * c(2 * d - m - mp)
        - 129.620 * c(m - mp) + 108.743 * c(d) + 104.755 * c(m + mp)
    )  # fmt: skip
    return r(longitude), r(latitude), kilometres * 1e3


def _to_ecef(longitude: float, latitude: float, distance: float, obliquity: float, angle: float) -> Array:
    x = math.cos(latitude) * math.cos(longitude)
    y = math.cos(latitude) * math.sin(longitude)
    z = math.sin(latitude)
    so, co, sg, cg = math.sin(obliquity), math.cos(obliquity), math.sin(angle), math.cos(angle)
    xe, ye, ze = x, co * y - so * z, so * y + co * z
    return distance * np.array([cg * xe + sg * ye, -sg * xe + cg * ye, ze])


def solid_tide(positions_ecef: ArrayLike, gpst: int) -> Array:
    """Displacement [S, 3] (ECEF m) of stations [S, 3] at an instant."""
    sun, moon = sun_moon(gpst)
    return solid_tide_of(positions_ecef, sun, moon, gmst(gpst))


def solid_tide_of(positions_ecef: ArrayLike, sun: Array, moon: Array, sidereal: float) -> Array:
    """Displacement [S, 3] (m) by bodies at given ECEF positions (m) and sidereal time (rad)."""
    stations = np.atleast_2d(np.asarray(positions_ecef, float))
    out = np.zeros_like(stations)
    for k, station in enumerate(stations):
        latitude, longitude, _ = geodetic_from_ecef(station)
        unit = station / np.linalg.norm(station)
        sine2 = unit[2] ** 2
        h2, l2 = 0.6078 - 0.0006 * (3 * sine2 - 1) / 2, 0.0847 + 0.0002 * (3 * sine2 - 1) / 2
        for body, ratio in ((sun, _SUN_RATIO), (moon, _MOON_RATIO)):
            out[k] += _body(unit, body, ratio, h2, l2)
        k1 = -0.0253 * math.sin(latitude) * math.cos(latitude) * math.sin(sidereal + longitude)
        out[k] += k1 * enu_rotation(latitude, longitude)[2]
    return out


def _body(unit: Array, body: Array, ratio: float, h2: float, l2: float) -> Array:
    """Degrees 2 and 3 of one body (IERS 2010 equations 7.5, 7.6)."""
    distance = float(np.linalg.norm(body))
    towards = body / distance
    c = float(unit @ towards)
    second = ratio * _EARTH_RADIUS**4 / distance**3
    third = second * _EARTH_RADIUS / distance
    across = towards - c * unit
    displacement: Array = second * (h2 * (1.5 * c * c - 0.5) * unit + 3.0 * l2 * c * across) + third * (
        _H3 * (2.5 * c**3 - 1.5 * c) * unit + _L3 * (7.5 * c * c - 1.5) * across
    )
    return displacement
