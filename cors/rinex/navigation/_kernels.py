"""Kernels of navigation files: where records begin, and their numbers.

D19.12 fields become floats exactly as `float` would make them. A mantissa below 2^53 times or over a power of ten up to
10^22 is one correctly rounded operation; over a larger power it is divided in twice the precision (Dekker), which
rounds right unless it lands on the boundary; those, and what is larger still, are told to the caller.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FIELDS = 43
"""Values a record may have: three on its first line, four on each of ten more."""
MAX_LINES = 11

# Columns of `heads`.
H_BEGIN, H_LINES, H_LINE, H_CLASS, H_SATELLITE, H_MESSAGE, H_SUBTYPE, H_CALENDAR = range(8)
HEAD_COLUMNS = 8
NO_SATELLITE = -1

# Codes of notes.
N_BAD, N_HARD, N_NUL, N_LINE = range(4)

_EXACT = 22
_LARGEST = 60
_POWERS = np.array([float(10**n) for n in range(_LARGEST + 1)])
_REST = np.array([float(10**n - int(float(10**n))) for n in range(_LARGEST + 1)])
_U = np.uint64
_NEWLINES, _LOW_BITS, _HIGH_BITS = _U(0x0A0A0A0A0A0A0A0A), _U(0x0101010101010101), _U(0x8080808080808080)
_NIBBLES, _SIXES, _THREES = _U(0xF0F0F0F0F0F0F0F0), _U(0x0606060606060606), _U(0x3333333333333333)
_SYSTEM_OF = np.full(256, -1, np.int64)
for _index, _letter in enumerate("GRESJCI"):
    _SYSTEM_OF[ord(_letter)] = _index


@njit(cache=True, nogil=True)
def _load(t, at):
    """Eight characters as an integer, the first in the lowest byte."""
    p = _U(at)
    low = _U(t[p]) | _U(t[p + _U(1)]) << _U(8) | _U(t[p + _U(2)]) << _U(16) | _U(t[p + _U(3)]) << _U(24)
    p += _U(4)
    high = _U(t[p]) | _U(t[p + _U(1)]) << _U(8) | _U(t[p + _U(2)]) << _U(16) | _U(t[p + _U(3)]) << _U(24)
    return low | high << _U(32)


@njit(cache=True, nogil=True)
def _line_end(t, p):
    """Offset of the next newline; the padding ends the last line."""
    while True:
        v = _load(t, p) ^ _NEWLINES
        if ((v - _LOW_BITS) & ~v & _HIGH_BITS) != _U(0):
            break
        p += 8
    while t[p] != 10:
        p += 1
    return p


@njit(cache=True, nogil=True)
def _blank(t, p, end):
    while p < end and (t[p] == 32 or t[p] == 13):
        p += 1
    return p >= end


@njit(cache=True, nogil=True)
def _digit(c):
    return 48 <= c <= 57


@njit(cache=True, nogil=True)
def _begins_record(t, p, end, version):
    """Version 4: `>`; 3: letter and two digits; 2: number, then a two-digit year."""
    if version == 4:
        return t[p] == 62
    if end - p < 22:
        return False
    if version == 3:
        number = _digit(t[p + 2]) and (_digit(t[p + 1]) or t[p + 1] == 32)
        return _SYSTEM_OF[t[p]] >= 0 and number and t[p + 3] == 32 and _digit(t[p + 7])
    return _digit(t[p + 1]) and t[p + 2] == 32 and _digit(t[p + 4]) and t[p + 5] == 32 and t[p + 8] == 32


@njit(cache=True, nogil=True)
def _word(t, p, end, width):
    """Characters as an integer, blanks at the end left out."""
    value = np.int64(0)
    for n in range(width):
        c = t[p + n] if p + n < end else 32
        if c != 32 and c != 13:
            value |= np.int64(c) << (8 * n)
    return value


@njit(cache=True, nogil=True)
def _satellite(t, p, end, width):
    """Packed satellite of a letter and two digits; NO_SATELLITE minus 1 minus the system where digits are missing."""
    system = _SYSTEM_OF[t[p]] if p < end else -1
    if system < 0:
        return NO_SATELLITE
    number = np.int64(0)
    for n in range(1, width):
        c = np.int64(t[p + n]) if p + n < end else 32
        if _digit(c):
            number = 10 * number + c - 48
    if system == 3:
        number -= 19
    return (np.int64(system) << 6) + number - 1 if 1 <= number <= 64 else NO_SATELLITE - 1 - system


@njit(cache=True, nogil=True)
def index_records(t, size, p, line, version, heads, notes):
    """Records from `p` (line number `line`) on: how many, how many notes, and where it stopped.

    Blank lines count within a record, not at its end.
    heads [n, 8]: offset of the first data line, its number of lines, line number, class, satellite, message, subtype.
    """
    found, noted, blanks = 0, 0, 0
    while p < size:
        end = _line_end(t, p)
        begins, blank = _begins_record(t, p, end, version), _blank(t, p, end)
        if begins and found < heads.shape[0]:
            h = heads[found]
            h[H_BEGIN], h[H_LINES], h[H_LINE] = (end + 1, 0, line + 1) if version == 4 else (p, 1, line)
            if version == 4:
                h[H_CLASS], h[H_MESSAGE] = _word(t, p + 2, end, 3), _word(t, p + 10, end, 4)
                h[H_SUBTYPE], h[H_SATELLITE] = _word(t, p + 15, end, 4), _satellite(t, p + 6, end, 3)
            elif version == 3:
                h[H_CLASS], h[H_MESSAGE], h[H_SUBTYPE], h[H_SATELLITE] = 0, 0, 0, _satellite(t, p, end, 3)
            else:
                number = 10 * (np.int64(t[p]) - 48 if _digit(t[p]) else 0) + np.int64(t[p + 1]) - 48
                h[H_CLASS], h[H_MESSAGE], h[H_SUBTYPE], h[H_SATELLITE] = 0, 0, 0, number
            found += 1
            blanks = 0
        elif begins:
            break
        elif not blank and found == 0:
            if noted < notes.shape[0]:
                notes[noted, 0], notes[noted, 1], notes[noted, 2] = N_LINE, line, p
            noted += 1
        elif blank:
            blanks += 1
        else:
            heads[found - 1, H_LINES] += 1 + blanks
            blanks = 0
        p = end + 1
        line += 1
    return found, noted, p, line


@njit(nogil=True, inline="always")
def _quick_number(t, p):
    """` d.ddddddddddddE+dd` as it is usually written: status (0 value, 5 look closer) and value."""
    first, letter = np.int64(t[p + 1]) - 48, t[p + 15] | 32
    exponent = 10 * np.int64(t[p + 17]) + np.int64(t[p + 18]) - 528
    front, back = _load(t, p + 3), _load(t, p + 7)
    wrong = ((front & _NIBBLES) | (((front + _SIXES) & _NIBBLES) >> _U(4))) ^ _THREES
    wrong |= ((back & _NIBBLES) | (((back + _SIXES) & _NIBBLES) >> _U(4))) ^ _THREES
    sign = (t[p] == 32 or t[p] == 45) and (t[p + 16] == 43 or t[p + 16] == 45)
    digits = 0 <= first <= 9 and _digit(t[p + 17]) and _digit(t[p + 18])
    if wrong != _U(0) or not sign or not digits or t[p + 2] != 46 or (letter != 101 and letter != 100):
        return 5, np.nan
    mantissa = first * 1_000_000_000_000 + (_digits8(front) // 10_000) * 100_000_000 + _digits8(back)
    status, value = _scaled(mantissa, (exponent if t[p + 16] == 43 else -exponent) - 12)
    return status, -value if t[p] == 45 else value


@njit(cache=True, nogil=True)
def _digits8(x):
    """Number of eight digits."""
    x = ((x & _U(0x0F0F0F0F0F0F0F0F)) * _U(2561)) >> _U(8)
    x = ((x & _U(0x00FF00FF00FF00FF)) * _U(6553601)) >> _U(16)
    return np.int64(((x & _U(0x0000FFFF0000FFFF)) * _U(42949672960001)) >> _U(32))


@njit(cache=True, nogil=True)
def _scaled(mantissa, power):
    """Status (0 value, 3 hard) and mantissa times 10^power, correctly rounded; mantissa below 2^53."""
    if -_EXACT <= power <= _EXACT:
        return 0, mantissa * _POWERS[power] if power >= 0 else mantissa / _POWERS[-power]
    if mantissa == 0:
        return 0, 0.0
    if not -_LARGEST <= power < 0:
        return 3, np.nan
    divisor, rest = _POWERS[-power], _REST[-power]
    q = mantissa / divisor
    c, d = 134217729.0 * q, 134217729.0 * divisor  # Dekker's exact product q * divisor = p + e
    qh, dh = c - (c - q), d - (d - divisor)
    ql, dl = q - qh, divisor - dh
    p = q * divisor
    e = ((qh * dh - p) + qh * dl + ql * dh) + ql * dl
    r = (((mantissa - p) - e) - q * rest) / divisor
    low, high = q + r * (1.0 - 1e-13), q + r * (1.0 + 1e-13)
    return (0, low) if low == high else (3, np.nan)


@njit(cache=True, nogil=True)
def _number(t, p, q):
    """Field p..q-1: status (0 value, 1 blank, 2 bad, 3 hard, 4 NUL) and value."""
    while p < q and t[p] == 32:
        p += 1
    while q > p and (t[q - 1] == 32 or t[q - 1] == 13):
        q -= 1
    if p == q:
        return 1, np.nan
    negative = t[p] == 45
    if negative or t[p] == 43:
        p += 1
    mantissa, digits, decimals, point = np.int64(0), 0, 0, False
    while p < q and (_digit(t[p]) or (t[p] == 46 and not point)):
        if t[p] == 46:
            point = True
        elif digits < 18:
            mantissa = 10 * mantissa + np.int64(t[p]) - 48
            digits += 1
            decimals += 1 if point else 0
        else:
            digits += 1
        p += 1
    exponent, minus = np.int64(0), False
    if p < q and digits and (t[p] == 69 or t[p] == 68 or t[p] == 101 or t[p] == 100):
        p += 1
        if p < q and (t[p] == 45 or t[p] == 43):
            minus = t[p] == 45
            p += 1
        first = p
        while p < q and _digit(t[p]) and p - first < 3:
            exponent = 10 * exponent + np.int64(t[p]) - 48
            p += 1
        if p == first:
            return 2, np.nan
    if p != q or digits == 0:
        return (4 if p < q and t[p] == 0 else 2), np.nan
    if digits >= 18 or mantissa >= 9007199254740992:
        return 3, np.nan
    status, value = _scaled(mantissa, (-exponent if minus else exponent) - decimals)
    return status, -value if negative else value


@njit(cache=True, nogil=True)
def _integer(t, p, width):
    """Digits with leading blanks; -1 for anything else."""
    value, digits = np.int64(0), 0
    for n in range(width):
        c = np.int64(t[p + n])
        if _digit(c):
            value, digits = 10 * value + c - 48, digits + 1
        elif c != 32 or digits:
            return -1
    return value if digits else -1


@njit(cache=True, nogil=True)
def _epoch(t, p, end, version):
    """Calendar ns of a record's first line; -1 where it is none. A second of 60 carries."""
    if end - p < 22:
        return np.int64(-1)
    q = p + 5 if version == 2 else p + 8
    year = _integer(t, p + 3, 2) if version == 2 else _integer(t, p + 4, 4)
    if version == 2 and year >= 0:
        year += 1900 if year >= 80 else 2000
    month, day, hour, minute = (
        _integer(t, q + 1, 2),
        _integer(t, q + 4, 2),
        _integer(t, q + 7, 2),
        _integer(t, q + 10, 2),
    )
    tenths = 10 * _integer(t, q + 13, 2)
    if version == 2:
        status, seconds = _number(t, q + 12, min(q + 17, end))
        tenths = np.int64(np.rint(seconds * 10.0)) if status == 0 else -1
    if not (1980 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= 31 and 0 <= hour <= 23 and 0 <= minute <= 59):
        return np.int64(-1)
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    thirty = month == 4 or month == 6 or month == 9 or month == 11
    if (thirty and day > 30) or (month == 2 and day > (29 if leap else 28)) or not 0 <= tenths <= 600:
        return np.int64(-1)
    y = year - 1 if month <= 2 else year
    shifted = month + 9 if month <= 2 else month - 3
    days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * shifted + 2) // 5 + day - 723_126
    return np.int64((days * 86_400 + hour * 3600 + minute * 60) * 10 + tenths) * 100_000_000


