"""Kernels that judge phases: what the receiver's clock did, then every test for cycle slips, satellite by satellite.

Numbers only; `cors.quality.tracker` owns the arrays. Tests in the order of their worth: what the receiver says (lock
time, half cycles), phase minus computed range, two bands without the ionosphere, bands against the foretold ionosphere,
phase rates. Formulae: algorithms F.1 and F.5; mu = (1575.42 MHz / f)^2; phases in metres.
A little above 400 lines because numba's cache wants a kernel beside all it calls.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from cors.quality.columns import (
    BY_BANDS,
    BY_RANGE,
    C_MS,
    CLEARED,
    CLOCK,
    CLOCK_DRIFT,
    CODE,
    CODE_STEP,
    DL,
    DOC,
    DOPPLER,
    DP,
    DRIFT,
    DT,
    FREQUENCY,
    GEOMETRY_FREE,
    HALF,
    HALF_CYCLE,
    IF_N,
    IF_VARIANCE,
    IN_DOUBT,
    IONO_N,
    IONO_RATE,
    IONO_VARIANCE,
    IS_FROZEN,
    IS_HALF,
    ISSUE,
    JUMP_CODE,
    JUMP_PHASE,
    LAMBDA,
    LIMIT,
    LOCK,
    LOCK_TIME,
    MU,
    NEW_ARC,
    OC,
    PHASE,
    RANGE,
    RATE,
    RECEIVER,
    REFERENCE,
    RESIDUAL,
    SAME_ROWS,
    SAMPLES,
    SHAKEN,
    SLIP,
    SLIPS,
    STEP,
    SUSPECT,
    VARIANCE,
    VOUCHED,
)


@njit(cache=True, nogil=True)
def fill_work(tag, observations, phase, computed, frequency, slots, signals, seen, limits, work, result):
    """Differences to each signal's last row (NaN in a new arc); counts rows that repeat it to the last bit."""
    for n in range(slots.size):
        w = work[n]
        w[:] = np.nan
        w[CLEARED] = w[SUSPECT] = w[VOUCHED] = 0.0
        s = slots[n]
        if s < 0:
            continue
        f = frequency[observations.signal[n]]
        w[FREQUENCY] = f
        w[LAMBDA] = 299_792_458.0 / f if f > 0.0 else 0.19
        w[MU] = (REFERENCE / f) ** 2
        if seen[s] == 0:
            continue
        state = signals[s]
        if phase[n] == state[PHASE] and (observations.pseudorange[n] == state[CODE] or math.isnan(state[CODE])):
            result[SAME_ROWS] += 1.0
        dt = (tag - seen[s]) * 1e-9
        if dt > limits.gap_s:
            continue
        w[DT] = dt
        w[DP] = observations.pseudorange[n] - state[CODE]
        w[DL] = phase[n] - state[PHASE]
        w[DOC] = phase[n] - computed[n] - state[OC]


@njit(cache=True, nogil=True)
def median(values, count):
    """Median of the first `count` values (none of them NaN), NaN of none; they are reordered (Hoare's selection)."""
    if count == 0:
        return np.nan
    half = count // 2
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if half <= j:
            high = j
        elif half >= i:
            low = i
        else:
            break
    upper = values[half]
    if count % 2:
        return upper
    lower = values[0]
    for n in range(1, half):
        lower = max(lower, values[n])
    return 0.5 * (lower + upper)


@njit(cache=True, nogil=True)
def find_clock_jump(work, step, drift, scratch, result):
    """Whole milliseconds by which codes and phases jumped against the epoch before (`JUMP_CODE`, `JUMP_PHASE`).

    Code against phase by the median of their differences' difference (a jump is accepted within 1 us); which of them
    it was by the codes alone, whose median moves by less than a tenth of a millisecond an epoch otherwise.
    """
    count = 0
    for n in range(work.shape[0]):
        if work[n, DT] <= 1.5 * step and not math.isnan(work[n, DP] - work[n, DL]):
            scratch[count] = work[n, DP] - work[n, DL]
            count += 1
    if count < 4:
        return
    apart = median(scratch, count)
    whole = np.round(apart / C_MS)
    if abs(apart - whole * C_MS) > 300.0 or (whole == 0.0 and abs(apart) > 10.0):
        result[CODE_STEP] = 1.0
        return
    count = 0
    for n in range(work.shape[0]):
        if work[n, DT] <= 1.5 * step and not math.isnan(work[n, DP] - work[n, DL]):
            scratch[count] = work[n, DP] - drift * work[n, DT]
            count += 1
    result[JUMP_CODE] = np.round(median(scratch, count) / C_MS)
    result[JUMP_PHASE] = result[JUMP_CODE] - whole


