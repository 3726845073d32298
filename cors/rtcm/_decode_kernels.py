"""Kernels that turn observation messages into rows: MSM1-7 and the older 1001-1004, 1009-1012.

Numbers only; `observation_rows` lays them out. Source: RTCM 10403.x (MSM: DF393-DF420; observables: DF009-DF020,
DF038-DF050; time: DF004, DF034, DF416, DF427). Buffers have 16 bytes of slack: bits are read eight bytes at a time.
Longer than most modules because a kernel lives in one file with everything it calls.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Columns of the frame table: what the scan tells, then what a decoded observation message tells.
OFFSET, LENGTH, NUMBER, STATUS, STATION, TAG, MORE, FIRST, ROWS, HEADER, ISSUES = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
TABLE_COLUMNS = 11
UNTOUCHED, DECODED, TRUNCATED, CELLS, TIME = 0, 1, 2, 3, 4
"""STATUS: no observation message; decoded; payload ends inside a field; over 64 cells; impossible time."""
UNKNOWN_SIGNAL, MODULO, RESERVED_LOCK, UNKNOWN_CHANNEL, CHANNEL_CHANGED, UNKNOWN_SATELLITE = 1, 2, 4, 8, 16, 32
NEGATIVE_EPOCH, WRONG_DAY = 64, 128
"""ISSUES: bits of what a decoded message had that its rows do not show."""


class Context(NamedTuple):
    """What a message does not say of itself. The decoder writes channels and rollovers: they are a stream's memory."""

    leaps: NDArray[np.int64]
    """UTC instants from which GPST - UTC is one more, ns since 1980-01-06 in days of 86,400 s."""
    named: NDArray[np.uint8]
    """[448] 1 for signals with a name."""
    expected: NDArray[np.float64]
    """[448] pseudorange a packed satellite should have, m within 150 km; NaN unknown."""
    channels: NDArray[np.int8]
    """[64] GLONASS frequency channel; NO_CHANNEL unknown."""
    rollovers: NDArray[np.float64]
    """[448, 2, 3] last phase minus code (m), turns taken off, lock time of 1001-1012 signals; NaN at first."""


MS = 1_000_000
DAY_MS = 86_400_000
WEEK_MS = 604_800_000
DAY = DAY_MS * MS
WEEK = WEEK_MS * MS
BDT = 14_000 * MS
MOSCOW = 10_800_000 * MS
SECOND = 1000 * MS
NO_TIME = -(1 << 62)
GUESSED, TOLD, FOLLOWS = 0, 1, 2
"""Where the time reference comes from: somebody's guess to half a week, a clock, or a tag."""
NO_CHANNEL = -128

METRES_PER_MS = 299_792.458
CODE_STEP = METRES_PER_MS / (1 << 29)
PHASE_STEP = METRES_PER_MS / (1 << 31)
NO_RANGE = -1
NO_RATE = -8192

HALF_CYCLE = 2

MSM_HEADER = np.array([12, 12, 30, 1, 18, 32, 32, 32], np.int64)
"""DF002, DF003, epoch, DF393, DF409 to DF418, DF394 in halves, DF395; widths come from arrays throughout, because a
literal argument makes numba compile a function once more."""
# Widths of the satellite columns by MSM type 1..7: DF397, DF419 (extended information), DF398, DF399.
SATELLITE_FIELDS = np.array(
    [[0, 0, 0, 0]] + [[0, 0, 10, 0]] * 3 + [[8, 0, 10, 0], [8, 4, 10, 14], [8, 0, 10, 0], [8, 4, 10, 14]], np.int64
)
# Widths of the cell columns by MSM type 1..7: code, phase, lock, half cycle, C/N0, rate (DF400-DF408, DF420).
CODE_BITS = np.array([0, 15, 0, 15, 15, 15, 20, 20], np.int64)
PHASE_BITS = np.array([0, 0, 22, 22, 22, 22, 24, 24], np.int64)
LOCK_BITS = np.array([0, 0, 4, 4, 4, 4, 10, 10], np.int64)
HALF_BITS = np.array([0, 0, 1, 1, 1, 1, 1, 1], np.int64)
CN0_BITS = np.array([0, 0, 0, 0, 6, 6, 10, 10], np.int64)
RATE_BITS = np.array([0, 0, 0, 0, 0, 15, 0, 15], np.int64)
CELL_BITS = CODE_BITS + PHASE_BITS + LOCK_BITS + HALF_BITS + CN0_BITS + RATE_BITS
SATELLITE_BITS = SATELLITE_FIELDS.sum(axis=1)

