"""Cycle slips put in by hand: each must be found where it is, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from cors.gnss.observations import ObservationFlag
from cors.quality.judgement import SLIPS, Cause
from cors.quality.tracker import StationTracker
from tests.cors.quality.series import Receiver, run

GPS = [f"G{n:02d}" for n in range(1, 11)]
NETWORK = [*GPS, *(f"E{n:02d}" for n in range(1, 9)), *(f"C{n:02d}" for n in range(19, 31)), "R01", "R02", "R03", "R07"]
CODES = ["G1C", "G2W", "G5Q", "E1C", "E5Q", "C2I", "C6I", "C5P", "R1C", "R2C"]
PAIRS = [
    (1, 0),
    (0, 1),
    (-1, 0),
    (1, 1),
    (1, -1),
    (2, 1),
    (4, 5),
    (3, 4),
    (9, 7),
    (77, 60),
    (-2, -2),
    (0.5, 0),
    (0, 0.5),
]


def slipped(cause: np.ndarray) -> set[int]:
    return set(np.flatnonzero(cause & int(SLIPS)).tolist())


def storm(seed: int) -> Receiver:
    """Slant ionosphere that moves by up to 5 cm/s and turns within a minute."""
    return Receiver(NETWORK, CODES, seed, iono_rate=0.05, scintillation=0.3)


@pytest.mark.parametrize("make", [lambda seed: Receiver(NETWORK, CODES, seed), storm], ids=["quiet", "storm"])
def test_with_ranges_every_slip_at_1_hz_is_found_in_its_epoch_and_nothing_else(make) -> None:
    rng = np.random.default_rng(7)
    receiver, tracker = make(3), StationTracker()
    run(tracker, receiver, 0, 20)
    missed = false = rows = 0
    for n in range(300):
        row = int(rng.integers(len(receiver.satellite)))
        receiver.integers[row] += rng.choice([-0.5, 0.5, 1, -1, 2, 7, 1000])
        begin = 20 + 3 * n
        judged = run(tracker, receiver, begin, begin + 3)
        missed += row not in slipped(judged[0].cause)
        false += sum(len(slipped(j.cause) - ({row} if j is judged[0] else set())) for j in judged)
        rows += 3 * len(receiver.satellite)
    assert missed == 0
    assert false <= 1e-4 * rows


@pytest.mark.parametrize("cycles", PAIRS)
def test_with_ranges_slips_that_cancel_in_a_combination_are_found(cycles: tuple[float, float]) -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 12)
    rows = receiver.rows("G04")
    receiver.integers[rows] += cycles
    assert slipped(run(tracker, receiver, 12, 13)[0].cause) == {int(r) for r, c in zip(rows, cycles, strict=True) if c}


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("code", "ranges"), [("G1C", True), ("G2W", True), ("G5Q", True), ("G1C", False), ("G5Q", False)]
)
def test_one_cycle_on_one_of_three_bands_names_the_band(code: str, ranges: bool) -> None:
    receiver, tracker = Receiver(GPS[:5], ["G1C", "G2W", "G5Q"]), StationTracker()
    run(tracker, receiver, 0, 8, ranges)
    receiver.integers[receiver.rows("G02", code)] += 1
    judged = run(tracker, receiver, 8, 9, ranges)[0]
    assert slipped(judged.cause) == set(receiver.rows("G02", code).tolist())
    assert Cause(int(judged.cause[receiver.rows("G02", code)[0]])) == (Cause.RANGE if ranges else Cause.GEOMETRY_FREE)
    assert judged.observations.flags[receiver.rows("G02", code)[0]] & ObservationFlag.SLIP
    assert not slipped(run(tracker, receiver, 9, 10, ranges)[0].cause)


def test_without_ranges_two_codes_of_one_band_do_not_outvote_the_other_band() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G1W", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 12, ranges=False)
    receiver.integers[[*receiver.rows("G02", "G1C"), *receiver.rows("G02", "G1W")]] += 1
    assert slipped(run(tracker, receiver, 12, 13, ranges=False)[0].cause) == set(receiver.rows("G02").tolist())


@pytest.mark.parametrize("cycles", [(9, 7), (77, 60)])
def test_without_ranges_the_wide_lane_finds_what_geometry_free_misses(cycles: tuple[int, int]) -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 120, ranges=False)
    receiver.integers[receiver.rows("G04")] += cycles
    after = [slipped(j.cause) for j in run(tracker, receiver, 120, 150, ranges=False)]
    assert set().union(*after) == set(receiver.rows("G04").tolist())


def test_a_storm_at_30_s_is_not_taken_for_slips_and_slips_are_still_found() -> None:
    receiver = Receiver(GPS, ["G1C", "G2W"], iono_rate=0.01, scintillation=2.0, turn=0.005)
    tracker = StationTracker()
    calm = run(tracker, receiver, 0, 200, step=30.0)
    assert sum(len(slipped(j.cause)) for j in calm) <= 2  # of 4,000 rows
    for n, cycles in enumerate([(1, 0), (0, 1), (1, -1), (2, 1), (9, 7), (77, 60)]):
        receiver.integers[receiver.rows(GPS[n])] += cycles
        hit = slipped(run(tracker, receiver, 200 + n, 201 + n, step=30.0)[0].cause)
        assert set(receiver.rows(GPS[n])[np.array(cycles) != 0].tolist()) <= hit


def test_an_ephemeris_change_moves_the_model_and_no_phase() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 20)
    receiver.model_offset[3] += 0.8
    receiver.issue[3] += 1
    assert not any(slipped(j.cause) for j in run(tracker, receiver, 20, 30))
    receiver.issue[3] += 1
    receiver.integers[receiver.rows(GPS[3], "G1C")] += 1
    assert int(receiver.rows(GPS[3], "G1C")[0]) in slipped(run(tracker, receiver, 30, 31)[0].cause)


def test_a_gap_is_bridged_up_to_a_minute_and_is_a_new_arc_after() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 30)
    after = run(tracker, receiver, 70, 71)[0]  # 41 s
    assert not after.cause.any()
    assert after.arc_age_s.min() == 70.0
    receiver.integers[2] += 1
    assert slipped(run(tracker, receiver, 90, 91)[0].cause) == {2}
    later = run(tracker, receiver, 152, 153)[0]
    assert (later.cause == int(Cause.NEW_ARC)).all()
    assert (later.observations.flags & ObservationFlag.SLIP).all()
    assert (later.arc_age_s == 0.0).all()


def test_a_repeat_offender_rests_for_five_minutes_and_comes_back_with_its_slip() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 20)
    for k in (20, 22, 24):
        receiver.integers[5] += 1
        judged = run(tracker, receiver, k, k + 2)
    rejected = int(ObservationFlag.PHASE_REJECTED)
    assert judged[0].observations.flags[5] & rejected and judged[0].cause[5] & Cause.OFFENDER
    judged = run(tracker, receiver, 26, 330)
    flags = np.array([j.observations.flags[5] for j in judged])
    back = int(np.flatnonzero(~flags & rejected)[0])
    assert back + 26 == 324  # 300 s after the third slip
    assert flags[back] & ObservationFlag.SLIP and not flags[back + 1] & ObservationFlag.SLIP
    assert not flags[back:].any() & rejected


def test_one_frequency_without_ranges_has_its_phase_rate() -> None:
    receiver, tracker = Receiver(GPS, ["G1C"]), StationTracker()
    run(tracker, receiver, 0, 10, ranges=False)
    receiver.integers[4] += 1
    judged = run(tracker, receiver, 10, 11, ranges=False)[0]
    assert slipped(judged.cause) == {4} and judged.cause[4] == Cause.DOPPLER


def test_what_the_receiver_says_is_believed() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 10)
    tag, observations, ranges = receiver.epoch(10)
    flags = observations.flags.copy()
    flags[3] = ObservationFlag.SLIP
    judged = tracker.step(tag, observations._replace(flags=flags), ranges)
    assert judged.cause[3] == Cause.RECEIVER and slipped(judged.cause) == {3}
