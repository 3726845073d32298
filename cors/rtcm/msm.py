"""Observations to MSM1-7: one epoch of one station as bytes, or thousands of epochs into a caller's buffer.

Messages stand in ascending constellation order, each with one constellation and at most 64 cells, split by satellite;
DF393 is 1 on all but the last. Only whole milliseconds can be sent: `gpst` is rounded to them, so observations belong
at such an instant. Lock times unknown to the receiver count from the first epoch sent or the last row flagged SLIP.
Source: RTCM 10403.x 3.5.12 (MSM), DF393-DF420.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations
from cors.gnss.time import leap_seconds
from cors.rtcm import _encode_kernels as kernels
from cors.rtcm._frame_kernels import seal_all
from cors.rtcm.encoder_rows import (
    CARRIERS,
    FRAME_BYTES,
    MS_NS,
    NO_CHANNELS,
    EncodeCounts,
    PhaseMemory,
    channel_table,
    kernel_rows,
)
from cors.rtcm.errors import UnencodableError
from cors.rtcm.row_order import sorted_rows


class MsmType(IntEnum):
    """What a cell carries."""

    MSM1 = 1
    """Code modulo 1 ms."""
    MSM2 = 2
    """Phase modulo 1 ms."""
    MSM3 = 3
    """Code and phase modulo 1 ms."""
    MSM4 = 4
    """Code, phase, C/N0."""
    MSM5 = 5
    """Code, phase, C/N0, rate."""
    MSM6 = 6
    """As MSM4, finer."""
    MSM7 = 7
    """As MSM5, finer."""


class ClockSteering(IntEnum):
    """DF411."""

    NOT_STEERED = 0
    """Within 1 ms."""
    STEERED = 1
    """Within 1 us."""
    UNKNOWN = 2
    RESERVED = 3


class ExternalClock(IntEnum):
    """DF412."""

    INTERNAL = 0
    LOCKED = 1
    PERHAPS_UNLOCKED = 2
    UNKNOWN = 3


class MsmHeader(NamedTuple):
    """What an MSM says of all its observations, its station and time apart."""

    iods: int = 0
    """DF409, 0..7: changes with station coordinates or setup; 0 not used."""
    clock_steering: ClockSteering = ClockSteering.NOT_STEERED
    external_clock: ExternalClock = ExternalClock.INTERNAL
    divergence_free_smoothing: bool = False
    """DF417."""
    smoothing_interval: int = 0
    """DF418, 0 none .. 7 unlimited."""


PLAIN_HEADER = MsmHeader()


@lru_cache(256)
def unpack_header(bits: int) -> MsmHeader:
    """Header of the 18 bits from DF409 on."""
    return MsmHeader(
        bits >> 15 & 7, ClockSteering(bits >> 6 & 3), ExternalClock(bits >> 4 & 3), bool(bits >> 3 & 1), bits & 7
    )


def check_header(header: MsmHeader) -> None:
    """Raises UnencodableError for values DF409 and DF418 cannot hold."""
    if not (0 <= header.iods <= 7 and 0 <= header.smoothing_interval <= 7):
        raise UnencodableError(f"{header} (DF409 and DF418 hold 0..7)")


def check_station_id(station_id: int) -> None:
    """Raises UnencodableError for a station id DF003 cannot hold."""
    if not 0 <= station_id <= 4095:
        raise UnencodableError(f"DF003 (station_id) = {station_id} (expected 0..4095)")


def encode_epochs(
    kind: MsmType,
    gpst: NDArray[np.int64],
    station_ids: NDArray[np.int64],
    observations: Observations,
    offsets: NDArray[np.int64],
    out: NDArray[np.uint8],
    ends: NDArray[np.int64],
    *,
    memory: kernels.Memory,
    channels: NDArray[np.int8],
    header: MsmHeader = PLAIN_HEADER,
    counts: NDArray[np.int64] | None = None,
) -> int:
    """Encode n epochs back to back into out[ends[0]:]; frames of epoch r fill out[ends[r]:ends[r + 1]].

    gpst [n] ns (one leap second count for all), station_ids [n], rows offsets[r]..offsets[r + 1] - 1 of `observations`
    sorted by satellite and signal, memory a value a row, channels [n or 1, 64] (GLONASS, by slot - 1), ends [n + 1],
    counts [COUNTS] added to. All arrays are the caller's, of these dtypes, contiguous and writeable. Returns how many
    epochs had room (1029 bytes a frame are needed). Raises UnencodableError for rows out of order and for ids and
    header values beyond their fields, ValueError for arrays that do not belong together.
    """
    if counts is None:
        counts = np.zeros(kernels.COUNTS, np.int64)
    n, rows = len(gpst), len(observations.satellite)
    if n == 0:
        return 0
    if len(offsets) != n + 1 or len(ends) != n + 1 or len(station_ids) != n or len(memory.shift) < rows:
        raise ValueError(f"{n} epochs of {rows} rows with arrays of other lengths")
    if offsets[0] < 0 or offsets[-1] > rows or ends[0] < 0 or np.any(np.diff(offsets) < 0):
        raise ValueError(f"offsets {offsets[0]}..{offsets[-1]} beyond {rows} rows")
    check_header(header)
    check_station_id(int(np.min(station_ids)))
    check_station_id(int(np.max(station_ids)))
    done, why = kernels.encode_msm(
        int(kind), (gpst + MS_NS // 2) // MS_NS, leap_seconds(int(gpst[0])), station_ids, np.array(header, np.int64),
        observations, offsets, memory, CARRIERS, channels, out, ends, counts,
    )  # fmt: skip
    seal_all(out, int(ends[0]), int(ends[done]))
    if why == kernels.NO_ORDER:
        raise UnencodableError(f"rows of epoch {done} are not satellites and their signals in order")
    return int(done)


class MsmEncoder:
    """One station's stream of MSM. Holds what phases carry from epoch to epoch, and counts what was not sent."""

    def __init__(self, kind: MsmType) -> None:
        """Of one message type."""
        self.kind = kind
        self._memory = PhaseMemory()
        self._counts = np.zeros(kernels.COUNTS, np.int64)

    @property
    def counts(self) -> EncodeCounts:
        """Sums since the start."""
        return EncodeCounts._make(self._counts.tolist())

    def forget(self) -> None:
        """Begin anew, as after a change of station id: phases unmoved, lock times from now."""
        self._memory.forget()

    def encode(
        self,
        gpst: int,
        station_id: int,
        observations: Observations,
        channels: Mapping[int, int] | NDArray[np.int8] = NO_CHANNELS,
        header: MsmHeader = PLAIN_HEADER,
    ) -> bytes:
        """All frames of an epoch (gpst ns); empty where there is nothing to send.

        `channels` are GLONASS frequency channels by packed satellite, or the [64] table of a decoder.
        """
        rows = kernel_rows(sorted_rows(observations))
        table = channels if isinstance(channels, np.ndarray) else channel_table(channels)
        out = np.empty(FRAME_BYTES * max(len(rows.satellite), 1), np.uint8)  # a frame has a row at least
        ends = np.zeros(2, np.int64)
        encode_epochs(
            self.kind, np.array([gpst], np.int64), np.array([station_id], np.int64), rows,
            np.array([0, len(rows.satellite)], np.int64), out, ends, memory=self._memory.of(rows),
            channels=table.reshape(1, 64), header=header, counts=self._counts,
        )  # fmt: skip
        return out[: ends[1]].tobytes()
