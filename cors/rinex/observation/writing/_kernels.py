"""Kernels of the observation writer: rows to fields, fields to text.

Fields are integers of thousandths with their two indicator characters; F14.3 is printed digit by digit.
Source: RINEX 3.05 table A3, 2.11 table A2.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_ABSENT_MILLI = np.int64(-(2**63))
ABSENT_MILLI = int(_ABSENT_MILLI)
"""Stands for a missing value in thousandths (as in the reading kernels)."""
_LEAST, _MOST = -999_999_999.9995, 9_999_999_999.9995
_BILLION = 1e9


@njit(cache=True, nogil=True)
def _print_field(value, out, p):
    """F14.3 of thousandths, right aligned at `p` (14 columns, blank before)."""
    negative = value < 0
    rest = -value if negative else value
    for n in range(13, -1, -1):
        if n == 10:
            out[p + n] = 46
            continue
        if rest == 0 and n < 9:
            if negative:
                out[p + n] = 45
            return
        out[p + n] = 48 + rest % 10
        rest //= 10


@njit(cache=True, nogil=True)
def print_satellites(names, fields, per_line, milli, lli, ssi, out):
    """Data lines of n satellites; returns the bytes written.

    names [n, 3] before the first field (none with `per_line` 5, RINEX 2), fields [n] a satellite, milli, lli, ssi
    [n, F]; out must hold n (4 + 17 F) bytes and more.
    """
    p = 0
    for k in range(fields.size):
        if per_line == 0:
            for n in range(3):
                out[p + n] = names[k, n]
            p += 3
        for f in range(fields[k]):
            if per_line and f and f % per_line == 0:
                p = _trimmed(out, p)
                out[p] = 10
                p += 1
            for n in range(16):
                out[p + n] = 32
            if milli[k, f] != _ABSENT_MILLI:
                _print_field(milli[k, f], out, p)
                if lli[k, f]:
                    out[p + 14] = lli[k, f]
                if ssi[k, f]:
                    out[p + 15] = ssi[k, f]
            p += 16
        p = _trimmed(out, p)
        out[p] = 10
        p += 1
    return p


@njit(cache=True, nogil=True)
def _trimmed(out, p):
    while p > 0 and out[p - 1] == 32:
        p -= 1
    return p


@njit(cache=True, nogil=True)
def _shifted(value, shift, satellite, f):
    """A phase moved by whole 10^9 cycles so that it fits F14.3, and whether the move is a new one (RINEX 5.4)."""
    moved = value + shift[satellite, f] * _BILLION
    if _LEAST < moved < _MOST:
        return moved, False
    shift[satellite, f] = -np.floor(value / _BILLION)
    return value + shift[satellite, f] * _BILLION, True


@njit(cache=True, nogil=True)
def cells_of_rows(satellite, signal, code, phase, rate, cn0, flags, begin, column, wavelength, shift, milli, lli, ssi):
    """Rows of one epoch, sorted by satellite, laid out as fields; returns how many values do not fit F14.3.

    begin [n + 1] first row of each satellite; column [448, 4] field of C, L, D, S by signal, -1 where not written;
    wavelength [rows] m; shift [448, F] 10^9 cycles by satellite and field, kept by the caller; out milli, lli, ssi
    [n, F] (0 or a character). SSI stands on C and L, LLI on L.
    """
    lost = 0
    for k in range(begin.size - 1):
        for f in range(milli.shape[1]):
            milli[k, f], lli[k, f], ssi[k, f] = _ABSENT_MILLI, 0, 0
        for r in range(begin[k], begin[k + 1]):
            values = (code[r], phase[r] / wavelength[r], -rate[r] / wavelength[r], np.float64(cn0[r]))
            level = 48 + min(max(int(cn0[r] / 6.0), 1), 9) if cn0[r] > 0.0 else 0
            for kind in range(4):
                f, value = column[signal[r], kind], values[kind]
                if f < 0 or value != value or (kind != 2 and value == 0.0):
                    continue
                bits = flags[r] & 3 if kind == 1 else 0
                if kind == 1:
                    value, fresh = _shifted(value, shift, satellite[r], f)
                    bits |= 1 if fresh else 0
                if not _LEAST < value < _MOST:
                    lost += 1
                    continue
                milli[k, f] = np.int64(np.rint(value * 1000.0))
                lli[k, f] = 48 + bits if bits else 0
                ssi[k, f] = level if kind < 2 else 0
    return lost
