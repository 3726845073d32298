"""Kernels that turn rows into observation messages: MSM1-7 and the older 1001-1004, 1009-1012.

Numbers only; `msm` and `observables` lay them out. They write header and payload of frames; the CRC comes from
`_frame_kernels.seal_all`. Source: RTCM 10403.x (as in `_decode_kernels`); rounding is half away from zero, and a value
that does not fit its field is sent as invalid and counted, never clamped. Longer than most modules because a kernel
lives in one file with everything it calls.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

DAY_MS = 86_400_000
WEEK_MS = 604_800_000
NO_TIME = -(1 << 62)
NO_CHANNEL = -128
METRES_PER_MS = 299_792.458
CODE_STEP = METRES_PER_MS / (1 << 29)
PHASE_STEP = METRES_PER_MS / (1 << 31)
NO_RANGE = -1
NO_RATE = -8192
SLIP, HALF_CYCLE = 1, 2

MSM_HEADER = np.array([12, 12, 3, 27, 1, 10, 8, 32, 32, 32], np.int64)
"""DF002, DF003, epoch in two, DF393, DF409 with reserved bits, DF411 to DF418, DF394 in halves, DF395; widths come from
arrays throughout, because a literal argument makes numba compile a function once more."""
# Widths of the satellite columns by MSM type 1..7: DF397, DF419 (extended information), DF398, DF399.
SATELLITE_FIELDS = np.array(
    [[0, 0, 0, 0]] + [[0, 0, 10, 0]] * 3 + [[8, 0, 10, 0], [8, 4, 10, 14], [8, 0, 10, 0], [8, 4, 10, 14]], np.int64
)
CODE, PHASE, LOCK, HALF, CN0, RATE = 0, 1, 2, 3, 4, 5
CELL_FIELDS = np.array(
    [[0, 0, 0, 0, 0, 0], [15, 0, 0, 0, 0, 0], [0, 22, 4, 1, 0, 0], [15, 22, 4, 1, 0, 0], [15, 22, 4, 1, 6, 0],
     [15, 22, 4, 1, 6, 15], [20, 24, 10, 1, 10, 0], [20, 24, 10, 1, 10, 15]], np.int64,
)  # fmt: skip
"""Widths of the cell columns by MSM type (DF400-DF408, DF420)."""
OBSERVABLE_HEADER = np.array([[12, 12, 30, 1, 5, 4], [12, 12, 27, 1, 5, 4]], np.int64)
"""DF002, DF003, epoch, DF005, DF006 or DF035, smoothing; GPS and GLONASS."""
_GPS, _GLONASS, _NONE = [6, 1, 0, 24], [6, 1, 5, 25], [0] * 5
OBSERVABLE_FIELDS = np.array(
    [[*_GPS, 20, 7, 0, 0, *_NONE], [*_GPS, 20, 7, 8, 8, *_NONE], [*_GPS, 20, 7, 0, 0, 2, 14, 20, 7, 0],
     [*_GPS, 20, 7, 8, 8, 2, 14, 20, 7, 8]] + [[0] * 13] * 4
    + [[*_GLONASS, 20, 7, 0, 0, *_NONE], [*_GLONASS, 20, 7, 7, 8, *_NONE], [*_GLONASS, 20, 7, 0, 0, 2, 14, 20, 7, 0],
       [*_GLONASS, 20, 7, 7, 8, 2, 14, 20, 7, 8]], np.int64,
)  # fmt: skip
"""A satellite of 1001..1012, as in `_decode_kernels`."""

LEFT_OUT, NO_PLACE, REBASED, PHASE_LOST, VALUE_LOST = 0, 1, 2, 3, 4
"""Counts: rows with nothing to send, rows without a place, phases moved, phases and values out of range."""
COUNTS = 5
NO_ROOM, NO_ORDER = -1, -2
SATELLITES = 448


class Carriers(NamedTuple):
    """What signals are, by packed signal [448]."""

    frequency: NDArray[np.float64]
    """Hz; NaN unknown."""
    step: NDArray[np.float64]
    """Hz a GLONASS channel, else 0."""
    sendable: NDArray[np.uint8]
    """1 where MSM has a place for it."""


class Memory(NamedTuple):
    """What a stream's phases carry from epoch to epoch, a value a row; the encoder writes it."""

    shift: NDArray[np.float64]
    """Whole cycles added to the phase."""
    restart: NDArray[np.int64]
    """When the lock time sent began anew, gpst ms; NO_TIME never."""


