"""A-priori troposphere: zenith delays of a mean atmosphere, mapped to the satellite.

Default is MOPS (RTCA DO-229, table of UNB3): no weather needed, zero mean within 5 cm of zenith delay. Saastamoinen's
standard atmosphere is here for single point work and comparison. Mapping is Niell's. What is left is estimated.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cors.gnss.coordinates import geodetic_from_ecef
from cors.gnss.time import day_of_year
from rtk.models import _kernels

Array = NDArray[np.float64]

_LATITUDES = np.array([15.0, 30.0, 45.0, 60.0, 75.0])
# Mean and seasonal amplitude of pressure (hPa), temperature (K), vapour pressure (hPa), beta (K/m), lambda
# at those latitudes (RTCA DO-229 tables A-2).
_MEAN = np.array([
    [1013.25, 1017.25, 1015.75, 1011.75, 1013.00],
    [299.65, 294.15, 283.15, 272.15, 263.65],
    [26.31, 21.79, 11.66, 6.78, 4.11],
    [6.30e-3, 6.05e-3, 5.58e-3, 5.39e-3, 4.53e-3],
    [2.77, 3.15, 2.57, 1.81, 1.55],
])  # fmt: skip
_SEASON = np.array([
    [0.0, -3.75, -2.25, -1.75, -0.50],
    [0.0, 7.0, 11.0, 15.0, 14.5],
    [0.0, 8.85, 7.24, 5.36, 3.39],
    [0.0, 0.25e-3, 0.32e-3, 0.81e-3, 0.62e-3],
    [0.0, 0.33, 0.46, 0.74, 0.30],
])  # fmt: skip
_K1, _K2, _RD, _GM, _G = 77.604, 382_000.0, 287.054, 9.784, 9.80665

# Niell (1996) tables 3 and 4: hydrostatic mean and amplitude, wet; rows a, b, c at the latitudes above.
_NMF_MEAN = np.array([
    [1.2769934e-3, 1.2683230e-3, 1.2465397e-3, 1.2196049e-3, 1.2045996e-3],
    [2.9153695e-3, 2.9152299e-3, 2.9288445e-3, 2.9022565e-3, 2.9024912e-3],
    [62.610505e-3, 62.837393e-3, 63.721774e-3, 63.824265e-3, 64.258455e-3],
])  # fmt: skip
_NMF_AMPLITUDE = np.array([
    [0.0, 1.2709626e-5, 2.6523662e-5, 3.4000452e-5, 4.1202191e-5],
    [0.0, 2.1414979e-5, 3.0160779e-5, 7.2562722e-5, 11.723375e-5],
    [0.0, 9.0128400e-5, 4.3497037e-5, 84.795348e-5, 170.37206e-5],
])  # fmt: skip
_NMF_WET = np.array([
    [5.8021897e-4, 5.6794847e-4, 5.8118019e-4, 5.9727542e-4, 6.1641693e-4],
    [1.4275268e-3, 1.5138625e-3, 1.4572752e-3, 1.5007428e-3, 1.7599082e-3],
    [4.3472961e-2, 4.6729510e-2, 4.3908931e-2, 4.4626982e-2, 5.4736038e-2],
])  # fmt: skip


class Troposphere(NamedTuple):
    """A-priori delays of S receivers to n satellites."""

    slant: Array
    """[S, n] m, hydrostatic and wet."""
    wet_mapping: Array
    """[S, n] slant over zenith of a wet delay: what an estimated zenith delay is multiplied by."""


def mops_zenith(latitude: float, height: float, day: float) -> tuple[float, float]:
    """Hydrostatic and wet zenith delay (m) at a latitude (rad), ellipsoidal height (m) and day of year."""
    degrees = abs(math.degrees(latitude))
    season = math.cos(2.0 * math.pi * (day - (28.0 if latitude >= 0.0 else 211.0)) / 365.25)
    p, t, e, beta, lam = (
        float(np.interp(degrees, _LATITUDES, m) - np.interp(degrees, _LATITUDES, s) * season)
        for m, s in zip(_MEAN, _SEASON, strict=True)
    )
    base = max(1.0 - beta * height / t, 1e-3)
    dry = 1e-6 * _K1 * _RD * p / _GM * base ** (_G / (_RD * beta))
    wet = 1e-6 * _K2 * _RD / (_GM * (lam + 1.0) - beta * _RD) * e / t
    return dry, wet * base ** ((lam + 1.0) * _G / (_RD * beta) - 1.0)


def saastamoinen_zenith(latitude: float, height: float, humidity: float) -> tuple[float, float]:
    """Hydrostatic and wet zenith delay (m) of the standard atmosphere (Saastamoinen 1972; Davis et al. 1985)."""
    h = max(height, 0.0)
    pressure = 1013.25 * (1.0 - 2.2557e-5 * h) ** 5.2568
    temperature = 15.0 - 6.5e-3 * h + 273.16
    vapour = 6.108 * humidity * math.exp((17.15 * temperature - 4684.0) / (temperature - 38.45))
    dry = 0.0022768 * pressure / (1.0 - 0.00266 * math.cos(2.0 * latitude) - 0.00028 * h / 1e3)
    return dry, 0.002277 * (1255.0 / temperature + 0.05) * vapour


def niell_coefficients(latitude: float, day: float) -> Array:
    """[6] a, b, c of the hydrostatic and of the wet mapping at a latitude (rad) and day of year."""
    degrees = abs(math.degrees(latitude))
    phase = (day - 28.0) / 365.25 + (0.5 if latitude < 0.0 else 0.0)
    season = math.cos(2.0 * math.pi * phase)
    dry = [
        np.interp(degrees, _LATITUDES, m) - np.interp(degrees, _LATITUDES, a) * season
        for m, a in zip(_NMF_MEAN, _NMF_AMPLITUDE, strict=True)
    ]
    return np.array(dry + [np.interp(degrees, _LATITUDES, w) for w in _NMF_WET])


def niell_mapping(latitude: float, height: float, day: float, elevation: float) -> tuple[float, float]:
    """Hydrostatic and wet mapping of one ray (rad, m, day of year, rad)."""
    slant, wet = np.empty((1, 1)), np.empty((1, 1))
    angles = np.array([[elevation]])
    k = niell_coefficients(latitude, day)[None]
    _kernels.troposphere(k, np.array([height / 1e3]), np.array([[1.0, 0.0]]), angles, slant, wet)
    return float(slant[0, 0]), float(wet[0, 0])


class ZenithModel(NamedTuple):
    """The a-priori atmosphere over S receivers on a day: computed once, used every epoch of it."""

    coefficients: Array
    """[S, 6] Niell."""
    height_km: Array
    """[S]."""
    zenith: Array
    """[S, 2] hydrostatic and wet, m."""


def mops(positions_ecef: ArrayLike, gpst: int) -> ZenithModel:
    """MOPS over receivers [S, 3] (ECEF m) on the day of an instant."""
    day = float(day_of_year(gpst))
    places = geodetic_from_ecef(np.atleast_2d(np.asarray(positions_ecef, float)))
    zenith = np.array([mops_zenith(lat, h, day) for lat, _, h in places])
    coefficients = np.array([niell_coefficients(lat, day) for lat, _, _ in places])
    return ZenithModel(coefficients, places[:, 2] / 1e3, zenith)


def troposphere(model: ZenithModel, elevation: Array) -> Troposphere:
    """Slant delays and wet mapping [S, n] at elevations [S, n] (rad)."""
    slant, wet = np.empty_like(elevation), np.empty_like(elevation)
    _kernels.troposphere(model.coefficients, model.height_km, model.zenith, elevation, slant, wet)
    return Troposphere(slant, wet)