L1, L2 = 1575.42e6, 1227.60e6
G1, G1_STEP, G2, G2_STEP = 1602.0e6, 562_500.0, 1246.0e6, 437_500.0
ROLLOVER = 1500.0
"""Cycles by which senders of 1001-1012 keep the phase near the code."""
DIFFERENCE, TURNS, LOCK = 0, 1, 2
OBSERVABLE_HEADER = np.array([[12, 12, 30, 1, 5, 4], [12, 12, 27, 1, 5, 4]], np.int64)
"""DF002, DF003, epoch, DF005, DF006 or DF035, smoothing; GPS and GLONASS."""
_ONE, _ONE_MORE, _TWO, _TWO_MORE = [20, 7, 0, 0], [20, 7, 8, 8], [2, 14, 20, 7, 0], [2, 14, 20, 7, 8]
_GPS, _GLONASS, _NONE = [6, 1, 0, 24], [6, 1, 5, 25], [0] * 5
OBSERVABLE_FIELDS = np.array(
    [_GPS + _ONE + _NONE, _GPS + _ONE_MORE + _NONE, _GPS + _ONE + _TWO, _GPS + _ONE_MORE + _TWO_MORE]
    + [[0] * 13] * 4
    + [_GLONASS + _ONE + _NONE, [*_GLONASS, 20, 7, 7, 8, *_NONE]]
    + [_GLONASS + _ONE + _TWO, [*_GLONASS, 20, 7, 7, 8, *_TWO_MORE]],
    np.int64,
)
"""A satellite of 1001..1012: id, code, channel, range; phase, lock, whole ms, C/N0 on L1; code, range, phase, lock and
C/N0 on L2 (DF009-DF020, DF038-DF050)."""
OBSERVABLE_BITS = OBSERVABLE_FIELDS.sum(axis=1)
OBSERVABLE_LOCK = np.array([0, 24, 120, 408, 1176, 3096], np.int64)


@njit(cache=True, nogil=True)
def _word(buffer, index):
    """Eight bytes from `index` (uint64) as a big-endian uint64."""
    i = np.uint64(index)
    return (
        np.uint64(buffer[i]) << np.uint64(56)
        | np.uint64(buffer[i + np.uint64(1)]) << np.uint64(48)
        | np.uint64(buffer[i + np.uint64(2)]) << np.uint64(40)
        | np.uint64(buffer[i + np.uint64(3)]) << np.uint64(32)
        | np.uint64(buffer[i + np.uint64(4)]) << np.uint64(24)
        | np.uint64(buffer[i + np.uint64(5)]) << np.uint64(16)
        | np.uint64(buffer[i + np.uint64(6)]) << np.uint64(8)
        | np.uint64(buffer[i + np.uint64(7)])
    )


@njit(cache=True, nogil=True)
def _unsigned(buffer, at, bits):
    """Unsigned field of 1..56 bits at bit `at`."""
    word = _word(buffer, np.uint64(at) >> np.uint64(3)) << (np.uint64(at) & np.uint64(7))
    return np.int64(word >> np.uint64(64 - bits))


@njit(cache=True, nogil=True)
def _signed(buffer, at, bits):
    """Two's complement field of 1..56 bits at bit `at`."""
    value = _unsigned(buffer, at, bits)
    return value - ((value >> (bits - 1)) << bits)


