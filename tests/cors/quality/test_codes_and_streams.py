"""Code outliers, C/N0, frozen streams, statistics and hostile rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cors.gnss.observations import ObservationFlag, Observations, take
from cors.gnss.reasons import Reason
from cors.gnss.satellites import parse_satellite
from cors.gnss.signals import parse_signal
from cors.gnss.time import NS
from cors.quality import _code_kernels, _phase_kernels, _state_kernels
from cors.quality.judgement import SLIPS, Cause, ModelledRanges
from cors.quality.tracker import STALE_LIMIT, StationTracker
from tests.cors.quality.series import START, Receiver, run

GPS = [f"G{n:02d}" for n in range(1, 11)]
CODE, PHASE = int(ObservationFlag.CODE_REJECTED), int(ObservationFlag.PHASE_REJECTED)


@pytest.mark.parametrize(("error", "ranges"), [(150.0, True), (-9.0, True), (9.0, False), (3e5, False)])
def test_a_code_outlier_is_rejected_alone(error: float, ranges: bool) -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 30, ranges)
    tag, observations, modelled = receiver.epoch(30)
    observations.pseudorange[6] += error
    judged = tracker.step(tag, observations, modelled if ranges else None)
    assert np.flatnonzero(judged.observations.flags & CODE).tolist() == [6]
    assert judged.cause[6] == Cause.CODE_OUTLIER and not (judged.cause & int(SLIPS)).any()
    assert not any(j.cause.any() for j in run(tracker, receiver, 31, 50, ranges))


def test_the_cn0_floor_rejects_and_other_units_do_not() -> None:
    receiver, tracker, arbitrary = Receiver(GPS, ["G1C", "G2W"]), StationTracker(), StationTracker()
    tag, observations, modelled = receiver.epoch(0)
    cn0 = observations.cn0.copy()
    cn0[[2, 3]] = 23.0  # G02: C/A below 24, codeless above 8
    judged = tracker.step(tag, observations._replace(cn0=cn0), modelled)
    assert np.flatnonzero(judged.observations.flags & PHASE).tolist() == [2]
    assert judged.cause[2] & Cause.LOW_CN0 and judged.observations.flags[2] & CODE
    judged = arbitrary.step(tag, observations._replace(cn0=np.full(20, 7.0, np.float32)), modelled)
    assert not (judged.observations.flags & (CODE | PHASE)).any()


@pytest.mark.kernel
def test_values_that_repeat_are_a_frozen_stream_at_once_and_leave_no_trace() -> None:
    receiver, tracker = Receiver(GPS[:5], ["G1C"]), StationTracker()
    run(tracker, receiver, 0, 6)
    tag, observations, modelled = receiver.epoch(5.5)
    assert tracker.step(tag, observations, modelled).reason is Reason.OK
    for k in range(6, 9):
        judged = tracker.step(START + k * NS, observations, modelled)
        assert judged.reason is Reason.STREAM_FROZEN
        assert ((judged.observations.flags & (CODE | PHASE)) == (CODE | PHASE)).all()
    after = run(tracker, receiver, 9, 11)
    assert all(j.reason is Reason.OK and not j.cause.any() for j in after)
    assert tracker.statistics().frozen_epochs == 3


def test_time_that_stands_still_is_a_frozen_stream() -> None:
    receiver, tracker = Receiver(GPS, ["G1C"]), StationTracker()
    tag, observations, _ = receiver.epoch(0)
    tracker.step(tag, observations)
    reasons = [tracker.step(tag, receiver.epoch(k)[1]).reason for k in range(1, STALE_LIMIT + 1)]
    assert reasons == [Reason.OK] * (STALE_LIMIT - 1) + [Reason.STREAM_FROZEN]
    assert len(tracker.step(tag - NS, observations).observations.satellite) == 0
    assert tracker.step(tag + NS, receiver.epoch(1)[1]).reason is Reason.OK
    assert tracker.statistics().stale_epochs == STALE_LIMIT + 1


def test_multipath_rms_is_the_noise_that_went_in() -> None:
    # MP_1 with (L1, L2) of noise-free phases is the code's own noise about the arc mean
    receiver = Receiver(GPS, ["G1C", "G2W"], code_noise=0.4, phase_noise=0.0)
    tracker = StationTracker()
    run(tracker, receiver, 0, 400)
    for signal in tracker.statistics().signals:
        assert signal.multipath_rms[4] == pytest.approx(0.4, rel=0.03)  # 4,000 values: sigma 1.1 %
        assert signal.rows[4] == 4000 and np.isnan(signal.multipath_rms[0])
        assert signal.cn0_mean[4] == pytest.approx(45.0)


def test_completeness_counts_what_visible_satellites_should_have_sent() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    visible = [parse_satellite(name) for name in [*GPS[:5], "G30"]]
    for k in range(100):
        tag, observations, modelled = receiver.epoch(k)
        rows = np.arange(20) if k % 4 else np.arange(2, 20)  # G01 away a quarter of the time
        tracker.step(tag, take(observations, rows), ModelledRanges._make(c[rows] for c in modelled), visible)
    first, second = tracker.statistics().signals
    assert first.signal == "G1C" and first.completeness == pytest.approx((4 * 100 + 75) / (5 * 100 - 1))
    assert second.expected == first.expected


def test_gaps_slips_and_restarts_are_counted() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 10)
    run(tracker, receiver, 13, 20)
    receiver.integers[0] += 1
    run(tracker, receiver, 20, 21)
    before = tracker.restart_statistics()
    assert (before.epochs, before.missing_epochs, before.slips_by_cause["RANGE"]) == (18, 3, 1)
    assert before.observations_per_slip == 18 * 20
    assert tracker.statistics().epochs == 0 and tracker.statistics().observations_per_slip == float("inf")
    assert not run(tracker, receiver, 21, 22)[0].cause.any()


def test_duplicate_unsorted_and_read_only_rows() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 10)
    tag, observations, modelled = receiver.epoch(10)
    order = np.array([*np.random.default_rng(2).permutation(20), 7])
    shuffled = take(observations, order)
    for column in shuffled:
        column.flags.writeable = False
    judged = tracker.step(tag, shuffled, ModelledRanges._make(c[order] for c in modelled))
    assert (np.diff(judged.observations.satellite) >= 0).all()
    doubled = np.flatnonzero(judged.cause)
    assert len(doubled) == 1 and judged.cause[doubled[0]] == Cause.DUPLICATE
    assert judged.observations.flags[doubled[0]] & CODE
    assert tracker.statistics().duplicate_rows == 1


def test_what_the_caller_must_not_do() -> None:
    receiver, tracker = Receiver(GPS, ["G1C"]), StationTracker()
    tag, observations, modelled = receiver.epoch(0)
    with pytest.raises(ValueError, match="9 ranges for 10"):
        tracker.step(tag, observations, ModelledRanges._make(c[:9] for c in modelled))
    with pytest.raises(ValueError, match="another constellation"):
        tracker.step(tag, observations._replace(signal=np.full(10, parse_signal("E1C"), np.uint16)))
    with pytest.raises(ValueError, match="no satellite"):
        tracker.step(tag, observations._replace(satellite=np.full(10, -1, np.int16)))


def test_kernels_are_compiled_once_whatever_comes() -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 2, ranges=False)
    tag, observations, modelled = receiver.epoch(2)
    tracker.step(tag, take(observations, slice(0, 20, 2)), ModelledRanges._make(c[::2] for c in modelled), visible=[1])
    for kernel in (
        _phase_kernels.judge_phases, _code_kernels.judge_codes, _state_kernels.close_epoch, _state_kernels.find_slots,
        _state_kernels.count_rows, _state_kernels.count_expected,
    ):  # fmt: skip
        assert len(getattr(kernel, "signatures", [1])) == 1, kernel


NUMBER = st.floats(allow_nan=True, allow_infinity=True, width=64) | st.floats(1.9e7, 2.6e7)


@given(st.data())
def test_no_row_whatever_is_in_it_raises_or_leaves_its_mark_on_others(data: st.DataObject) -> None:
    receiver, tracker = Receiver(GPS, ["G1C", "G2W"]), StationTracker()
    run(tracker, receiver, 0, 12)
    n = 6
    for k in range(12, 12 + data.draw(st.integers(1, 3))):
        tag, observations, modelled = receiver.epoch(k)
        columns = list(observations)
        for index in range(2, 7):
            with np.errstate(over="ignore"):
                drawn = data.draw(hnp.arrays(np.float64, n, elements=NUMBER)).astype(columns[index].dtype)
            columns[index] = np.concatenate([drawn, columns[index][n:]])
        judged = tracker.step(tag, Observations._make(columns), modelled)
        assert not (judged.cause[n:] & int(SLIPS)).any()
    assert not (run(tracker, receiver, 20, 22)[-1].cause[n:] & int(SLIPS)).any()
