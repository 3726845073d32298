"""Kernels of framing: CRC-24Q and the hunt for frames in bytes of any origin.

Numbers only; `scanner` and `frames` lay them out. Source: RTCM 10403.x section 4 (preamble, length, CRC-24Q), the rules
of resynchronisation are ours. Buffers end in `PAD` bytes of slack, because bytes are read eight at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PAD = 16
"""Bytes that must be readable behind the last byte of a buffer."""

# Columns of the frame table the scan fills; the others are the decoders' (`_decode_kernels`) and are set to 0.
OFFSET, LENGTH, NUMBER = 0, 1, 2

# State of the scan.
HEAD, SCANNED, CHECKED, JUNK, FAILURES, SPANS, MSM, OBSERVABLES = 0, 1, 2, 3, 4, 5, 6, 7
SCAN_STATE = 8


def _crc_tables() -> np.ndarray:
    """Eight tables [8, 256] for eight bytes a step, the register left-aligned in 32 bits."""
    tables = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        register = byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x864CFB00 if register & 0x80000000 else 0)) & 0xFFFFFFFF
        tables[0, byte] = register
    for k in range(1, 8):
        before = tables[k - 1].astype(np.uint64)
        tables[k] = (before << np.uint64(8) & np.uint64(0xFFFFFFFF)) ^ tables[0][(before >> np.uint64(24)).astype(int)]
    return tables


CRC_TABLES = _crc_tables()


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
def crc24q(buffer, first, last):
    """CRC-24Q of bytes first..last - 1; 0 over a whole good frame."""
    byte, mask = np.uint64(255), np.uint64(0xFFFFFFFF)
    register = np.uint64(0)
    i = first
    while i + 8 <= last:
        word = _word(buffer, i)
        high, low = (word >> np.uint64(32)) ^ register, word & mask
        register = np.uint64(
            CRC_TABLES[7, high >> np.uint64(24)]
            ^ CRC_TABLES[6, (high >> np.uint64(16)) & byte]
            ^ CRC_TABLES[5, (high >> np.uint64(8)) & byte]
            ^ CRC_TABLES[4, high & byte]
            ^ CRC_TABLES[3, low >> np.uint64(24)]
            ^ CRC_TABLES[2, (low >> np.uint64(16)) & byte]
            ^ CRC_TABLES[1, (low >> np.uint64(8)) & byte]
            ^ CRC_TABLES[0, low & byte]
        )
        i += 8
    while i < last:
        index = (register >> np.uint64(24)) ^ np.uint64(buffer[i])
        register = ((register << np.uint64(8)) & mask) ^ np.uint64(CRC_TABLES[0, index])
        i += 1
    return np.int64(register >> np.uint64(8))


@njit(cache=True, nogil=True)
def _number(buffer, at, size):
    """DF002 of a frame of `size` bytes at `at`; -1 where the payload cannot hold one."""
    return (np.int64(buffer[at + 3]) << 4 | np.int64(buffer[at + 4]) >> 4) if size >= 8 else -1


@njit(cache=True, nogil=True)
def _is_known(number):
    """True for numbers a header can be trusted with: assigned blocks of RTCM and of proprietary messages."""
    return 1001 <= number <= 1399 or 4001 <= number <= 4095


@njit(cache=True, nogil=True)
def scan(buffer, end, impatient, table, spans, state):
    """Find whole good frames in buffer[state[HEAD]:end]; returns how many rows of `table` are filled.

    A failed header costs one byte. An incomplete one holds the bytes back, unless its number is unknown or the stream
    has fallen silent (`impatient`): then whole frames behind it are taken at once. Bytes between frames are added up
    in state[JUNK]; spans [m, 3] gets first byte, bytes, failed CRCs of each stretch while it has room. No candidate is
    checked twice: those before state[SCANNED] that ended by state[CHECKED] have failed. state[MSM] and
    state[OBSERVABLES] say how many frames of the table are of those kinds.
    """
    scanned, checked = state[SCANNED], state[CHECKED]
    state[MSM] = state[OBSERVABLES] = 0
    start, at, hold, frames, failures = state[HEAD], state[HEAD], np.int64(-1), 0, 0
    while at < end and frames < table.shape[0]:
        if buffer[at] != 0xD3:
            at += 1
            continue
        if at + 3 > end:
            hold = at if hold < 0 else hold
            break
        if buffer[at + 1] & 0xFC:
            at += 1
            continue
        size = (np.int64(buffer[at + 1] & 3) << 8 | np.int64(buffer[at + 2])) + 6
        if at + size > end:
            hold = at if hold < 0 else hold
            behind = at + 5 <= end and size >= 8 and (impatient or not _is_known(_number(buffer, at, size)))
            if not (behind or impatient):
                break
            at += 1
            continue
        if at >= scanned or at + size > checked:
            if crc24q(buffer, at, at + size) == 0:
                _close_span(start, at, failures, spans, state)
                number = _number(buffer, at, size)
                table[frames, OFFSET], table[frames, LENGTH], table[frames, NUMBER] = at, size, number
                table[frames, NUMBER + 1 :] = 0
                state[MSM] += 1 if 1071 <= number <= 1137 else 0
                state[OBSERVABLES] += 1 if 1001 <= number <= 1004 or 1009 <= number <= 1012 else 0
                frames += 1
                at += size
                start, scanned, hold, failures = at, at, np.int64(-1), 0
                continue
            failures += 1 if _is_known(_number(buffer, at, size)) else 0
        at += 1
    keep = at if hold < 0 else hold
    _close_span(start, keep, failures, spans, state)
    state[HEAD], state[SCANNED], state[CHECKED] = keep, at, end
    return frames


@njit(cache=True, nogil=True)
def _close_span(first, last, failures, spans, state):
    state[FAILURES] += failures
    if last <= first:
        return
    state[JUNK] += last - first
    if state[SPANS] < spans.shape[0]:
        n = state[SPANS]
        spans[n, 0], spans[n, 1], spans[n, 2] = first, last - first, failures
        state[SPANS] += 1


@njit(cache=True, nogil=True)
def seal(out, start, end):
    """Header and CRC of the frame whose payload fills out[start + 3:end]; returns the byte behind it."""
    out[start], out[start + 1], out[start + 2] = 0xD3, (end - start - 3) >> 8, (end - start - 3) & 255
    crc = crc24q(out, start, end)
    out[end], out[end + 1], out[end + 2] = crc >> 16, crc >> 8 & 255, crc & 255
    return end + 3


@njit(cache=True, nogil=True)
def seal_all(out, first, last):
    """CRCs of the frames that lie back to back in out[first:last], headers and payloads in place."""
    while first + 6 <= last:
        end = first + 3 + (np.int64(out[first + 1] & 3) << 8 | np.int64(out[first + 2]))
        first = seal(out, first, end)
