"""The simulated atmosphere against rays traced through a standard atmosphere, published figures, its scenarios."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import Delaunay

from cors.gnss.coordinates import enu_from_ecef
from rtk.simulation import _kernels
from rtk.simulation.atmosphere import (
    HYDROSTATIC_MAPPING,
    WET_MAPPING,
    draw_atmosphere,
    hydrostatic_zenith,
)  # fmt: skip
from rtk.simulation.configuration import demo
from rtk.simulation.scenarios import CALM, DISTURBED, SCENARIOS, STORM, Effects, Scenario
from rtk.simulation.simulation import Simulation
from tests.rtk.simulation.worlds import START

EARTH = 6_371_000.0
HUNAN = math.radians(28.0), math.radians(112.5)


def _refractivity(h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """n - 1 of a standard atmosphere (20 C, 6.5 K/km, isothermal above 11 km) and of vapour of scale height 2 km."""
    rd, g, lapse, t0 = 287.05, 9.8, 6.5e-3, 293.15
    top = t0 - lapse * 11e3
    t = np.maximum(t0 - lapse * h, top)
    p = 1013.25 * (t / t0) ** (g / (rd * lapse)) * np.exp(-g * np.maximum(h - 11e3, 0.0) / (rd * top))
    return 77.6e-6 * p / t, 60e-6 * np.exp(-h / 2000.0)


def _trace(h0: float, apparent: float) -> tuple[float, float, float]:
    """Elevation without refraction, hydrostatic delay with bending, wet delay of a ray through spherical shells."""
    h = h0 + np.linspace(0.0, 1.0, 8001) ** 2 * 100e3
    dry, wet = _refractivity((h[1:] + h[:-1]) / 2.0)
    n, r = 1.0 + dry + wet, EARTH + h
    start = 1.0 + sum(float(x[0]) for x in _refractivity(np.array([h0])))
    bouguer = start * r[0] * math.cos(apparent)  # n r cos e is constant (Snell in spherical shells)
    q = bouguer / n
    length = np.sqrt(r[1:] ** 2 - q**2) - np.sqrt(np.maximum(r[:-1] ** 2 - q**2, 0.0))
    angle = float((np.arccos(np.clip(q / r[1:], -1, 1)) - np.arccos(np.clip(q / r[:-1], -1, 1))).sum())
    out = math.acos(min(1.0, bouguer / r[-1]))
    way = 2e7
    x = r[-1] * math.sin(angle) + way * math.cos(out - angle)
    y = r[-1] * math.cos(angle) - r[0] + way * math.sin(out - angle)
    bending = float(length.sum()) + way - math.hypot(x, y)
    return math.atan2(y, x), float(dry @ length) + bending, float(wet @ length)


@pytest.mark.kernel
@pytest.mark.parametrize("height", [0.0, 500.0, 1500.0])
def test_mapping_functions_are_traced_rays(height: float) -> None:
    """To 1 mm of 2.3 m above 7 degrees, 3 mm at 5 (Niell's own agree with rays to 3 mm at 5 degrees)."""
    _, zenith, zenith_wet = _trace(height, math.pi / 2.0)
    for apparent, tolerance in ((5.0, 3e-3), (7.0, 1e-3), (10.0, 1e-3), (20.0, 5e-4), (45.0, 2e-4), (80.0, 1e-4)):
        e, dry, wet = _trace(height, math.radians(apparent))
        m = _kernels.mapping(math.sin(e), np.array(HYDROSTATIC_MAPPING), height / 1e3)
        assert 2.3 * m == pytest.approx(2.3 * dry / zenith, abs=tolerance)
        w = _kernels.mapping(math.sin(e), np.array(WET_MAPPING), height / 1e3)
        assert 0.2 * w == pytest.approx(0.2 * wet / zenith_wet, abs=tolerance)


def test_zenith_hydrostatic_delay_is_that_of_the_books() -> None:
    """2.31 m at sea level, 27 mm less each 100 m (algorithms E.1)."""
    latitude = np.radians([28.0, 28.0])
    sea, hill = hydrostatic_zenith(latitude, np.array([0.0, 100.0]), 1013.25)
    assert sea == pytest.approx(2.31, abs=0.005)
    assert sea - hill == pytest.approx(0.0265, abs=0.0015)


def _wet(seed: int, scenario: Scenario, effects: Effects) -> Simulation:
    return Simulation(demo(START, seed, 3, scenario=scenario, effects=effects))


def test_water_vapour_has_the_structure_of_turbulence() -> None:
    """D(r) rises as r^(2/3) (Treuhaft & Lanyi 1987) and saturates at twice the variance beyond the outer scale."""
    rng = np.random.default_rng(5)
    distances = np.array([5.0, 10.0, 20.0, 40.0, 600.0])
    sums, variance = np.zeros(distances.size), 0.0
    for seed in range(12):
        effects = Effects(wet_gradient=False, wet_front=False)
        tropo = draw_atmosphere(seed, CALM, *HUNAN, effects)[0].tropo
        for _ in range(60):
            x, y, angle = rng.uniform(-400, 400), rng.uniform(-400, 400), rng.uniform(0, 2 * math.pi)
            here = _kernels.zenith_wet(tropo, x, y, 0.0)
            variance += (here - CALM.troposphere.wet) ** 2 / 720
            for k, r in enumerate(distances):
                there = _kernels.zenith_wet(tropo, x + r * math.cos(angle), y + r * math.sin(angle), 0.0)
                sums[k] += (there - here) ** 2 / 720
    exponent = np.polyfit(np.log(distances[:4]), np.log(sums[:4]), 1)[0]
    assert exponent == pytest.approx(2.0 / 3.0, abs=0.15)
    assert math.sqrt(variance) == pytest.approx(CALM.troposphere.field, rel=0.25)
    assert sums[4] == pytest.approx(2.0 * CALM.troposphere.field**2, rel=0.45)


def test_water_vapour_falls_with_height_and_does_not_flicker() -> None:
    simulation = Simulation(demo(START, 1, scenario=DISTURBED))
    t = simulation.epoch(0).truth
    heights = np.array([s.height for s in simulation.sites])
    rate = np.polyfit(heights / 1e3, np.log(t.zenith_wet), 1)[0]
    assert rate == pytest.approx(-1.0 / DISTURBED.troposphere.wet_height, rel=0.25)
    second = simulation.epoch(1).truth.zenith_wet - t.zenith_wet
    assert np.abs(second).max() < 1e-3


def test_a_front_changes_the_wet_delay_by_its_amount() -> None:
    with_front, without = (_wet(1, DISTURBED, Effects(wet_front=on)) for on in (True, False))
    change = [with_front.epoch(k).truth.zenith_wet[0] - without.epoch(k).truth.zenith_wet[0] for k in (0, 2400, 9000)]
    decay = math.exp(-with_front.sites[0].height / 2000.0)
    assert change[0] == pytest.approx(0.0, abs=1e-3)
    assert change[2] == pytest.approx(DISTURBED.troposphere.front * decay, abs=1e-3)


def _i95(simulation: Simulation, numbers: range) -> float:
    """95 % point (mm/km) of the horizontal gradient of vertical double-differenced delays over the good triangles."""
    stations = len(simulation.configuration.stations)
    plane = enu_from_ecef(simulation.places.position[:stations], simulation.places.position[0])[:, :2] / 1e3
    good = [t for t in Delaunay(plane).simplices if _smallest_angle(plane[t]) > 25.0]
    found: list[float] = []
    for number in numbers:
        t = simulation.epoch(number).truth
        cosine = np.sqrt(1.0 - (6371.0 / 6771.0 * np.cos(t.elevation)) ** 2)
        vertical = {
            (int(s), int(n)): 1e3 * i * c
            for s, n, i, c, e in zip(t.link_station, t.link_satellite, t.ionosphere, cosine, t.elevation, strict=True)
            if e > math.radians(10.0)
        }
        satellites = {n for _, n in vertical}
        for corners in good:
            seen = [n for n in satellites if all((s, n) in vertical for s in corners)]
            single = np.array([[vertical[s, n] - vertical[corners[0], n] for s in corners[1:]] for n in seen])
            single -= single.mean(axis=0)
            sides = plane[corners[1:]] - plane[corners[0]]
            found.extend(np.hypot(*np.linalg.solve(sides, single.T)))
    return float(np.percentile(found, 95))


def _smallest_angle(p: np.ndarray) -> float:
    sides = np.roll(p, -1, axis=0) - p
    directions = np.degrees(np.arctan2(sides[:, 1], sides[:, 0]))
    return float(np.min(180.0 - np.abs((np.diff([*directions, directions[0]]) + 180.0) % 360.0 - 180.0)))


@pytest.mark.parametrize(("scenario", "low", "high"), [(CALM, 0.4, 1.5), (DISTURBED, 4.0, 8.0), (STORM, 8.0, 400.0)])
def test_gradients_are_those_of_the_scenario(scenario: Scenario, low: float, high: float) -> None:
    """I95 (Wanninger 2004) below 2 is calm, 4-8 strong, beyond 8 severe (algorithms A.9)."""
    found = [_i95(Simulation(demo(START, seed, scenario=scenario)), range(0, 1800, 360)) for seed in (1, 2)]
    assert low < min(found) and max(found) < high


def test_a_storm_front_is_300_millimetres_a_kilometre_steep_and_passes() -> None:
    model = STORM.ionosphere
    off = Effects(ionosphere_field=False, ionosphere_waves=False)
    iono = draw_atmosphere(1, STORM, *HUNAN, off)[0].iono
    quiet = draw_atmosphere(1, STORM, *HUNAN, Effects(ionosphere_field=False, ionosphere_waves=False,
                                                       ionosphere_front=False))[0].iono  # fmt: skip
    east, north = iono.front[1], iono.front[2]
    along = np.arange(-200.0, 200.0, 0.5)

    def profile(t: float) -> np.ndarray:
        return np.array([
            _kernels.vertical_content(iono, d * east, d * north, t)[0]
            - _kernels.vertical_content(quiet, d * east, d * north, t)[0] for d in along
        ]) * _kernels.TEC_TO_DELAY  # fmt: skip

    before, during = profile(0.0), profile(model.front_arrival)
    assert np.abs(before).max() == 0.0
    assert np.abs(np.diff(during)).max() / 0.5 * 1e3 == pytest.approx(300.0, rel=0.02)
    # Ning & Tang 2018: 200-700 m/s over China
    later = profile(model.front_arrival + 60.0)
    shift = along[np.argmin(np.abs(later - during.max() / 2))] - along[np.argmin(np.abs(during - during.max() / 2))]
    assert shift / 60.0 * 1e3 == pytest.approx(model.front_speed, rel=0.05)


@pytest.mark.kernel
def test_rate_of_the_content_is_its_derivative() -> None:
    iono = draw_atmosphere(2, STORM, *HUNAN, Effects())[0].iono
    for t in (100.0, 1790.0, 1830.0):
        x, y = 12.0, -30.0
        rate = _kernels.vertical_content(iono, x, y, t)[1]
        around = [_kernels.vertical_content(iono, x, y, t + d)[0] for d in (-0.5, 0.5)]
        assert rate == pytest.approx(around[1] - around[0], abs=2e-3)  # the diurnal swing is not in the rate


def test_content_follows_the_sun() -> None:
    """Largest at 14 h local time, flat at night, whatever the calendar date."""
    iono = draw_atmosphere(1, CALM, *HUNAN, Effects(ionosphere_field=False, ionosphere_waves=False))[0].iono
    hours = np.arange(0.0, 24.0, 0.25)
    content = np.array([_kernels.vertical_content(iono, 0.0, 0.0, h * 3600.0)[0] for h in hours])
    assert (hours[np.argmax(content)] + CALM.local_time_h) % 24.0 == pytest.approx(14.0, abs=0.26)
    night = content[((hours + CALM.local_time_h) % 24.0 > 22.0) | ((hours + CALM.local_time_h) % 24.0 < 6.0)]
    assert np.ptp(night) < 1e-9


@pytest.mark.kernel
def test_pierce_point_by_spherical_trigonometry() -> None:
    """Against the formulae of the B1I ICD (algorithms E.2): psi = pi/2 - E - asin(R cos E / (R + h))."""
    iono = draw_atmosphere(1, CALM, *HUNAN, Effects())[0].iono
    lat, lon = HUNAN
    r = EARTH * np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    up = r / EARTH
    east, north = np.array([-math.sin(lon), math.cos(lon), 0.0]), np.cross(up, [-math.sin(lon), math.cos(lon), 0.0])
    for elevation, azimuth in ((0.2, 0.5), (0.8, 2.5), (1.4, 4.0)):
        e = math.cos(elevation) * (math.sin(azimuth) * east + math.cos(azimuth) * north) + math.sin(elevation) * up
        x, y, factor = _kernels.pierce(iono, r, e)
        cosine = EARTH * math.cos(elevation) / iono.radius
        psi = math.pi / 2.0 - elevation - math.asin(cosine)
        latitude = math.asin(math.sin(lat) * math.cos(psi) + math.cos(lat) * math.sin(psi) * math.cos(azimuth))
        longitude = math.asin(math.sin(psi) * math.sin(azimuth) / math.cos(latitude))
        assert y == pytest.approx(6371.0 * (latitude - lat), abs=1e-6)
        assert x == pytest.approx(6371.0 * math.cos(lat) * longitude, abs=1e-6)
        assert factor == pytest.approx(1.0 / math.sqrt(1.0 - cosine**2), rel=1e-12)


def test_the_atmosphere_anywhere_agrees_with_that_of_a_station() -> None:
    simulation = Simulation(demo(START, 1))
    epoch = simulation.epoch(50)
    t = epoch.truth
    there = simulation.atmosphere(simulation.places.position[2], 50)
    own = {int(n): k for k, n in enumerate(t.link_satellite) if t.link_station[k] == 2}
    compared = 0
    for k, satellite in enumerate(there.satellite.tolist()):
        if satellite in own:
            compared += 1
            assert there.ionosphere[k] == pytest.approx(t.ionosphere[own[satellite]], abs=1e-4)
            assert there.troposphere[k] == pytest.approx(t.troposphere[own[satellite]], abs=1e-4)
    assert compared > 30


def test_scenarios_are_named() -> None:
    assert set(SCENARIOS) == {"calm", "disturbed", "storm"}
