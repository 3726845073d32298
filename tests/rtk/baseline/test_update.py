"""The sequential update against double differences with full covariance and a textbook Kalman filter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rtk.baseline.update import White, update, whiten


def rows(seed: int, sizes=(5, 3, 1, 6), n: int = 7):
    rng = np.random.default_rng(seed)
    m = sum(sizes)
    return rng.normal(size=(m, n)), rng.normal(size=m), rng.uniform(0.5, 3.0, m), np.r_[0, np.cumsum(sizes)]


@pytest.mark.kernel
def test_projection_carries_exactly_what_double_differences_carry() -> None:
    design, residual, sigma, offsets = rows(1)
    white = whiten(design, residual, sigma, offsets)
    assert white.residual.size == 15 - 4
    normal, right = np.zeros((7, 7)), np.zeros(7)
    for first, last in itertools.pairwise(offsets):
        m = last - first
        if m > 1:
            d = np.c_[np.full(m - 1, -1.0), np.eye(m - 1)]  # against the group's first row
            weight = np.linalg.inv(d @ np.diag(sigma[first:last] ** 2) @ d.T)
            h, z = d @ design[first:last], d @ residual[first:last]
            normal += h.T @ weight @ h
            right += h.T @ weight @ z
    np.testing.assert_allclose(white.design.T @ white.design, normal, atol=1e-12)
    np.testing.assert_allclose(white.design.T @ white.residual, right, atol=1e-12)


@pytest.mark.kernel
def test_rows_one_by_one_equal_the_block_update() -> None:
    rng = np.random.default_rng(2)
    design, residual = rng.normal(size=(9, 6)), rng.normal(size=9)
    design[rng.random((9, 6)) < 0.4] = 0.0
    root = rng.normal(size=(6, 6))
    covariance, x = root @ root.T + np.eye(6), rng.normal(size=6)
    innovation = design @ covariance @ design.T + np.eye(9)
    gain = covariance @ design.T @ np.linalg.inv(innovation)
    expected, remaining = x + gain @ residual, covariance - gain @ innovation @ gain.T
    nis = update(x, covariance, White(design, residual))
    np.testing.assert_allclose(x, expected, atol=1e-10)
    np.testing.assert_allclose(covariance, remaining, atol=1e-10)
    np.testing.assert_array_equal(covariance, covariance.T)
    assert nis == pytest.approx(residual @ np.linalg.inv(innovation) @ residual, rel=1e-10)


@pytest.mark.kernel
def test_diffuse_priors_keep_their_digits() -> None:
    rng = np.random.default_rng(4)
    design = rng.normal(size=(12, 4)) / 0.003
    truth = rng.normal(size=4)
    covariance, x = np.eye(4) * 100.0**2, np.zeros(4)
    update(x, covariance, White(design, design @ truth))
    np.testing.assert_allclose(x, truth, atol=1e-7)
    np.testing.assert_allclose(covariance, np.linalg.inv(design.T @ design), rtol=1e-4, atol=1e-12)
    assert np.linalg.eigvalsh(covariance).min() > 0.0
