"""Ranges of the simulator against light travel solved by other means: brute force, and Sagnac's term."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cors.gnss.coordinates import azimuth_elevation
from cors.gnss.time import NS
from rtk.simulation.receivers import ReceiverClock
from rtk.simulation.scenarios import Effects
from rtk.simulation.simulation import Simulation
from rtk.simulation.sites import Circuit
from tests.rtk.simulation.worlds import START, C, site, world

OMEGA = 7.2921151467e-5


def _turn(angle: float, p: np.ndarray) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([c * p[0] - s * p[1], s * p[0] + c * p[1], p[2]])


def _brute_force(simulation: Simulation, row: int, receiver: np.ndarray, elapsed_s: float) -> tuple[float, float]:
    """Range and satellite clock (s): the emission at which light and satellite meet, found by bisection."""

    def residual(tau: float) -> tuple[float, float, float]:
        instant = np.array([round((elapsed_s - tau) * NS)])
        states = simulation.sky.states(instant)
        exact = instant[0] / NS - (elapsed_s - tau)  # the sky's clock has ns, light does not wait for them
        moved = simulation.sky.states(instant + 1_000_000).position[row, 0] - states.position[row, 0]
        position = states.position[row, 0] - moved * exact / 1e-3
        range_m = float(np.linalg.norm(_turn(-OMEGA * tau, position) - receiver))
        return range_m - C * tau, range_m, float(states.clock[row, 0])

    low, high = 0.0, 0.2
    for _ in range(60):
        tau = (low + high) / 2.0
        low, high = (tau, high) if residual(tau)[0] > 0.0 else (low, tau)
    _, range_m, clock = residual(tau)
    return range_m, clock


@pytest.mark.parametrize("clock", [ReceiverClock.STEERED, ReceiverClock.RESETS_BOTH, ReceiverClock.MOVES_TAG])
def test_noiseless_pseudorange_is_light_time_by_brute_force(clock: ReceiverClock) -> None:
    effects = Effects(**{f: False for f in Effects.__dataclass_fields__} | {"receiver_clocks": True})
    simulation = world(site(1, clock=clock), effects=effects)
    epoch = simulation.epoch(1700)
    o, truth = epoch.observations, epoch.truth
    reception = (epoch.tags[0] - START) / NS - truth.clock[0]
    rows = {int(s): k for k, s in enumerate(simulation.sky.satellites)}
    for k in range(0, o.satellite.size, 17):
        range_m, satellite_clock = _brute_force(
            simulation, rows[int(o.satellite[k])], truth.position_ecef[0], reception
        )
        expected = range_m + C * (truth.clock[0] - satellite_clock)
        assert o.pseudorange[k] == pytest.approx(expected, abs=2e-5)
    assert abs(truth.clock[0]) > (1e-10 if clock is ReceiverClock.STEERED else 1e-5)


def test_range_by_the_first_order_sagnac_term() -> None:
    """rho = |r_s - r_r| + w (x_s y_r - y_s x_r) / c holds to a millimetre (IS-GPS-200, algorithms C.6)."""
    simulation = world(site(1), effects=Effects.none())
    epoch = simulation.epoch(0)
    t = epoch.truth
    receiver = t.position_ecef[0]
    for k in range(t.range.size):
        row = int(np.searchsorted(simulation.sky.satellites, t.link_satellite[k]))
        s = simulation.sky.states(np.array([round(t.emission[k] * NS)])).position[row, 0]
        sagnac = OMEGA * (s[0] * receiver[1] - s[1] * receiver[0]) / C
        assert t.range[k] == pytest.approx(float(np.linalg.norm(s - receiver)) + sagnac, abs=2e-3)
        azimuth, elevation = azimuth_elevation(s, receiver)
        assert math.cos(t.elevation[k]) * abs(math.remainder(t.azimuth[k] - azimuth, 2 * math.pi)) < 3e-5
        assert t.elevation[k] == pytest.approx(float(elevation), abs=3e-5)


def test_rate_is_the_derivative_of_the_phase() -> None:
    simulation = world(site(1, clock=ReceiverClock.RESETS_BOTH), site(2, track=Circuit()), interval_s=0.1,
                       effects=Effects(noise=False, coloured_noise=False, multipath=False, slips=False))  # fmt: skip
    before, now, after = (simulation.epoch(k) for k in (699, 700, 701))
    assert before.observations.satellite.size == after.observations.satellite.size
    rate = (after.observations.phaserange - before.observations.phaserange) / 0.2
    # what the rate leaves out: troposphere (20 mm/s near the horizon), tides, wander of the crystal within a second
    assert np.median(np.abs(rate - now.observations.phaserange_rate)) < 0.15
    both = now.truth.station == 0
    residual = (rate - now.observations.phaserange_rate)[both]
    assert np.std(residual) < 0.01


def test_moving_receiver_is_where_its_track_says() -> None:
    simulation = world(site(1), site(2, track=Circuit(radius_m=2000.0, speed=30.0)), effects=Effects.none())
    a, b = simulation.epoch(100), simulation.epoch(101)
    way = b.truth.position_ecef[1] - a.truth.position_ecef[1]
    assert np.linalg.norm(way) == pytest.approx(30.0, abs=0.6)  # hills add to the ground speed
    assert np.allclose(a.truth.position_ecef[1], simulation.places.nominal(1, 100.0), atol=1e-6)
