"""The same seed gives the same world: whatever the order of epochs, the date, the company, the interval."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from cors.gnss.observations import Observations
from cors.gnss.time import parse_time
from rtk.simulation import _kernels
from rtk.simulation.configuration import Configuration, demo
from rtk.simulation.delivery import deliveries
from rtk.simulation.epoch import SimulatedEpoch
from rtk.simulation.scenarios import STORM, Effects
from rtk.simulation.simulation import Simulation
from rtk.simulation.sites import network
from tests.rtk.simulation.worlds import START, site, world


def _same(a: SimulatedEpoch, b: SimulatedEpoch) -> bool:
    return (
        all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a.observations, b.observations, strict=True))
        and np.array_equal(a.tags - a.gpst, b.tags - b.gpst)
        and np.array_equal(a.truth.integer, b.truth.integer)
    )


def test_epochs_do_not_depend_on_which_were_asked_for_before() -> None:
    one, two = (Simulation(demo(START, 1, scenario=STORM)) for _ in range(2))
    forward = {k: one.epoch(k) for k in range(0, 1300, 100)}
    for k in (1200, 300, 700, 0, 1200):
        assert _same(two.epoch(k), forward[k])


def test_seeds_differ_and_repeat() -> None:
    a, b, c = (Simulation(demo(START, seed)).epoch(5) for seed in (1, 1, 2))
    assert _same(a, b)
    assert a.observations.satellite.size != c.observations.satellite.size or not np.allclose(
        a.observations.pseudorange, c.observations.pseudorange
    )


def test_the_date_changes_the_tide_and_nothing_else() -> None:
    """Sky, clocks, noise and integers relative to the start are the seed's alone."""
    for other in ("2026-12-31T23:59:48", "2031-05-04T00:00:00"):
        a, b = (
            Simulation(demo(t, 1, effects=Effects(tides=False, orbits=False))).epoch(77)
            for t in (START, parse_time(other))
        )
        assert _same(a, b)


def test_a_station_measures_the_same_in_any_company() -> None:
    sites = network(8, 55.0, 1)
    effects = Effects(ionosphere=False, wet=False)  # fields are laid out about the network's centre
    together = Simulation(Configuration(START, 1, stations=sites, effects=effects)).epoch(30)
    alone = Simulation(Configuration(START, 1, stations=sites[3:4], effects=effects)).epoch(30)
    rows = together.rows(3)
    for x, y in zip(Observations(*(c[rows] for c in together.observations)), alone.observations, strict=True):
        assert np.array_equal(x, y)


def test_receiver_clocks_and_links_are_the_seeds_too() -> None:
    a, b = (Simulation(Configuration(START, seed, stations=(site(1),))) for seed in (1, 2))
    assert a.epoch(7).truth.clock[0] != b.epoch(7).truth.clock[0]
    assert deliveries(a, 7)[0].latency_s != deliveries(b, 7)[0].latency_s


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")
def test_kernels_are_compiled_once_whatever_is_simulated() -> None:
    """A second signature would be seconds of compilation on somebody's time."""
    sets = world().ephemerides(START)
    for changes in ({}, {"scenario": STORM}, {"ephemerides": sets}, {"systems": "E"}, {"effects": Effects.none()}):
        simulation = world(**changes)
        simulation.epoch(3)
        simulation.atmosphere(simulation.places.position[0], 3)
    for kernel in (_kernels.observe, _kernels.advance, _kernels.oscillator, _kernels.link):
        assert len(kernel.signatures) == 1


def test_intervals_meet_at_the_same_instants() -> None:
    one, ten = (Simulation(demo(START, 1, interval_s=i)) for i in (0.1, 1.0))
    assert _same(one.epoch(200), ten.epoch(20))


def test_a_smaller_network_is_the_inner_part_of_a_larger_one() -> None:
    assert network(20, 50.0, 4)[:7] == network(7, 50.0, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"start": START + 1}, "whole seconds"), ({"interval_s": 0.0105}, "whole milliseconds"),
     ({"stations": ()}, "different names"), ({"seed": -1}, "0 or more"), ({"interval_s": 0.0}, "0.01 s or more")],
)  # fmt: skip
def test_what_cannot_be_simulated_is_refused(change: dict, message: str) -> None:
    c = Configuration(START, stations=network(3))
    with pytest.raises(ValueError, match=message):
        replace(c, **change)


def test_unknown_systems_and_equipment_are_refused() -> None:
    for systems in ("GX", "GS"):
        with pytest.raises(ValueError, match=r"expected letters of GRECJ|not a constellation"):
            world(systems=systems)
    with pytest.raises(ValueError, match="no simulated receiver"):
        world(replace(network(3)[0], make="TRIMBLE NETR9"))
    with pytest.raises(ValueError, match="no simulated antenna"):
        world(replace(network(3)[0], antenna="TRM59800.00"))
    with pytest.raises(ValueError, match="before the receivers were switched on"):
        world().epoch(-4000)
