"""Kernels of integer least squares and of the sequential filter update.

Numbers only; `integers` and `update` lay them out. Sources: Teunissen (1995) for Q = L'DL and its decorrelation;
Chang, Yang & Zhou (2005) and Xie, Chang & Al Borno (2011) for symmetric pivoting and for rounding only the off-diagonal
next to the diagonal before a swap; Bierman (1977) for scalar updates.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _factor(a, columns, d, order):
    """Q = L'DL with symmetric pivoting: the smallest conditional variance is put last. a [n, n] is destroyed.

    columns[j, i] = L[i, j] (so a column of L is a contiguous row), d [n], order [n] = which variable stands where.
    Returns False where Q is not positive definite.
    """
    n = d.size
    for i in range(n):
        order[i] = i
    for k in range(n - 1, -1, -1):
        best = k
        for j in range(k):
            if a[j, j] < a[best, best]:
                best = j
        if best != k:
            order[best], order[k] = order[k], order[best]
            for j in range(n):  # rows, then columns: finished columns of L move along
                a[best, j], a[k, j] = a[k, j], a[best, j]
            for j in range(n):
                a[j, best], a[j, k] = a[j, k], a[j, best]
            for i in range(k + 1, n):
                columns[best, i], columns[k, i] = columns[k, i], columns[best, i]
        d[k] = a[k, k]
        if not d[k] > 0.0:
            return False
        columns[k, k] = 1.0
        for j in range(k):
            columns[j, k] = a[k, j] / d[k]
        for i in range(k):
            factor = columns[i, k]
            for j in range(k):
                a[i, j] -= factor * a[k, j]
    return True


@njit(cache=True, nogil=True)
def decorrelate(q, columns, d, z, to_z, from_z):
    """Integer transformation that makes Q nearly diagonal: z := Z'a in place (float, small), to_z = Z', from_z = Z^-1.

    Rows of to_z [n, n] give z = to_z a; rows of from_z give a = from_z' z. On return z stands for Q_z = L'DL with the
    best determined last, columns[j, i] = L[i, j]. q is destroyed. Returns False where Q is not positive definite.
    """
    n = d.size
    order = np.empty(n, np.int64)
    columns[:] = 0.0
    if not _factor(q, columns, d, order):
        return False
    start = z.copy()
    to_z[:] = 0.0
    for i in range(n):
        z[i] = start[order[i]]
        to_z[i, order[i]] = 1.0
    from_z[:] = to_z
    j = n - 2
    while j >= 0:
        mu = round(columns[j, j + 1])
        rest = columns[j, j + 1] - mu
        delta = d[j] + rest * rest * d[j + 1]
        if delta < d[j + 1] * (1.0 - 1e-10):
            if mu != 0.0:
                _add_column(j, j + 1, mu, columns, z, to_z, from_z)
            _swap(j, delta, columns, d, z, to_z, from_z)
            j = min(j + 1, n - 2)
        else:
            j -= 1
    for j in range(n - 2, -1, -1):
        for i in range(j + 1, n):
            mu = round(columns[j, i])
            if mu != 0.0:
                _add_column(j, i, mu, columns, z, to_z, from_z)
    return True


@njit(cache=True, nogil=True)
def _add_column(j, i, mu, columns, z, to_z, from_z):
    """Column j of L less mu times column i, and the transformation with it."""
    n = z.size
    for k in range(i, n):
        columns[j, k] -= mu * columns[i, k]
    z[j] -= mu * z[i]
    for k in range(n):
        to_z[j, k] -= mu * to_z[i, k]
        from_z[i, k] += mu * from_z[j, k]


@njit(cache=True, nogil=True)
def _swap(j, delta, columns, d, z, to_z, from_z):
    """Exchange variables j and j + 1; delta is the new conditional variance of the latter."""
    n = z.size
    off = columns[j, j + 1]
    eta = d[j] / delta
    lam = d[j + 1] * off / delta
    d[j] = eta * d[j + 1]
    d[j + 1] = delta
    for k in range(j):
        a0, a1 = columns[k, j], columns[k, j + 1]
        columns[k, j] = a1 - off * a0
        columns[k, j + 1] = eta * a0 + lam * a1
    columns[j, j + 1] = lam
    for k in range(j + 2, n):
        columns[j, k], columns[j + 1, k] = columns[j + 1, k], columns[j, k]
    z[j], z[j + 1] = z[j + 1], z[j]
    for k in range(n):
        to_z[j, k], to_z[j + 1, k] = to_z[j + 1, k], to_z[j, k]
        from_z[j, k], from_z[j + 1, k] = from_z[j + 1, k], from_z[j, k]


@njit(cache=True, nogil=True)
def search(columns, d, z, most, found, norms):
    """The two integer vectors nearest to z in the metric of L'DL, by depth first in a shrinking ellipsoid.

    found [2, n] and norms [2] (ascending squared norms). Returns how many nodes were visited, or -1 after `most`.
    """
    n = d.size
    rows = columns.T.copy()
    path = np.zeros((n + 1, n))
    centre, trial, step = np.zeros(n), np.zeros(n), np.zeros(n)
    distance = np.zeros(n + 1)
    limit = math.inf
    count = 0
    k = n - 1
    centre[k] = z[k]
    trial[k] = round(centre[k])
    step[k] = 1.0 if centre[k] >= trial[k] else -1.0
    for node in range(most):
        gap = centre[k] - trial[k]
        now = distance[k + 1] + gap * gap / d[k]
        if now < limit:
            if k > 0:
                distance[k] = now
                shift = trial[k] - centre[k]
                for i in range(k):
                    path[k, i] = path[k + 1, i] + shift * rows[k, i]
                k -= 1
                centre[k] = z[k] + path[k + 1, k]
                trial[k] = round(centre[k])
                step[k] = 1.0 if centre[k] >= trial[k] else -1.0
                continue
            if count == 0 or now < norms[0]:
                if count > 0:
                    norms[1] = norms[0]
                    found[1] = found[0]
                norms[0] = now
                found[0] = trial
            else:
                norms[1] = now
                found[1] = trial
            count += 1
            if count >= 2:
                limit = norms[1]
        else:
            k += 1
            if k == n:
                return node
        trial[k] += step[k]
        step[k] = -step[k] - (1.0 if step[k] > 0.0 else -1.0)
    return -1


@njit(cache=True, nogil=True)
def whiten(design, residual, sigma, offsets, white_design, white_residual):
    """Take the unknown common to each group of rows out, and make the rest uncorrelated with unit variance.

    Rows offsets[g]..offsets[g + 1] of design [m, n], residual [m] and sigma [m] belong to group g. A Householder
    reflection turns the common unknown into one row, which is dropped: what is left carries all that double
    differences carry, without a reference. Groups of one row give nothing. Returns the rows written.
    """
    n = design.shape[1]
    out = 0
    for g in range(offsets.size - 1):
        first, last = offsets[g], offsets[g + 1]
        m = last - first
        if m < 2:
            continue
        u = np.empty(m)
        length = 0.0
        for i in range(m):
            u[i] = 1.0 / sigma[first + i]
            length += u[i] * u[i]
        length = math.sqrt(length)
        for i in range(m):
            u[i] /= length
        u[0] += 1.0
        scale = 2.0 / (2.0 * u[0])  # |u + e0|^2 = 2 (1 + u0)
        along = np.zeros(n)
        along_residual = 0.0
        for i in range(m):
            w = u[i] / sigma[first + i]
            for k in range(n):
                along[k] += w * design[first + i, k]
            along_residual += w * residual[first + i]
        for i in range(1, m):
            weight, factor = 1.0 / sigma[first + i], scale * u[i]
            for k in range(n):
                white_design[out, k] = weight * design[first + i, k] - factor * along[k]
            white_residual[out] = weight * residual[first + i] - factor * along_residual
            out += 1
    return out


@njit(cache=True, nogil=True)
def update(x, covariance, design, residual):
    """Kalman update by uncorrelated rows of unit variance, one after another; returns the sum of squared innovations.

    x [n] is added to (start it at zero for corrections), covariance [n, n] is updated in place and stays symmetric;
    residual [m] is against x as it came in. Variances are kept above 1e-12.
    """
    m, n = design.shape
    index = np.empty(n, np.int64)
    gain = np.empty(n)
    start = x.copy()
    nis = 0.0
    for r in range(m):
        count = 0
        for k in range(n):
            if design[r, k] != 0.0:
                index[count] = k
                count += 1
        innovation = residual[r]
        gain[:] = 0.0
        for c in range(count):
            j = index[c]
            h = design[r, j]
            innovation -= h * (x[j] - start[j])
            for i in range(n):
                gain[i] += h * covariance[j, i]
        variance = 1.0
        for c in range(count):
            variance += design[r, index[c]] * gain[index[c]]
        nis += innovation * innovation / variance
        for i in range(n):
            g = gain[i] / variance
            if g != 0.0:
                x[i] += g * innovation
                for j in range(n):
                    covariance[i, j] -= g * gain[j]
    for i in range(n):
        for j in range(i):
            mean = 0.5 * (covariance[i, j] + covariance[j, i])
            covariance[i, j] = mean
            covariance[j, i] = mean
        covariance[i, i] = max(covariance[i, i], 1e-12)
    return nis
