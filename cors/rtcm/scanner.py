"""Bytes of a stream in, a table of its whole good frames out; memory is bounded whatever comes.

A false header costs one byte, never the frames behind it. A header that announces more bytes than are there holds the
stream back only while its message number is a known one: `silence` looks behind it too, `finish` gives the rest up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.rtcm import _frame_kernels as kernels
from cors.rtcm._decode_kernels import TABLE_COLUMNS

FRAME_BYTES = 1029
"""A whole frame at most."""
KEPT_DAMAGE = 64
"""Stretches of bad bytes held for the owner; older ones are only counted."""
DAMAGE_BYTES = 64


class Damage(NamedTuple):
    """A stretch of bytes between good frames."""

    offset: int
    """From the start of the stream."""
    size: int
    failed_headers: int
    """Frames of known message numbers in it whose CRC fails."""
    six_bit: int
    """Bytes of the form 01xxxxxx, which RTCM 2 consists of."""
    data: bytes
    """Its first `DAMAGE_BYTES` bytes."""


class FrameScanner:
    """Holds the tail of a stream; `buffer` and `table` are views, good until the next call.

    Rows of `table` [n, TABLE_COLUMNS] have offset in `buffer`, size and DF002 (-1: none) of a frame; add `origin` for
    the offset in the stream.
    """

    def __init__(self, capacity: int = 16_384, frames: int = 128) -> None:
        """Work in blocks of `capacity` bytes (at least two frames) and at most `frames` frames."""
        self._capacity = max(capacity, 2 * FRAME_BYTES)
        self.buffer: NDArray[np.uint8] = np.zeros(self._capacity + kernels.PAD, np.uint8)
        self.memory = self.buffer.data
        self.table: NDArray[np.int64] = np.zeros((frames, TABLE_COLUMNS), np.int64)
        self.origin = 0
        self.frames = 0
        self._spans = np.zeros((16, 3), np.int64)
        self._state = np.zeros(kernels.SCAN_STATE, np.int64)
        self._end = 0
        self._damage: deque[Damage] = deque(maxlen=KEPT_DAMAGE)

    @property
    def junk_bytes(self) -> int:
        """Bytes given up so far."""
        return int(self._state[kernels.JUNK])

    @property
    def failed_headers(self) -> int:
        """Frames of known message numbers whose CRC failed."""
        return int(self._state[kernels.FAILURES])

    @property
    def pending_bytes(self) -> int:
        """Bytes that may still become a frame."""
        return self._end - int(self._state[kernels.HEAD])

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[int]:
        """Take bytes of any number; yields how many rows of `table` are filled, each time some are."""
        view = memoryview(data).cast("B")
        at = 0
        while at < len(view):
            size = min(self._capacity - self._end, len(view) - at)
            self.memory[self._end : self._end + size] = view[at : at + size]
            self._end += size
            at += size
            yield from self._scan(False)

    def silence(self) -> Iterator[int]:
        """The stream has stopped for a while: whole frames behind unfinished headers are taken; yields as `feed`."""
        yield from self._scan(True)

    def finish(self) -> Iterator[int]:
        """The stream has ended: as `silence`, then what is left is junk."""
        yield from self._scan(True)
        rest = bytes(self.memory[: self._end])
        if rest:
            self._state[kernels.JUNK] += len(rest)
            self._add_damage(0, len(rest), 0)
        self.origin += self._end
        self._end = 0
        self._state[: kernels.JUNK] = 0

    @property
    def kinds(self) -> tuple[bool, bool]:
        """Whether the table holds MSM, and 1001-1004 or 1009-1012."""
        return bool(self._state[kernels.MSM]), bool(self._state[kernels.OBSERVABLES])

    @property
    def has_damage(self) -> bool:
        """Whether `take_damage` has anything."""
        return bool(self._damage)

    def take_damage(self) -> list[Damage]:
        """Stretches of bad bytes since the last call."""
        taken = list(self._damage)
        self._damage.clear()
        return taken

    def _scan(self, impatient: bool) -> Iterator[int]:
        while True:
            n = kernels.scan(self.buffer, self._end, impatient, self.table, self._spans, self._state)
            if self._state[kernels.SPANS]:
                self._collect_spans()
            if n:
                self.frames += n
                yield n
            if n < len(self.table):
                break
        self._shift()

    def _shift(self) -> None:
        """Move the bytes not resolved to the front."""
        head = int(self._state[kernels.HEAD])
        if head == 0:
            return
        rest = self._end - head
        if rest:
            self.buffer[:rest] = self.buffer[head : self._end].copy()
        self.origin += head
        self._end = rest
        self._state[: kernels.JUNK] -= head

    def _collect_spans(self) -> None:
        for first, size, failures in self._spans[: self._state[kernels.SPANS]].tolist():
            self._add_damage(first, size, failures)
        self._state[kernels.SPANS] = 0

    def _add_damage(self, first: int, size: int, failures: int) -> None:
        """Note bytes of the buffer, as one stretch with those directly before."""
        data = bytes(self.memory[first : first + min(size, DAMAGE_BYTES)])
        six_bit = int(np.count_nonzero(self.buffer[first : first + size] >> 6 == 1))
        new = Damage(self.origin + first, size, failures, six_bit, data)
        if self._damage and self._damage[-1].offset + self._damage[-1].size == new.offset:
            last = self._damage.pop()
            new = Damage(
                last.offset, last.size + size, last.failed_headers + failures, last.six_bit + six_bit,
                (last.data + data)[:DAMAGE_BYTES],
            )  # fmt: skip
        self._damage.append(new)
