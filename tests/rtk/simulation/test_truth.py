"""Truth as files: what a person or a program that proves a service reads."""

from __future__ import annotations

import json
import math

import numpy as np

from cors.gnss.time import parse_time
from rtk.simulation.configuration import demo
from rtk.simulation.faults import Killed, WrongCoordinate
from rtk.simulation.simulation import Simulation
from rtk.simulation.sites import Circuit, network, rover
from rtk.simulation.truth import atmosphere_lines, track_lines, truth_document
from tests.rtk.simulation.worlds import START


def _world() -> Simulation:
    sites = network(4)
    faults = (WrongCoordinate(station=sites[0].name, start=10.0), Killed(station=sites[1].name, end=5.0))
    return Simulation(demo(START, 3, stations=4, rovers=(rover(sites, track=Circuit()),), faults=faults))


def test_truth_json_has_the_places_of_the_reference_points() -> None:
    simulation = _world()
    document = json.loads(json.dumps(truth_document(simulation), allow_nan=False))
    assert document["seed"] == 3 and parse_time(document["start"]) == START
    assert [s["name"] for s in document["stations"]] == list(simulation.names[:4])
    for entry in document["stations"]:
        row = simulation.names.index(entry["name"])
        assert np.allclose(entry["ecef"], simulation.places.position[row], atol=1e-4)
    assert document["rovers"][0]["track"] == "ROVE00CHN_track.ndjson"
    assert document["faults"][0] == {
        "kind": "wrong_coordinate", "start": 10.0, "end": None, "station": "YUEL00CHN", "offset": [0.1, 0.0, 0.0]
    }  # fmt: skip


def test_a_track_tells_where_the_rover_was_when() -> None:
    simulation = _world()
    lines = [json.loads(line) for line in track_lines(simulation, "ROVE00CHN", range(0, 31, 10))]
    assert [parse_time(line["time"]) - START for line in lines] == [k * 10_000_000_000 for k in range(4)]
    for number, line in zip(range(0, 31, 10), lines, strict=True):
        truth = simulation.epoch(number).truth
        tide = 0.4
        assert math.dist(line["ecef"], truth.position_ecef[4]) < tide
    assert math.dist(lines[0]["ecef"], lines[1]["ecef"]) > 290.0


def test_the_atmosphere_on_request() -> None:
    epoch = _world().epoch(12)
    lines = [json.loads(line) for line in atmosphere_lines(epoch)]
    assert len(lines) == epoch.truth.link_station.size
    high = max(lines, key=lambda line: line["elevation"])
    assert 2.1 < high["troposphere_m"] < 2.8 and 1.0 < high["ionosphere_m"] < 4.0
