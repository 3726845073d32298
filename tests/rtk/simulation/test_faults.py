"""Every fault does what it says, from its start to its end, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cors.gnss.ephemeris import NavigationMessage, StateEphemeris
from cors.gnss.observations import ObservationFlag
from cors.gnss.orbits import ephemeris_table, satellite_states
from cors.gnss.satellites import parse_satellite
from cors.gnss.selection import healthy
from cors.gnss.signals import parse_signal
from cors.gnss.time import NS
from rtk.simulation.configuration import demo
from rtk.simulation.delivery import Latency, deliveries, garble
from rtk.simulation.epoch import SimulatedEpoch
from rtk.simulation.fault_reader import read_faults
from rtk.simulation.faults import (
    KINDS,
    ClockJump,
    Dropped,
    Duplicated,
    Fault,
    FaultError,
    Frozen,
    Garbled,
    Interference,
    JumpOf,
    Killed,
    Late,
    Moved,
    Outage,
    Slip,
    Swapped,
    Unhealthy,
    WrongAntenna,
    WrongCoordinate,
    WrongEphemeris,
)  # fmt: skip
from rtk.simulation.scenarios import Effects
from rtk.simulation.simulation import Simulation
from tests.rtk.simulation.worlds import PAIR, START, C, single, world

QUIET = Effects(slips=False, half_cycles=False)
ONE, TWO = PAIR[0].name, PAIR[1].name


def _world(*faults: Fault) -> Simulation:
    return world(faults=faults, effects=QUIET)


def _high(epoch: SimulatedEpoch, station: str, letter: str = "G") -> int:
    """The station's highest satellite of a system."""
    t = epoch.truth
    mine = (t.link_station == epoch.stations.index(station)) & (t.link_satellite >> 6 == "GRESJCI".index(letter))
    return int(t.link_satellite[mine][np.argmax(t.elevation[mine])])


def _name(satellite: int) -> str:
    return f"{'GRESJCI'[satellite >> 6]}{(satellite & 63) + 1:02d}"


CLEAN = world(effects=QUIET)
TOP = _high(CLEAN.epoch(100), ONE)


def test_a_killed_station_is_silent_and_locks_anew() -> None:
    simulation = _world(Killed(station=ONE, start=20.0, end=30.0))
    before, during, after = (simulation.epoch(k) for k in (19, 25, 30))
    assert before.station(0).satellite.size > 100
    assert during.station(0).satellite.size == 0 and during.station(1).satellite.size > 100
    assert after.station(0).lock_time.max() == 0.0
    old, new = single(before, ONE, before.truth.integer), single(after, ONE, after.truth.integer)
    assert np.mean([old[k] != new[k] for k in old]) > 0.9
    other = CLEAN.epoch(30)
    assert np.array_equal(after.station(1).phaserange, other.station(1).phaserange)
    shift = single(after, ONE, after.observations.phaserange)
    plain = single(other, ONE, other.observations.phaserange)
    key = next(k for k in plain if k[1] == parse_signal("G1C"))
    cycles = (shift[key] - plain[key]) / (C / 1575.42e6)
    assert cycles == pytest.approx(new[key] - single(other, ONE, other.truth.integer)[key], abs=1e-6)


def test_outages_meet_the_satellite_station_or_signal_they_name() -> None:
    everywhere = _world(Outage(satellite=_name(TOP), start=10.0, end=20.0)).epoch(15)
    assert TOP not in everywhere.observations.satellite
    assert everywhere.observations.satellite.size > 200
    signal = _world(Outage(station=TWO, satellite=_name(TOP), signal="1C", start=10.0, end=20.0)).epoch(15)
    assert (TOP, parse_signal("G1C")) in single(signal, ONE, signal.truth.integer)
    left = {k[1] for k in single(signal, TWO, signal.truth.integer) if k[0] == TOP}
    assert parse_signal("G1C") not in left and left


