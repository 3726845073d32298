"""Kernels around the tests: rows to their signals' state, causes to flags, the epoch into state and statistics."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from cors.quality.columns import (
    CARRY,
    CLOCK,
    CN0_N,
    CN0_SUM,
    CODE,
    CODE_OUTLIER,
    CODE_REJECTED,
    CODES_REJECTED,
    DRIFT,
    DT,
    DUPLICATE,
    ELEVATION_BINS,
    FROZEN,
    HALF_CYCLE,
    IS_HALF,
    ISSUE,
    LAMBDA,
    LIMIT,
    LOCK,
    LOW_CN0,
    MISS,
    MP_COUNT,
    MP_SQUARES,
    NEW_ARC,
    OC,
    OFFENDER,
    PHASE,
    PHASE_REJECTED,
    PHASES_REJECTED,
    RATE,
    RESIDUAL,
    REST_UNTIL,
    ROWS,
    SAMPLES,
    SLIP,
    SLIP_1,
    SLIP_2,
    SLIP_COUNT,
    SLIPS,
    STEP,
    VARIANCE,
)


@njit(cache=True, nogil=True)
def examine_order(satellite, signal):
    """1 when rows are sorted by satellite, then signal; 0 when not; -1 when an identity is none (nothing may index)."""
    order = 1
    for n in range(satellite.size):
        if satellite[n] < 0 or satellite[n] >> 6 > 6 or signal[n] >> 6 != satellite[n] >> 6:
            return -1
        if n and (satellite[n] < satellite[n - 1] or (satellite[n] == satellite[n - 1] and signal[n] < signal[n - 1])):
            order = 0
    return order


@njit(cache=True, nogil=True)
def find_slots(observations, slot_of, keys, used, slots, cause):
    """Slot of each row's signal, taking new ones as needed; a second row of a signal is marked and left out (-1).

    A signal is known by its satellite (9 bits) and the id part of its own number (6 bits): the constellation is shared.
    """
    previous = np.int64(-1)
    for n in range(slots.size):
        key = np.int64(observations.satellite[n]) << 6 | np.int64(observations.signal[n] & 63)
        slot = np.int64(slot_of[key])
        if slot < 0:
            slot = used[0]
            slot_of[key] = slot
            keys[slot] = key
            used[0] += 1
        if slot == previous:
            cause[n] |= DUPLICATE
            slots[n] = -1
        else:
            slots[n] = slot
            previous = slot


@njit(cache=True, nogil=True)
def count_offence(state, seconds, limits):
    """Note a slip; the third within the window puts the signal to rest."""
    if seconds - state[SLIP_2] <= limits.offender_window_s:
        state[REST_UNTIL] = seconds + limits.offender_rest_s
    state[SLIP_2], state[SLIP_1] = state[SLIP_1], seconds


@njit(cache=True, nogil=True)
def set_flags(tag, observations, phase, slots, signals, floors, strongest, frozen, limits, cause, flags):
    """Flags of every row from its causes; slips of rejected phases are carried to the next phase that is not.

    The C/N0 floor holds for a signal once some satellite's was 10 dB above it: other units than dB-Hz exist.
    """
    seconds = tag * 1e-9
    for n in range(slots.size):
        flags[n] = observations.flags[n] & (255 - SLIP)
        if slots[n] < 0:
            flags[n] |= CODE_REJECTED | PHASE_REJECTED
            continue
        state = signals[slots[n]]
        if observations.flags[n] & SLIP or cause[n] & (SLIPS | NEW_ARC):
            state[CARRY] = 1.0
        if cause[n] & SLIPS and not cause[n] & CLOCK:
            count_offence(state, seconds, limits)
        floor = floors[observations.signal[n]]
        strongest[observations.signal[n]] = max(strongest[observations.signal[n]], observations.cn0[n])
        if observations.cn0[n] < floor and strongest[observations.signal[n]] > floor + 10.0:
            cause[n] |= LOW_CN0
        if seconds < state[REST_UNTIL]:
            cause[n] |= OFFENDER
        if frozen:
            cause[n] |= FROZEN
        if cause[n] & (LOW_CN0 | CODE_OUTLIER | FROZEN):
            flags[n] |= CODE_REJECTED
        if cause[n] & (LOW_CN0 | OFFENDER | FROZEN):
            flags[n] |= PHASE_REJECTED
        if math.isnan(phase[n]):
            continue
        if state[CARRY] > 0.0:
            flags[n] |= SLIP
        if not flags[n] & PHASE_REJECTED:
            state[CARRY] = 0.0


@njit(cache=True, nogil=True)
def learn_residual(state, residual, dt):
    """The signal's drift against the clock and the variance of what the drift did not foretell."""
    n = state[SAMPLES]
    if n == 0.0:
        state[VARIANCE] = (0.01 + 0.0015 * dt) ** 2
    else:
        state[VARIANCE] += max(0.05, 0.5 / n) * (residual * residual - state[VARIANCE])
    state[DRIFT] += max(0.1, 1.0 / (n + 1.0)) * residual / dt
    state[SAMPLES] += 1.0