class Scratch(NamedTuple):
    """Room for one epoch."""

    keep: NDArray[np.uint8]
    """[rows] 1 for rows sent."""
    rough: NDArray[np.int64]
    """[448] by satellite, 2^-10 ms or NO_RANGE."""
    rates: NDArray[np.int64]
    """[448] m/s or NO_RATE."""
    cells: NDArray[np.int64]
    """[6, 64] integers of DF400-DF408 and DF420, a column a row."""
    columns: NDArray[np.int64]
    """[5, 64] integers of DF397, DF419, DF398, DF399 and the mask of a satellite's signals."""
    head: NDArray[np.int64]
    """[10] integers of MSM_HEADER."""
    widths: NDArray[np.int64]
    """[64] width of a column, repeated."""
    blocks: NDArray[np.int64]
    """[3, 449] first row, row behind the last and signals sent, by satellite."""


OBSERVABLE_LOCK = np.array([0, 24, 120, 408, 1176, 3096], np.int64)
OBSERVABLE_SPAN = np.array([24, 72, 168, 360, 744], np.int64)
L1, L2 = 1575.42e6, 1227.60e6
G1, G1_STEP, G2, G2_STEP = 1602.0e6, 562_500.0, 1246.0e6, 437_500.0
ROLLOVER = 1500.0


@njit(cache=True, nogil=True)
def _put(out, at, values, widths, n):
    """Write the low widths[k] (0..32) bits of values[k], k < n, from bit `at` on; returns the end.

    What follows in the last byte is cleared.
    """
    index, filled, byte = at >> 3, at & 7, np.uint64(255)
    pending = np.uint64(out[index] >> (8 - filled)) if filled else np.uint64(0)
    for k in range(n):
        bits = widths[k]
        pending = pending << np.uint64(bits) | np.uint64(values[k] & ((1 << bits) - 1))
        filled += bits
        at += bits
        if filled >= 32:
            filled -= 32
            word = pending >> np.uint64(filled)
            out[index] = word >> np.uint64(24) & byte
            out[index + 1] = word >> np.uint64(16) & byte
            out[index + 2] = word >> np.uint64(8) & byte
            out[index + 3] = word & byte
            index += 4
    pending <<= np.uint64(32 - filled)
    while filled > 0:
        out[index] = pending >> np.uint64(24) & byte
        pending <<= np.uint64(8)
        index, filled = index + 1, filled - 8
    return at


@njit(cache=True, nogil=True)
def _nearest(value):
    """Round half away from zero, without a branch."""
    return np.int64(value + math.copysign(0.5, value))


@njit(cache=True, nogil=True)
def _fit(value, bits):
    """Integer of a two's complement field, or its invalid value where it is NaN or does not fit; 1 for the latter.

    Functions called for every row take numbers only: passing arrays costs more than they do.
    """
    invalid = -(1 << (bits - 1))
    if invalid + 0.5 < value < -invalid - 0.5:
        return np.int64(_nearest(value)), 0
    return invalid, 0 if math.isnan(value) else 1


@njit(cache=True, nogil=True)
def _strength(level, bits):
    """Integer of an unsigned C/N0 field, 0 where it is NaN or does not fit; 1 for the latter."""
    if 0.5 <= level < (1 << bits) - 0.5:
        return np.int64(_nearest(level)), 0
    return np.int64(0), 0 if math.isnan(level) else 1


@njit(cache=True, nogil=True)
def _lock_code(kind, lock):
    """DF402 or DF407: the largest value whose least lock time (ms) is not above `lock`."""
    ms = np.int64(min(max(lock, 0.0), 67_108_864.0))
    b = 0
    if kind < 6:
        while b < 15 and ms >= 1 << (b + 5):
            b += 1
        return b
    if ms == 67_108_864:
        return 704
    while ms >> b >= 1024:
        b += 4
    while ms >> b >= 64:
        b += 1
    return (ms >> b) + 32 * b