@njit(cache=True, nogil=True)
def carry_phase(offset, phase, work, jump):
    """Add `offset` m to the phases; take the `jump` m they made by themselves out of the differences."""
    for n in range(phase.size):
        phase[n] += offset
        work[n, DL] -= jump
        work[n, DOC] -= jump


@njit(cache=True, nogil=True)
def range_clocks(observations, slots, signals, work, issue, scratch, part, clocks):
    """clocks [8] m/s: median change of the residuals less their drifts a constellation, of all in the last.

    Rows are sorted, so a constellation's are neighbours: `scratch` collects all, `part` the constellation's.
    """
    clocks[:] = np.nan
    total, count = 0, 0
    for n in range(slots.size):
        system = observations.satellite[n] >> 6
        if slots[n] >= 0 and signals[slots[n], ISSUE] == issue[n] and not math.isnan(work[n, DOC]):
            value = work[n, DOC] / work[n, DT] - signals[slots[n], DRIFT]
            scratch[total], part[count] = value, value
            total += 1
            count += 1
        if n + 1 == slots.size or observations.satellite[n + 1] >> 6 != system:
            if count >= 4:
                clocks[system] = median(part, count)
            count = 0
    if total >= 4:
        clocks[7] = median(scratch, total)


@njit(cache=True, nogil=True)
def lock_time_verdict(lock, before, dt):
    """2 slip for certain, 1 possible, 0 none, from two least lock times (ms) and the time between (s); NaN: unknown.

    The upper end of a span is twice its minimum in DF402 and less in DF407, 32 ms for 0; the last codes' spans have
    none, which gaps of a minute never reach.
    """
    if math.isnan(lock):
        return 0
    if lock < before:
        return 2
    elapsed = dt * 1000.0
    if max(2.0 * lock, 32.0) <= elapsed:
        return 2
    return 1 if lock < elapsed else 0


@njit(cache=True, nogil=True)
def judge_told(observations, phase, slots, signals, work, clock_slip, cause):
    """What needs no other row: arcs, the receiver's own word, lock times, half cycles (`SUSPECT` where unsure)."""
    for n in range(slots.size):
        s = slots[n]
        if s < 0 or math.isnan(phase[n]):
            continue
        if math.isnan(work[n, DT]):
            cause[n] |= NEW_ARC
            continue
        if observations.flags[n] & SLIP:
            cause[n] |= RECEIVER
        if clock_slip:
            cause[n] |= CLOCK
        verdict = lock_time_verdict(observations.lock_time[n], signals[s, LOCK], work[n, DT])
        if verdict == 2:
            cause[n] |= LOCK_TIME
        elif verdict == 1:
            work[n, SUSPECT] = LOCK_TIME
        half = 1.0 if observations.flags[n] & HALF_CYCLE else 0.0
        if half != signals[s, IS_HALF]:
            work[n, SUSPECT] = HALF


@njit(cache=True, nogil=True)
def judge_ranges(observations, slots, signals, work, issue, clocks, limits, cause):
    """The primary test: change of phase minus computed range, less the clock and the signal's own drift (`RESIDUAL`).

    Where its limit cannot tell one cycle it decides nothing here: see `judge_ionosphere_free`.
    """
    for n in range(slots.size):
        s = slots[n]
        if s < 0 or math.isnan(work[n, DOC]) or signals[s, ISSUE] != issue[n] or math.isnan(clocks[7]):
            continue
        state = signals[s]
        dt = work[n, DT]
        clock = clocks[observations.satellite[n] >> 6]
        if math.isnan(clock) or abs(clock - clocks[7]) * dt > 0.5 * limits.range_slip_m:
            clock = clocks[7]
        sigma = 0.03 + 0.0015 * dt  # nothing is decided before the drift is known
        if state[SAMPLES] >= 4.0:
            sigma = math.sqrt(state[VARIANCE]) * max(1.0, dt / state[STEP])
        work[n, RESIDUAL] = work[n, DOC] - (clock + state[DRIFT]) * dt
        work[n, LIMIT] = max(limits.range_slip_m, limits.range_sigmas * sigma)
        if work[n, LIMIT] <= limits.decisive_cycles * work[n, LAMBDA]:
            if abs(work[n, RESIDUAL]) > work[n, LIMIT]:
                cause[n] |= RANGE
            else:
                work[n, CLEARED] = BY_RANGE


