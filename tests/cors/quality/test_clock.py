"""Clock jumps of whole milliseconds (1 ms = 299,792.458 m): in codes, in phases, in both, told apart and treated so."""

from __future__ import annotations

import numpy as np
import pytest

from cors.quality.judgement import SLIPS, Cause, ClockJump
from cors.quality.tracker import StationTracker
from tests.cors.quality.series import Receiver, run

MS = 299_792.458
SATELLITES = [*(f"G{n:02d}" for n in range(1, 9)), *(f"R{n:02d}" for n in range(1, 7))]
CODES = ["G1C", "G2W", "R1C", "R2C"]


@pytest.mark.kernel
@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("milliseconds", [1, -1, 5])
def test_codes_alone_carry_the_phases_along_and_no_ambiguity_changes(milliseconds: int, ranges: bool) -> None:
    receiver, tracker = Receiver(SATELLITES[:3] + SATELLITES[-3:], CODES), StationTracker()
    before = run(tracker, receiver, 0, 4, ranges)[-1].observations
    receiver.code_clock = milliseconds * MS
    judged = run(tracker, receiver, 4, 6, ranges)
    assert [(j.clock_jump, j.clock_jump_ms) for j in judged] == [(ClockJump.CODE, milliseconds), (ClockJump.NONE, 0)]
    for j in judged:
        assert not (j.cause & int(SLIPS)).any()
        raw = receiver.integers * receiver.wavelength
        carried = j.observations.phaserange - j.observations.pseudorange
        was = before.phaserange - before.pseudorange
        np.testing.assert_allclose(carried - raw, was - raw, atol=4.0)  # noise of two codes, not 300 km


@pytest.mark.parametrize("ranges", [True, False])
def test_codes_and_phases_together_change_nothing(ranges: bool) -> None:
    receiver, tracker = Receiver(SATELLITES, CODES), StationTracker()
    run(tracker, receiver, 0, 20, ranges)
    receiver.code_clock = receiver.phase_clock = -MS
    tag, observations, modelled = receiver.epoch(20)
    judged = tracker.step(tag, observations, modelled if ranges else None)
    assert (judged.clock_jump, judged.clock_jump_ms) == (ClockJump.CODE_AND_PHASE, -1)
    assert not (judged.cause & int(SLIPS)).any()
    np.testing.assert_array_equal(judged.observations.phaserange, observations.phaserange)
    assert not any((j.cause & int(SLIPS)).any() or j.clock_jump_ms for j in run(tracker, receiver, 21, 30, ranges))


@pytest.mark.parametrize("ranges", [True, False])
def test_phases_alone_all_slip_and_nobody_is_an_offender(ranges: bool) -> None:
    receiver, tracker = Receiver(SATELLITES, CODES), StationTracker()
    run(tracker, receiver, 0, 20, ranges)
    for k in (20, 22, 24):
        receiver.phase_clock += 2 * MS
        judged = run(tracker, receiver, k, k + 2, ranges)
        assert (judged[0].clock_jump, judged[0].clock_jump_ms) == (ClockJump.PHASE, 2)
        assert (judged[0].cause & int(Cause.CLOCK)).all()
        assert not judged[1].cause.any()


def test_a_slip_in_the_epoch_of_a_jump_is_found() -> None:
    receiver, tracker = Receiver(SATELLITES, CODES), StationTracker()
    run(tracker, receiver, 0, 20)
    receiver.code_clock += MS
    receiver.integers[5] += 1
    judged = run(tracker, receiver, 20, 21)[0]
    assert np.flatnonzero(judged.cause & int(SLIPS)).tolist() == [5]


def test_a_step_of_the_codes_that_is_no_whole_millisecond_is_no_clock_jump() -> None:
    receiver, tracker = Receiver(SATELLITES, CODES), StationTracker()
    run(tracker, receiver, 0, 20)
    receiver.code_clock += 1234.5
    judged = run(tracker, receiver, 20, 25)
    assert all(j.clock_jump is ClockJump.NONE and not j.cause.any() for j in judged)


def test_a_drifting_clock_at_30_s_is_no_jump() -> None:
    receiver, tracker = Receiver(SATELLITES, CODES), StationTracker()
    for k in range(40):
        receiver.code_clock = receiver.phase_clock = 3000.0 * 30 * k  # 10 us a second: a poor quartz
        assert run(tracker, receiver, k, k + 1, step=30.0)[0].clock_jump is ClockJump.NONE
