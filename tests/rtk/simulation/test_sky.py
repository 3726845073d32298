"""The simulated sky: real geometry, truth that does not jump, messages as wrong as real ones, and no date in it."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from cors.gnss.coordinates import azimuth_elevation, ecef_from_degrees, geodetic_from_ecef
from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.orbits import ephemeris_table, satellite_states
from cors.gnss.satellites import Constellation, is_beidou_geo, parse_satellite
from cors.gnss.selection import choose, consistent, usable
from cors.gnss.time import NS, parse_time
from rtk.simulation.broadcast import CADENCE_S
from rtk.simulation.navigation_sky import NavigationSky
from rtk.simulation.scenarios import Effects
from rtk.simulation.sky import NominalSky
from tests.rtk.simulation.worlds import START, C

SKY = NominalSky(3, START, "GRECJ", Effects())


def _chosen(sets: list[Ephemeris], gpst: int) -> dict[int, Ephemeris]:
    found = {s: choose([e for e in sets if e.satellite == s], gpst) for s in {e.satellite for e in sets}}
    return {s: e for s, e in found.items() if e is not None}


def _errors(sky: NominalSky, gpst: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Radial, along, cross (m) and clock error (m) of the chosen sets, and their satellites."""
    chosen = _chosen(sky.ephemerides(gpst), gpst)
    truth = sky.states(np.array([gpst - sky._start]))
    found, clocks = [], []
    for row, satellite in enumerate(sky.satellites.tolist()):
        state = satellite_states(ephemeris_table([chosen[satellite]]), [0], gpst)
        p, v = state.position[0], state.velocity[0] + np.cross([0, 0, 7.2921151467e-5], state.position[0])
        radial, cross = p / np.linalg.norm(p), np.cross(p, v) / np.linalg.norm(np.cross(p, v))
        d = p - truth.position[row, 0]
        found.append([d @ radial, d @ np.cross(cross, radial), d @ cross])
        clocks.append(C * (state.clock[0] - truth.clock[row, 0]))
    return np.array(found), np.array(clocks), sky.satellites


def test_constellations_are_complete() -> None:
    counts = Counter("GRESJCI"[int(s) >> 6] for s in SKY.satellites)
    assert counts == {"G": 31, "R": 24, "E": 27, "C": 45, "J": 5}


@pytest.mark.parametrize("seed", [1, 2])
def test_enough_satellites_over_hunan_at_every_hour(seed: int) -> None:
    sky = NominalSky(seed, START, "GRECJ", Effects())
    receiver = ecef_from_degrees(28.0, 112.5, 100.0)
    for hour in range(24):
        position = sky.states(np.array([hour * 3600 * NS])).position[:, 0]
        up = azimuth_elevation(position, receiver)[1] > math.radians(10.0)
        counts = Counter("GRESJCI"[int(s) >> 6] for s in sky.satellites[up])
        assert counts["G"] >= 5 and counts["R"] >= 4 and counts["E"] >= 5 and counts["C"] >= 18 and counts["J"] >= 3


def test_fixed_satellites_stay_over_their_longitudes() -> None:
    """Longitudes of real BDS GEOs, 5 degree frame of D2 applied and undone."""
    for name, longitude in (
        ("C01", 140.0),
        ("C02", 84.0),
        ("C03", 110.5),
        ("C04", 160.0),
        ("C05", 58.75),
        ("C59", 140.2),
    ):
        row = int(np.searchsorted(SKY.satellites, parse_satellite(name)))
        places = SKY.states(np.arange(0, 86_400, 7200) * NS).position[row]
        degrees = np.degrees(geodetic_from_ecef(places))
        assert np.abs(degrees[:, 1] - longitude).max() < 0.3
        assert np.abs(degrees[:, 0]).max() < 2.0


def test_truth_is_smooth_across_reference_times_and_arcs() -> None:
    """Third differences over 1 s of a smooth orbit are below .1 mm; GLONASS arcs join every 15 minutes."""
    for boundary in (900, 1800, 2400, 7200):
        instants = (np.arange(-3, 4) + boundary) * NS
        position = SKY.states(instants).position
        assert np.abs(np.diff(position, n=3, axis=1)).max() < 1e-3
        assert np.abs(np.diff(SKY.states(instants).clock, n=2, axis=1)).max() * C < 0.05


def test_orbits_move_as_gravity_has_it() -> None:
    """Speed in inertial space obeys the vis-viva equation to 2e-4 (J2 and harmonic corrections are the rest)."""
    step = NS // 2
    p = SKY.states(np.array([-step, 0, step]) + 5000 * NS).position
    velocity = p[:, 2] - p[:, 0] + np.cross([0, 0, 7.2921151467e-5], p[:, 1])
    r, v = np.linalg.norm(p[:, 1], axis=1), np.linalg.norm(velocity, axis=1)
    energy = v**2 / 2.0 - 3.986004418e14 / r
    a = -3.986004418e14 / 2.0 / energy
    for letter, axis in (("G", 26_560e3), ("R", 25_510e3), ("E", 29_600e3), ("J", 42_164e3)):
        mine = np.array(["GRESJCI"[int(s) >> 6] == letter for s in SKY.satellites])
        assert np.median(a[mine]) == pytest.approx(axis, rel=1e-3)