@njit(cache=True, nogil=True)
def learn_ionosphere_free(satellite, residual, dt):
    """Variance of the satellite's ionosphere-free residuals, m^2."""
    if satellite[IF_N] == 0.0:
        satellite[IF_VARIANCE] = (0.02 + 0.0005 * dt) ** 2
    n = satellite[IF_N] + 1.0
    satellite[IF_VARIANCE] += max(0.05, 0.5 / n) * (residual * residual - satellite[IF_VARIANCE])
    satellite[IF_N] = n


@njit(cache=True, nogil=True)
def free_change(i, j, work):
    """Ionosphere-free change of rows i and j against the computed range, m, clock included; NaN where they are no pair.

    Without the rows' drifts, which are the ionosphere's: what else drifts is millimetres.
    """
    apart = work[j, MU] - work[i, MU]
    if not abs(apart) > 1e-3 or work[j, DT] != work[i, DT] or math.isnan(work[i, RESIDUAL] + work[j, RESIDUAL]):
        return np.nan
    return (work[j, MU] * work[i, DOC] - work[i, MU] * work[j, DOC]) / apart


@njit(cache=True, nogil=True)
def free_clock(observations, work, scratch):
    """What all ionosphere-free changes share, m/s: the clock that no storm moves; NaN below 4 satellites' pairs."""
    count = 0
    first = 0
    for n in range(1, work.shape[0]):
        if observations.satellite[n] != observations.satellite[n - 1]:
            first = n
            continue
        value = free_change(first, n, work)
        if not math.isnan(value):
            scratch[count] = value / work[n, DT]
            count += 1
    return median(scratch, count) if count >= 4 else np.nan


@njit(cache=True, nogil=True)
def judge_ionosphere_free(begin, end, satellite, clock, slots, work, limits, cause):
    """Residuals of two bands without the ionosphere, for what `judge_ranges` left open (long steps, storms).

    Within its limit a row is vouched for: what is left is ionosphere, or slips that look like 0.4 m of it and more.
    Alone on its band a row has only its own limit.
    """
    learned = False
    for i in range(begin, end):
        if slots[i] < 0 or math.isnan(work[i, RESIDUAL]) or cause[i] & SLIPS or work[i, CLEARED] > 0.0:
            continue
        pairs, good = 0, 0
        for j in range(begin, end):
            free = free_change(i, j, work) - clock * work[i, DT]
            if math.isnan(free) or cause[j] & SLIPS:
                continue
            sigma = math.sqrt(satellite[IF_VARIANCE]) if satellite[IF_N] >= 4.0 else 0.02 + 0.0005 * work[i, DT]
            limit = max(limits.range_slip_m, limits.ionosphere_free_sigmas * sigma)
            pairs += 1
            if abs(free) <= limit:
                good += 1
                work[i, VOUCHED] = max(work[i, VOUCHED], 1.0 if limit <= limits.ionosphere_free_m else 0.0)
            if not learned and abs(free) <= limit:
                learn_ionosphere_free(satellite, free, work[i, DT])
                learned = True
        if (pairs > 0 and good == 0) or (pairs == 0 and abs(work[i, RESIDUAL]) > work[i, LIMIT]):
            work[i, SUSPECT] = RANGE
    for i in range(begin, end):
        if work[i, SUSPECT] == RANGE:
            cause[i] |= RANGE
    if not learned and satellite[IF_N] > 0.0:
        satellite[IF_VARIANCE] = min(1.5 * satellite[IF_VARIANCE], 0.01)


