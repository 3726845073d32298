"""Models against the published cases of the data collection (RTKLIB's unit tests, IERS Conventions 2010, ANTEX)."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cors.gnss.time import parse_time
from rtk.models import antennas, ionosphere, tides, troposphere
from tests.real.conftest import data_path


def cases(*parts: str):
    return json.loads(data_path(*parts).read_text())


def test_saastamoinen_and_niell() -> None:
    published = cases("algorithms", "troposphere", "cases.json")
    for c in published["saastamoinen_standard_atmosphere"]:
        zenith = troposphere.saastamoinen_zenith(math.radians(c["lat_deg"]), c["h_m"], c["humidity"])
        assert sum(zenith) / math.sin(math.radians(c["el_deg"])) == pytest.approx(c["delay_m"], abs=1e-12)
    for c in published["nmf"]:
        dry, wet = troposphere.niell_mapping(math.radians(c["lat_deg"]), c["h_m"], c["doy"], math.radians(c["el_deg"]))
        assert dry == pytest.approx(c["hydrostatic"], abs=1e-12)
        assert wet == pytest.approx(c.get("wet", wet), abs=1e-12)


def test_klobuchar_as_rtklib() -> None:
    published = cases("algorithms", "ionosphere", "klobuchar_gps.json")
    for c in published["cases"]:
        angles = [math.radians(c[k]) for k in ("lat_deg", "lon_deg", "az_deg", "el_deg")]
        delay = ionosphere.klobuchar_gps(published["alpha"], published["beta"], *angles, c["hour_utc_gps"] * 3600.0)
        assert delay == pytest.approx(c["delay_l1_m"], abs=1e-8)


def test_solid_tide_within_3_mm_of_the_full_model() -> None:
    for c in cases("algorithms", "tides", "dehanttideinel.json"):
        bodies = np.array(c["sun_ecef_m"]), np.array(c["moon_ecef_m"])
        got = tides.solid_tide_of(c["station_ecef_m"], *bodies, tides.gmst(parse_time(c["utc"])))
        assert np.linalg.norm(got[0] - c["displacement_m"]) < 3e-3


def test_antenna_look_up() -> None:
    table = antennas.parse_antex(data_path("rinex", "test.atx").read_text())
    expect = cases("rinex", "antex-lookup.json")["expect"]
    assert len(table.antennas) == expect["antennas"]
    for query in expect["queries"]:
        q = query["q"]
        if "sat" in q:
            antenna = table.satellite(q["sat"], parse_time(q["t"]))
            pattern = antenna.patterns.get(q["freq"])
        else:
            found = table.receiver(q["type"], q["radome"], q["serial"])
            antenna, pattern = found.antenna, None
            assert found.match == query["match"]
            assert list(found.diagnostics) == ([query["diagnostic"]] if "diagnostic" in query else [])
            if antenna is not None:
                pattern, _ = antennas.pattern_for(antenna, q["freq"])
        if "pco_mm" not in query:
            assert pattern is None
            continue
        np.testing.assert_allclose(pattern.pco * 1e3, query["pco_mm"], atol=1e-9)
        if "noazi" in query:
            np.testing.assert_allclose(pattern.noazi[:2] * 1e3, query["noazi"], atol=1e-9)
            assert pattern.noazi.size == query["n"]
        if "pcv_az90_zen0" in query:
            east = antennas.phase_centre_variation(antenna, pattern, np.array([np.pi / 2]), np.array([np.pi / 2]))
            assert east[0] * 1e3 == pytest.approx(query["pcv_az90_zen0"], abs=1e-9)
