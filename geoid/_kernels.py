"""Kernels of grid interpolation: fractional indices, bilinear and Keys' cubic convolution over many points.

Numbers only; `geoid.interpolate` is the shell and holds the same arithmetic for one point. Values [rows, columns] run
south to north and west to east, NaN is no data. A geometry is `geoid.grid.Geometry`. Points whose stencil lies inside
the grid and has data take the short way; all others (edges, seam, poles, holes) go through `_careful_cubic` or
`_careful_bilinear`, which name what is missing. Source of the weights: Keys 1981, IEEE ASSP 29, a = -1/2.
"""

from __future__ import annotations

import numpy as np
from numba import njit

OK, OUTSIDE, NO_DATA = 0, 1, 2
"""Codes of `geoid.interpolate.Status`, in its order."""
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned indices spare the test for negative ones
BLOCK = 256
"""Points whose indices are worked out together, which the compiler turns into SIMD: 29 -> 18 ns a point, cubic."""
SNAP = 1e-9
"""Part of a step within which a point is on the node line: 1/60 is not exact in binary."""


@njit(cache=True, nogil=True)
def _snapped(index):
    """An index that is meant to be a whole number, made one."""
    nearest = np.floor(index + 0.5)
    return nearest if abs(index - nearest) < SNAP else index


@njit(cache=True, nogil=True, error_model="numpy")
def _indices(lat, lon, g, rows, columns, y, x):
    """Fractional rows y and columns x of points; y = -1 where a point is outside (also NaN). Free of branches: SIMD."""
    last = g.period - SNAP if g.period > 0 else columns - 1.0
    for n in range(lat.size):
        row = _snapped((lat[n] - g.south) / g.dlat)
        turned = lon[n] - g.west
        turned -= 360.0 * np.floor(turned / 360.0)
        turned = turned - 360.0 if 360.0 - turned < SNAP * g.dlon else turned
        column = _snapped(turned / g.dlon)
        inside = (row >= 0.0) & (row <= rows - 1.0) & (column >= 0.0) & (column <= last) & (abs(lon[n]) <= 720.0)
        y[n] = row if inside else -1.0
        x[n] = column


@njit(cache=True, nogil=True)
def _node(values, g, r, c):
    """Value of node (r, c), continued round the Earth and over the poles; infinity where the grid has no such node."""
    rows, columns = values.shape
    if r < 0 or r >= rows:
        if not (g.south_pole if r < 0 else g.north_pole):
            return np.inf
        r = -r if r < 0 else 2 * (rows - 1) - r
        c += g.period // 2
    if g.period > 0:
        c %= g.period
    elif c < 0 or c >= columns:
        return np.inf
    return values[r, c]


@njit(cache=True, nogil=True)
def _careful_bilinear(values, g, i, j, u, v):
    """Bilinear value where some of the four nodes may be missing; NaN if one with weight is."""
    z = 0.0
    for r in range(2):
        line = 0.0
        w = u if r == 1 else 1.0 - u
        for c in range(2):
            weight = v if c == 1 else 1.0 - v
            if w != 0.0 and weight != 0.0:
                line += weight * _node(values, g, i + r, j + c)
        z += w * line
    return z


@njit(cache=True, nogil=True)
def _keys(t, k):
    """Weight of node k = 0..3 (at -1, 0, 1, 2) for a point at t in [0, 1)."""
    if k == 0:
        return ((-0.5 * t + 1.0) * t - 0.5) * t
    if k == 1:
        return (1.5 * t - 2.5) * t * t + 1.0
    if k == 2:
        return ((-1.5 * t + 2.0) * t + 0.5) * t
    return (0.5 * t - 0.5) * t * t


@njit(cache=True, nogil=True)
def _careful_cubic(values, g, i, j, u, v):
    """Cubic value at edges, seam, poles, holes: bilinear where the stencil leaves the grid, NaN where data lack."""
    for k in range(4):
        if np.isinf(_node(values, g, i - 1 + k, j)) or np.isinf(_node(values, g, i, j - 1 + k)):
            return _careful_bilinear(values, g, i, j, u, v)
    z = 0.0
    for r in range(4):
        line = 0.0
        w = _keys(u, r)
        for c in range(4):
            weight = _keys(v, c)
            if w != 0.0 and weight != 0.0:
                line += weight * _node(values, g, i - 1 + r, j - 1 + c)
        z += w * line
    return z


@njit(cache=True, nogil=True)
def bilinear(values, g, lat, lon, out, status):
    """Bilinear values out [n] in m and status [n] at lat, lon [n] in degrees."""
    rows, columns = values.shape
    y, x = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, lat.size, BLOCK):
        stop = min(start + BLOCK, lat.size)
        _indices(lat[start:stop], lon[start:stop], g, rows, columns, y, x)
        for n in range(start, stop):
            if y[n - start] < 0.0:
                out[n], status[n] = np.nan, OUTSIDE
                continue
            i = min(np.int64(y[n - start]), rows - 2)
            j = np.int64(x[n - start]) if g.period > 0 else min(np.int64(x[n - start]), columns - 2)
            u, v = y[n - start] - i, x[n - start] - j
            z = np.nan
            if j + 1 < columns:
                z = (1.0 - u) * ((1.0 - v) * values[i, j] + v * values[i, j + 1])
                z += u * ((1.0 - v) * values[i + 1, j] + v * values[i + 1, j + 1])
            if np.isnan(z):
                z = _careful_bilinear(values, g, i, j, u, v)
            out[n], status[n] = z, NO_DATA if np.isnan(z) else OK


@njit(cache=True, nogil=True)
def _along(values, r, c, v0, v1, v2, v3):
    """Weighted sum of four nodes of row r from column c on."""
    return v0 * values[r, c] + v1 * values[r, c + ONE] + v2 * values[r, c + TWO] + v3 * values[r, c + THREE]


@njit(cache=True, nogil=True)
def bicubic(values, g, lat, lon, out, status):
    """Values out [n] in m by Keys' cubic convolution and status [n] at lat, lon [n] in degrees."""
    rows, columns = values.shape
    y, x = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, lat.size, BLOCK):
        stop = min(start + BLOCK, lat.size)
        _indices(lat[start:stop], lon[start:stop], g, rows, columns, y, x)
        for n in range(start, stop):
            if y[n - start] < 0.0:
                out[n], status[n] = np.nan, OUTSIDE
                continue
            i = min(np.int64(y[n - start]), rows - 2)
            j = np.int64(x[n - start]) if g.period > 0 else min(np.int64(x[n - start]), columns - 2)
            u, v = y[n - start] - i, x[n - start] - j
            z = np.nan
            if 1 <= i < rows - 2 and 1 <= j < columns - 2:
                r, c = np.uint64(i - 1), np.uint64(j - 1)
                v0, v1, v2, v3 = _keys(v, 0), _keys(v, 1), _keys(v, 2), _keys(v, 3)
                z = _keys(u, 0) * _along(values, r, c, v0, v1, v2, v3)
                z += _keys(u, 1) * _along(values, r + ONE, c, v0, v1, v2, v3)
                z += _keys(u, 2) * _along(values, r + TWO, c, v0, v1, v2, v3)
                z += _keys(u, 3) * _along(values, r + THREE, c, v0, v1, v2, v3)
            if np.isnan(z):
                z = _careful_cubic(values, g, i, j, u, v)
            out[n], status[n] = z, NO_DATA if np.isnan(z) else OK
