"""The measurement update shared by every filter here: group constants projected out, then one row after another.

A group is what shares an unknown offset (clock and hardware of one signal between two receivers): its rows are
reflected so that the offset stands in one row, which is dropped. The rest carry all that double differences carry,
uncorrelated, without a reference satellite and without a matrix to invert.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtk.baseline import _kernels

Array = NDArray[np.float64]


class White(NamedTuple):
    """Uncorrelated rows of unit variance."""

    design: Array
    """[r, n]."""
    residual: Array
    """[r]."""


def whiten(design: Array, residual: Array, sigma: Array, offsets: NDArray[np.int64]) -> White:
    """Project the constant of each group out of rows design [m, n], residual [m], sigma [m].

    offsets [g + 1] are the first rows of the groups; a group of one row gives nothing.
    """
    white, right = np.empty_like(design), np.empty_like(residual)
    rows = _kernels.whiten(design, residual, sigma, offsets, white, right)
    return White(white[:rows], right[:rows])


def update(x: Array, covariance: Array, white: White) -> float:
    """Add the correction of white rows to x [n] and update covariance [n, n], both in place.

    The residual stands against x as it comes in. Returns the sum of squared normalised innovations (about r).
    """
    return float(_kernels.update(x, covariance, white.design, white.residual))
