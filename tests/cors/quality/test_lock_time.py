"""Lock times as MSM codes them (DF402, DF407): certain, possible and no slip by RTCM's own rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.gnss.observations import ObservationFlag
from cors.quality._phase_kernels import lock_time_verdict
from cors.quality.judgement import SLIPS, Cause
from cors.quality.tracker import StationTracker
from tests.cors.quality.series import Receiver, run


def df402(ms: float) -> float:
    """Least lock time of the code for a true lock time: 0, 32, 64 ... 524,288 ms."""
    return 0.0 if ms < 32 else float(2 ** min(int(np.log2(ms)), 19))


def df407(ms: float) -> float:
    """Least lock time of the 10-bit code."""
    if ms < 64:
        return float(int(ms))
    for raw in range(703, 63, -1):
        b = raw // 32 - 1
        if 2**b * (raw - 32 * b) <= ms:
            return float(2**b * (raw - 32 * b)) if ms < 67_108_864 else 67_108_864.0
    raise AssertionError(ms)


@pytest.mark.parametrize("coded", [df402, df407])
@given(locked=st.floats(0, 5e7), dt=st.floats(0.02, 60))
def test_a_lock_that_went_on_is_never_a_certain_slip(coded, locked: float, dt: float) -> None:
    assert lock_time_verdict(coded(locked + dt * 1000), coded(locked), dt) < 2


@pytest.mark.parametrize("coded", [df402, df407])
@given(locked=st.floats(0, 5e7), dt=st.floats(0.2, 60), share=st.floats(0, 0.999))
def test_a_lock_that_was_lost_is_never_no_slip(coded, locked: float, dt: float, share: float) -> None:
    assert lock_time_verdict(coded(share * dt * 1000), coded(locked), dt) > 0


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("before", "now", "dt", "verdict"),
    [(524288, 524288, 1, 0), (1024, 1024, 1, 0), (2048, 1024, 1, 2), (512, 512, 1, 1), (0, 0, 1, 2), (0, 0, 0.02, 1),
     (64, 256, 1, 2), (0, 1024, 1, 0), (100_000, 101_000, 30, 0), (100_000, 12_000, 30, 2), (500, 700, 1, 1),
     (float("nan"), 2000, 1, 0), (2000, float("nan"), 1, 0)],
)  # fmt: skip
def test_certain_possible_none(before: float, now: float, dt: float, verdict: int) -> None:
    # rtcm DF402/DF407: certain when the minimum fell or the span's upper end is within dt; possible below dt
    assert lock_time_verdict(now, before, dt) == verdict


def epoch(receiver: Receiver, k: float, lock: float, half: int = 0):
    tag, observations, ranges = receiver.epoch(k)
    n = len(observations.flags)
    observations = observations._replace(lock_time=np.full(n, lock, np.float32), flags=np.full(n, half, np.uint8))
    return tag, observations, ranges


def test_elapsed_time_counts_over_outages_not_the_interval() -> None:
    receiver, tracker = Receiver(["G01", "G02", "G03", "G04"], ["G1C"]), StationTracker()
    tracker.step(*epoch(receiver, 0, 60_000)[:2])
    judged = tracker.step(*epoch(receiver, 40, 16_000)[:2])  # fell: certain
    assert (judged.cause & int(SLIPS) == int(Cause.LOCK_TIME)).all()
    judged = tracker.step(*epoch(receiver, 80, 16_000)[:2])  # not fallen, but a lock of 40 s would show 32,768
    assert (judged.cause & int(SLIPS) == int(Cause.LOCK_TIME)).all()
    judged = tracker.step(*epoch(receiver, 90, 16_000)[:2])
    assert not judged.cause.any()


def test_a_possible_slip_is_none_where_the_range_says_so_and_one_where_nothing_can() -> None:
    receiver = Receiver(["G01", "G02", "G03", "G04", "G05"], ["G1C"])
    alone, ranged = StationTracker(), StationTracker()
    for k in range(8):
        tag, observations, ranges = epoch(receiver, k, 65_536)
        alone.step(tag, observations)
        ranged.step(tag, observations, ranges)
    tag, observations, ranges = epoch(receiver, 8, 65_536)
    lock = observations.lock_time.copy()
    for tracker in (alone, ranged):
        tracker._signals[0, 3] = np.nan  # the receiver told no lock time before: nothing to have fallen from
    lock[0] = 600
    observations = observations._replace(lock_time=lock)
    assert alone.step(tag, observations).cause[0] == Cause.LOCK_TIME
    assert ranged.step(tag, observations, ranges).cause[0] == 0


@pytest.mark.parametrize("jump", [0.0, 0.5])
def test_a_half_cycle_flag_alone_is_no_slip_a_half_cycle_is(jump: float) -> None:
    receiver, tracker = Receiver(["G01", "G02", "G03", "G04", "G05"], ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 10)
    for k, half in ((10, int(ObservationFlag.HALF_CYCLE)), (11, 0)):
        receiver.integers[0] += jump
        tag, observations, ranges = receiver.epoch(k)
        flags = observations.flags.copy()
        flags[0] = half
        judged = tracker.step(tag, observations._replace(flags=flags), ranges)
        assert bool(judged.cause[0] & int(SLIPS)) == bool(jump)
        assert judged.observations.flags[0] & ObservationFlag.HALF_CYCLE == half
        assert not (judged.cause[1:] & int(SLIPS)).any()


def test_a_half_cycle_flag_that_nothing_can_check_is_a_slip() -> None:
    receiver, tracker = Receiver(["G01"], ["G1C"]), StationTracker()
    run(tracker, receiver, 0, 3, ranges=False)
    tag, observations, _ = receiver.epoch(3)
    judged = tracker.step(tag, observations._replace(flags=np.array([ObservationFlag.HALF_CYCLE], np.uint8)))
    assert judged.cause[0] == Cause.HALF_CYCLE
