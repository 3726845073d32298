"""One station's stream judged alone, epoch after epoch: flags set before anyone else sees a row.

Holds all state of a station. Decides slips, outliers, clock jumps and frozen streams (algorithms F); refuses epochs
that are not newer than the last. Time is the receiver's own tag: no clock is read. Ranges come from the caller, who
knows orbits and models; without them the tests that need no position remain.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations, empty_observations, sort_order, take
from cors.gnss.reasons import Reason
from cors.gnss.signals import FREQUENCY, SIGNALS, signal_code
from cors.gnss.time import NS
from cors.quality import _code_kernels, _phase_kernels, _state_kernels
from cors.quality import columns as k
from cors.quality.judgement import SLIPS, Cause, ClockJump, Judgement, ModelledRanges
from cors.quality.limits import LIMITS, Limits
from cors.quality.statistics import Counts, StationStatistics, snapshot

STALE_LIMIT = 5
"""Epochs in a row that are not newer than the last good one: time stands still, the stream is frozen."""
_KEYS = SIGNALS << 6
_SATELLITES = SIGNALS
_SLIP_CAUSES = {cause.name: int(cause) for cause in Cause if cause in SLIPS and cause.name}
_BITS = np.arange(16, dtype=np.int32)


def _floors(limits: Limits) -> NDArray[np.float64]:
    codeless = np.array([signal_code(signal)[-1:] in ("W", "D", "N", "Y") for signal in range(SIGNALS)])
    codeless &= np.arange(SIGNALS) >> 6 == 0  # GPS alone; BeiDou's D is a data channel
    return np.where(codeless, limits.cn0_floor_codeless, limits.cn0_floor)


def _at_the_door(observations: Observations) -> Observations:
    """C-contiguous and writable columns, so that kernels compile once; infinite codes and phases become absent."""
    columns = [c if c.flags.c_contiguous and c.flags.writeable else c.copy() for c in observations]
    for index in (2, 3):
        infinite = np.isinf(columns[index])
        if infinite.any():
            columns[index] = np.where(infinite, np.nan, columns[index])
    return Observations._make(columns)


class StationTracker:
    """State of one station; `step` is called once an epoch."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        """A station nothing is known of yet."""
        self._limits = limits
        self._floors = _floors(limits)
        self._strongest = np.zeros(SIGNALS, np.float32)
        self._frequency = np.array(FREQUENCY)
        self._slot_of = np.full(_KEYS, -1, np.int16)
        self._used = np.zeros(1, np.int64)
        self._keys = np.zeros(0, np.int64)
        self._signals = np.zeros((0, k.SIGNAL_COLUMNS))
        self._seen = np.zeros(0, np.int64)
        self._arc = np.zeros(0, np.int64)
        self._satellites = np.zeros((_SATELLITES, k.SATELLITE_COLUMNS))
        self._tag: int | None = None
        self._interval_s = 0.0
        self._drift = 0.0
        self._phase_offset = 0.0
        self._stale = 0
        self._counts = Counts()

    @property
    def tag(self) -> int | None:
        """Tag of the last judged epoch, gpst ns."""
        return self._tag

    def step(
        self,
        tag: int,
        observations: Observations,
        ranges: ModelledRanges | None = None,
        visible: Iterable[int] | None = None,
    ) -> Judgement:
        """Judge one epoch with the receiver's `tag` (gpst ns).

        `ranges` has one entry a row. `visible`: satellites above the mask, for completeness alone. An epoch not newer
        than the last comes back without rows. Raises ValueError where lengths differ or identities are none: the
        caller's fault, decoders make neither.
        """
        if ranges is not None and len(ranges.range_m) != len(observations.satellite):
            raise ValueError(f"{len(ranges.range_m)} ranges for {len(observations.satellite)} observations")
        if self._tag is not None and tag <= self._tag:
            return self._refuse_stale()
        observations, ranges = self._in_order(observations, ranges)
        judgement, mp = self._judge(tag, observations, ranges)
        self._count(tag, judgement, ranges, mp, visible)
        return judgement

    def statistics(self) -> StationStatistics:
        """What was counted since the start or the last `restart_statistics`."""
        return snapshot(self._counts, _SLIP_CAUSES)

    def restart_statistics(self) -> StationStatistics:
        """The statistics so far; counting starts anew, the tracking goes on."""
        before = self.statistics()
        self._counts = Counts()
        return before

    def _refuse_stale(self) -> Judgement:
        self._stale += 1
        self._counts.stale_epochs += 1
        reason = Reason.STREAM_FROZEN if self._stale >= STALE_LIMIT else Reason.OK
        none = empty_observations()
        return Judgement(none, np.zeros(0, np.int32), np.zeros(0, np.float32), reason, ClockJump.NONE, 0)

    def _in_order(
        self, observations: Observations, ranges: ModelledRanges | None
    ) -> tuple[Observations, ModelledRanges]:
        n = len(observations.satellite)
        if ranges is None:
            ranges = ModelledRanges(np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64))
        observations = _at_the_door(observations)
        order_kind = _state_kernels.examine_order(observations.satellite, observations.signal)
        if order_kind < 0:
            raise ValueError("a row names no satellite, or a signal of another constellation")
        if order_kind == 0:
            order = sort_order(observations)
            observations = take(observations, order)
            ranges = ModelledRanges._make(column[order] for column in ranges)
        return observations, ModelledRanges(
            np.require(ranges.range_m, np.float64, ["C", "W"]),
            np.require(ranges.elevation, np.float64, ["C", "W"]),
            np.require(ranges.issue, np.int64, ["C", "W"]),
        )

    def _slots(self, observations: Observations, cause: NDArray[np.int32]) -> NDArray[np.int64]:
        n = len(observations.satellite)
        need = int(self._used[0]) + n
        if need > len(self._seen):
            more = max(need, 2 * len(self._seen)) - len(self._seen)
            fresh = np.zeros((more, k.SIGNAL_COLUMNS))
            fresh[:, [k.MISS, k.CODE, k.PHASE, k.OC, k.RATE, k.LOCK, k.SLIP_1, k.SLIP_2, k.REST_UNTIL]] = np.nan
            self._signals = np.concatenate([self._signals, fresh])
            self._seen = np.concatenate([self._seen, np.zeros(more, np.int64)])
            self._arc = np.concatenate([self._arc, np.zeros(more, np.int64)])
            self._keys = np.concatenate([self._keys, np.zeros(more, np.int64)])
        slots = np.empty(n, np.int64)
        _state_kernels.find_slots(observations, self._slot_of, self._keys, self._used, slots, cause)
        return slots

    def _judge(
        self, tag: int, observations: Observations, ranges: ModelledRanges
    ) -> tuple[Judgement, NDArray[np.float64]]:
        n = len(observations.satellite)
        cause, flags, age = np.zeros(n, np.int32), np.zeros(n, np.uint8), np.zeros(n, np.float32)
        mp, work = np.full(n, np.nan), np.empty((n, k.WORK_COLUMNS))
        result = np.zeros(k.RESULT_SIZE)
        step = (tag - self._tag) / NS if self._tag is not None else 0.0
        phase = observations.phaserange + self._phase_offset
        slots = self._slots(observations, cause)
        self._phase_offset += _phase_kernels.judge_phases(
            tag, step, self._drift, observations, ranges.range_m, ranges.issue, self._frequency, self._limits, slots,
            self._signals, self._satellites, self._seen, phase, work, cause, result,
        )  # fmt: skip
        frozen = bool(result[k.IS_FROZEN])
        if not frozen:
            _code_kernels.judge_codes(
                observations, phase, slots, self._signals, self._arc, work, ranges.range_m, bool(result[k.CODE_STEP]),
                self._limits, cause, mp,
            )  # fmt: skip
        _state_kernels.close_epoch(
            tag, observations, phase, ranges.range_m, ranges.issue, slots, self._signals, self._seen, self._arc, work,
            self._floors, self._strongest, frozen, self._limits, cause, flags, age,
        )  # fmt: skip
        if not np.isnan(result[k.CLOCK_DRIFT]) and not frozen:
            self._drift = float(result[k.CLOCK_DRIFT])
        jump, jump_ms = _clock_jump(int(result[k.JUMP_CODE]), int(result[k.JUMP_PHASE]))
        judged = observations._replace(phaserange=phase, flags=flags)
        reason = Reason.STREAM_FROZEN if frozen else Reason.OK
        return Judgement(judged, cause, age, reason, jump, jump_ms), mp

    def _count(
        self,
        tag: int,
        judgement: Judgement,
        ranges: ModelledRanges,
        mp: NDArray[np.float64],
        visible: Iterable[int] | None,
    ) -> None:
        counts = self._counts
        counts.epochs += 1
        counts.frozen_epochs += judgement.reason is Reason.STREAM_FROZEN
        counts.clock_jumps += judgement.clock_jump is not ClockJump.NONE
        self._count_gap(tag)
        self._tag, self._stale = tag, 0
        counts.make_room(len(mp))
        _state_kernels.count_rows(
            judgement.observations, ranges.elevation, mp, counts.table_of, counts.tables, judgement.cause,
            judgement.observations.flags, counts.table,
        )  # fmt: skip
        if judgement.cause.any():
            counts.causes += (judgement.cause[:, None] >> _BITS & 1).sum(axis=0)
            counts.duplicate_rows = int(counts.causes[k.DUPLICATE.bit_length() - 1])
        if visible is not None:
            seen = np.zeros(_SATELLITES, np.bool_)
            seen[np.fromiter(visible, np.int64)] = True
            _state_kernels.count_expected(
                self._keys, int(self._used[0]), seen, self._seen, tag, counts.table_of, counts.expected
            )

    def _count_gap(self, tag: int) -> None:
        """Missing epochs by the least step met so far, which is the stream's interval."""
        if self._tag is None:
            return
        step = (tag - self._tag) / NS
        if self._interval_s == 0.0 or step < 0.75 * self._interval_s:
            self._interval_s = step
        self._counts.missing_epochs += max(0, round(step / self._interval_s) - 1)


def _clock_jump(code_ms: int, phase_ms: int) -> tuple[ClockJump, int]:
    if phase_ms == 0:
        return (ClockJump.CODE, code_ms) if code_ms else (ClockJump.NONE, 0)
    if code_ms == phase_ms:
        return ClockJump.CODE_AND_PHASE, code_ms
    return ClockJump.PHASE, phase_ms
