"""Integer least squares: from float ambiguities and their covariance to integers, whole or in part.

`decorrelate` once, then ask: how sure is bootstrapping (`success_rate`), which best part is sure enough
(`partial_size`), which two integer vectors are nearest (`nearest_two`), which original ambiguities a fixed part settles
(`settled`). The search has a ceiling of nodes: a bad covariance gives no decision, never a hang.
Sources: Teunissen (1995), Chang, Yang & Zhou (2005); tested against three programs' answers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtk.baseline import _kernels

Array = NDArray[np.float64]

MOST_NODES = 100_000
"""Ceiling of the search; well-conditioned problems visit 25 to 250."""


class Decorrelated(NamedTuple):
    """Ambiguities after an integer transformation; the best determined stand last."""

    base: Array
    """[n] integers taken off the floats before anything else (8-digit cycles would cost precision)."""
    z: Array
    """[n] floats z = to_z (a - base)."""
    d: Array
    """[n] conditional variances, cycles^2: of z[i] once z[i + 1:] are known."""
    columns: Array
    """[n, n]; columns[j, i] = L[i, j] of Q_z = L'DL."""
    to_z: Array
    """[n, n] integer, z = to_z a."""
    from_z: Array
    """[n, n] integer, a = from_z' z."""


class Candidates(NamedTuple):
    """The nearest and the second nearest integers of the last k transformed ambiguities."""

    z: Array
    """[2, k]."""
    norms: tuple[float, float]
    """Squared norms s1 <= s2 in the metric of the covariance."""
    nodes: int


def decorrelate(a: Array, covariance: Array) -> Decorrelated | None:
    """Transform ambiguities a [n] (cycles) with covariance [n, n]; None where that is not positive definite."""
    n = a.size
    base = np.round(a)
    z = np.asarray(a - base, np.float64).copy()
    q = np.ascontiguousarray(0.5 * (covariance + covariance.T))
    columns, to_z, from_z = (np.empty((n, n)) for _ in range(3))
    d = np.empty(n)
    if n == 0 or not np.isfinite(q).all() or not _kernels.decorrelate(q, columns, d, z, to_z, from_z):
        return None
    return Decorrelated(base, z, d, columns, to_z, from_z)


def step_success(d: Array) -> Array:
    """Probability that each step of bootstrapping rounds right, given the steps before it (Teunissen 1998)."""
    return np.array([math.erf(1.0 / math.sqrt(8.0 * v)) for v in d])


def success_rate(decorrelated: Decorrelated, size: int | None = None) -> float:
    """Bootstrapped success rate of the last `size` transformed ambiguities (all by default)."""
    d = decorrelated.d if size is None else decorrelated.d[decorrelated.d.size - size :]
    return float(np.prod(step_success(d)))


def adop(covariance: Array) -> float:
    """Ambiguity dilution of precision, cycles: det(Q)^(1 / 2n)."""
    sign, logarithm = np.linalg.slogdet(covariance)
    return float(math.exp(logarithm / (2 * covariance.shape[0]))) if sign > 0 else math.nan


def partial_size(decorrelated: Decorrelated, success: float) -> int:
    """How many of the last ambiguities bootstrapping fixes with at least this probability."""
    passed = np.cumprod(step_success(decorrelated.d)[::-1]) >= success
    return int(passed.size if passed.all() else np.argmin(passed))


def nearest_two(decorrelated: Decorrelated, size: int | None = None, most: int = MOST_NODES) -> Candidates | None:
    """The two integer vectors nearest to the last `size` floats; None when the search found its ceiling."""
    n = decorrelated.z.size
    first = 0 if size is None else n - size
    found, norms = np.zeros((2, n - first)), np.zeros(2)
    columns = np.ascontiguousarray(decorrelated.columns[first:, first:])
    nodes = _kernels.search(columns, decorrelated.d[first:], decorrelated.z[first:], most, found, norms)
    if nodes < 0:
        return None
    return Candidates(found, (float(norms[0]), float(norms[1])), int(nodes))


def settled(decorrelated: Decorrelated, fixed: Array) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which original ambiguities the fixed last z [k] determine, and their integers (0 where they do not)."""
    n, k = decorrelated.z.size, fixed.size
    back = np.rint(decorrelated.from_z).T  # a = back z
    known = ~np.any(back[:, : n - k] != 0.0, axis=1)
    values = np.rint(back[:, n - k :] @ fixed + decorrelated.base).astype(np.int64)
    return known, np.where(known, values, 0)
