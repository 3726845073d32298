"""Kernel of TIFF's LZW, which is too slow in Python and needs nothing but bytes.

Source: TIFF 6.0, section 13: codes of 9 to 12 bits, most significant first, widened one code early.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_CLEAR, _END, _FIRST, _MOST = 256, 257, 258, 4096


@njit(cache=True, nogil=True)
def lzw(source, target):
    """Decode source into target (uint8); returns the bytes written, fewer than target's on a damaged stream."""
    prefix = np.zeros(_MOST, np.int64)
    last = np.zeros(_MOST, np.uint8)
    length = np.ones(_MOST, np.int64)
    for k in range(256):
        last[k] = k
    written, free, bits, previous = 0, _FIRST, 9, -1
    window, held = 0, 0
    for byte in source:
        window = ((window << 8) | int(byte)) & 0xFFFFFF
        held += 8
        if held < bits:
            continue
        held -= bits
        code = (window >> held) & ((1 << bits) - 1)
        if code == _END:
            break
        if code == _CLEAR:
            free, bits, previous = _FIRST, 9, -1
            continue
        if code > free or code == _END or (previous < 0 and code > 255) or (code == free and free >= _MOST):
            break
        if previous >= 0 and free < _MOST:
            first = code if code < free else previous
            while first > 255:
                first = prefix[first]
            prefix[free], last[free], length[free] = previous, first, length[previous] + 1
            free += 1
        if written + length[code] > target.size:
            break
        place, k = written + length[code] - 1, code
        written += length[code]
        while k > 255:
            target[place] = last[k]
            k = prefix[k]
            place -= 1
        target[place] = k
        previous = code
        if free >= (1 << bits) - 1 and bits < 12:
            bits += 1
    return written