@njit(cache=True, nogil=True)
def _rough_ranges(kind, rows, sendable, first, last, scratch, counts):
    """Satellites of rows first..last - 1 into scratch.blocks, their rough ranges and rates, keep[] of rows.

    The range is the mean of the codes, or the first where one is off by a whole-millisecond fault, or the phase where
    there is no code. Returns how many satellites. Called once an epoch: passing rows costs as much as thirty of them.
    """
    n, i = 0, first
    while i < last:
        sat, end = np.int64(rows.satellite[i]), i
        total, codes, low, high, code, phase, speed, speeds = 0.0, 0, math.inf, -math.inf, math.nan, math.nan, 0.0, 0
        while end < last and rows.satellite[end] == sat:
            keep = sendable[rows.signal[end]]
            scratch.keep[end] = keep
            counts[NO_PLACE] += 0 if keep else 1
            value, rate = rows.pseudorange[end], rows.phaserange_rate[end]
            if keep and not math.isnan(value):
                code = value if codes == 0 else code
                total += value
                codes += 1
                low, high = min(low, value), max(high, value)
            if keep and not math.isnan(rate):
                speed += rate
                speeds += 1
            phase = rows.phaserange[end] if keep and math.isnan(phase) else phase
            end += 1
        base = phase if codes == 0 else (total / codes if high - low < 580.0 else code)
        scratch.rough[sat], scratch.rates[sat] = NO_RANGE, NO_RATE
        if 0.0 <= base < 254.9 * METRES_PER_MS:
            scratch.rough[sat] = np.int64(_nearest(base / METRES_PER_MS * 1024.0))
        if SATELLITE_FIELDS[kind, 3] and speeds and abs(speed / speeds) < 8191.0:
            scratch.rates[sat] = np.int64(_nearest(speed / speeds))
        scratch.blocks[0, n], scratch.blocks[1, n] = i, end
        n, i = n + 1, end
    return n


@njit(cache=True, nogil=True)
def _screen(kind, rows, blocks, scratch, counts):
    """Decide which rows are sent, and put the mask of each satellite's signals (most significant first) beside it.

    A row goes when it has nothing this type carries, or a code off the others by more than the fine range.
    """
    carries_code, carries_phase = CELL_FIELDS[kind, CODE] > 0, CELL_FIELDS[kind, PHASE] > 0
    for block in range(blocks):
        first, mask = scratch.blocks[0, block], 0
        sat = np.int64(rows.satellite[first])
        ranged, rated = scratch.rough[sat] != NO_RANGE, scratch.rates[sat] != NO_RATE
        rough = scratch.rough[sat] / 1024.0 * METRES_PER_MS
        for i in range(first, scratch.blocks[1, block]):
            code, phase = not math.isnan(rows.pseudorange[i]), not math.isnan(rows.phaserange[i])
            told = ranged and ((carries_code and code) or (carries_phase and phase))
            told = told or (rated and not math.isnan(rows.phaserange_rate[i]))
            if not told or abs(rows.pseudorange[i] - rough) >= METRES_PER_MS / 1024.0:
                counts[LEFT_OUT] += scratch.keep[i]
                scratch.keep[i] = 0
            if scratch.keep[i]:
                mask |= 1 << (31 - (int(rows.signal[i]) & 63))
        scratch.blocks[2, block] = mask


@njit(cache=True, nogil=True)
def _restarted(lock, flags, restart, now_ms):
    """When the lock time that is sent began anew: now where a slip is flagged, or where nobody counts it yet."""
    return now_ms if flags & SLIP or (math.isnan(lock) and restart == NO_TIME) else restart


@njit(cache=True, nogil=True)
def _sent_lock_ms(lock, restart, now_ms):
    """Lock time (ms) to send: the receiver's, but no longer than since the last slip or move we know of."""
    age = float(now_ms - restart)
    return age if math.isnan(lock) else min(age, float(lock))


@njit(cache=True, nogil=True)
def _wavelength(frequency, step, channel):
    """Metres of a carrier; NaN where a GLONASS channel is not known."""
    if step != 0.0:
        frequency = frequency + channel * step if channel != NO_CHANNEL else math.nan
    return 1000.0 * METRES_PER_MS / frequency


