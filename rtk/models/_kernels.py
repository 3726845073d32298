"""Kernels of computed ranges and of the troposphere between many receivers and satellites.

Numbers only; `computed` and `troposphere` lay them out and say what the arrays mean.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

SPEED_OF_LIGHT = 299_792_458.0
EARTH_RATE = 7.2921151467e-5


@njit(cache=True, nogil=True)
def geometry(position, velocity, acceleration, clock, clock_rate, receivers, up, offset, distance, rate, delay, look):
    """Ranges of S receivers to n satellites by light time, satellites from one Taylor expansion each.

    Satellite arrays [n, 3] and [n] hold at t0; receivers [S, 3] at the true reception time t0 + offset [S] (s).
    up [S, 3, 3] = rows east, north, up of each receiver. Out, [S, n]: distance (m) in the frame of reception, its
    rate (m/s, without clocks), delay = satellite clock (s) at transmission; look [S, n, 5] = unit vector (ECEF),
    azimuth, elevation (rad).
    """
    enu = np.empty(3)
    for s in range(receivers.shape[0]):
        x, y, z = receivers[s, 0], receivers[s, 1], receivers[s, 2]
        for n in range(position.shape[0]):
            tau = 0.075
            px = py = pz = vx = vy = d = rho = 0.0
            for _ in range(4):
                d = offset[s] - tau
                h = 0.5 * d * d
                qx = position[n, 0] + velocity[n, 0] * d + acceleration[n, 0] * h
                qy = position[n, 1] + velocity[n, 1] * d + acceleration[n, 1] * h
                pz = position[n, 2] + velocity[n, 2] * d + acceleration[n, 2] * h
                wx = velocity[n, 0] + acceleration[n, 0] * d
                wy = velocity[n, 1] + acceleration[n, 1] * d
                a = EARTH_RATE * tau
                sine, cosine = math.sin(a), math.cos(a)
                px, py = cosine * qx + sine * qy, cosine * qy - sine * qx
                vx, vy = cosine * wx + sine * wy, cosine * wy - sine * wx
                rho = math.sqrt((px - x) ** 2 + (py - y) ** 2 + (pz - z) ** 2)
                tau = rho / SPEED_OF_LIGHT
            vz = velocity[n, 2] + acceleration[n, 2] * d
            ex, ey, ez = (px - x) / rho, (py - y) / rho, (pz - z) / rho
            # the frame of reception turns with tau, whose rate adds c^-1 terms: both are below 1e-5 of the rate
            along = ex * vx + ey * vy + ez * vz
            turn = EARTH_RATE * (ex * py - ey * px) / SPEED_OF_LIGHT
            rate[s, n] = along / (1.0 + along / SPEED_OF_LIGHT - turn)
            distance[s, n] = rho
            delay[s, n] = clock[n] + clock_rate[n] * d
            for k in range(3):
                enu[k] = up[s, k, 0] * ex + up[s, k, 1] * ey + up[s, k, 2] * ez
            look[s, n, 0], look[s, n, 1], look[s, n, 2] = ex, ey, ez
            look[s, n, 3] = math.atan2(enu[0], enu[1]) % (2.0 * math.pi)
            look[s, n, 4] = math.asin(min(1.0, max(-1.0, enu[2])))


@njit(cache=True, nogil=True)
def continued_fraction(sine, a, b, c):
    """Mapping function 1 at the zenith: Marini's continued fraction in Herring's normalisation."""
    return (1.0 + a / (1.0 + b / (1.0 + c))) / (sine + a / (sine + b / (sine + c)))


@njit(cache=True, nogil=True)
def troposphere(coefficients, height_km, zenith, elevation, slant, wet):
    """Slant delay and wet mapping [S, n] from Niell coefficients [S, 6], heights [S] and zenith delays [S, 2] (m).

    Below the horizon both are those of 3 degrees. Height term: Niell (1996) equation 6.
    """
    lowest = math.sin(math.radians(3.0))
    for s in range(elevation.shape[0]):
        k = coefficients[s]
        for n in range(elevation.shape[1]):
            sine = max(math.sin(elevation[s, n]), lowest)
            dry = continued_fraction(sine, k[0], k[1], k[2])
            dry += (1.0 / sine - continued_fraction(sine, 2.53e-5, 5.49e-3, 1.14e-3)) * height_km[s]
            wet[s, n] = continued_fraction(sine, k[3], k[4], k[5])
            slant[s, n] = zenith[s, 0] * dry + zenith[s, 1] * wet[s, n]
