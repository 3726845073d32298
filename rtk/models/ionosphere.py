"""Broadcast ionosphere models and the thin shell. Delays are slant, in metres, at the frequency each says.

Sources: IS-GPS-200 20.3.3.5.2.5 (Klobuchar), BDS-SIS-ICD B1I 5.2.4.7 (its own Klobuchar: geographic pierce point at
375 km, delay on B1I), thin shell as in Schaer (1999).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cors.gnss.constants import REFERENCE_FREQUENCY, SPEED_OF_LIGHT

SHELL_HEIGHT_M = 400e3
EARTH_RADIUS_M = 6_371e3
B1I = 1_561.098e6


def mu(frequency: float) -> float:
    """(1575.42 MHz / f)^2: an ionospheric delay at f over the one at 1575.42 MHz."""
    return (REFERENCE_FREQUENCY / frequency) ** 2


def shell_mapping(elevation: ArrayLike, height_m: float = SHELL_HEIGHT_M) -> NDArray[np.float64]:
    """Slant over vertical delay of a thin shell at elevations (rad): 1 / sqrt(1 - (Re cos e / (Re + h))^2)."""
    ratio = EARTH_RADIUS_M * np.cos(np.asarray(elevation, float)) / (EARTH_RADIUS_M + height_m)
    mapping: NDArray[np.float64] = 1.0 / np.sqrt(1.0 - ratio * ratio)
    return mapping


def klobuchar_gps(
    alpha: Sequence[float], beta: Sequence[float], latitude: float, longitude: float,
    azimuth: float, elevation: float, seconds_of_day: float,
) -> float:  # fmt: skip
    """Slant delay (m) at 1575.42 MHz; angles rad, GPS seconds of day."""
    e = elevation / math.pi  # semicircles from here on
    psi = 0.0137 / (e + 0.11) - 0.022
    phi = latitude / math.pi + psi * math.cos(azimuth)
    phi = max(-0.416, min(0.416, phi))
    lam = longitude / math.pi + psi * math.sin(azimuth) / math.cos(phi * math.pi)
    phi_m = phi + 0.064 * math.cos((lam - 1.617) * math.pi)
    t = (43_200.0 * lam + seconds_of_day) % 86_400.0
    slant = 1.0 + 16.0 * (0.53 - e) ** 3
    amplitude = max(0.0, sum(a * phi_m**n for n, a in enumerate(alpha)))
    period = max(72_000.0, sum(b * phi_m**n for n, b in enumerate(beta)))
    x = 2.0 * math.pi * (t - 50_400.0) / period
    cosine = 1.0 - x * x / 2.0 + x**4 / 24.0 if abs(x) < 1.57 else 0.0
    return SPEED_OF_LIGHT * slant * (5e-9 + amplitude * cosine)


def klobuchar_beidou(
    alpha: Sequence[float], beta: Sequence[float], latitude: float, longitude: float,
    azimuth: float, elevation: float, bdt_seconds_of_day: float,
) -> float:  # fmt: skip
    """Slant delay (m) on B1I (1561.098 MHz); angles rad, BDT seconds of day."""
    radius, height = 6_378e3, 375e3
    ratio = radius / (radius + height) * math.cos(elevation)
    psi = math.pi / 2.0 - elevation - math.asin(ratio)
    phi = math.asin(math.sin(latitude) * math.cos(psi) + math.cos(latitude) * math.sin(psi) * math.cos(azimuth))
    lam = longitude + math.asin(math.sin(psi) * math.sin(azimuth) / math.cos(phi))
    t = (bdt_seconds_of_day + 43_200.0 * lam / math.pi) % 86_400.0
    x = abs(phi) / math.pi
    amplitude = max(0.0, sum(a * x**n for n, a in enumerate(alpha)))
    period = min(172_800.0, max(72_000.0, sum(b * x**n for n, b in enumerate(beta))))
    night = 5e-9
    if abs(t - 50_400.0) < period / 4.0:
        night += amplitude * math.cos(2.0 * math.pi * (t - 50_400.0) / period)
    return SPEED_OF_LIGHT * night / math.sqrt(1.0 - ratio * ratio)