def test_broadcast_errors_have_the_size_of_real_ones() -> None:
    """Algorithms C.2: GPS radial .35, along .9, cross .43 m RMS against COD's products; Galileo .3, .5, .2."""
    errors, clocks = [], []
    for hour in (0, 3, 7, 11, 20):
        e, c, _ = _errors(SKY, START + hour * 3600 * NS + 17 * NS)
        errors.append(e)
        clocks.append(c)
    rms = np.sqrt((np.concatenate(errors) ** 2).mean(axis=0))
    assert rms == pytest.approx([0.3, 1.0, 0.5], rel=0.35)
    assert np.sqrt((np.concatenate(clocks) ** 2).mean()) == pytest.approx(0.5, rel=0.3)


def test_without_orbit_errors_messages_are_the_truth() -> None:
    sky = NominalSky(3, START, "GRECJ", Effects.none())
    for seconds in (0, 600, 4000, 86_000):
        errors, clocks, satellites = _errors(sky, START + seconds * NS)
        glonass = satellites >> 6 == Constellation.GLONASS
        assert np.abs(errors[~glonass]).max() < 2e-5 and np.abs(clocks).max() < 2e-5
        assert np.abs(errors[glonass]).max() < 0.6  # accelerations are constant in a set, not in the truth's next arc


