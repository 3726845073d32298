"""Kernels of observation files: the regular stretches of a text to rows, and fields to text.

A reading kernel goes on until something is not as it should be, says where, and is called again when Python has dealt
with that; so all that is awkward lives in `reading`. Bad fields, satellites and counts are local: they are noted in
`notes` (code, offset of the line, column) and the kernel goes on. F14.3 fields are read eight characters at a time as
integers of thousandths and divided once, which is exact. One file above 400 lines because a kernel and all it calls
must share one (numba's cache does not see other files).
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Why a reading kernel returns.
AT_END, ODD_LINE, NOTES_FULL, ROWS_FULL = 0, 1, 2, 3

# Places in `state`, and what `forced` tells of the next epoch where Python has read its first line.
POS, EPOCHS, ROWS, NOTES, BROKEN, VERSION, STATE_SIZE = 0, 1, 2, 3, 4, 5, 6
F_USE, F_BEGIN, F_BODY, F_CALENDAR, F_FLAG, F_COUNT, F_PICOSECONDS, FORCED_SIZE = 0, 1, 2, 3, 4, 5, 6, 7

# Codes of notes.
(
    N_COUNT, N_TRUNCATED, N_COMMENT, N_BAD, N_OVERFLOW, N_MISALIGNED, N_LINE, N_UNDECLARED, N_SATELLITE_TWICE,
    N_INDICATOR, N_NUL, N_LONG,
) = range(12)  # fmt: skip
NOTE_CODES = 12

MAX_SATELLITES = 400
"""Satellite lines of an epoch that are looked at; more are noted and passed over."""
NO_PICOSECONDS = -1

_OK, _ABSENT, _BAD, _OVERFLOW, _POINT, _NUL, _ODD = 0, 1, 2, 3, 4, 5, 6
_REJECT = 1000
_PHASE, _DOPPLER = 2, 3
_ABSENT_MILLI = np.int64(-(2**63))
ABSENT_MILLI = int(_ABSENT_MILLI)
"""Stands for a missing value in thousandths."""

_SYSTEM_OF = np.full(256, -1, np.int64)
for _index, _letter in enumerate("GRESJCI"):
    _SYSTEM_OF[ord(_letter)] = _index

_U = np.uint64
_BLANKS, _NEWLINES, _ZEROS = _U(0x2020202020202020), _U(0x0A0A0A0A0A0A0A0A), _U(0x3030303030303030)
_LOW_BITS, _HIGH_BITS = _U(0x0101010101010101), _U(0x8080808080808080)
_NIBBLES, _SIXES, _THREES = _U(0xF0F0F0F0F0F0F0F0), _U(0x0606060606060606), _U(0x3333333333333333)
_COMMENT_WORD, _SEVEN_BYTES = _U(int.from_bytes(b"COMMENT\x00", "little")), _U(0x00FFFFFFFFFFFFFF)


# --- characters ---------------------------------------------------------------------------------------------------


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
    v = _load(t, p) ^ _NEWLINES
    while (v - _LOW_BITS) & ~v & _HIGH_BITS == _U(0):
        p += 8
        v = _load(t, p) ^ _NEWLINES
    while t[p] != 10:
        p += 1
    return p


@njit(cache=True, nogil=True)
def _digits8(x):
    """Number of eight digits."""
    x = ((x & _U(0x0F0F0F0F0F0F0F0F)) * _U(2561)) >> _U(8)
    x = ((x & _U(0x00FF00FF00FF00FF)) * _U(6553601)) >> _U(16)
    return ((x & _U(0x0000FFFF0000FFFF)) * _U(42949672960001)) >> _U(32)


@njit(cache=True, nogil=True)
def _slow_field(t, p, width):
    """The F14.3 at `p`, of which `width` columns are there, character by character: status and thousandths."""
    blank, point = True, False
    for n in range(width):
        c = t[p + n]
        if c == 0:
            return _NUL, 0
        if c == 42:  # '*'
            return _OVERFLOW, 0
        blank = blank and c == 32
        point = point or c == 46
    if blank:
        return _ABSENT, 0
    if width < 11 or t[p + 10] != 46:
        return (_POINT if point else _BAD), 0
    n, negative = 0, False
    while n < 10 and t[p + n] == 32:
        n += 1
    if n < 10 and (t[p + n] == 45 or t[p + n] == 43):
        negative = t[p + n] == 45
        n += 1
    value, digits, ended = np.int64(0), 0, False
    for k in range(n, 14):
        c = np.int64(t[p + k]) if k < width else 32
        if 48 <= c <= 57 and not ended:
            value, digits = 10 * value + c - 48, digits + 1
        elif c == 32 and k > 10:
            value, ended = 10 * value, True
        elif k != 10:
            return _BAD, 0
    if digits == 0:
        return _BAD, 0
    return _OK, -value if negative else value


@njit(cache=True, nogil=True)
def _not_digits(x):
    """Zero where all eight characters are digits."""
    return ((x & _NIBBLES) | (((x + _SIXES) & _NIBBLES) >> _U(4))) ^ _THREES


@njit(nogil=True, inline="always")  # LLVM leaves it a call, which costs five times the work itself
def _quick_field(lo, hi):
    """F14.3 from its characters 1-8 and 7-14: status (_ODD: look closer) and thousandths."""
    tail = ((hi >> _U(16)) & _U(0xFFFF)) | ((hi >> _U(40)) << _U(16)) | _U(0x303030) << _U(40)  # c8 c9 c11 c12 c13
    front = lo
    if lo == _BLANKS:
        if hi == _BLANKS:
            return _ABSENT, 0
        front = tail
    others = front ^ _BLANKS
    below = (others & (~others + _U(1))) - _U(1)
    lead = ((below >> _U(7)) & _LOW_BITS) * _U(255)  # ones in the blanks before the first other character
    first = lead + _U(1)
    minus = (front & (first * _U(255))) == first * _U(45)
    front = (front & ~lead) | (_ZEROS & lead)
    if minus:
        front ^= first * _U(0x1D)
    wrong = _not_digits(front) | (((hi >> _U(32)) & _U(0xFF)) ^ _U(46))
    if lo == _BLANKS:
        value = np.int64(_digits8(front)) // 1000
        wrong |= lead >> _U(16)
    else:
        wrong |= _not_digits(tail)
        value = np.int64(_digits8(front)) * 100_000 + np.int64(_digits8(tail)) // 1000
    if wrong != _U(0):
        return _ODD, 0
    return _OK, -value if minus else value


@njit(cache=True, nogil=True)
def _small(t, p, width):
    """Unsigned integer right aligned in `width` columns, blanks leading; -1 where it is none."""
    value, digits = np.int64(0), 0
    for n in range(width):
        c = np.int64(t[p + n])
        if 48 <= c <= 57:
            value, digits = 10 * value + c - 48, digits + 1
        elif c != 32 or digits:
            return -1
    return value if digits else -1


@njit(cache=True, nogil=True)
def _blank(t, p, q):
    while p < q and (t[p] == 32 or t[p] == 13):
        p += 1
    return p >= q


@njit(cache=True, nogil=True)
def _fixed(t, p, q, decimals):
    """Number with a point in columns p..q-1 as an integer of 10^-decimals; status _ABSENT, _BAD or _OK."""
    while p < q and t[p] == 32:
        p += 1
    while q > p and (t[q - 1] == 32 or t[q - 1] == 13):
        q -= 1
    if p == q:
        return _ABSENT, 0
    negative = t[p] == 45
    if negative or t[p] == 43:
        p += 1
    value, digits, behind = np.int64(0), 0, -1
    for n in range(p, q):
        c = np.int64(t[n])
        if 48 <= c <= 57 and digits < 17 and behind < decimals:
            value, digits = 10 * value + c - 48, digits + 1
            behind += 1 if behind >= 0 else 0
        elif c == 46 and behind < 0:
            behind = 0
        else:
            return _BAD, 0
    if digits == 0:
        return _BAD, 0
    for _ in range(decimals - max(behind, 0)):
        value *= 10
    return _OK, -value if negative else value


@njit(cache=True, nogil=True)
def _calendar(year, month, day, hour, minute, ten_millionths):
    """ns since 1980-01-06 in days of 86,400 s; -1 for what is no date and time."""
    if not (1980 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= 31 and 0 <= hour <= 23 and 0 <= minute <= 59):
        return -1
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    length = 30 + (month + month // 8) % 2 if month != 2 else (29 if leap else 28)
    if day > length or not 0 <= ten_millionths < 600_000_000:
        return -1
    y = year - 1 if month <= 2 else year  # days by the civil calendar counted from 1 March
    shifted = month + 9 if month <= 2 else month - 3
    days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * shifted + 2) // 5 + day - 723_126
    return ((days * 86_400 + hour * 3600 + minute * 60) * 10_000_000 + ten_millionths) * 100


# --- fields to rows -----------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _note(notes, counts, state, code, offset, column):
    counts[code] += 1
    if state[NOTES] < notes.shape[0]:
        notes[state[NOTES], 0] = code
        notes[state[NOTES], 1] = offset
        notes[state[NOTES], 2] = column
        state[NOTES] += 1


@njit(cache=True, nogil=True)
def _withdraw(notes, counts, state, before):
    """Take back the notes of a line that is rejected as a whole."""
    for n in range(before, state[NOTES]):
        counts[notes[n, 0]] -= 1
    state[NOTES] = before


@njit(cache=True, nogil=True)
def _is_comment(t, start, end):
    return end - start >= 67 and (_load(t, start + 60) & _SEVEN_BYTES) == _COMMENT_WORD


@njit(nogil=True, inline="always")
def _read_fields(t, line, start, end, first, last, kind, divisor, val, lli, notes, counts, state):
    """Fields first..last-1 of 16 columns from `start`; returns how many have misplaced points (NUL: _REJECT)."""
    out_of_place = 0
    p = start - 16
    for f in range(_U(first), _U(last)):
        p += 16
        val[f] = np.nan
        lli[f] = 0
        what = kind[f]
        if what == 0 or p >= end:
            continue
        status, milli = _ODD, np.int64(0)
        if end - p >= 14:
            status, milli = _quick_field(_load(t, p), _load(t, p + 6))
        if status == _ODD:
            status, milli = _slow_field(t, p, min(end - p, 14))
        if status == _OK:
            if milli != 0 or what == _DOPPLER:
                val[f] = milli / divisor[f]
        elif status != _ABSENT:
            if status == _NUL:
                return _REJECT
            out_of_place += 1 if status == _POINT else 0
            _note(notes, counts, state, N_OVERFLOW if status == _OVERFLOW else N_BAD, line, p - line + 1)
        if what == _PHASE and end - p > 14 and t[p + 14] != 32:
            bits = np.int64(t[p + 14]) - 48
            if 0 <= bits <= 7:
                lli[f] = bits
            else:
                _note(notes, counts, state, N_INDICATOR, line, p - line + 15)
    return out_of_place


@njit(nogil=True, inline="always")
def _add_rows(satellite, broken, val, lli, layout, out, withheld, n):
    """Rows of one satellite from its fields; returns the next free row."""
    system = satellite >> 6
    table = layout.table[system]
    for s in range(layout.slots[system]):
        c, p, d, g = table[s, 0], table[s, 1], table[s, 2], table[s, 3]
        rule, a, b = table[s, 4], table[s, 5], table[s, 6]
        if rule != 0 and (rule == 2) != (val[a] != val[a] and (b < 0 or val[b] == val[b])):
            p, d, g = -1, -1, -1
        code, phase = val[c] if c >= 0 else np.nan, val[p] if p >= 0 else np.nan
        doppler, strength = val[d] if d >= 0 else np.nan, val[g] if g >= 0 else np.nan
        if code != code and phase != phase and doppler != doppler and strength != strength:
            continue
        wavelength = layout.wavelength[satellite, s]
        if phase == phase and wavelength != wavelength:
            withheld[satellite] += 1
        bits = lli[p] if p >= 0 else 0
        out.satellite[n] = satellite
        out.signal[n] = layout.signal[system, s]
        out.pseudorange[n] = code
        out.phaserange[n] = phase * wavelength
        out.phaserange_rate[n] = -doppler * wavelength
        out.cn0[n] = strength
        out.lock_time[n] = np.nan
        out.flags[n] = (bits & 3) | broken
        n += 1
    return n


@njit(cache=True, nogil=True)
def _satellite(t, p, blank_system):
    """Packed satellite of three characters (a blank letter is `blank_system`), -1 where they are none."""
    system = _SYSTEM_OF[t[p]] if t[p] != 32 else blank_system
    number = _small(t, p + 1, 2)
    if system < 0 or number < 1:
        return -1
    if system == 3:
        number -= 19
    return (system << 6) + number - 1 if 1 <= number <= 64 else -1


@njit(cache=True, nogil=True)
def _sorted_by_key(keys, order, n):
    """Stable insertion sort of `order` [n] by keys."""
    for i in range(n):
        k = i
        while k > 0 and keys[order[k - 1]] > keys[i]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = i


@njit(cache=True, nogil=True)
def _close_epoch(begin, end, head, clock, kept, layout_index, state, table, first_row):
    e = state[EPOCHS]
    table.begin[e], table.end[e] = begin, end
    table.calendar[e], table.row[e] = head[F_CALENDAR], first_row
    table.clock[e], table.picoseconds[e] = clock, head[F_PICOSECONDS]
    table.flag[e], table.satellites[e] = head[F_FLAG], kept
    table.layout[e] = layout_index
    state[EPOCHS] = e + 1
    state[POS] = end
    state[BROKEN] = 0


# --- epoch lines --------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _date(t, p, year, head):
    """Month to seconds from columns `p` on into head; False for what is no date and time."""
    status, second = _fixed(t, p + 12, p + 23, 7)
    month, day, hour, minute = _small(t, p + 1, 2), _small(t, p + 4, 2), _small(t, p + 7, 2), _small(t, p + 10, 2)
    head[F_CALENDAR] = _calendar(year, month, day, hour, minute, second) if status == _OK else -1
    return head[F_CALENDAR] >= 0


@njit(cache=True, nogil=True)
def _clock_offset(t, p, end, decimals, scale, clock):
    """Receiver clock offset in columns p..end-1; False for what is no number."""
    status, value = _fixed(t, p, end, decimals)
    clock[0] = value / scale if status == _OK else np.nan
    return status != _BAD


@njit(cache=True, nogil=True)
def _epoch_line_3(t, p, picoseconds, head, clock):
    """Read a regular epoch line (flag 0 or 1) into head and clock; False where it is anything else."""
    end = _line_end(t, p)
    if end - p < 35 or t[p] != 62 or t[p + 21] != 46 or t[p + 28] == 32:
        return False
    for n in (1, 6, 9, 12, 15, 18, 29, 30):
        if t[p + n] != 32:
            return False
    head[F_BEGIN], head[F_BODY] = p, end + 1
    head[F_FLAG], head[F_COUNT], head[F_PICOSECONDS] = np.int64(t[p + 31]) - 48, _small(t, p + 32, 3), NO_PICOSECONDS
    if not 0 <= head[F_FLAG] <= 1 or head[F_COUNT] < 0 or not _date(t, p + 6, _small(t, p + 2, 4), head):
        return False
    if picoseconds and end - p > 57:
        head[F_PICOSECONDS] = _small(t, p + 57, min(5, end - p - 57))
    return _clock_offset(t, p + 35, min(p + 56, end), 12, 1e12, clock)


@njit(cache=True, nogil=True)
def _looks_like_epoch_2(t, p, end):
    """The pattern of a RINEX 2 epoch line with a date."""
    if end - p < 32 or t[p + 18] != 46:
        return False
    right = True
    for n in (0, 3, 6, 9, 12, 15, 26, 27):
        right &= t[p + n] == 32
    for n in (2, 5, 8, 11, 14, 28, 31):
        right &= 48 <= t[p + n] <= 57
    return right


@njit(cache=True, nogil=True)
def _epoch_line_2(t, p, head, clock):
    """Read a regular epoch line (flag 0 or 1) into head and clock; False where it is anything else."""
    end = _line_end(t, p)
    if not _looks_like_epoch_2(t, p, end):
        return False
    year = _small(t, p + 1, 2)
    head[F_BEGIN], head[F_BODY] = p, p
    head[F_FLAG], head[F_COUNT], head[F_PICOSECONDS] = np.int64(t[p + 28]) - 48, _small(t, p + 29, 3), NO_PICOSECONDS
    if head[F_FLAG] > 1 or head[F_COUNT] < 0 or year < 0:
        return False
    if not _date(t, p + 3, year + (1900 if year >= 80 else 2000), head):
        return False
    return _clock_offset(t, min(p + 68, end), min(p + 80, end), 9, 1e9, clock)


# --- which lines belong to an epoch -------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def gather_3(t, size, body, keys, spans, notes, counts, state):
    """Satellite lines up to the next `>`: their number, all lines that count, and where the next epoch begins."""
    n, lines, p = 0, 0, body
    while p < size and t[p] != 62:
        end = _line_end(t, p)
        if _is_comment(t, p, end):
            _note(notes, counts, state, N_COMMENT, p, 0)
        elif not _blank(t, p, end):
            lines += 1
            satellite = _satellite(t, p, -1) if end - p >= 3 else -1
            if satellite >= 0 and n < MAX_SATELLITES:
                keys[n], spans[n, 0], spans[n, 1] = satellite, p, end - (1 if t[end - 1] == 13 else 0)
                n += 1
            else:
                _note(notes, counts, state, N_LINE, p, 0)
        p = end + 1
    return n, lines, min(p, size)


@njit(cache=True, nogil=True)
def list_2(t, size, p, count, blank_system, keys, notes, counts, state):
    """Satellites of an epoch line at `p` and its continuations (-1: unreadable); returns where the data begin."""
    end = _line_end(t, p)
    for n in range(count):
        if n and n % 12 == 0:
            p = end + 1
            if p >= size:
                return size
            end = _line_end(t, p)
            if not _blank(t, p, min(p + 32, end)):
                return -1
        at = p + 32 + 3 * (n % 12)
        satellite = _satellite(t, at, blank_system) if at + 3 <= end else -1
        if satellite < 0:
            _note(notes, counts, state, N_LINE, p, at - p + 1)
        if n < MAX_SATELLITES:
            keys[n] = satellite
    return end + 1


@njit(cache=True, nogil=True)
def gather_2(t, size, p, count, lines, spans, notes, counts, state):
    """Spans [satellite * lines + line] of an epoch's data: how many satellites are whole, and where it ends."""
    for n in range(count * lines):
        while True:
            if p >= size and (lines == 1 or n + 1 < count * lines or t[size - 1] != 10):
                return n // lines, size  # but an empty last line may have lost its newline
            end = _line_end(t, p)
            if not _is_comment(t, p, end):
                break
            _note(notes, counts, state, N_COMMENT, p, 0)
            p = end + 1
        if _looks_like_epoch_2(t, p, end):
            return n // lines, p
        spans[n, 0], spans[n, 1] = p, end - (1 if end > p and t[end - 1] == 13 else 0)
        p = end + 1
    return count, min(p, size)


