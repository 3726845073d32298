"""Kernels that judge codes: wide lane (a slip test that needs codes), multipath, outliers.

Numbers only. Wide lane: Hatch-Melbourne-Wuebbena with a running mean (Blewitt 1990). Multipath of code i with phases i
and j: I = (L_i - L_j) / (mu_j - mu_i), MP = P_i - L_i - 2 mu_i I, about the mean of the arc.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from cors.quality.columns import (
    BY_RANGE,
    CLEARED,
    CODE_OUTLIER,
    DT,
    FREQUENCY,
    HMW_M2,
    HMW_MEAN,
    HMW_N,
    HMW_RECENT,
    MP_MEAN,
    MP_MISSES,
    MP_N,
    MP_VARIANCE,
    MU,
    NEW_ARC,
    OWN_ARC,
    PARTNER,
    PARTNER_ARC,
    SLIPS,
    WIDE_LANE,
)


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
def code_medians(observations, slots, computed, scratch, medians):
    """medians [7]: code minus computed range a constellation, m; NaN below 4 rows. Rows are sorted."""
    medians[:] = np.nan
    count = 0
    for n in range(slots.size):
        system = observations.satellite[n] >> 6
        value = observations.pseudorange[n] - computed[n]
        if slots[n] >= 0 and not math.isnan(value):
            scratch[count] = value
            count += 1
        if n + 1 == slots.size or observations.satellite[n + 1] >> 6 != system:
            if count >= 4:
                medians[system] = median(scratch, count)
            count = 0


@njit(cache=True, nogil=True)
def other_band(i, begin, end, observations, phase, slots, work, cause):
    """First row of the satellite on another band with code and phase and no slip, or -1."""
    for j in range(begin, end):
        if slots[j] < 0 or cause[j] & (SLIPS | NEW_ARC) or math.isnan(phase[j] + observations.pseudorange[j]):
            continue
        if abs(work[j, MU] - work[i, MU]) > 1e-3:
            return j
    return -1


@njit(cache=True, nogil=True)
def wide_lane(i, j, code, phase, work):
    """Hatch-Melbourne-Wuebbena ambiguity of rows i and j, cycles."""
    fi, fj = work[i, FREQUENCY], work[j, FREQUENCY]
    phases = (fi * phase[i] - fj * phase[j]) / (fi - fj)
    return (phases - (fi * code[i] + fj * code[j]) / (fi + fj)) * (fi - fj) / 299_792_458.0


@njit(cache=True, nogil=True)
def multipath(i, j, code, phase, work):
    """Multipath combination of code i with the phases of i and j, m, plus the arc's constant."""
    iono = (phase[i] - phase[j]) / (work[j, MU] - work[i, MU])
    return code[i] - phase[i] - 2.0 * work[i, MU] * iono


@njit(cache=True, nogil=True)
def start_pair(state, partner, own_arc, partner_arc):
    """Forget wide lane and multipath: another partner or another arc."""
    state[PARTNER], state[OWN_ARC], state[PARTNER_ARC] = partner, own_arc, partner_arc
    state[HMW_MEAN] = state[HMW_M2] = state[HMW_N] = state[HMW_RECENT] = 0.0
    state[MP_MEAN] = state[MP_N] = state[MP_MISSES] = 0.0


@njit(cache=True, nogil=True)
def smoothing(dt, limits):
    """Weight of a new wide lane in the recent ones: fast streams are smoothed over some seconds; 1 in a new arc."""
    return min(1.0, dt / limits.widelane_smoothing_s) if dt > 0.0 else 1.0


@njit(cache=True, nogil=True)
def wide_lane_slipped(state, value, gain, limits):
    """True when the recent wide lanes have left their mean."""
    if state[HMW_N] < 5.0:
        return False
    recent = state[HMW_RECENT] + gain * (value - state[HMW_MEAN] - state[HMW_RECENT])
    sigma = math.sqrt(state[HMW_M2] / (state[HMW_N] - 1.0) * gain / (2.0 - gain))
    return abs(recent) > max(limits.widelane_cycles, limits.widelane_sigmas * sigma)


@njit(cache=True, nogil=True)
def learn_wide_lane(state, value, gain):
    """Running mean and sum of squares (Welford), and the smoothed departure of the recent ones."""
    if state[HMW_N] == 0.0:
        state[HMW_MEAN] = value
    error = value - state[HMW_MEAN]
    state[HMW_RECENT] += gain * (error - state[HMW_RECENT])
    state[HMW_N] += 1.0
    state[HMW_MEAN] += error / state[HMW_N]
    state[HMW_M2] += error * (value - state[HMW_MEAN])


