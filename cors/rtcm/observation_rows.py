"""Observation messages to rows, many at a time, into arrays that are owned here and used again.

Phases are in metres and need no GLONASS channel; channels are learned for those who need cycles. MSM1-3 and
1001, 1003, 1009, 1011 carry ranges modulo 1 (2) ms: they become whole where `expected` holds the satellite's range,
else they are NaN and the frame says so. Times become gpst by a reference the caller gives, or by the tags before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations, empty_observations, take
from cors.gnss.satellites import Constellation, pack_satellite
from cors.gnss.signals import SIGNALS, UNKNOWN_CHANNEL, signal_code
from cors.gnss.time import LEAP_STARTS_UTC_S, NS
from cors.rtcm import _decode_kernels as kernels
from cors.rtcm.scanner import FrameScanner

ROWS_PER_FRAME = 64
_NAMED = np.array([not signal_code(signal).startswith("#") for signal in range(SIGNALS)], np.uint8)
_LEAPS = np.array(LEAP_STARTS_UTC_S, np.int64) * NS


def new_context() -> kernels.Context:
    """Memory of a stream that has told nothing yet."""
    return kernels.Context(
        _LEAPS,
        _NAMED,
        np.full(SIGNALS, np.nan),
        np.full(64, UNKNOWN_CHANNEL, np.int8),
        np.full((SIGNALS, 2, 3), np.nan),
    )


def empty_rows(rows: int) -> Observations:
    """Arrays for `rows` rows, not filled: memory that is never used is never touched."""
    return Observations._make(np.empty(rows, column.dtype) for column in empty_observations())


class TimeReference:
    """What weeks and days are resolved against: `now` where somebody knows it, else the tags themselves."""

    def __init__(self, start: int) -> None:
        """`start` (gpst ns) must be within half a week of the first tag."""
        self.clock: NDArray[np.int64] = np.array([start, kernels.GUESSED, kernels.NO_TIME], np.int64)

    def set(self, now: int) -> None:
        """The time it is (gpst ns), to half a week: the first tag of known week is believed again."""
        self.clock[0], self.clock[1], self.clock[2] = now, kernels.TOLD, kernels.NO_TIME

    @property
    def now(self) -> int:
        """Newest time known, gpst ns."""
        return int(self.clock[0])


class RowDecoder:
    """Decodes the observation messages of a scanner's table into `rows`."""

    def __init__(self, start: int, frames: int = 128) -> None:
        """For tables of up to `frames` frames; `start` as in `TimeReference`."""
        self.context = new_context()
        self.reference = TimeReference(start)
        self.rows = empty_rows(ROWS_PER_FRAME * frames)

    @property
    def expected_ranges(self) -> NDArray[np.float64]:
        """[448] pseudorange by packed satellite, m within 150 km, NaN unknown; the owner may write it."""
        return self.context.expected

    @property
    def glonass_channels(self) -> dict[int, int]:
        """Channel by packed satellite, as far as told."""
        return {
            pack_satellite(Constellation.GLONASS, k + 1): channel
            for k, channel in enumerate(self.context.channels.tolist())
            if channel != UNKNOWN_CHANNEL
        }

    def learn_channel(self, satellite: int, channel: int) -> None:
        """Take over a GLONASS channel from elsewhere (1020, another station)."""
        self.context.channels[satellite & 63] = channel

    def decode(self, scanner: FrameScanner, n: int, first: int = 0) -> int:
        """Fill `rows` from `first` on from the first n frames of a scanner's table; returns the next free row.

        Columns of the table then say which rows a frame gave, its station, tag and what was wrong.
        """
        msm, observables = scanner.kinds
        clock = self.reference.clock
        if msm:
            before = clock.copy()
            first = int(kernels.decode_msm(scanner.buffer, scanner.table, n, clock, self.context, self.rows, first))
            clock = before if before[1] != kernels.GUESSED else clock  # the older kind starts from the same date
        if observables:
            first = int(
                kernels.decode_observables(scanner.buffer, scanner.table, n, clock, self.context, self.rows, first)
            )
        return first


class Block(NamedTuple):
    """Frames and rows of a piece of a stream: views, good until the next one."""

    origin: int
    """Offset in the stream that offsets in `table` start from."""
    table: NDArray[np.int64]
    """[n, TABLE_COLUMNS], columns as in `_decode_kernels`."""
    observations: Observations


def decode_blocks(
    pieces: Iterator[bytes | bytearray | memoryview], start: int, capacity: int = 1 << 20
) -> Iterator[Block]:
    """Rows of a recording of any size, in blocks that reuse their arrays; `start` as in `TimeReference`."""
    frames = max(capacity // 64, 16)
    scanner, decoder = FrameScanner(capacity, frames), RowDecoder(start, frames)

    def block(n: int) -> Block:
        rows = decoder.decode(scanner, n)
        return Block(scanner.origin, scanner.table[:n], take(decoder.rows, slice(0, rows)))

    for piece in pieces:
        yield from map(block, scanner.feed(piece))
    yield from map(block, scanner.finish())