@njit(cache=True, nogil=True)
def _take(buffer, at, widths, values):
    """Unsigned fields that follow each other from bit `at` on, a width of 0 giving 0; returns the end."""
    for k in range(widths.size):
        values[k] = _unsigned(buffer, at, widths[k]) if widths[k] else 0
        at += widths[k]
    return at


@njit(cache=True, nogil=True)
def is_msm(number):
    """True for 1071-1077, 1081-1087, ... 1131-1137."""
    return 1071 <= number <= 1137 and 1 <= number % 10 <= 7


@njit(cache=True, nogil=True)
def is_observables(number):
    """True for 1001-1004 and 1009-1012."""
    return 1001 <= number <= 1004 or 1009 <= number <= 1012


@njit(cache=True, nogil=True)
def near_week(ns_of_week, reference):
    """The instant (gpst ns) with this time of week within half a week of `reference`."""
    instant = reference - reference % WEEK + ns_of_week
    if instant - reference > WEEK // 2:
        instant -= WEEK
    elif reference - instant > WEEK // 2:
        instant += WEEK
    return instant


@njit(cache=True, nogil=True)
def near_glonass(day, ms, reference, leaps):
    """The instant (gpst ns) of a GLONASS time of day nearest to `reference`; day of week 0..6, or 7 where unknown."""
    moscow_now = reference + MOSCOW
    for k in range(leaps.size):
        if reference - (k + 1) * SECOND >= leaps[k]:
            moscow_now = reference + MOSCOW - (k + 1) * SECOND
    if day < 7:
        utc = near_week((day * DAY_MS + ms) * MS, moscow_now) - MOSCOW
    else:
        utc = moscow_now + (ms * MS - moscow_now % DAY + DAY // 2) % DAY - DAY // 2 - MOSCOW
    leap = 0
    while leap < leaps.size and utc >= leaps[leap]:
        leap += 1
    return utc + leap * SECOND


@njit(cache=True, nogil=True)
def _follow(tag, knows_week, clock):
    """Let the time reference clock[0] follow a tag.

    clock[1]: GUESSED or TOLD before the first tag of known week (then any is believed), else FOLLOWS: one over a day
    off waits in clock[2] until the next agrees with it: a gap in a recording moves the reference, one false epoch does
    not. A GLONASS tag (a time of day) only moves it on.
    """
    near = abs(tag - clock[0]) <= DAY
    if not knows_week:
        clock[0] = tag if near else clock[0]
    elif clock[1] != FOLLOWS or near or abs(tag - clock[2]) <= 3600 * SECOND:
        clock[0], clock[1], clock[2] = tag, FOLLOWS, NO_TIME
    else:
        clock[2] = tag


@njit(cache=True, nogil=True)
def _msm_time(system, raw, clock, leaps, frame):
    """DF004, DF248, DF428, DF427, DF546 or DF416 + DF034 (30 bits) as gpst ns; NO_TIME where they cannot be.

    DF416 counts only until a tag has told the date; some senders leave it 0, so a clock knows better than a 0. In the
    first 14 s of a week some send DF427 as a negative number.
    """
    if system == 1:
        day, ms = raw >> 27, raw & ((1 << 27) - 1)
        if ms >= DAY_MS + 1000:
            return NO_TIME
        told = clock[1] == GUESSED or (clock[1] == TOLD and day > 0)
        tag = near_glonass(day if told else np.int64(7), ms, clock[0], leaps)
        if day < 7 and abs(near_glonass(day, ms, tag, leaps) - tag) > SECOND:
            frame[ISSUES] |= WRONG_DAY
        return tag
    if system == 5 and raw >= (1 << 30) - 14_000:
        raw += WEEK_MS - (1 << 30)
        frame[ISSUES] |= NEGATIVE_EPOCH
    if raw >= WEEK_MS:
        return NO_TIME
    return near_week(raw * MS + (BDT if system == 5 else 0), clock[0])


@njit(cache=True, nogil=True)
def _masks(buffer, bit, bits_left, head, ids, signals):
    """Status, satellites, signals, cell mask (left-aligned) and cells of the MSM whose payload starts at `bit`.

    head [8] gets the fields of MSM_HEADER, ids [64] and signals [32] what the masks name, each less 1.
    """
    mask, nsat, nsig, cells = np.uint64(0), 0, 0, 0
    if bits_left < 169:
        return TRUNCATED, nsat, nsig, mask, cells
    at = _take(buffer, bit, MSM_HEADER, head)
    for k in range(96):
        if head[5 + k // 32] >> (31 - k % 32) & 1:
            if k < 64:
                ids[nsat] = k
                nsat += 1
            else:
                signals[nsig] = k - 64
                nsig += 1
    size = nsat * nsig
    if size > 64:
        return CELLS, nsat, nsig, mask, cells
    if bits_left < 169 + size:
        return TRUNCATED, nsat, nsig, mask, cells
    if size:
        high = min(size, 32)
        mask = np.uint64(_unsigned(buffer, at, high)) << np.uint64(64 - high)
        if size > high:
            mask |= np.uint64(_unsigned(buffer, at + high, size - high)) << np.uint64(64 - size)
        rest = mask
        while rest:
            rest &= rest - np.uint64(1)
            cells += 1
    return DECODED, nsat, nsig, mask, cells


@njit(cache=True, nogil=True)
def count_rows(buffer, table, frames):
    """The most rows the observation messages among the first `frames` rows of `table` can give."""
    head, ids, signals = np.empty(8, np.int64), np.empty(64, np.int64), np.empty(32, np.int64)
    total = 0
    for i in range(frames):
        bits_left = 8 * (table[i, LENGTH] - 6)
        if is_msm(table[i, NUMBER]):
            total += _masks(buffer, 8 * (table[i, OFFSET] + 3), bits_left, head, ids, signals)[4]
        elif is_observables(table[i, NUMBER]):
            total += 2 * min(31, bits_left // 58)
    return total


@njit(cache=True, nogil=True)
def _lock_ms(kind, raw):
    """Least lock time in ms of DF402 or, in MSM6 and 7, DF407; NaN for reserved values."""
    if kind < 6:
        return float(1 << (raw + 4)) if raw else 0.0
    if raw < 64:
        return float(raw)
    if raw > 704:
        return math.nan
    b = raw // 32 - 1
    return float((raw - 32 * b) << b)


@njit(cache=True, nogil=True)
def _learn_channel(channels, index, raw, frame):
    """Take DF419 (or DF040) of GLONASS slot index + 1 over; 14 and 15 tell nothing."""
    if raw < 14:
        if channels[index] != NO_CHANNEL and channels[index] != raw - 7:
            frame[ISSUES] |= CHANNEL_CHANGED
        channels[index] = raw - 7
    if channels[index] == NO_CHANNEL:
        frame[ISSUES] |= UNKNOWN_CHANNEL


@njit(cache=True, nogil=True)
def _satellite_columns(buffer, at, kind, system, ids, n, context, rough, rates, frame):
    """Columns of n satellites at bit `at`: rough[n] in 2^-10 ms (or NO_RANGE), rates[n] in m/s (or NO_RATE)."""
    ms_bits, channel_bits, bits, rate_bits = SATELLITE_FIELDS[kind]
    channel_at = at + ms_bits * n
    fraction_at = channel_at + channel_bits * n
    rate_at = fraction_at + bits * n
    for k in range(n):
        rough[k], rates[k], ms, channel = _unsigned(buffer, fraction_at + bits * k, bits), NO_RATE, 255, 15
        if ms_bits:
            ms = _unsigned(buffer, at + ms_bits * k, ms_bits)
        else:
            expected = context.expected[system << 6 | ids[k]]
            if math.isnan(expected):
                frame[ISSUES] |= MODULO
            elif 0.0 <= expected < 250.0 * METRES_PER_MS:
                ms = max(math.floor(expected / METRES_PER_MS - rough[k] / 1024.0 + 0.5), 0)
        rough[k] = rough[k] + 1024 * ms if ms != 255 else NO_RANGE
        if rate_bits:
            rates[k] = _signed(buffer, rate_at + rate_bits * k, rate_bits)
            channel = _unsigned(buffer, channel_at + channel_bits * k, channel_bits)
        if system == 1:
            _learn_channel(context.channels, ids[k], channel, frame)


@njit(cache=True, nogil=True)
def _cells(buffer, at, kind, system, mask, ids, nsat, signals, nsig, cells, rough, rates, named, frame, rows, n):
    """Cell columns at bit `at` to rows from n on, in mask order."""
    code_bits, phase_bits, lock_bits = CODE_BITS[kind], PHASE_BITS[kind], LOCK_BITS[kind]
    half_bits, cn0_bits, rate_bits = HALF_BITS[kind], CN0_BITS[kind], RATE_BITS[kind]
    code_shift, phase_shift = (0, 0) if kind > 5 else (5, 2)
    phase_at = at + code_bits * cells
    lock_at = phase_at + phase_bits * cells
    half_at = lock_at + lock_bits * cells
    cn0_at = half_at + half_bits * cells
    rate_at = cn0_at + cn0_bits * cells
    cell = 0
    for k in range(nsat):
        for g in range(nsig):
            if not (mask >> np.uint64(63 - k * nsig - g)) & np.uint64(1):
                continue
            rows.satellite[n], rows.signal[n] = system << 6 | ids[k], system << 6 | signals[g]
            if not named[system << 6 | signals[g]]:
                frame[ISSUES] |= UNKNOWN_SIGNAL
            pseudorange = phaserange = rate = cn0 = lock = math.nan
            half = 0
            if code_bits:
                raw = _signed(buffer, at + code_bits * cell, code_bits)
                if rough[k] != NO_RANGE and raw != -1 << (code_bits - 1):
                    pseudorange = ((rough[k] << 19) + (raw << code_shift)) * CODE_STEP
            if phase_bits:
                raw = _signed(buffer, phase_at + phase_bits * cell, phase_bits)
                if rough[k] != NO_RANGE and raw != -1 << (phase_bits - 1):
                    phaserange = ((rough[k] << 21) + (raw << phase_shift)) * PHASE_STEP
                lock = _lock_ms(kind, _unsigned(buffer, lock_at + lock_bits * cell, lock_bits))
                if math.isnan(lock):
                    frame[ISSUES] |= RESERVED_LOCK
                half = _unsigned(buffer, half_at + cell, half_bits)
            if cn0_bits:
                raw = _unsigned(buffer, cn0_at + cn0_bits * cell, cn0_bits)
                if raw:
                    cn0 = raw * 1.0 if cn0_bits == 6 else raw / 16.0
            if rate_bits:
                raw = _signed(buffer, rate_at + rate_bits * cell, rate_bits)
                if rates[k] != NO_RATE and raw != -16_384:
                    rate = rates[k] + raw / 10_000.0
            rows.pseudorange[n], rows.phaserange[n], rows.phaserange_rate[n] = pseudorange, phaserange, rate
            rows.cn0[n], rows.lock_time[n], rows.flags[n] = cn0, lock, HALF_CYCLE * half
            n += 1
            cell += 1


@njit(cache=True, nogil=True)
def decode_msm(buffer, table, frames, clock, context, rows, first):
    """Decode the MSM among the first `frames` rows of `table` into rows from `first` on; returns the next free row.

    clock [3] is the time reference (`_follow`). Row arrays must have room for 64 rows a message, or `count_rows`.
    """
    head, ids, signals = np.empty(8, np.int64), np.empty(64, np.int64), np.empty(32, np.int64)
    rough, rates = np.empty(64, np.int64), np.empty(64, np.int64)
    for i in range(frames):
        frame = table[i]
        if not is_msm(frame[NUMBER]):
            continue
        system, kind = (frame[NUMBER] - 1070) // 10, frame[NUMBER] % 10
        bit, bits_left = 8 * (frame[OFFSET] + 3), 8 * (frame[LENGTH] - 6)
        frame[STATUS], nsat, nsig, mask, cells = _masks(buffer, bit, bits_left, head, ids, signals)
        after = 169 + nsat * nsig + SATELLITE_BITS[kind] * nsat
        if frame[STATUS] == DECODED and after + CELL_BITS[kind] * cells > bits_left:
            frame[STATUS] = TRUNCATED
        if frame[STATUS] != DECODED:
            continue
        frame[TAG] = _msm_time(system, head[2], clock, context.leaps, frame)
        if frame[TAG] == NO_TIME:
            frame[STATUS] = TIME
            continue
        _follow(frame[TAG], system != 1, clock)
        frame[STATION], frame[MORE], frame[HEADER] = head[1], head[3], head[4]
        frame[FIRST], frame[ROWS] = first, cells
        columns = bit + 169 + nsat * nsig
        _satellite_columns(buffer, columns, kind, system, ids, nsat, context, rough, rates, frame)
        _cells(
            buffer, bit + after, kind, system, mask, ids, nsat, signals, nsig, cells, rough, rates, context.named,
            frame, rows, first,
        )  # fmt: skip
        first += cells
    return first


@njit(cache=True, nogil=True)
def _observable_lock_ms(raw):
    """Least lock time in ms of DF013, DF019, DF043, DF049."""
    k = raw // 24
    return ((raw << k) - OBSERVABLE_LOCK[k]) * 1000.0 if raw < 127 else 937_000.0


@njit(cache=True, nogil=True)
def _unroll(memory, raw, wavelength, lock):
    """Phase minus code (m) of DF012, DF018, DF042 or DF048, freed from rollovers since the lock began."""
    if raw == -524_288:
        return math.nan
    difference, turn = raw / 2000.0, ROLLOVER * wavelength
    if lock < memory[LOCK] or math.isnan(memory[DIFFERENCE]) or math.isnan(turn):
        memory[TURNS] = 0.0
    else:
        memory[TURNS] -= math.floor((difference - memory[DIFFERENCE]) / turn + 0.5)
    memory[DIFFERENCE], memory[LOCK] = difference, lock
    return difference + (memory[TURNS] * turn if memory[TURNS] != 0.0 else 0.0)


@njit(cache=True, nogil=True)
def _observable_satellite(number, raw):
    """Packed satellite of DF009 or DF038 (40-58: SBAS); -1 where it names none."""
    if 40 <= raw <= 58:
        return 3 << 6 | raw - 40
    if raw == 0 or (number < 1005 and raw > 32):
        return -1
    return (0 if number < 1005 else 1) << 6 | raw - 1


@njit(cache=True, nogil=True)
def _signed_value(raw, sign):
    """Two's complement value of an unsigned field whose sign bit is `sign`."""
    return raw - (raw & sign) * 2


@njit(cache=True, nogil=True)
def _observable_code(number, raw, whole, expected, frame):
    """Code on L1 in m; NaN where there is none.

    Messages without DF014 or DF044 know it modulo 1 (GLONASS 2) ms; the expected range completes it.
    """
    gps = number < 1005
    modulus = METRES_PER_MS if gps else 2.0 * METRES_PER_MS
    code = raw / 50.0 if raw <= (14_989_623 if gps else 29_979_246) else math.nan
    if number % 2 == 0:
        return code + whole * modulus
    if math.isnan(expected):
        frame[ISSUES] |= MODULO
    if math.isnan(expected + code):
        return math.nan
    return code + math.floor((expected - code) / modulus + 0.5) * modulus


@njit(cache=True, nogil=True)
def _observable_satellite_rows(fields, number, context, frame, rows, n):
    """One satellite, its fields as in OBSERVABLE_FIELDS, to one or two rows from n on; the next free row."""
    gps = number < 1005
    sat = _observable_satellite(number, fields[0])
    if sat < 0:
        frame[ISSUES] |= UNKNOWN_SATELLITE
        return n
    carrier = (L1, L2)
    if not gps and sat >> 6 == 1:
        _learn_channel(context.channels, sat & 63, min(fields[2], 14), frame)
        channel = fields[2] - 7.0 if fields[2] < 14 else math.nan
        carrier = (G1 + channel * G1_STEP, G2 + channel * G2_STEP)
    code = _observable_code(number, fields[3], fields[6], context.expected[sat], frame)
    raw_code = _signed_value(fields[9], 1 << 13)
    for band in range(2 if number in (1003, 1004, 1011, 1012) and sat >> 6 != 3 else 1):
        phase, lock, strength = (fields[4], fields[5], fields[7]) if band == 0 else (fields[10], fields[11], fields[12])
        phase = _signed_value(phase, 1 << 19)
        if band == 0:
            index = 1 if fields[1] == 0 else (3 if gps else 2)  # DF010: 1C, 1W; DF039: 1C, 1P
            rows.pseudorange[n] = code
        else:
            if raw_code == -8192 and phase == -524_288:
                break
            index = 16 if fields[8] == 0 else 7 + min(fields[8], 2)  # DF016: 2X, 2P, 2W, 2W
            index = index if gps else 7 + min(fields[8], 1)  # DF046: 2C, 2P
            rows.pseudorange[n] = code + raw_code / 50.0 if raw_code != -8192 else math.nan
        lock_ms = _observable_lock_ms(lock)
        wavelength = METRES_PER_MS * 1000.0 / carrier[band]
        rows.phaserange[n] = code + _unroll(context.rollovers[sat, band], phase, wavelength, lock_ms)
        rows.satellite[n], rows.signal[n] = sat, (sat & -64) | index
        rows.phaserange_rate[n], rows.lock_time[n], rows.flags[n] = math.nan, lock_ms, 0
        rows.cn0[n] = strength / 4.0 if strength else math.nan
        n += 1
    return n


@njit(cache=True, nogil=True)
def decode_observables(buffer, table, frames, clock, context, rows, first):
    """As `decode_msm` for 1001-1004 and 1009-1012, whose GLONASS day is the one nearest to the reference."""
    head, fields = np.empty(6, np.int64), np.empty(13, np.int64)
    for i in range(frames):
        frame = table[i]
        number = frame[NUMBER]
        if not is_observables(number):
            continue
        bits_left, gps = 8 * (frame[LENGTH] - 6), number < 1005
        size = OBSERVABLE_BITS[number - 1001]
        frame[STATUS] = TRUNCATED
        if bits_left < 64:
            continue
        at = _take(buffer, 8 * (frame[OFFSET] + 3), OBSERVABLE_HEADER[0 if gps else 1], head)
        if bits_left < (64 if gps else 61) + head[4] * size:
            continue
        if head[2] >= (WEEK_MS if gps else DAY_MS + 1000):
            frame[STATUS] = TIME
            continue
        if gps:
            frame[TAG] = near_week(head[2] * MS, clock[0])
        else:
            frame[TAG] = near_glonass(np.int64(7), head[2], clock[0], context.leaps)
        _follow(frame[TAG], gps, clock)
        frame[STATUS], frame[STATION], frame[MORE], frame[HEADER] = DECODED, head[1], head[3], head[5]
        frame[FIRST] = first
        for _ in range(head[4]):
            at = _take(buffer, at, OBSERVABLE_FIELDS[number - 1001], fields)
            first = _observable_satellite_rows(fields, number, context, frame, rows, first)
        frame[ROWS] = first - frame[FIRST]
    return first
