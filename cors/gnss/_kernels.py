"""Kernels of broadcast orbits: Kepler with the BeiDou GEO frame, GLONASS Runge-Kutta, SBAS polynomial.

Numbers only. Rows of elements are laid out by `cors.gnss.orbits`; each kernel gives position, velocity, acceleration
in ECEF of the instant and clock with its rate. Sources: IS-GPS-200 20.3.3.4.3, BDS-SIS-ICD B1I 5.2.4.12, GLONASS ICD
(CDMA, 2016) appendix J; the velocity is the analytic derivative, the acceleration two-body + J2 + frame terms.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Columns of a Keplerian row.
SQRT_A, ECC, M0, DELTA_N, OMEGA0, I0, OMEGA, OMEGA_DOT, IDOT = 0, 1, 2, 3, 4, 5, 6, 7, 8
CUC, CUS, CRC, CRS, CIC, CIS = 9, 10, 11, 12, 13, 14
AF0, AF1, AF2, A_DOT, DELTA_N_DOT, MU, EARTH_RATE, RELATIVITY, TOE_OF_WEEK, IS_GEO = (
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
)  # fmt: skip
KEPLER_COLUMNS = 25

GLONASS_MU = 3.986004418e14
GLONASS_J2 = 1_082_625.75e-9
GLONASS_AE = 6_378_136.0
GLONASS_RATE = 7.292115e-5
EARTH_J2 = 1.0826263e-3
EARTH_AE = 6_378_137.0
_SIN5 = math.sin(math.radians(-5.0))
_COS5 = math.cos(math.radians(-5.0))


@njit(cache=True, nogil=True)
def _acceleration(p, v, mu, rate, out):
    """ECEF acceleration [3] of position and velocity: central + J2 + Coriolis + centrifugal."""
    r2 = p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
    r = math.sqrt(r2)
    g = mu / (r2 * r)
    j = 1.5 * EARTH_J2 * g * EARTH_AE * EARTH_AE / r2
    z = 5.0 * p[2] * p[2] / r2
    out[0] = -g * p[0] - j * p[0] * (1.0 - z) + rate * rate * p[0] + 2.0 * rate * v[1]
    out[1] = -g * p[1] - j * p[1] * (1.0 - z) + rate * rate * p[1] - 2.0 * rate * v[0]
    out[2] = -g * p[2] - j * p[2] * (3.0 - z)


@njit(cache=True, nogil=True)
def _to_geo_frame(p, v, angle, rate):
    """Rotate a BeiDou GEO's p and v in place by Rz(angle) Rx(-5 deg) (BDS-SIS-ICD B1I table 5-11)."""
    y = _COS5 * p[1] + _SIN5 * p[2]
    z = -_SIN5 * p[1] + _COS5 * p[2]
    vy = _COS5 * v[1] + _SIN5 * v[2]
    vz = -_SIN5 * v[1] + _COS5 * v[2]
    s, c = math.sin(angle), math.cos(angle)
    x, vx = p[0], v[0]
    p[0], p[1], p[2] = c * x + s * y, -s * x + c * y, z
    v[0] = c * vx + s * vy + rate * p[1]
    v[1] = -s * vx + c * vy - rate * p[0]
    v[2] = vz


@njit(cache=True, nogil=True)
def kepler_state(row, tk, tc, out):
    """One Keplerian set at tk = t - toe, tc = t - toc (s); out [11] = position, velocity, acceleration, clock, rate."""
    a0 = row[SQRT_A] * row[SQRT_A]
    a = a0 + row[A_DOT] * tk
    e = row[ECC]
    n0 = math.sqrt(row[MU] / (a0 * a0 * a0))
    m = row[M0] + (n0 + row[DELTA_N] + 0.5 * row[DELTA_N_DOT] * tk) * tk
    m_dot = n0 + row[DELTA_N] + row[DELTA_N_DOT] * tk
    ea = m + e * math.sin(m)
    for _ in range(8):
        step = (ea - e * math.sin(ea) - m) / (1.0 - e * math.cos(ea))
        ea -= step
        if abs(step) < 1e-14:
            break
    se, ce = math.sin(ea), math.cos(ea)
    root = math.sqrt(1.0 - e * e)
    q = 1.0 - e * ce
    ea_dot = m_dot / q
    phi = math.atan2(root * se, ce - e) + row[OMEGA]
    phi_dot = root * ea_dot / q
    s2, c2 = math.sin(2.0 * phi), math.cos(2.0 * phi)
    u = phi + row[CUS] * s2 + row[CUC] * c2
    r = a * q + row[CRS] * s2 + row[CRC] * c2
    i = row[I0] + row[IDOT] * tk + row[CIS] * s2 + row[CIC] * c2
    u_dot = phi_dot * (1.0 + 2.0 * (row[CUS] * c2 - row[CUC] * s2))
    r_dot = row[A_DOT] * q + a * e * se * ea_dot + 2.0 * phi_dot * (row[CRS] * c2 - row[CRC] * s2)
    i_dot = row[IDOT] + 2.0 * phi_dot * (row[CIS] * c2 - row[CIC] * s2)
    su, cu, si, ci = math.sin(u), math.cos(u), math.sin(i), math.cos(i)
    x, y = r * cu, r * su
    x_dot, y_dot = r_dot * cu - y * u_dot, r_dot * su + x * u_dot
    geo = row[IS_GEO] > 0.0
    rate = row[OMEGA_DOT] if geo else row[OMEGA_DOT] - row[EARTH_RATE]
    om = row[OMEGA0] + rate * tk - row[EARTH_RATE] * row[TOE_OF_WEEK]
    so, co = math.sin(om), math.cos(om)
    p, v = out[0:3], out[3:6]
    p[0] = x * co - y * ci * so
    p[1] = x * so + y * ci * co
    p[2] = y * si
    along = y_dot * ci - y * si * i_dot
    v[0] = x_dot * co - along * so - p[1] * rate
    v[1] = x_dot * so + along * co + p[0] * rate
    v[2] = y_dot * si + y * ci * i_dot
    if geo:
        _to_geo_frame(p, v, row[EARTH_RATE] * tk, row[EARTH_RATE])
    _acceleration(p, v, row[MU], row[EARTH_RATE], out[6:9])
    relativity = row[RELATIVITY] * e * row[SQRT_A]
    out[9] = row[AF0] + (row[AF1] + row[AF2] * tc) * tc + relativity * se
    out[10] = row[AF1] + 2.0 * row[AF2] * tc + relativity * ce * ea_dot