@njit(cache=True, nogil=True)
def _cut_short(t, size, start, end):
    """True where the text stops within a value of the line whose fields begin at `start`."""
    left = (end - start) % 16
    return end >= size and t[size - 1] != 10 and 0 < left < 14 and t[end - 1] != 32


# --- an epoch, a file ---------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy")
def _add_satellites(t, n, lines, start, keys, spans, order, layout, out, work, notes, counts, state, withheld):
    """Rows of an epoch in order of satellites; returns how many satellites were kept."""
    val, lli = work
    _sorted_by_key(keys, order, n)
    kept = 0
    for i in range(n):
        k = order[i]
        satellite, system, line = keys[k], keys[k] >> 6, spans[k * lines, 0]
        if satellite < 0:
            continue
        fields = layout.fields[system]
        if fields == 0 or (i > 0 and keys[order[i - 1]] == satellite):
            _note(notes, counts, state, N_UNDECLARED if fields == 0 else N_SATELLITE_TWICE, line, 1)
            continue
        before, bad = state[NOTES], 0
        per_line = fields if start else 5
        for j in range(lines):
            first, end = spans[k * lines + j, 0], spans[k * lines + j, 1]
            last = min(per_line * (j + 1), fields)
            bad += _read_fields(
                t, first, first + start, end, per_line * j, last, layout.kind[system], layout.divisor[system],
                val, lli, notes, counts, state,
            )  # fmt: skip
            beyond = start + 16 * (last - per_line * j)
            if not _blank(t, min(first + beyond, end), end):
                _note(notes, counts, state, N_LONG, first, beyond + 1)
        if bad >= 2:
            _withdraw(notes, counts, state, before)
            _note(notes, counts, state, N_NUL if bad >= _REJECT else N_MISALIGNED, line, 1)
            continue
        kept += 1
        state[ROWS] = _add_rows(satellite, state[BROKEN], val, lli, layout, out, withheld, state[ROWS])
    return kept