@njit(cache=True, nogil=True)
def record_numbers(t, size, version, textual, heads, values, notes):
    """Epochs (into heads) and numbers [n, FIELDS] of records; returns how many notes there are.

    `textual` is the class whose first line holds text behind the epoch (STO). Notes: code, record, field, offset.
    """
    noted = 0
    first_column, columns = (22, 3) if version == 2 else (23, 4)
    for r in range(heads.shape[0]):
        for f in range(FIELDS):
            values[r, f] = np.nan
        p = heads[r, H_BEGIN]
        heads[r, H_CALENDAR] = _epoch(t, p, _line_end(t, p), version) if p < size else -1
        line = 0
        while line < min(heads[r, H_LINES], MAX_LINES) and p < size:
            end = _line_end(t, p)
            for k in range(3 if line == 0 else 4):
                q = p + 19 * k + (first_column if line == 0 else columns)
                if q >= end or (line == 0 and heads[r, H_CLASS] == textual):
                    break
                status, value = 5, np.nan
                if end - q >= 19:
                    status, value = _quick_number(t, q)
                if status == 5:
                    status, value = _number(t, q, min(q + 19, end))
                f = k if line == 0 else 4 * line - 1 + k
                values[r, f] = value
                if status >= 2 and noted < notes.shape[0]:
                    code = N_HARD if status == 3 else (N_NUL if status == 4 else N_BAD)
                    notes[noted, 0], notes[noted, 1], notes[noted, 2], notes[noted, 3] = code, r, f, q
                noted += 1 if status >= 2 else 0
            line += 1
            p = end + 1
    return noted