@pytest.mark.parametrize("announced", [True, False])
def test_a_slip_adds_its_cycles_to_phase_and_truth(announced: bool) -> None:
    cycles = {"1C": 9.0, "2W": 7.0}
    simulation = _world(Slip(station=ONE, satellite=_name(TOP), cycles=cycles, start=50.0, announced=announced))
    for number, slipped in ((49, False), (50, True), (400, True)):
        clean, epoch = CLEAN.epoch(number), simulation.epoch(number)
        change = epoch.observations.phaserange - clean.observations.phaserange
        for k in np.flatnonzero(np.abs(change) > 0.0):
            code = "1C" if epoch.observations.signal[k] == parse_signal("G1C") else "2W"
            wavelength = C / (1575.42e6 if code == "1C" else 1227.60e6)
            assert epoch.truth.station[k] == 0 and epoch.observations.satellite[k] == TOP
            assert change[k] == pytest.approx(cycles[code] * wavelength, abs=1e-6)
            assert epoch.truth.integer[k] - clean.truth.integer[k] == cycles[code]
            assert (epoch.observations.lock_time[k] == (number - 50) * 1e3) == announced
        assert (np.abs(change) > 0.0).sum() == 2 * slipped


def test_half_a_cycle_is_no_integer() -> None:
    simulation = _world(Slip(station=ONE, satellite=_name(TOP), cycles={"*": 0.5}, start=50.0))
    clean, epoch = CLEAN.epoch(60), simulation.epoch(60)
    change = epoch.observations.phaserange - clean.observations.phaserange
    assert np.array_equal(epoch.truth.integer, clean.truth.integer)
    assert change.max() == pytest.approx(0.5 * C / 1227.60e6, rel=0.1)
    assert np.allclose(epoch.truth.phase_bias - clean.truth.phase_bias, change, atol=1e-6)


@pytest.mark.parametrize("of", list(JumpOf))
def test_a_clock_jump_moves_what_it_says(of: JumpOf) -> None:
    simulation = _world(ClockJump(station=ONE, milliseconds=2.0, of=of, start=40.0))
    clean, epoch = CLEAN.epoch(41), simulation.epoch(41)
    code, phase = (
        np.median(getattr(epoch.station(0), name) - getattr(clean.station(0), name))
        for name in ("pseudorange", "phaserange")
    )
    assert code == pytest.approx(0.0 if of is JumpOf.PHASE else 2e-3 * C, abs=3.0)
    assert phase == pytest.approx(0.0 if of is JumpOf.CODE else 2e-3 * C, abs=3.0)
    assert epoch.tags[0] - clean.tags[0] == (2_000_000 if of is JumpOf.TAG else 0)
    moved = np.abs(epoch.truth.range - clean.truth.range).max()
    # where the tag follows, or the phase alone jumps, the receiver still measures at the same instant
    assert (moved < 1e-3) == (of in (JumpOf.TAG, JumpOf.PHASE))
    assert np.array_equal(epoch.station(1).pseudorange, clean.station(1).pseudorange)


def test_interference_lowers_cn0_and_raises_noise() -> None:
    simulation = _world(Interference(station=ONE, loss_db=6.0, start=0.0))
    clean, epoch = CLEAN.epoch(9), simulation.epoch(9)
    rows = epoch.rows(0)
    assert np.allclose(clean.station(0).cn0 - epoch.station(0).cn0, 6.0, atol=1e-4)
    assert np.allclose(epoch.truth.code_error[rows], clean.truth.code_error[rows] * 10 ** (6.0 / 20.0))


def test_stations_that_describe_themselves_wrongly_measure_the_same() -> None:
    simulation = _world(
        WrongCoordinate(station=ONE, offset=(0.1, 0.0, -0.05), start=10.0),
        WrongAntenna(station=TWO, antenna="SIMGEOD2", start=10.0),
    )
    assert simulation.described(START + 9 * NS) == CLEAN.described(START)
    one, two = simulation.described(START + 10 * NS)
    offset = np.array(one.position_ecef) - np.array(CLEAN.described(START)[0].position_ecef)
    assert np.allclose(simulation.places.rotation[0] @ offset, [0.1, 0.0, -0.05], atol=1e-9)
    assert (two.antenna, two.radome) == ("SIMGEOD2", "SIMD")
    assert np.array_equal(simulation.epoch(20).observations.pseudorange, CLEAN.epoch(20).observations.pseudorange)


def test_a_moved_antenna_measures_elsewhere_and_says_nothing() -> None:
    simulation = _world(Moved(station=ONE, offset=(0.0, 0.0, 0.05), start=10.0))
    assert simulation.described(START + 50 * NS) == CLEAN.described(START)
    moved = simulation.epoch(11).truth.position_ecef[0] - CLEAN.epoch(11).truth.position_ecef[0]
    assert np.linalg.norm(moved) == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize("name", ["G", "R07", "E11", "C25", "C03", "J02"])
