"""Integer least squares against exhaustive search, RTKLIB and the mathematics of the transformation."""

from __future__ import annotations

import itertools

import numpy as np
import pyrtklib5
import pytest

from rtk.baseline import integers
from rtk.baseline.acceptance import FAILURE_RATE, Refusal, judge, ratio_threshold

rtklib_lambda = vars(pyrtklib5)["lambda"]


def geometry_problem(n: int, seed: int, epochs: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Double differences of n / 2 satellites on L1 and L2, position, zenith delay and weighted ionosphere unknown."""
    rng = np.random.default_rng(seed)
    m, wavelength, mu = n // 2, (0.1903, 0.2442), (1.0, 1.647)
    elevation, azimuth = np.radians(rng.uniform(15, 85, m + 1)), rng.uniform(0, 2 * np.pi, m + 1)
    start = np.c_[np.cos(elevation) * np.sin(azimuth), np.cos(elevation) * np.cos(azimuth), np.sin(elevation)]
    rate = rng.normal(0, 1e-4, (m + 1, 3))
    prior = np.r_[np.full(3, 1e-4), 1 / 0.05**2, np.full(m + 1, 1 / 0.03**2), np.full(2 * (m + 1), 1e-6)]
    normal = np.diag(prior)
    sigma = np.sqrt(0.5 + 0.5 / np.sin(elevation) ** 2)
    for epoch, f, code in itertools.product(range(epochs), range(2), (False, True)):
        h = np.zeros((m + 1, prior.size))
        h[:, :3], h[:, 3] = -(start + rate * epoch * 30), 1 / np.sin(elevation)
        np.fill_diagonal(h[:, 4:], mu[f] if code else -mu[f])
        if not code:
            np.fill_diagonal(h[:, 4 + (m + 1) * (1 + f) :], wavelength[f])
        w = 1 / (sigma * (0.4 if code else 0.004)) ** 2
        normal += h.T @ (np.diag(w) - np.outer(w, w) / w.sum()) @ h
    difference = np.zeros((2 * m, prior.size))
    for f, i in itertools.product(range(2), range(m)):
        first = 4 + (m + 1) * (1 + f)
        difference[f * m + i, [first + i, first + m]] = 1, -1
    covariance = difference @ np.linalg.inv(normal) @ difference.T
    covariance = 0.5 * (covariance + covariance.T)
    truth = rng.integers(-1000, 1000, 2 * m)
    return truth + np.linalg.cholesky(covariance) @ rng.normal(size=2 * m), covariance


def as_rtklib(a: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = a.size
    float_a, q, found, norms = (pyrtklib5.Arr1Ddouble(k) for k in (n, n * n, 2 * n, 2))
    for i in range(n):
        float_a[i] = float(a[i])
        for j in range(n):
            q[i + j * n] = float(covariance[i, j])
    assert rtklib_lambda(n, 2, float_a, q, found, norms) == 0
    return np.array([found[i] for i in range(2 * n)]).reshape(2, n), np.array([norms[0], norms[1]])


@pytest.mark.parametrize(("n", "seeds"), [(4, 60), (10, 60), (24, 40), (40, 20)])
def test_same_integers_and_norms_as_rtklib(n: int, seeds: int) -> None:
    for seed in range(seeds):
        a, covariance = geometry_problem(n, seed)
        decorrelated = integers.decorrelate(a, covariance)
        ours = integers.nearest_two(decorrelated)
        candidates, norms = as_rtklib(a, covariance)
        np.testing.assert_array_equal(np.rint(ours.z @ decorrelated.from_z + decorrelated.base), np.rint(candidates))
        np.testing.assert_allclose(ours.norms, norms, rtol=1e-6)


@pytest.mark.kernel
def test_nearest_are_those_of_an_exhaustive_search() -> None:
    rng = np.random.default_rng(3)
    grid = np.array(list(itertools.product(range(-4, 5), repeat=4)))
    for _ in range(8):
        root = rng.normal(size=(4, 4))
        covariance = root @ root.T * 0.2 + 0.02 * np.eye(4)
        a = rng.uniform(-0.5, 0.5, 4)
        norms = np.sort(np.einsum("ij,jk,ik->i", a - grid, np.linalg.inv(covariance), a - grid))[:2]
        found = integers.nearest_two(integers.decorrelate(a, covariance))
        np.testing.assert_allclose(found.norms, norms, rtol=1e-9)


@pytest.mark.kernel
def test_the_transformation_is_integer_unimodular_and_factors_the_covariance() -> None:
    a, covariance = geometry_problem(10, 1)
    got = integers.decorrelate(a, covariance)
    np.testing.assert_array_equal(got.to_z, np.rint(got.to_z))
    np.testing.assert_array_equal(got.to_z @ got.from_z.T, np.eye(10))
    lower = got.columns.T
    np.testing.assert_allclose(lower.T @ np.diag(got.d) @ lower, got.to_z @ covariance @ got.to_z.T, atol=1e-9)
    np.testing.assert_allclose(got.z, got.to_z @ (a - got.base), atol=1e-12)
    assert np.prod(got.d) == pytest.approx(np.linalg.det(covariance), rel=1e-6)  # volume is kept


@pytest.mark.kernel
def test_a_fixed_part_settles_only_what_it_determines() -> None:
    a, covariance = geometry_problem(10, 2, epochs=1)
    got = integers.decorrelate(a, covariance)
    size = integers.partial_size(got, 0.999)
    whole = integers.nearest_two(got).z[0]
    known, values = integers.settled(got, whole[10 - size :])
    everything = np.rint(whole @ got.from_z + got.base)
    np.testing.assert_array_equal(values[known], everything[known])
    assert integers.settled(got, whole)[0].all()
    assert integers.success_rate(got, size) >= 0.999


@pytest.mark.kernel
def test_what_cannot_be_decided_is_none() -> None:
    assert integers.decorrelate(np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    assert integers.decorrelate(np.zeros(2), np.full((2, 2), np.nan)) is None
    assert integers.decorrelate(np.zeros(0), np.zeros((0, 0))) is None
    hopeless = integers.decorrelate(np.full(30, 0.49), np.eye(30) * 1e4)
    assert integers.nearest_two(hopeless, most=1000) is None


@pytest.mark.parametrize(
    ("n", "failure", "threshold"),
    [(4, 0.002, 0.82), (4, 0.05, 0.18), (10, 0.005, 0.69), (10, 0.1, 0.35), (20, 0.01, 0.72), (40, 0.02, 0.80)],
)
def test_thresholds_of_hou_verhagen_wu(n: int, failure: float, threshold: float) -> None:
    assert ratio_threshold(n, failure) == pytest.approx(threshold, abs=0.006)


def test_threshold_at_its_ends() -> None:
    assert ratio_threshold(10, FAILURE_RATE) == 1.0 and ratio_threshold(10, 0.21) == 0.0
    assert ratio_threshold(200, 0.01) == ratio_threshold(66, 0.01)


def test_the_guard_speaks_after_the_ratio() -> None:
    assert judge(10, (5.0, 40.0), 0.9999).accepted
    assert judge(10, (30.0, 80.0), 0.9999).refusal is Refusal.MISFIT
    assert judge(10, (5.0, 12.0), 0.9999).refusal is Refusal.AMBIGUOUS
    assert judge(10, (5.0, 6.0), 0.95).refusal is Refusal.RATIO
    assert judge(4, (0.1, 20.0), 0.5).refusal is Refusal.RATIO  # no test can save a success rate of a half