@njit(cache=True, nogil=True)
def learn_miss(state, row, limits):
    """Of a slip: one that comes twice in a row with the same size was drift; one of a wide limit may be a storm."""
    if abs(row[RESIDUAL] - state[MISS]) < 0.5 * row[LIMIT]:
        state[DRIFT] += row[RESIDUAL] / row[DT]
        state[SAMPLES] = 1.0
        state[MISS] = np.nan
    else:
        state[MISS] = row[RESIDUAL]
    if row[LIMIT] > limits.decisive_cycles * row[LAMBDA]:
        state[VARIANCE] = min(2.0 * state[VARIANCE], 0.04)


@njit(cache=True, nogil=True)
def keep_rows(tag, observations, phase, computed, issue, slots, signals, seen, arc, work, limits, cause,
              age):  # fmt: skip
    """Write every row into its signal's state; age [n] s of the arc."""
    for n in range(slots.size):
        age[n] = 0.0
        s = slots[n]
        if s < 0:
            continue
        state = signals[s]
        state[CODE] = observations.pseudorange[n]
        if math.isnan(phase[n]):
            continue
        if cause[n] & (SLIPS | NEW_ARC):
            arc[s] = tag
            if cause[n] & NEW_ARC:
                state[DRIFT] = state[SAMPLES] = 0.0
                state[MISS] = np.nan
            else:
                learn_miss(state, work[n], limits)
        else:
            state[MISS] = np.nan
            if not math.isnan(work[n, RESIDUAL]):
                learn_residual(state, work[n, RESIDUAL], work[n, DT])
        if not math.isnan(work[n, DT]):
            state[STEP] = work[n, DT]
        age[n] = (tag - arc[s]) * 1e-9
        seen[s] = tag
        state[PHASE] = phase[n]
        state[RATE] = observations.phaserange_rate[n]
        state[LOCK] = observations.lock_time[n]
        state[IS_HALF] = 1.0 if observations.flags[n] & HALF_CYCLE else 0.0
        state[OC] = phase[n] - computed[n]
        state[ISSUE] = issue[n]


@njit(cache=True, nogil=True)
def count_rows(observations, elevation, mp, table_of, tables, cause, flags, table):
    """Add the epoch to the statistics; table_of [448] gives each signal's row, taking new ones as needed."""
    for n in range(elevation.size):
        signal = observations.signal[n]
        if table_of[signal] < 0:
            table_of[signal] = tables[0]
            tables[0] += 1
        bin_ = ELEVATION_BINS - 1
        if elevation[n] >= -2.0:  # NaN fails
            bin_ = min(max(int(elevation[n] * (18.0 / math.pi)), 0), ELEVATION_BINS - 2)
        cell = table[table_of[signal], bin_]
        cell[ROWS] += 1.0
        if not math.isnan(observations.cn0[n]):
            cell[CN0_SUM] += observations.cn0[n]
            cell[CN0_N] += 1.0
        if not math.isnan(mp[n]):
            cell[MP_SQUARES] += mp[n]
            cell[MP_COUNT] += 1.0
        cell[SLIP_COUNT] += 1.0 if cause[n] & SLIPS else 0.0
        cell[CODES_REJECTED] += 1.0 if flags[n] & CODE_REJECTED else 0.0
        cell[PHASES_REJECTED] += 1.0 if flags[n] & PHASE_REJECTED else 0.0


@njit(cache=True, nogil=True)
def count_expected(keys, used, visible, seen, tag, table_of, expected):
    """expected [signal row, 2]: signals that a visible satellite is known to send, and those of them that came."""
    for s in range(used):
        satellite, signal = keys[s] >> 6, (keys[s] >> 12) << 6 | keys[s] & 63
        if visible[satellite] and table_of[signal] >= 0:
            expected[table_of[signal], 0] += 1.0
            if seen[s] == tag:
                expected[table_of[signal], 1] += 1.0


@njit(cache=True, nogil=True)
def close_epoch(tag, observations, phase, computed, issue, slots, signals, seen, arc, work, floors, strongest, frozen,
                limits, cause, flags, age):  # fmt: skip
    """Flags from causes, rows into state; a frozen epoch leaves the state as it was."""
    set_flags(tag, observations, phase, slots, signals, floors, strongest, frozen, limits, cause, flags)
    if not frozen:
        keep_rows(tag, observations, phase, computed, issue, slots, signals, seen, arc, work, limits, cause, age)