@pytest.mark.parametrize(
    ("name", "cadence"), [("G05", 7200), ("R07", 1800), ("E11", 600), ("C25", 3600), ("C03", 3600), ("J02", 3600)]
)
def test_issues_change_at_the_cadence_of_the_system(name: str, cadence: int) -> None:
    satellite = parse_satellite(name)
    assert CADENCE_S[Constellation(satellite >> 6)] == cadence
    reference, issues = [], []
    for seconds in range(0, 4 * cadence, cadence // 4):
        gpst = START + seconds * NS
        e = _chosen([x for x in SKY.ephemerides(gpst) if x.satellite == satellite], gpst)[satellite]
        assert usable(e, gpst) and consistent(e)
        assert e.transmission is not None and e.transmission <= gpst
        reference.append(e.toe)
        issues.append(e.iode)
    assert len(set(reference)) in (4, 5) and len(set(issues)) == len(set(reference))
    assert set(np.diff(sorted(set(reference)))) == {cadence * NS}
    unit = {"G": 16, "J": 16, "E": 60, "C": 8}.get(name[0])
    offset = 14 if name[0] == "C" else 0
    assert unit is None or all((toe // NS - offset) % unit == 0 for toe in reference)


def test_a_step_at_an_issue_is_decimetres() -> None:
    """The two sets of an issue change differ by .1 to 3 m (algorithms A.10: < 2-3 m)."""
    gpst = (START // (7200 * NS) + 1) * 7200 * NS
    steps = []
    for satellite in SKY.satellites.tolist():
        sets = sorted((e for e in SKY.ephemerides(gpst) if e.satellite == satellite
                       and e.message is not NavigationMessage.FNAV), key=lambda e: e.toe)  # fmt: skip
        states = satellite_states(ephemeris_table(sets[-2:]), [0, 1], gpst)
        steps.append(np.linalg.norm(states.position[1] - states.position[0]))
    assert 0.2 < np.median(steps) < 1.5 and max(steps) < 5.0


def test_the_sky_relative_to_the_start_is_the_seeds_alone() -> None:
    other = parse_time("2031-03-02T23:59:30")
    sky = NominalSky(3, other, "GRECJ", Effects())
    for seconds in (0, 1000, 50_000):
        a, b = (s.states(np.array([seconds * NS])) for s in (SKY, sky))
        assert np.array_equal(a.position, b.position) and np.array_equal(a.clock, b.clock)
    assert not np.allclose(NominalSky(4, START, "GRECJ", Effects()).states(np.array([0])).position[:31],
                           SKY.states(np.array([0])).position[:31], atol=1e5)  # fmt: skip
    few = NominalSky(3, START, "EC", Effects())
    rows = np.searchsorted(SKY.satellites, few.satellites)
    assert np.array_equal(few.states(np.array([0])).position, SKY.states(np.array([0])).position[rows])


def test_messages_hold_only_what_their_bits_can() -> None:
    """Scale factors of IS-GPS-200 table 20-III, Galileo OS SIS ICD, BDS-SIS-ICD table 5-9, GLONASS ICD table 4.5."""
    units = {"G": (2.0**-31, 2.0**-5), "J": (2.0**-31, 2.0**-5), "E": (2.0**-34, 2.0**-5), "C": (2.0**-33, 2.0**-6)}
    for e in SKY.ephemerides(START):
        letter = "GRESJCI"[e.satellite >> 6]
        if isinstance(e, StateEphemeris):
            assert all((x / 1e3 * 2**11).is_integer() for x in e.position)
            assert all((x / 1e3 * 2**20).is_integer() for x in e.velocity)
            assert abs(e.clock_bias) < 2.0**-9 and abs(e.clock_rate) < 2.0**-30
        else:
            clock, metres = units[letter]
            assert (e.af0 / clock).is_integer() and (e.crs / metres).is_integer() and (e.crc / metres).is_integer()
            assert (
                abs(e.af0) < 2.0 ** (30 if letter == "E" else 23 if letter == "C" else 21) * clock
                and abs(e.crs) < 1024.0
                and abs(e.crc) < 1024.0
            )
            assert round(e.m0 / (3.1415926535898 * 2.0**-31), 6).is_integer()
            assert abs(e.m0) <= math.pi + 1e-9 and abs(e.omega0) <= math.pi + 1e-9
            assert abs(e.delta_n) < 2.0**15 * 2.0**-43 * math.pi and abs(e.idot) < 2.0**13 * 2.0**-43 * math.pi
            assert max(abs(e.cuc), abs(e.cus), abs(e.cic), abs(e.cis)) < 2.0**15 * 2.0**-31


def test_a_navigation_file_is_followed_smoothly_and_never_exactly() -> None:
    """Sets of a file in, truth between them: continuous where the next set takes over, metres from each."""
    hours = {START + k * 600 * NS for k in range(0, 6 * 5)}
    sets = {(e.satellite, e.message, e.toe): e for gpst in hours for e in SKY.ephemerides(gpst)}
    sky = NavigationSky(sets.values(), START, 3, "GRECJ", Effects())
    assert sky.satellites.size == SKY.satellites.size
    elapsed = np.array([1000, 1001, 1002, 1003, 9000, 9001, 9002, 9003]) * NS
    states = sky.states(elapsed)
    assert states.usable.all()
    difference = np.linalg.norm(states.position - SKY.states(elapsed).position, axis=2)
    assert 0.3 < np.median(difference) < 3.0 and difference.max() < 8.0
    for part in (states.position[:, :4], states.position[:, 4:]):
        assert np.abs(np.diff(part, n=3, axis=1)).max() < 2e-3
    sent = sky.ephemerides(START + 3600 * NS)
    assert {e.satellite for e in sent} == set(SKY.satellites.tolist())
    assert all(isinstance(e, KeplerEphemeris | StateEphemeris) for e in sent)
    # sky.delay: what messages tell, in their own reference
    row = int(np.searchsorted(sky.satellites, parse_satellite("C25")))
    told = next(e for e in sets.values() if e.satellite == parse_satellite("C25"))
    assert isinstance(told, KeplerEphemeris) and sky.delay(row, "2I") == told.group_delays["TGD1"]
    with pytest.raises(ValueError, match="no usable ephemerides"):
        NavigationSky([], START, 1, "G", Effects())


def test_a_gap_in_a_navigation_file_is_bridged_without_a_jump_or_not_at_all() -> None:
    """Three hours between Galileo's sets: each is followed for two, one hour both; five hours: nothing between."""
    step = 600 * NS
    first = START // step * step
    for hours, followed in ((3, True), (5, False)):
        times = [first + k * step for k in (0, 1, 6 * hours + 1)]
        sets = [e for gpst in times for e in SKY.ephemerides(gpst) if e.satellite >> 6 == Constellation.GALILEO
                and e.toe in times]  # fmt: skip
        sky = NavigationSky(sets, START, 3, "E", Effects())
        gap = np.arange(0, hours * 3600, 60) * NS + first + step - START
        states = sky.states(gap)
        assert states.usable.all() == followed
        if followed:
            jumps = np.abs(np.diff(states.position - SKY.states(gap).position[np.isin(SKY.satellites, sky.satellites)],
                                   axis=1))  # fmt: skip
            assert jumps.max() < 0.5


def test_geo_sets_of_different_hours_describe_one_orbit() -> None:
    """D2's frame turns with the reference time; truth in it is a plain ellipse for any of them (exact messages)."""
    sky = NominalSky(3, START, "C", Effects.none())
    gpst = START + 5000 * NS
    for satellite in [s for s in sky.satellites.tolist() if is_beidou_geo(s)]:
        sets = [e for e in sky.ephemerides(gpst) if e.satellite == satellite]
        states = satellite_states(ephemeris_table(sets), np.arange(len(sets)), gpst)
        assert len(sets) == 2 and np.ptp(states.position, axis=0).max() < 1e-4
