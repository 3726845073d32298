"""Observations to 1001-1004 and 1009-1012, for rovers older than MSM: GPS (with SBAS) and GLONASS, L1 and L2.

A satellite needs a code on L1 (and a GLONASS channel) to be sent at all; L1 takes C/A before P, L2 takes P(Y) before
L2C. Phases are kept near the code by rollovers of 1500 cycles, which receivers undo. At most 31 satellites a message.
Source: RTCM 10403.x DF001-DF050.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations
from cors.gnss.time import leap_seconds
from cors.rtcm import _encode_kernels as kernels
from cors.rtcm._frame_kernels import seal_all
from cors.rtcm.encoder_rows import (
    FRAME_BYTES,
    MS_NS,
    NO_CHANNELS,
    EncodeCounts,
    PhaseMemory,
    channel_table,
    kernel_rows,
)
from cors.rtcm.errors import UnencodableError
from cors.rtcm.msm import check_station_id
from cors.rtcm.row_order import sorted_rows


class GpsObservables(IntEnum):
    """DF002 of the GPS message."""

    NONE = 0
    L1 = 1001
    L1_EXTENDED = 1002
    L1_L2 = 1003
    L1_L2_EXTENDED = 1004


class GlonassObservables(IntEnum):
    """DF002 of the GLONASS message."""

    NONE = 0
    L1 = 1009
    L1_EXTENDED = 1010
    L1_L2 = 1011
    L1_L2_EXTENDED = 1012


class ObservablesEncoder:
    """One station's stream of GPS and GLONASS observables; DF005 is 1 in the GPS message when GLONASS follows."""

    def __init__(
        self,
        gps: GpsObservables = GpsObservables.L1_L2_EXTENDED,
        glonass: GlonassObservables = GlonassObservables.L1_L2_EXTENDED,
    ) -> None:
        """Of these two message types."""
        self.gps, self.glonass = gps, glonass
        self._memory = PhaseMemory()
        self._counts = np.zeros(kernels.COUNTS, np.int64)

    @property
    def counts(self) -> EncodeCounts:
        """Sums since the start; `left_out` counts satellites."""
        return EncodeCounts._make(self._counts.tolist())

    def encode(
        self,
        gpst: int,
        station_id: int,
        observations: Observations,
        channels: Mapping[int, int] | NDArray[np.int8] = NO_CHANNELS,
        smoothing_interval: int = 0,
    ) -> bytes:
        """Both frames of an epoch (gpst ns), or the one that has satellites; rows of other systems are passed over."""
        check_station_id(station_id)
        rows = kernel_rows(sorted_rows(observations))
        table = channels if isinstance(channels, np.ndarray) else channel_table(channels)
        numbers, now_ms = np.array([self.gps, self.glonass], np.int64), np.array([(gpst + MS_NS // 2) // MS_NS])
        out, ends = np.empty(2 * FRAME_BYTES, np.uint8), np.zeros(2, np.int64)
        _, why = kernels.encode_observables(
            numbers, now_ms, leap_seconds(gpst), np.array([station_id], np.int64), smoothing_interval & 7, rows,
            np.array([0, len(rows.satellite)], np.int64), self._memory.of(rows), table.reshape(1, 64), out, ends,
            self._counts,
        )  # fmt: skip
        if why == kernels.NO_ORDER:
            raise UnencodableError("rows are not satellites and their signals")
        seal_all(out, 0, int(ends[1]))
        return out[: ends[1]].tobytes()