@njit(cache=True, nogil=True)
def _quantise(kind, now_ms, rows, first, last, memory, carriers, channels, scratch, counts):
    """Integers of the kept rows first..last - 1 into scratch.cells; returns how many."""
    n, cells = 0, scratch.cells
    code_bits, phase_bits, _, _, cn0_bits, rate_bits = CELL_FIELDS[kind]
    fine_code = (1.0 if kind > 5 else 0.03125) / CODE_STEP
    fine_phase = (1.0 if kind > 5 else 0.25) / PHASE_STEP
    limit = ((1 << (phase_bits - 1)) - 1.0) / fine_phase if phase_bits else 0.0
    strength_step = 16.0 if kind > 5 else 1.0
    for i in range(first, last):
        if not scratch.keep[i]:
            continue
        sat, signal = np.int64(rows.satellite[i]), np.int64(rows.signal[i])
        steps, speed = scratch.rough[sat], scratch.rates[sat]
        rough = steps / 1024.0 * METRES_PER_MS if steps != NO_RANGE else math.nan
        lost = 0
        if code_bits:
            cells[CODE, n], lost = _fit((rows.pseudorange[i] - rough) * fine_code, code_bits)
        if phase_bits:
            lock, restart = rows.lock_time[i], _restarted(rows.lock_time[i], rows.flags[i], memory.restart[i], now_ms)
            phase, shift = rows.phaserange[i], memory.shift[i]
            if abs(phase - rough) >= limit or (shift != 0.0 and not math.isnan(phase - rough)):
                wavelength = _wavelength(carriers.frequency[signal], carriers.step[signal], channels[sat & 63])
                if not abs(phase + shift * wavelength - rough) < limit:
                    turns = (rough - phase) / wavelength
                    if abs(turns) < 1e12:
                        shift, restart = float(_nearest(turns)), now_ms
                        memory.shift[i] = shift
                        counts[REBASED] += 1
                    else:
                        phase = math.nan
                        counts[PHASE_LOST] += 1
                phase += shift * wavelength
            memory.restart[i] = restart
            cells[PHASE, n] = _fit((phase - rough) * fine_phase, phase_bits)[0]
            cells[LOCK, n] = _lock_code(kind, _sent_lock_ms(lock, restart, now_ms))
            cells[HALF, n] = 1 if rows.flags[i] & HALF_CYCLE else 0
        if cn0_bits:
            cells[CN0, n], more = _strength(float(rows.cn0[i]) * strength_step, cn0_bits)
            lost += more
        if rate_bits:
            fine = (rows.phaserange_rate[i] - speed) * 10_000.0 if speed != NO_RATE else math.nan
            cells[RATE, n], more = _fit(fine, rate_bits)
            lost += more
        counts[VALUE_LOST] += lost
        n += 1
    return n


@njit(cache=True, nogil=True)
def _header(kind, system, more, station, now_ms, leap, header, mask, head):
    """Fill head [10] but for the satellites; header = IODS, clock steering, external clock, smoothing, its interval."""
    head[0], head[1], head[4] = 1070 + 10 * system + kind, station, more
    epoch = (now_ms - (14_000 if system == 5 else 0)) % WEEK_MS
    head[2], head[3] = epoch >> 27, epoch & ((1 << 27) - 1)
    if system == 1:
        moscow = (now_ms - leap * 1000 + 10_800_000) % WEEK_MS
        head[2], head[3] = moscow // DAY_MS, moscow % DAY_MS
    head[5], head[6] = header[0] << 7, header[1] << 6 | header[2] << 4 | header[3] << 3 | header[4]
    head[7], head[8], head[9] = 0, 0, mask


