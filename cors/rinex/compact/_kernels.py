"""The kernel that restores Compact RINEX to RINEX text, epoch by epoch.

Epoch lines and flags are text differences, values sums of differences of up to nine orders; an arc ends where a value
is missing, a satellite that was not in the epoch before has no memory. The kernel stops at events (their lines may
change the types), at damage, at the end, and when its output is full, and goes on from its state.
Source: Y. Hatanaka, Compact RINEX format 1.0 and 3.0.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Why the kernel returns.
AT_END, EVENT, OUT_FULL, TRUNCATED, DAMAGED = 0, 1, 2, 3, 4

# Places in `state`.
POS, OUT, EPOCH, LENGTH, WHERE, STATE_SIZE = 0, 1, 2, 3, 4, 5

MAX_SATELLITES = 999
LINE_ROOM = 41 + 3 * MAX_SATELLITES + 16
ORDERS = 10
SATELLITES = 448
"""Memories: 7 constellations of 64."""
CLOCK = SATELLITES
"""Memory of the receiver clock, behind those of the satellites."""

_U = np.uint64
_NEWLINES, _LOW_BITS, _HIGH_BITS = _U(0x0A0A0A0A0A0A0A0A), _U(0x0101010101010101), _U(0x8080808080808080)
_SYSTEM_OF = np.full(256, -1, np.int64)
for _index, _letter in enumerate("GRESJCI"):
    _SYSTEM_OF[ord(_letter)] = _index


@njit(cache=True, nogil=True)
def _line_end(t, at):
    """Offset of the next newline, eight characters a step; the padding ends the last line."""
    p = _U(at)
    while True:
        low = _U(t[p]) | _U(t[p + _U(1)]) << _U(8) | _U(t[p + _U(2)]) << _U(16) | _U(t[p + _U(3)]) << _U(24)
        q = p + _U(4)
        high = _U(t[q]) | _U(t[q + _U(1)]) << _U(8) | _U(t[q + _U(2)]) << _U(16) | _U(t[q + _U(3)]) << _U(24)
        v = (low | high << _U(32)) ^ _NEWLINES
        if (v - _LOW_BITS) & ~v & _HIGH_BITS != _U(0):
            break
        p += _U(8)
    while t[p] != 10:
        p += _U(1)
    return np.int64(p)


@njit(cache=True, nogil=True)
def _patch(t, p, end, text, length):
    """Apply a text difference to `text`; its new length."""
    for n in range(end - p):
        c = t[p + n]
        if n >= length:
            text[n] = 32
        if c != 32:
            text[n] = 32 if c == 38 else c
    return max(length, end - p)


@njit(cache=True, nogil=True)
def _small(text, p, width):
    value, digits = np.int64(0), 0
    for n in range(width):
        c = np.int64(text[p + n])
        if 48 <= c <= 57:
            value, digits = 10 * value + c - 48, digits + 1
        elif c != 32 or digits:
            return -1
    return value if digits else -1


@njit(cache=True, nogil=True)
def _memory_of(text, p, blank_system):
    """Index of a satellite's memory, -1 for what is none."""
    system = _SYSTEM_OF[text[p]] if text[p] != 32 else blank_system
    number = _small(text, p + 1, 2) - (19 if system == 3 else 0)
    return 64 * system + number - 1 if system >= 0 and 1 <= number <= 64 else -1


@njit(nogil=True, inline="always")
def _token(t, p, end, order, terms, sums, m, f):
    """Take a token into arc f of memory m, whose value is then sums[m, f, 0]; where it ends (-1: damage)."""
    start = p
    negative = t[p] == 45
    p += 1 if negative else 0
    value, first = np.int64(0), p
    while p < end and 48 <= t[p] <= 57 and p - first < 18:
        value, p = 10 * value + np.int64(t[p]) - 48, p + 1
    fresh = p < end and t[p] == 38  # k&v starts an arc of order k
    if fresh and p - start == 1 and not negative:
        order[m, f], terms[m, f] = value, 0
        p += 1
        negative = p < end and t[p] == 45
        p += 1 if negative else 0
        value, first = np.int64(0), p
        while p < end and 48 <= t[p] <= 57 and p - first < 18:
            value, p = 10 * value + np.int64(t[p]) - 48, p + 1
        sums[m, f, 0] = -value if negative else value
        fresh = False
    elif order[m, f] >= 0:
        k = min(terms[m, f] + 1, order[m, f])
        terms[m, f] = k
        sums[m, f, k] = -value if negative else value
        for n in range(k, 0, -1):
            sums[m, f, n - 1] += sums[m, f, n]
    else:
        fresh = True
    return p if p > first and not fresh and (p == end or t[p] == 32) else -1


@njit(cache=True, nogil=True)
def _print_fixed(value, decimals, width, out, p):
    """Right aligned in `width` columns at `p`; False where it does not fit."""
    negative = value < 0
    rest = -value if negative else value
    for n in range(width):
        out[p + n] = 32
    n = p + width - 1
    for k in range(19):
        if k == decimals:
            out[n] = 46
            n -= 1
        if k > decimals and rest == 0:
            break
        if n < p:
            return False
        out[n] = 48 + rest % 10
        rest //= 10
        n -= 1
    if negative:
        if n < p:
            return False
        out[n] = 45
    return rest == 0


@njit(cache=True, nogil=True)
def _satellite_line(t, p, end, fields, order, terms, sums, flags, m):
    """Take a satellite's line into memory m; damage: False."""
    for f in range(fields):
        if p >= end or t[p] == 32:
            order[m, f] = -1
        else:
            p = _token(t, p, end, order, terms, sums, m, f)
            if p < 0:
                return False
        p += 1
    for n in range(end - p):
        c = t[p + n]
        if n >= 2 * fields:
            return False
        if c != 32:
            flags[m, n] = 32 if c == 38 else c
    return True