def test_a_wrong_ephemeris_is_wrong_by_its_metres_under_an_issue_of_its_own(name: str) -> None:
    name = _name(TOP) if name == "G" else name
    satellite = parse_satellite(name)
    simulation = _world(WrongEphemeris(satellite=name, metres=50.0, start=10.0, end=30.0))

    def newest(gpst: int) -> list:
        sets = [e for e in simulation.ephemerides(gpst) if e.satellite == satellite]
        return [e for e in sets if e.toe == max(x.toe for x in sets)]

    right, wrong = newest(START + 9 * NS), newest(START + 10 * NS)
    assert newest(START + 30 * NS) == right and len(wrong) == len(right)
    for a, b in zip(right, wrong, strict=True):
        states = satellite_states(ephemeris_table([a, b]), [0, 1], START + 10 * NS)
        assert np.linalg.norm(states.position[1] - states.position[0]) == pytest.approx(50.0, rel=0.02)
        if not isinstance(a, StateEphemeris):
            assert a.iode != b.iode and (b.message is not NavigationMessage.LNAV or b.iode == b.iodc & 255)
    assert simulation.epoch(20).observations.satellite.size == CLEAN.epoch(20).observations.satellite.size
    assert np.array_equal(simulation.epoch(20).observations.pseudorange, CLEAN.epoch(20).observations.pseudorange)


@pytest.mark.parametrize("name", ["G05", "R07", "E11", "C25", "J02"])
def test_an_unhealthy_satellite_says_so(name: str) -> None:
    simulation = _world(Unhealthy(satellite=name, start=5.0))
    for when, good in ((4, True), (6, False)):
        sets = [e for e in simulation.ephemerides(START + when * NS) if e.satellite == parse_satellite(name)]
        newest = max(e.toe for e in sets)
        assert all(healthy(e) == good for e in sets if e.toe == newest)


def test_batches_hold_what_arrives_in_time() -> None:
    configuration = demo(START, 1, stations=8, effects=QUIET)
    names = [s.name for s in configuration.stations]
    faults = (
        Frozen(station=names[0], start=30.0), Frozen(station=names[1], start=30.0, time_runs=True),
        Swapped(station=names[2], source=names[3], start=30.0), Late(station=names[4], delay=5.0, start=30.0),
        Duplicated(station=names[5], start=30.0), Dropped(station=names[6], ratio=1.0, start=30.0),
        Killed(station=names[7], start=30.0),
    )  # fmt: skip
    simulation = Simulation(demo(START, 1, stations=8, effects=QUIET, faults=faults))
    before, after = simulation.batch(29), simulation.batch(33)
    assert before.stations == tuple(names) and before.late == ()
    assert after.stations == (names[1], names[2], names[3], names[5])
    assert set(after.late) == {names[0], names[4], names[6], names[7]}
    assert after.gpst == START + 33 * NS and np.all(np.abs(after.tags - after.gpst) <= 1_000_000)
    # the frozen one repeats its last values under a new tag, the swapped one has another's
    assert np.array_equal(after.station(0).phaserange, before.station(1).phaserange)
    assert np.array_equal(after.station(1).phaserange, after.station(2).phaserange)
    assert {e.satellite for e in after.ephemerides} == set(simulation.sky.satellites.tolist())
    assert after.offsets[-1] == after.observations.satellite.size


def test_slips_receivers_tell_are_flagged_in_batches_and_silent_ones_are_not() -> None:
    faults = [Slip(station=ONE, satellite=_name(TOP), start=50.0, announced=a) for a in (True, False)]
    for fault in faults:
        simulation = _world(fault)
        flags = [simulation.batch(k).station(0) for k in (49, 50, 51)]
        marked = [int((o.flags[o.satellite == TOP] & ObservationFlag.SLIP > 0).sum()) for o in flags]
        assert marked == [0, 3 if fault.announced else 0, 0] or marked == [0, 2 if fault.announced else 0, 0]