@njit(cache=True, nogil=True)
def band_vote(i, leader, begin, end, rate, spread, slots, work, limits, cause):
    """(weight, failed) of row i against all rows of the leader's band: failed if it fails with each of them.

    Weight 0: nothing to compare, or the ionosphere leaves no decision; 2: one of them is known to be good.
    """
    weight, failed = 0, True
    for j in range(leader, end):
        if slots[j] < 0 or abs(work[j, MU] - work[leader, MU]) > 1e-3 or cause[j] & SLIPS:
            continue
        if work[j, DT] != work[i, DT] or math.isnan(work[j, DL]):
            continue
        dt = work[i, DT]
        apart = work[i, MU] - work[j, MU]
        error = abs(work[i, DL] - work[j, DL] + apart * rate * dt)
        limit = limits.geometry_free_m + limits.geometry_free_sigmas * abs(apart) * spread * dt
        if work[i, VOUCHED] > 0.0 and work[j, VOUCHED] > 0.0:
            limit = max(limit, limits.geometry_free_vouched_m)
        if error > limit:
            weight = max(weight, 2 if work[j, CLEARED] == BY_RANGE else 1)
        else:
            failed = False
            if work[i, VOUCHED] > 0.0 or limit <= limits.decisive_cycles * min(work[i, LAMBDA], work[j, LAMBDA]):
                weight = max(weight, 2 if work[j, CLEARED] == BY_RANGE else 1)
    return weight, failed and weight > 0


@njit(cache=True, nogil=True)
def judge_bands(begin, end, satellite, slots, work, limits, cause):
    """Each phase of a satellite against every other band and the predicted ionosphere; bands vote which one slipped."""
    rate = satellite[IONO_RATE]
    spread = math.sqrt(satellite[IONO_VARIANCE]) if satellite[IONO_N] >= 3.0 else 0.003
    for i in range(begin, end):
        if slots[i] < 0 or math.isnan(work[i, DL] + work[i, MU]) or cause[i] & SLIPS or work[i, CLEARED] > 0.0:
            continue
        votes, failures = 0, 0
        for leader in range(begin, end):
            first = abs(work[leader, MU] - work[i, MU]) > 1e-3
            for earlier in range(begin, leader):
                first = first and abs(work[earlier, MU] - work[leader, MU]) > 1e-3
            if first:
                weight, failed = band_vote(i, leader, begin, end, rate, spread, slots, work, limits, cause)
                votes += weight
                failures += weight if failed else 0
        if 2 * failures > votes:
            work[i, SUSPECT] = GEOMETRY_FREE
        elif votes > 0:
            work[i, CLEARED] = IN_DOUBT  # until all have voted
    for i in range(begin, end):
        if work[i, CLEARED] == IN_DOUBT:
            work[i, CLEARED] = BY_RANGE if work[i, VOUCHED] > 0.0 else BY_BANDS
        if work[i, SUSPECT] == GEOMETRY_FREE:
            cause[i] |= GEOMETRY_FREE


@njit(cache=True, nogil=True)
def learn_ionosphere(begin, end, satellite, slots, work, cause):
    """Rate of the satellite's slant ionosphere from its two most distant bands, and how well it was predicted.

    A slip teaches nothing; two epochs of geometry-free slips in a row were the ionosphere, whose rate starts anew.
    """
    low, high = -1, -1
    shaken = False
    for n in range(begin, end):
        shaken = shaken or cause[n] & GEOMETRY_FREE != 0
        if slots[n] < 0 or cause[n] & (SLIPS & ~GEOMETRY_FREE) or math.isnan(work[n, DL] + work[n, MU]):
            continue
        if low < 0 or work[n, MU] < work[low, MU]:
            low = n
        if high < 0 or work[n, MU] > work[high, MU]:
            high = n
    satellite[SHAKEN] = satellite[SHAKEN] + 1.0 if shaken else 0.0
    if low < 0 or work[high, MU] - work[low, MU] < 1e-3 or work[low, DT] != work[high, DT]:
        return
    rate = (work[low, DL] - work[high, DL]) / (work[high, MU] - work[low, MU]) / work[low, DT]
    error = rate - satellite[IONO_RATE]
    if satellite[IONO_N] == 0.0 or satellite[SHAKEN] >= 2.0:
        satellite[IONO_RATE] = rate
        satellite[IONO_VARIANCE] = min(max(4.0 * satellite[IONO_VARIANCE], 1e-6), 1e-4)
    elif not shaken:
        satellite[IONO_RATE] += 0.3 * error
        satellite[IONO_VARIANCE] += 0.15 * (error * error - satellite[IONO_VARIANCE])
    satellite[IONO_N] += 1.0