@njit(cache=True, nogil=True)
def _print_satellite(text, at, fields, modern, order, sums, flags, m, out, p):
    """The data line or lines of memory m, whose name stands at text[at]; -1 where a value does not fit."""
    first = p
    if modern:
        for n in range(3):
            out[p + n] = text[at + n]
        p += 3
    for f in range(fields):
        if not modern and f and f % 5 == 0:
            p = _ended(out, first, p)
            first = p
        if order[m, f] < 0:  # RNXCMP neither shows nor remembers the flags of a missing value
            flags[m, 2 * f], flags[m, 2 * f + 1] = 32, 32
            for n in range(16):
                out[p + n] = 32
        elif _print_fixed(sums[m, f, 0], 3, 14, out, p):
            out[p + 14], out[p + 15] = flags[m, 2 * f], flags[m, 2 * f + 1]
        else:
            return -1
        p += 16
    return _ended(out, first, p)


@njit(cache=True, nogil=True)
def _ended(out, first, p):
    """Blanks cut back to `first`, newline put."""
    while p > first and out[p - 1] == 32:
        p -= 1
    out[p] = 10
    return p + 1


@njit(cache=True, nogil=True)
def _print_epoch(text, count, modern, has_clock, clock, out, p):
    """Epoch line with its continuations; -1 where the clock does not fit."""
    first = p
    fixed = 41 if modern else 32
    for n in range(fixed):
        out[p + n] = text[n]
    p += fixed
    if modern:
        if has_clock:
            if not _print_fixed(clock, 12, 15, out, p):
                return -1
            p += 15
        return _ended(out, first, p)
    for k in range(count):
        if k and k % 12 == 0:
            if k == 12 and has_clock:
                if not _print_fixed(clock, 9, 12, out, p):
                    return -1
                p += 12
            p = _ended(out, first, p)
            first = p
            for n in range(32):
                out[p + n] = 32
            p += 32
        for n in range(3):
            out[p + n] = text[32 + 3 * k + n]
        p += 3
    if has_clock and count <= 12:
        while p - first < 68:
            out[p] = 32
            p += 1
        if not _print_fixed(clock, 9, 12, out, p):
            return -1
        p += 12
    return _ended(out, first, p)


@njit(cache=True, nogil=True)
def _observations(t, size, p, count, modern, blank_system, fields, text, state, memories, out):
    """One epoch from its clock line on, printed; AT_END when it is whole."""
    seen, order, terms, sums, flags = memories
    state[WHERE], end = p, _line_end(t, min(p, size))
    if end >= size:
        return TRUNCATED
    stop = end - (1 if end > p and t[end - 1] == 13 else 0)
    has_clock = stop > p
    if not has_clock:
        order[CLOCK, 0] = -1
    elif _token(t, p, stop, order, terms, sums, CLOCK, 0) != stop:
        return DAMAGED
    q = _print_epoch(text, count, modern, has_clock, sums[CLOCK, 0, 0], out, state[OUT])
    base = 41 if modern else 32
    for k in range(count):
        p = end + 1
        state[WHERE], end = p, _line_end(t, min(p, size))
        memory = _memory_of(text, base + 3 * k, blank_system)
        if end >= size:
            return TRUNCATED
        if q < 0 or memory < 0 or fields[memory >> 6] == 0:
            return DAMAGED
        m = fields[memory >> 6]
        if seen[memory] < state[EPOCH] - 1:
            for f in range(m):
                order[memory, f] = -1
                flags[memory, 2 * f], flags[memory, 2 * f + 1] = 32, 32
        seen[memory] = state[EPOCH]
        stop = end - (1 if end > p and t[end - 1] == 13 else 0)
        if not _satellite_line(t, p, stop, m, order, terms, sums, flags, memory):
            return DAMAGED
        q = _print_satellite(text, base + 3 * k, m, modern, order, sums, flags, memory, out, q)
    if q < 0:
        return DAMAGED
    state[OUT], state[POS] = q, end + 1
    state[EPOCH] += 1
    return AT_END


@njit(cache=True, nogil=True)
def restore(t, size, modern, blank_system, fields, text, state, memories, out):
    """Restore epochs from state[POS] on to `out`; returns why it stopped (state[WHERE]: the line).

    fields [7] types a constellation has; text [LINE_ROOM] the epoch line; memories: seen [448], order and terms
    [449, F], sums [449, F, ORDERS], flags [449, 2 F].
    """
    order = memories[1]
    while state[POS] < size:
        p, end = state[POS], _line_end(t, state[POS])
        state[WHERE] = p
        if end >= size:
            return TRUNCATED
        stop = end - (1 if end > p and t[end - 1] == 13 else 0)
        if stop - p > LINE_ROOM - 16:
            return DAMAGED
        if t[p] == (62 if modern else 38):  # starts afresh
            for n in range(LINE_ROOM):
                text[n] = t[p + n] if n < stop - p else 32
            text[0] = 62 if modern else 32
            state[EPOCH] += 2  # no satellite was in the epoch before
            order[CLOCK, 0] = -1
        else:
            _patch(t, p, stop, text, LINE_ROOM)
        flag, count = text[31 if modern else 28], _small(text, 32 if modern else 29, 3)
        if count < 0 or flag < 48 or flag > 54:
            return DAMAGED
        if flag >= 50:
            return EVENT
        if state[OUT] + (count + 4) * (24 + 17 * order.shape[1]) + LINE_ROOM + 3 * count > out.size:
            return OUT_FULL
        code = _observations(t, size, end + 1, count, modern, blank_system, fields, text, state, memories, out)
        if code != AT_END:
            return code
    return AT_END