@njit(cache=True, nogil=True)
def _glonass_rates(s, lunisolar, out):
    """Derivatives [6] of position and velocity (GLONASS ICD, simplified equations of motion)."""
    r2 = s[0] * s[0] + s[1] * s[1] + s[2] * s[2]
    r = math.sqrt(r2)
    g = GLONASS_MU / (r2 * r)
    j = 1.5 * GLONASS_J2 * g * GLONASS_AE * GLONASS_AE / r2
    z = 5.0 * s[2] * s[2] / r2
    w = GLONASS_RATE
    out[0], out[1], out[2] = s[3], s[4], s[5]
    out[3] = -g * s[0] - j * s[0] * (1.0 - z) + w * w * s[0] + 2.0 * w * s[4] + lunisolar[0]
    out[4] = -g * s[1] - j * s[1] * (1.0 - z) + w * w * s[1] - 2.0 * w * s[3] + lunisolar[1]
    out[5] = -g * s[2] - j * s[2] * (3.0 - z) + lunisolar[2]


@njit(cache=True, nogil=True)
def glonass_state(row, tk, step, out):
    """RK4 from the set's own time by steps of `step` s and the remainder; row [11] and out [11] as in `orbits`."""
    s = np.empty(6)
    s[:] = row[0:6]
    lunisolar = row[6:9]
    k = np.empty((4, 6))
    trial = np.empty(6)
    left = tk
    while abs(left) > 1e-9:
        h = left if abs(left) <= step else math.copysign(step, left)
        _glonass_rates(s, lunisolar, k[0])
        for n in range(6):
            trial[n] = s[n] + 0.5 * h * k[0, n]
        _glonass_rates(trial, lunisolar, k[1])
        for n in range(6):
            trial[n] = s[n] + 0.5 * h * k[1, n]
        _glonass_rates(trial, lunisolar, k[2])
        for n in range(6):
            trial[n] = s[n] + h * k[2, n]
        _glonass_rates(trial, lunisolar, k[3])
        for n in range(6):
            s[n] += h / 6.0 * (k[0, n] + 2.0 * k[1, n] + 2.0 * k[2, n] + k[3, n])
        left -= h
    _glonass_rates(s, lunisolar, k[0])
    out[0:6] = s
    out[6:9] = k[0, 3:6]
    out[9] = row[9] + row[10] * tk
    out[10] = row[10]


@njit(cache=True, nogil=True)
def sbas_state(row, tk, out):
    """Quadratic motion of an SBAS GEO (RTCA DO-229 A.4.4.11)."""
    for n in range(3):
        out[n] = row[n] + (row[3 + n] + 0.5 * row[6 + n] * tk) * tk
        out[3 + n] = row[3 + n] + row[6 + n] * tk
        out[6 + n] = row[6 + n]
    out[9] = row[9] + row[10] * tk
    out[10] = row[10]


@njit(cache=True, nogil=True)
def evaluate(kind, rows, toe, toc, which, gpst, step, out):
    """States out [m, 11] of set `which[m]` at `gpst[m]` (int64 ns); kind 0 Kepler, 1 GLONASS, 2 SBAS a set."""
    for m in range(which.size):
        n = which[m]
        tk = (gpst[m] - toe[n]) * 1e-9
        if kind[n] == 0:
            kepler_state(rows[n], tk, (gpst[m] - toc[n]) * 1e-9, out[m])
        elif kind[n] == 1:
            glonass_state(rows[n], tk, step, out[m])
        else:
            sbas_state(rows[n], tk, out[m])