@njit(cache=True, nogil=True)
def _fill_columns(system, rows, first, last, channels, scratch):
    """Satellite columns and masks of the kept rows first..last - 1; returns how many satellites."""
    n, before = -1, np.int64(-1)
    columns, head = scratch.columns, scratch.head
    for i in range(first, last):
        if not scratch.keep[i]:
            continue
        sat = np.int64(rows.satellite[i])
        if sat != before:
            n, before = n + 1, sat
            steps, channel = scratch.rough[sat], np.int64(0)
            if system == 1:
                channel = np.int64(channels[sat & 63] + 7 if channels[sat & 63] != NO_CHANNEL else 15)
            columns[0, n], columns[1, n] = steps >> 10 if steps != NO_RANGE else 255, channel
            columns[2, n], columns[3, n] = steps & 1023 if steps != NO_RANGE else 0, scratch.rates[sat]
            columns[4, n] = 0
            head[7 + (sat >> 5 & 1)] |= 1 << (31 - (sat & 31))
        columns[4, n] |= 1 << (31 - (np.int64(rows.signal[i]) & 63))
    return n + 1


@njit(cache=True, nogil=True)
def _message(kind, more, station, now_ms, leap, header, rows, first, last, mask, n, channels, scratch, out, start):
    """One frame of the kept rows first..last - 1 (one constellation) at byte `start`; returns the byte behind it."""
    system = np.int64(rows.satellite[first]) >> 6
    columns, widths = scratch.columns, scratch.widths
    _header(kind, system, more, station, now_ms, leap, header, mask, scratch.head)
    sats, signals = _fill_columns(system, rows, first, last, channels, scratch), 0
    at = _put(out, 8 * (start + 3), scratch.head, MSM_HEADER, scratch.head.size)
    for shift in range(31, -1, -1):
        if mask >> shift & 1:
            widths[signals] = shift
            signals += 1
    for row in range(sats):  # cell mask: of a satellite's signals only those the message has
        packed = 0
        for k in range(signals):
            packed = packed << 1 | (columns[4, row] >> widths[k] & 1)
        columns[4, row] = packed
    for column in range(11):
        values, n_values, bits = columns[4], sats, signals
        if column > 0:
            values, n_values = (columns[column - 1], sats) if column < 5 else (scratch.cells[column - 5], n)
            bits = SATELLITE_FIELDS[kind, column - 1] if column < 5 else CELL_FIELDS[kind, column - 5]
        if bits:
            widths[:n_values] = bits
            at = _put(out, at, values, widths, n_values)
    return _frame(out, start, (at + 7) >> 3)


@njit(cache=True, nogil=True)
def _frame(out, start, end):
    """Preamble and length of the frame whose payload fills out[start + 3:end]; the byte behind its CRC to be."""
    out[start], out[start + 1], out[start + 2] = 0xD3, (end - start - 3) >> 8, (end - start - 3) & 255
    return end + 3


@njit(cache=True, nogil=True)
def _bits_set(mask):
    n = 0
    while mask:
        mask &= mask - 1
        n += 1
    return n


@njit(cache=True, nogil=True)
def _in_order(rows, first, last):
    """True where rows first..last - 1 are satellites with signals of theirs, ascending, without a pair twice."""
    for i in range(first, last):
        sat = rows.satellite[i]
        if sat < 0 or sat >= SATELLITES or rows.signal[i] >> 6 != sat >> 6:
            return False
        if i > first and (
            sat < rows.satellite[i - 1] or (sat == rows.satellite[i - 1] and rows.signal[i] <= rows.signal[i - 1])
        ):
            return False
    return True