@njit(cache=True, nogil=True)
def read(
    t, size, state, forced, forced_clock, lines, blank_system, layout, layout_index, out, table, notes, counts, withheld
):
    """Epochs from state[POS] on; returns why it stopped.

    `lines` data lines a satellite in RINEX 2, 0 for RINEX 3 and 4, where each satellite's line begins with its name.
    """
    keys, order = np.empty(MAX_SATELLITES, np.int64), np.empty(MAX_SATELLITES, np.int64)
    spans = np.empty((MAX_SATELLITES * max(lines, 1), 2), np.int64)
    width = layout.kind.shape[1]
    work = (np.empty(width), np.empty(width, np.int64))
    head, clock = np.empty(FORCED_SIZE, np.int64), np.empty(1)
    while state[POS] < size:
        before = state[NOTES]
        if 2 * before > notes.shape[0]:
            return NOTES_FULL
        known = forced[F_USE] != 0
        if known:
            clock[0] = forced_clock[0]
            for n in range(FORCED_SIZE):
                head[n] = forced[n]
        elif lines:
            known = _epoch_line_2(t, state[POS], head, clock)
        else:
            known = _epoch_line_3(t, state[POS], state[VERSION] >= 402, head, clock)
        if not known:
            return ODD_LINE
        begin, count = head[F_BEGIN], head[F_COUNT]
        if lines:
            body = list_2(t, size, head[F_BODY], count, blank_system, keys, notes, counts, state)
            if body < 0:
                return ODD_LINE
            n, end = gather_2(t, size, body, min(count, MAX_SATELLITES), lines, spans, notes, counts, state)
            found = count if n == MAX_SATELLITES else n
        else:
            n, found, end = gather_3(t, size, head[F_BODY], keys, spans, notes, counts, state)
        if state[EPOCHS] >= table.begin.size or state[ROWS] + n * layout.table.shape[1] > out.satellite.size:
            _withdraw(notes, counts, state, before)
            return ROWS_FULL
        forced[F_USE] = 0
        start, last = (0 if lines else 3), n * max(lines, 1) - 1
        if end >= size and (found < count or (n > 0 and _cut_short(t, size, spans[last, 0] + start, spans[last, 1]))):
            _withdraw(notes, counts, state, before)
            _note(notes, counts, state, N_TRUNCATED, begin, 0)
            state[POS] = size
            break
        if found != count:
            _note(notes, counts, state, N_COUNT, begin, 30 if lines else 33)
        first_row = state[ROWS]
        state[BROKEN] |= head[F_FLAG]
        kept = _add_satellites(
            t, n, max(lines, 1), start, keys, spans, order, layout, out, work, notes, counts, state, withheld
        )
        _close_epoch(begin, end, head, clock[0], kept, layout_index, state, table, first_row)
    return AT_END


