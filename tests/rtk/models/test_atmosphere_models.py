"""Troposphere and ionosphere models against published cases, embedded where they are facts of a standard."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cors.gnss.coordinates import ecef_from_degrees
from cors.gnss.time import gpst_from_calendar
from rtk.models import ionosphere, troposphere


def test_mops_as_rtklibs_sbas_correction() -> None:
    zenith = troposphere.mops_zenith(math.radians(28.2), 100.0, 71.0)
    assert sum(zenith) == pytest.approx(2.4582679910, abs=1e-10)  # RTKLIB sbstropcorr, day 71


def test_hydrostatic_delay_falls_27_mm_in_100_m() -> None:
    low, high = (troposphere.mops_zenith(math.radians(28.2), h, 71.0)[0] for h in (0.0, 100.0))
    assert low - high == pytest.approx(0.027, abs=0.001)


@pytest.mark.kernel
def test_mapping_is_one_at_the_zenith_and_bulk_equals_single() -> None:
    place = ecef_from_degrees(28.2, 112.9, 800.0)
    model = troposphere.mops(place, gpst_from_calendar(2026, 3, 12))
    angles = np.radians([[90.0, 45.0, 10.0, 5.0]])
    got = troposphere.troposphere(model, angles)
    assert got.wet_mapping[0, 0] == pytest.approx(1.0, abs=1e-9)
    for k, e in enumerate(angles[0]):
        dry, wet = troposphere.niell_mapping(math.radians(28.2), 800.0, 71.0, e)
        assert got.slant[0, k] == pytest.approx(model.zenith[0] @ [dry, wet], abs=1e-9)


@pytest.mark.parametrize(
    ("latitude", "longitude", "azimuth", "elevation", "seconds", "metres"),
    [(28.2, 112.9, 210, 40, 21_600, 3.614566), (28.2, 112.9, 30, 20, 23_400, 4.495992),
     (-33, 151, 300, 55, 14_400, 2.625482)],
)  # fmt: skip
def test_beidous_own_klobuchar(latitude, longitude, azimuth, elevation, seconds, metres) -> None:
    alpha = [2.7940e-9, 3.7253e-8, -2.9802e-7, 4.1723e-7]
    beta = [1.4950e5, -7.2090e5, 7.0779e6, -7.8643e6]
    angles = [math.radians(v) for v in (latitude, longitude, azimuth, elevation)]
    assert ionosphere.klobuchar_beidou(alpha, beta, *angles, seconds) == pytest.approx(metres, abs=1e-6)


def test_shell_and_frequency_factors() -> None:
    assert ionosphere.shell_mapping(math.pi / 2) == 1.0
    assert 2.5 < float(ionosphere.shell_mapping(math.radians(10.0))) < 3.1
    assert ionosphere.mu(1227.60e6) == pytest.approx(1.6469, abs=1e-4)