@njit(cache=True, nogil=True)
def encode_msm(kind, now_ms, leap, stations, header, rows, offsets, memory, carriers, channels, out, ends, counts):
    """Epochs one behind the other: rows offsets[r]..offsets[r + 1] - 1 of station stations[r] at now_ms[r] (gpst ms).

    Rows are sorted by satellite and signal. Frames of epoch r, without CRC, fill out[ends[r]:ends[r + 1]], ends[0] is
    given; each holds one constellation and at most 64 cells, DF393 is 0 in the last. channels [m, 64] holds a row an
    epoch, or one for all. Returns how many epochs were done, and 0, NO_ROOM (`out` needs 1029 bytes a frame, filled or
    not) or NO_ORDER for the next one.
    """
    scratch = Scratch(
        np.empty(rows.satellite.size, np.uint8), np.empty(448, np.int64), np.empty(448, np.int64),
        np.empty((6, 64), np.int64), np.empty((5, 64), np.int64), np.empty(MSM_HEADER.size, np.int64),
        np.empty(64, np.int64), np.empty((3, 449), np.int64),
    )  # fmt: skip
    for r in range(stations.size):
        own, last, start = channels[r if channels.shape[0] > 1 else 0], offsets[r + 1], ends[r]
        if not _in_order(rows, offsets[r], last):
            return r, NO_ORDER
        blocks = _rough_ranges(kind, rows, carriers.sendable, offsets[r], last, scratch, counts)
        _screen(kind, rows, blocks, scratch, counts)
        none = last - last  # not a literal: see MSM_HEADER
        group, group_end, group_mask, group_sats = none, none, none, none
        for block in range(blocks + 1):
            done = block == blocks
            i, mask = (scratch.blocks[0, block], scratch.blocks[2, block]) if not done else (last, none)
            if group_sats and (
                done
                or (mask and rows.satellite[i] >> 6 != rows.satellite[group] >> 6)
                or (mask and (group_sats + 1) * _bits_set(group_mask | mask) > 64)
            ):
                if start + 1029 > out.size:
                    return r, NO_ROOM
                n = _quantise(kind, now_ms[r], rows, group, group_end, memory, carriers, own, scratch, counts)
                start = _message(
                    kind, np.int64(not done), stations[r], now_ms[r], leap, header, rows, group, group_end, group_mask,
                    n, own, scratch, out, start,
                )  # fmt: skip
                group_sats, group_mask = none, none
            if mask:
                group = i if group_sats == 0 else group
                group_sats, group_mask, group_end = group_sats + 1, group_mask | mask, scratch.blocks[1, block]
        ends[r + 1] = start
    return stations.size, 0


@njit(cache=True, nogil=True)
def _observable_lock(lock):
    """DF013, DF019, DF043, DF049: the largest value whose least lock time is not above `lock` (ms)."""
    seconds, k = np.int64(min(max(lock, 0.0) / 1000.0, 937.0)), 0
    while k < 5 and seconds >= OBSERVABLE_SPAN[k]:
        k += 1
    return (seconds + OBSERVABLE_LOCK[k]) >> k if seconds < 937 else 127


@njit(cache=True, nogil=True)
def _choose(rows, first, last, system, band):
    """The row of a satellite that 1001-1012 carry on band L1 (0) or L2 (1), and its code (DF010, DF016, DF039, DF046).

    Row -1: none.

    L1: C/A, else P; L2: P(Y), else L2C (RINEX 1C 1W 1P, 2W 2P 2L 2X 2S 2C; GLONASS C before P).
    """
    best, rank, kind = -1, 99, 0
    for i in range(first, last):
        index, order, code = int(rows.signal[i]) & 63, 99, 0
        if band == 0:
            order, code = (0, 0) if index == 1 else ((index, 1) if index in (2, 3) else (99, 0))
        elif system == 1:
            order, code = (index, index - 7) if index in (7, 8) else (99, 0)
        elif system == 0:
            order, code = (0, 3) if index == 9 else ((1, 1) if index == 8 else (99, 0))
            order = 2 if index in (7, 14, 15, 16) else order
        if order < rank and not math.isnan(rows.pseudorange[i]):
            best, rank, kind = i, order, code
    return best, kind


@njit(cache=True, nogil=True)
def _phase_field(phase, code, wavelength, bits):
    """DF012, DF018, DF042 or DF048: phase minus code on L1, rolled over by 1500 cycles; 1 where it does not fit."""
    difference = phase - code
    if abs(difference) > 262.0:
        difference -= _nearest(difference / (ROLLOVER * wavelength)) * ROLLOVER * wavelength
    return _fit(difference * 2000.0, bits)