@njit(cache=True, nogil=True)
def learn_multipath(state, value, limits):
    """(outlier, squared multipath or NaN) of one value; the arc's mean and the RMS over 50 epochs move on."""
    if state[MP_N] == 0.0 or state[MP_MISSES] >= 10.0:
        state[MP_MEAN], state[MP_N], state[MP_VARIANCE], state[MP_MISSES] = value, 1.0, 0.0, 0.0
        return False, np.nan
    error = value - state[MP_MEAN]
    n = state[MP_N]
    bound = limits.multipath_start_m
    if n >= 10.0:
        bound = max(limits.multipath_outlier_m, limits.multipath_outlier_sigmas * math.sqrt(state[MP_VARIANCE]))
    if abs(error) > bound:
        state[MP_MISSES] += 1.0
        return True, np.nan
    square = error * error * n / (n + 1.0)
    state[MP_VARIANCE] += max(0.02, 1.0 / n) * (square - state[MP_VARIANCE])
    state[MP_MEAN] += error / (n + 1.0)
    state[MP_N] += 1.0
    state[MP_MISSES] = 0.0
    return False, square


@njit(cache=True, nogil=True)
def lone_outlier(i, j, code, phase, slots, signals, work, limits):
    """1 when code i alone left its mean, 2 when code j alone did, 0 otherwise (a slip moves both multipaths alike)."""
    own, other = signals[slots[i]], signals[slots[j]]
    if own[MP_N] < 2.0 or other[MP_N] < 2.0 or other[PARTNER] != slots[i]:
        return 0
    own_error = abs(multipath(i, j, code, phase, work) - own[MP_MEAN])
    other_error = abs(multipath(j, i, code, phase, work) - other[MP_MEAN])
    if max(own_error, other_error) < limits.multipath_outlier_m or min(own_error, other_error) > 0.3 * max(
        own_error, other_error
    ):
        return 0
    return 1 if own_error > other_error else 2


@njit(cache=True, nogil=True)
def judge_pair(i, j, code, phase, slots, signals, arc, work, code_step, limits, cause):
    """Wide lane of rows i and j, then code i by its multipath; returns squared multipath, NaN where there is none."""
    state = signals[slots[i]]
    own, other = arc[slots[i]], arc[slots[j]]
    same_pair = state[PARTNER] == slots[j] and state[OWN_ARC] == own and state[PARTNER_ARC] == other
    if code_step or cause[i] & (SLIPS | NEW_ARC) or not same_pair:
        start_pair(state, slots[j], own, other)
    value = wide_lane(i, j, code, phase, work)
    gain = smoothing(work[i, DT], limits)
    if work[i, CLEARED] < BY_RANGE and not cause[i] & SLIPS:
        lone = lone_outlier(i, j, code, phase, slots, signals, work, limits)
        if lone == 1:
            cause[i] |= CODE_OUTLIER
            state[MP_MISSES] += 1.0
            if state[MP_MISSES] >= 10.0:
                start_pair(state, slots[j], own, other)
        if lone:
            return np.nan
        if wide_lane_slipped(state, value, gain, limits):
            cause[i] |= WIDE_LANE
            if work[j, CLEARED] < BY_RANGE:
                cause[j] |= WIDE_LANE
            start_pair(state, slots[j], own, other)
    outlier, square = learn_multipath(state, multipath(i, j, code, phase, work), limits)
    if outlier:
        cause[i] |= CODE_OUTLIER
    elif not cause[j] & CODE_OUTLIER:
        learn_wide_lane(state, value, gain)
    return square


@njit(cache=True, nogil=True)
def judge_satellite(begin, end, observations, phase, slots, signals, arc, work, medians, computed, code_step, limits,
                    cause, mp):  # fmt: skip
    """Codes of one satellite: impossible, far from the others, or off their own arc; mp [n] squared multipath, m^2."""
    code = observations.pseudorange
    for i in range(begin, end):
        if slots[i] < 0 or math.isnan(code[i]):
            continue
        off = code[i] - computed[i] - medians[observations.satellite[i] >> 6]
        if code[i] < 1.0e7 or code[i] > 6.0e7 or abs(off) > limits.code_outlier_m * max(1.0, work[i, MU]):
            cause[i] |= CODE_OUTLIER
            continue
        if math.isnan(phase[i]):
            continue
        j = other_band(i, begin, end, observations, phase, slots, work, cause)
        if j >= 0:
            mp[i] = judge_pair(i, j, code, phase, slots, signals, arc, work, code_step, limits, cause)


@njit(cache=True, nogil=True)
def judge_codes(observations, phase, slots, signals, arc, work, computed, code_step, limits, cause, mp):
    """One epoch's codes, after its phases; mp [n] gets squared multipath in m^2, NaN where there is none."""
    medians = np.empty(7)
    code_medians(observations, slots, computed, np.empty(slots.size), medians)
    mp[:] = np.nan
    begin = 0
    while begin < slots.size:
        end = begin + 1
        while end < slots.size and observations.satellite[end] == observations.satellite[begin]:
            end += 1
        judge_satellite(
            begin, end, observations, phase, slots, signals, arc, work, medians, computed, code_step, limits, cause, mp
        )
        begin = end
