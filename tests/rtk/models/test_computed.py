"""Computed ranges against light time solved in an inertial frame, with nothing shared but the orbit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cors.gnss.coordinates import azimuth_elevation, ecef_from_degrees
from cors.gnss.ephemeris import KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.orbits import ephemeris_table, satellite_states
from cors.gnss.satellites import parse_satellite
from cors.gnss.time import NS, gpst_from_week
from rtk.models.computed import computed, sky_at
from rtk.models.troposphere import mops

C = 299_792_458.0
TOE = gpst_from_week(2444, 7200)

MEO = KeplerEphemeris(
    satellite=parse_satellite("G07"), message=NavigationMessage.LNAV, toe=TOE, toc=TOE, transmission=None, iode=1,
    iodc=1, health=0, accuracy_m=2.0, fit_interval_s=14_400.0, sqrt_a=5153.7, eccentricity=0.012, m0=0.4,
    delta_n=4.5e-9, omega0=1.5, i0=0.96, omega=0.7, omega_dot=-8e-9, idot=3e-10, cuc=1e-6, cus=7e-6, crc=230.0,
    crs=20.0, cic=5e-8, cis=-4e-8, af0=-1.2e-4, af1=-1.5e-12, af2=0.0,
)  # fmt: skip
GEO = dataclasses.replace(
    MEO, satellite=parse_satellite("C01"), message=NavigationMessage.D2, sqrt_a=6493.4, eccentricity=3e-4, i0=0.1,
    omega0=0.2, m0=1.0, delta_n=1e-9, omega_dot=1e-9,
)  # fmt: skip
GLONASS = StateEphemeris(
    satellite=parse_satellite("R05"), message=NavigationMessage.FDMA, toe=TOE, transmission=None, iode=3, health=0,
    accuracy_m=5.0, position=(7_003_008.789, -12_206_626.953, 21_280_765.625),
    velocity=(783.5417, 2804.253, 1352.515), acceleration=(0.0, 1.7e-6, -5.41e-6), clock_bias=1e-5, clock_rate=1e-12,
)  # fmt: skip


def rotate(angle: float, xyz: np.ndarray) -> np.ndarray:
    s, c = np.sin(angle), np.cos(angle)
    return np.array([c * xyz[0] - s * xyz[1], s * xyz[0] + c * xyz[1], xyz[2]])


def inertial_range(ephemeris, receiver: np.ndarray, gpst: int, offset: float) -> tuple[float, float]:
    """Distance and clock by bisecting light time in a frame that does not turn (axes of ECEF at `gpst`)."""
    table, rate = ephemeris_table([ephemeris]), 7.2921151467e-5
    here = rotate(rate * offset, receiver)

    def sent(tau: float):
        dt = offset - tau
        ns = round(dt * NS)
        state = satellite_states(table, [0], gpst + ns)
        position = state.position[0] + state.velocity[0] * (dt - ns / NS)
        return rotate(rate * dt, position), state.clock[0]

    low, high = 0.05, 0.2
    for _ in range(60):
        tau = 0.5 * (low + high)
        low, high = (tau, high) if np.linalg.norm(sent(tau)[0] - here) / C > tau else (low, tau)
    position, clock = sent(tau)
    return float(np.linalg.norm(position - here)), clock


@pytest.mark.kernel
@pytest.mark.parametrize("offset", [0.0, 0.5e-3, -0.45e-3, 0.012])
def test_ranges_are_those_of_light_in_an_inertial_frame(offset: float) -> None:
    receivers = np.array([ecef_from_degrees(28.2, 112.9, 60.0), ecef_from_degrees(28.6, 113.3, 620.0)])
    epoch = TOE + 1234 * NS
    sky = sky_at([MEO, GEO, GLONASS], epoch)
    got = computed(sky, receivers, offset, mops(receivers, epoch))
    for r, receiver in enumerate(receivers):
        for k, ephemeris in enumerate(sky.ephemerides):
            distance, clock = inertial_range(ephemeris, receiver, epoch, offset)
            assert abs(got.distance[r, k] - distance) < 2e-6  # m
            assert abs(got.satellite_clock[r, k] - clock) < 1e-15 * C  # s


@pytest.mark.kernel
def test_rate_is_the_derivative_of_the_distance() -> None:
    receiver = ecef_from_degrees(28.2, 112.9, 60.0)
    sky = sky_at([MEO, GEO, GLONASS], TOE + 600 * NS)
    air = mops(receiver, TOE)
    later, sooner = (computed(sky, receiver, dt, air).distance for dt in (0.01, -0.01))
    np.testing.assert_allclose((later - sooner) / 0.02, computed(sky, receiver, 0.0, air).rate, atol=2e-5)  # m/s


@pytest.mark.kernel
def test_directions_agree_with_the_coordinates_room() -> None:
    receiver = ecef_from_degrees(28.2, 112.9, 60.0)
    sky = sky_at([MEO, GEO], TOE)
    got = computed(sky, receiver, 0.0, mops(receiver, TOE))
    azimuth, elevation = azimuth_elevation(receiver + got.direction[0] * got.distance[0][:, None], receiver)
    np.testing.assert_allclose(got.elevation[0], elevation, atol=1e-12)
    np.testing.assert_allclose(got.azimuth[0], azimuth, atol=1e-12)


def test_two_sets_of_a_satellite_are_refused() -> None:
    with pytest.raises(ValueError, match="more than one ephemeris"):
        sky_at([MEO, dataclasses.replace(MEO, iode=2)], TOE)