@njit(cache=True, nogil=True)
def _fill_satellite(number, rows, first, last, now_ms, memory, channel, fields, counts):
    """Integers of OBSERVABLE_FIELDS of the satellite in rows first..last - 1."""
    gps, sat, widths = number < 1005, np.int64(rows.satellite[first]), OBSERVABLE_FIELDS[11]
    fields[0], fields[2] = (sat & 63) + (40 if sat >> 6 == 3 else 1), channel + 7
    modulus, code, lost, more = METRES_PER_MS * (1.0 if gps else 2.0), 0.0, 0, 0
    carrier = (L1, L2) if gps or sat >> 6 == 3 else (G1 + channel * G1_STEP, G2 + channel * G2_STEP)
    for band in range(2):
        i, kind = _choose(rows, first, last, sat >> 6, band)
        at = 1 if band == 0 else 8
        fields[at] = kind
        if band == 0:
            whole = math.floor(rows.pseudorange[i] / modulus)
            part = _nearest((rows.pseudorange[i] - whole * modulus) * 50.0)
            code = part / 50.0 + whole * modulus
            fields[3], fields[6], at = np.int64(part), np.int64(whole), 4
        elif i < 0:
            fields[9], fields[10], fields[11], fields[12] = -8192, -524_288, 0, 0
            break
        else:
            fields[9], lost = _fit((rows.pseudorange[i] - code) * 50.0, widths[9])
            at = 10
        wavelength = 1000.0 * METRES_PER_MS / carrier[band]
        fields[at], more = _phase_field(rows.phaserange[i], code, wavelength, widths[4])
        memory.restart[i] = _restarted(rows.lock_time[i], rows.flags[i], memory.restart[i], now_ms)
        fields[at + 1] = _observable_lock(_sent_lock_ms(rows.lock_time[i], memory.restart[i], now_ms))
        fields[7 if band == 0 else 12] = _strength(float(rows.cn0[i]) * 4.0, widths[12])[0]
        counts[VALUE_LOST] += lost + more


@njit(cache=True, nogil=True)
def _satellites_of(number, rows, first, last, channels, members, counts):
    """First rows of the satellites a message of this number carries into members[31], and how many."""
    n, i = 0, first
    while i < last:
        end, system = i, np.int64(rows.satellite[i]) >> 6
        while end < last and rows.satellite[end] == rows.satellite[i]:
            end += 1
        if (number < 1005 and system in (0, 3)) or (number > 1005 and system == 1):
            one = _choose(rows, i, end, system, end - end)[0]
            known = system != 1 or channels[rows.satellite[i] & 63] != NO_CHANNEL
            if one >= 0 and known and n < 31 and 0.0 <= rows.pseudorange[one] < 255.0 * METRES_PER_MS:
                members[n] = i
                n += 1
            else:
                counts[LEFT_OUT] += 1
        i = end
    return n


@njit(cache=True, nogil=True)
def encode_observables(numbers, now_ms, leap, stations, smoothing, rows, offsets, memory, channels, out, ends, counts):
    """As `encode_msm` for numbers [2] = one of 1001-1004 and one of 1009-1012 (0: without); 31 satellites a message."""
    members, head, fields = np.empty((2, 31), np.int64), np.empty(6, np.int64), np.empty(13, np.int64)
    sizes = np.zeros(2, np.int64)
    for r in range(stations.size):
        first, last, start = offsets[r], offsets[r + 1], ends[r]
        own = channels[r if channels.shape[0] > 1 else 0]
        if start + 2 * 1029 > out.size:
            return r, NO_ROOM
        if not _in_order(rows, first, last):
            return r, NO_ORDER
        for k in range(2):
            sizes[k] = _satellites_of(numbers[k], rows, first, last, own, members[k], counts) if numbers[k] else 0
        for k in range(2):
            if sizes[k] == 0:
                continue
            head[0], head[1], head[3] = numbers[k], stations[r], 1 if k == 0 and sizes[1] else 0
            head[2] = now_ms[r] % WEEK_MS if k == 0 else (now_ms[r] - leap * 1000 + 10_800_000) % DAY_MS
            head[4], head[5] = sizes[k], smoothing
            at = _put(out, 8 * (start + 3), head, OBSERVABLE_HEADER[k], head.size)
            for j in range(sizes[k]):
                i = members[k, j]
                end, sat = i, rows.satellite[i]
                while end < last and rows.satellite[end] == sat:
                    end += 1
                channel = np.int64(own[sat & 63]) if k else 0
                _fill_satellite(numbers[k], rows, i, end, now_ms[r], memory, channel, fields, counts)
                at = _put(out, at, fields, OBSERVABLE_FIELDS[numbers[k] - 1001], fields.size)
            start = _frame(out, start, (at + 7) >> 3)
        ends[r + 1] = start
    return stations.size, 0