@njit(cache=True, nogil=True)
def judge_rates(observations, slots, signals, work, limits, scratch, cause):
    """Phase against the mean of two phase rates, less the median over all rows, where nothing better has looked.

    What is suspect and still not cleared at the end is a slip.
    """
    rate = observations.phaserange_rate
    count = 0
    for n in range(slots.size):
        if slots[n] >= 0 and work[n, DT] <= 2.0 and not cause[n] & SLIPS:
            difference = work[n, DL] - 0.5 * (rate[n] + signals[slots[n], RATE]) * work[n, DT]
            if not math.isnan(difference):
                scratch[count] = difference
                count += 1
    common = median(scratch, count) if count >= 4 else 0.0
    for n in range(slots.size):
        if slots[n] < 0 or cause[n] & (SLIPS | NEW_ARC) or work[n, CLEARED] > 0.0:
            continue
        before = signals[slots[n], RATE]
        difference = work[n, DL] - 0.5 * (rate[n] + before) * work[n, DT] - common
        if work[n, DT] <= 2.0 and abs(difference) > limits.doppler_m + 0.5 * abs(rate[n] - before) * work[n, DT]:
            cause[n] |= DOPPLER
        cause[n] |= int(work[n, SUSPECT])


@njit(cache=True, nogil=True)
def judge_satellites(observations, slots, satellites, work, limits, scratch, cause):
    """The tests that compare signals of one satellite, group by group of the sorted rows."""
    clock = free_clock(observations, work, scratch)
    begin = 0
    while begin < slots.size:
        end = begin + 1
        known = not math.isnan(work[begin, DT])
        while end < slots.size and observations.satellite[end] == observations.satellite[begin]:
            known = known or not math.isnan(work[end, DT])
            end += 1
        satellite = satellites[observations.satellite[begin]]
        if not known:  # it has risen anew
            satellite[:] = 0.0
        judge_ionosphere_free(begin, end, satellite, clock, slots, work, limits, cause)
        judge_bands(begin, end, satellite, slots, work, limits, cause)
        learn_ionosphere(begin, end, satellite, slots, work, cause)
        begin = end


@njit(cache=True, nogil=True)
def judge_phases(tag, step, drift, observations, computed, issue, frequency, limits, slots, signals, satellites, seen,
                 phase, work, cause, result):  # fmt: skip
    """One epoch's phases. Returns the m to add to the station's phases from this epoch on (`phase` has them already).

    A frozen epoch (`IS_FROZEN`) is not judged.
    """
    scratch, part = np.empty(slots.size), np.empty(slots.size)
    clocks = np.empty(8)
    fill_work(tag, observations, phase, computed, frequency, slots, signals, seen, limits, work, result)
    if slots.size >= 4 and result[SAME_ROWS] >= limits.frozen_share * slots.size:
        result[IS_FROZEN] = 1.0
        return 0.0
    find_clock_jump(work, step, drift, scratch, result)
    offset = result[JUMP_CODE] * C_MS if result[JUMP_PHASE] == 0.0 else 0.0
    carry_phase(offset, phase, work, result[JUMP_PHASE] * C_MS)
    clock_slip = result[JUMP_PHASE] != 0.0 and result[JUMP_PHASE] != result[JUMP_CODE]
    if clock_slip:
        result[CODE_STEP] = 1.0
    range_clocks(observations, slots, signals, work, issue, scratch, part, clocks)
    judge_told(observations, phase, slots, signals, work, clock_slip, cause)
    judge_ranges(observations, slots, signals, work, issue, clocks, limits, cause)
    judge_satellites(observations, slots, satellites, work, limits, scratch, cause)
    judge_rates(observations, slots, signals, work, limits, scratch, cause)
    result[CLOCK_DRIFT] = clocks[7]
    return offset