def test_arrivals_are_late_as_links_are() -> None:
    simulation = world(latency=Latency(0.3, 0.35))
    delays = np.array([d.latency_s for k in range(1500) for d in deliveries(simulation, k)])
    assert np.median(delays) == pytest.approx(0.3, rel=0.05)
    assert np.std(np.log(delays)) == pytest.approx(0.35, rel=0.05)
    twice = deliveries(_world(Duplicated(station=ONE, delay=0.2)), 3)
    assert [d.copy for d in twice] == [False, True, False] and twice[1].delay_s == 0.2
    lost = world(faults=(Dropped(station=ONE, ratio=0.2), Garbled(station=TWO, ratio=0.3)))
    found = [deliveries(lost, k) for k in range(1000)]
    assert sum(d.station == 0 for ds in found for d in ds) == pytest.approx(800, abs=50)
    assert sum(d.garbled for ds in found for d in ds) == pytest.approx(300, abs=50)


def test_garbled_bytes_are_changed_or_cut() -> None:
    data = bytes(range(256)) * 4
    for number in range(50):
        bad = garble(data, 7, number)
        assert bad != data and len(bad) <= len(data) and bad == garble(data, 7, number)
    assert garble(b"", 7, 0) == b""


TOML = """
[[fault]]
kind = "slip"
station = "S00100CHN"
satellite = "G07"
cycles = { "1C" = 9, "2W" = 7 }
start = 600
[[fault]]
kind = "wrong_coordinate"
station = "S00200CHN"
offset = [0.1, 0, 0]
end = 900
[[fault]]
kind = "clock_jump"
station = "S00100CHN"
of = "code"
"""


def test_faults_are_read_from_toml() -> None:
    assert read_faults(TOML) == (
        Slip(station=ONE, satellite="G07", cycles={"1C": 9.0, "2W": 7.0}, start=600.0),
        WrongCoordinate(station=TWO, offset=(0.1, 0.0, 0.0), end=900.0),
        ClockJump(station=ONE, of=JumpOf.CODE),
    )
    assert read_faults("") == () and len(KINDS) == 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fault = 3", "list of tables"), ("[[fault]]\nkind = 'earthquake'", "expected one of killed"),
        ("[[fault]]\nkind = 'killed'", "station is missing"), ("[[faults]]\n", "unknown key 'faults'"),
        ("[[fault]]\nkind = 'killed'\nstation = 3", "expected a text"),
        ("[[fault]]\nkind = 'killed'\nstation = 'A'\ncolour = 1", "unknown key 'colour'"),
        ("[[fault]]\nkind = 'late'\nstation = 'A'\ndelay = true", "no number"),
        ("[[fault]]\nkind = 'clock_jump'\nstation = 'A'\nof = 'x'", "clock_jump"),
        ("[[fault]]\nkind = 'slip'\nstation = 'A'\nsatellite = 'G01'\ncycles = {}", "expected for example"),
        ("[[fault]]\nkind = 'moved'\nstation = 'A'\noffset = [1, 2]", "east, north, up"),
        ("[[fault]]\nkind = 'slip'\nstation = 'A'\nsatellite = 'G01'\nannounced = 1", "true or false"),
        ("[[fault", "not TOML"), ("fault = [1]", "no table"), ("[[fault]]\nkind = 3", "expected one of killed"),
        ("[[fault]]\nkind = 'late'\nstation = 'A'\ndelay = nan", "no number"),
    ],
)  # fmt: skip
def test_bad_fault_files_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        read_faults(text)


@pytest.mark.parametrize(
    ("fault", "message"),
    [(Killed(station="NOPE"), "no station 'NOPE'"), (Outage(satellite="G99"), "not a satellite"),
     (Outage(satellite="S20"), "in this sky"), (Killed(station=ONE, start=5.0, end=5.0), "not after start"),
     (Swapped(station=ONE, source="X"), "no station 'X'"), (Dropped(station=ONE, ratio=2.0), "ratio 2.0"),
     (Late(station=ONE, delay=-1.0), "delay -1.0"), (Outage(signal="L1"), "signal 'L1'"),
     (Slip(station=ONE, satellite="G01", cycles={"C1C": 1.0}), "signal 'C1C'")],
)  # fmt: skip
def test_faults_of_what_is_not_there_are_refused(fault: Fault, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        _world(fault)


def test_a_fault_without_end_lasts() -> None:
    assert Killed(station=ONE).end == math.inf and Killed(station=ONE).acts(1e9)