@njit(cache=True, nogil=True)
def printed_fields(t, spans, lines, start, fields, milli, lli, ssi, misplaced):
    """Every field of n satellites as printed: thousandths, indicators (0 blank, else their character).

    spans [n * lines, 2] of the data lines, `start` columns before the first field of a line (0: RINEX 2, five fields
    a line), fields [n] a satellite; out milli, lli, ssi [n, F], misplaced [n] points out of place (NUL: more).
    """
    for k in range(fields.size):
        misplaced[k] = 0
        for f in range(milli.shape[1]):
            milli[k, f], lli[k, f], ssi[k, f] = _ABSENT_MILLI, 0, 0
            line = k * lines + (0 if start else f // 5)
            if f >= fields[k]:
                continue
            p, end = spans[line, 0] + start + 16 * (f if start else f % 5), spans[line, 1]
            if p < end:
                status, value = _slow_field(t, p, min(end - p, 14))
                milli[k, f] = value if status == _OK else _ABSENT_MILLI
                misplaced[k] += 1 if status == _POINT else (_REJECT if status == _NUL else 0)
                lli[k, f] = t[p + 14] if p + 14 < end and t[p + 14] != 32 else 0
                ssi[k, f] = t[p + 15] if p + 15 < end and t[p + 15] != 32 else 0
