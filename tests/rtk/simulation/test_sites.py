"""Networks: distances, heights, names, equipment, and a rover where it should be."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.spatial import Delaunay

from cors.gnss.coordinates import enu_from_ecef, geodetic_from_ecef
from cors.gnss.signals import parse_signal
from rtk.simulation.configuration import Configuration
from rtk.simulation.constellations import transmits
from rtk.simulation.receivers import MAKES, ReceiverClock, tracked
from rtk.simulation.simulation import Simulation
from rtk.simulation.sites import Circuit, Site, network, rover
from tests.rtk.simulation.worlds import START


def _plane(sites: tuple[Site, ...]) -> np.ndarray:
    places = np.array([s.position_ecef for s in sites])
    return enu_from_ecef(places, places.mean(axis=0))[:, :2] / 1e3


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_default_network_is_a_province_in_small(seed: int) -> None:
    """8 stations 40-70 km apart, relief of 500 m and more between 50 and 800 m, a rover > 20 km from all and inside."""
    sites = network(8, 55.0, seed)
    plane = _plane(sites)
    distance = np.hypot(*(plane[:, None] - plane[None]).transpose(2, 0, 1)) + 1e9 * np.eye(8)
    assert distance.min() > 38.0 and np.all(distance.min(axis=1) < 72.0)
    heights = np.array([s.height for s in sites])
    assert heights.min() >= 50.0 and heights.max() <= 800.0 and np.ptp(heights) >= 500.0
    one = rover(sites)
    where = _plane((*sites, one))
    assert np.hypot(*(where[:8] - where[8]).T).min() > 20.0
    assert Delaunay(where[:8]).find_simplex(where[8]) >= 0
    assert 50.0 < one.height < 1000.0
    assert all(re.fullmatch(r"[A-Z0-9]{4}00CHN", s.name) for s in (*sites, one))
    assert len({s.rtcm_id for s in (*sites, one)}) == 9 and all(1 <= s.rtcm_id < 2000 for s in sites)


@pytest.mark.parametrize(("stations", "spacing"), [(3, 5.0), (60, 50.0), (240, 70.0)])
def test_networks_of_any_size_keep_their_spacing(stations: int, spacing: float) -> None:
    sites = network(stations, spacing, 2)
    plane = _plane(sites)
    distance = np.hypot(*(plane[:, None] - plane[None]).transpose(2, 0, 1)) + 1e9 * np.eye(stations)
    assert np.median(distance.min(axis=1)) == pytest.approx(spacing, rel=0.25)
    assert distance.min() > 0.6 * spacing
    assert len({s.name for s in sites}) == stations


@pytest.mark.parametrize(("stations", "spacing"), [(0, 50.0), (241, 50.0), (8, 0.5), (8, 400.0)])
def test_impossible_networks_are_refused(stations: int, spacing: float) -> None:
    with pytest.raises(ValueError, match=r"expected 1\.\."):
        network(stations, spacing)


def test_equipment_is_mixed_and_described() -> None:
    sites = network(8)
    assert len({s.make for s in sites}) >= 3 and len({s.antenna for s in sites}) == 2
    kinds = {s.clock for s in sites}
    assert {ReceiverClock.STEERED, ReceiverClock.RESETS_BOTH, ReceiverClock.MOVES_TAG} <= kinds
    assert ReceiverClock.RESETS_CODE not in kinds  # MSM cannot carry it
    for s in sites:
        station = s.station()
        assert station.position_ecef == tuple(s.position_ecef) and station.receiver == s.make
        assert len(f"{station.antenna:<16}{station.radome:<4}") == 20 and len(station.receiver) <= 20


def test_the_rover_carries_what_rtklib_can_use() -> None:
    make = MAKES[rover(network(8)).make]
    for name in ("G2W", "G2L", "E7Q", "C7I", "C7D", "G5Q", "E5Q", "C6I", "C5P", "C1P"):
        assert name in make.signals


def test_satellites_send_what_their_blocks_can() -> None:
    from cors.gnss.satellites import parse_satellite

    make = MAKES["FORNAX F1"]
    assert parse_signal("G5Q") in tracked(make, parse_satellite("G01")) and parse_signal("G5Q") not in tracked(
        make, parse_satellite("G02")
    )
    assert tracked(make, parse_satellite("C06")) == [parse_signal(s) for s in ("C2I", "C6I", "C7I")]
    assert parse_signal("C7I") not in tracked(make, parse_satellite("C30"))
    assert not transmits(parse_satellite("C59"), "1P") and transmits(parse_satellite("C30"), "1P")
    for kind in MAKES.values():
        assert all(len(tracked(kind, s)) <= 6 for s in range(448))


def test_a_circuit_closes_and_keeps_its_speed() -> None:
    track = Circuit(1000.0, 30.0, 0.0)
    period = 2.0 * np.pi * 1000.0 / 30.0
    assert np.allclose(track.state(0.0)[0], track.state(period)[0], atol=1e-6)
    for t in (0.0, 17.0, 60.0):
        place, speed = track.state(t)
        assert np.hypot(*speed[:2]) == pytest.approx(30.0)
        assert np.allclose((track.state(t + 1e-4)[0] - place) / 1e-4, speed, atol=1e-2)


def test_a_network_across_the_date_line_is_a_network() -> None:
    sites = network(6, 50.0, 1, centre=(-17.0, 179.99))
    simulation = Simulation(Configuration(START, stations=sites))
    assert abs(abs(np.degrees(simulation.places.centre[1])) - 180.0) < 1.0
    plane = simulation.places.plane(simulation.places.geodetic)
    assert np.abs(plane[:, :2]).max() < 150.0
    assert simulation.epoch(0).observations.satellite.size > 500


def test_site_coordinates() -> None:
    site = network(3)[0]
    back = geodetic_from_ecef(site.position_ecef)
    assert np.allclose(
        [np.degrees(back[0]), np.degrees(back[1]), back[2]], [site.latitude, site.longitude, site.height]
    )
