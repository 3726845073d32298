"""What all encoders of observations share: rows fit for kernels, the memory of phases, counts of what was not sent.

A phase that leaves its field's range is moved by whole cycles, and its lock time starts again. Both must last, or the
phase would slip at every epoch: `PhaseMemory` holds them by satellite and signal for one stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations, empty_observations
from cors.gnss.signals import CHANNEL_STEP, FREQUENCY, SIGNALS, UNKNOWN_CHANNEL, is_encodable
from cors.rtcm import _encode_kernels as kernels

FRAME_BYTES = 1029
"""A frame at most."""
NO_CHANNELS: Mapping[int, int] = {}
"""Stands for GLONASS channels nobody has told."""
MS_NS = 1_000_000

CARRIERS = kernels.Carriers(
    FREQUENCY.copy(), CHANNEL_STEP.copy(), np.array([is_encodable(signal) for signal in range(SIGNALS)], np.uint8)
)
_DTYPES = tuple(column.dtype for column in empty_observations())


class EncodeCounts(NamedTuple):
    """What was not sent as it was."""

    left_out: int
    """Rows without a value the message carries, or with a code off the satellite's others by more than 292 m."""
    no_place: int
    """Rows whose signal MSM has no place for."""
    rebased: int
    """Phases moved by whole cycles, with lock time 0."""
    phase_lost: int
    """Phases out of range whose wavelength is not known (GLONASS without channel), sent as invalid."""
    value_lost: int
    """Other values out of range, sent as invalid."""


def kernel_rows(observations: Observations) -> Observations:
    """The same rows as the one type kernels are compiled for: exact dtypes, contiguous, writeable."""
    return Observations._make(_kernel_column(np.asarray(c), t) for c, t in zip(observations, _DTYPES, strict=True))


def _kernel_column(column: NDArray[np.generic], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    if column.dtype == dtype and column.flags.c_contiguous and column.flags.writeable:
        return column
    return np.array(column, dtype, order="C")


def channel_table(channels: Mapping[int, int]) -> NDArray[np.int8]:
    """[64] GLONASS channels for kernels, of a mapping by packed satellite."""
    table = np.full(64, UNKNOWN_CHANNEL, np.int8)
    for satellite, channel in channels.items():
        table[satellite & 63] = channel
    return table


def fresh_memory(rows: int) -> kernels.Memory:
    """Memory of rows nothing has been sent of."""
    return kernels.Memory(np.zeros(rows), np.full(rows, kernels.NO_TIME, np.int64))


class PhaseMemory:
    """Moves and restarts of a stream's phases, kept by satellite and signal between epochs.

    Arrays stand as the rows of the last epoch stood; what is not there for a while rests in a dict, if there is
    anything to keep.
    """

    def __init__(self) -> None:
        """Nothing sent yet."""
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a change of station id."""
        self._keys: NDArray[np.int32] = np.zeros(0, np.int32)
        self._memory = fresh_memory(0)
        self._resting: dict[int, tuple[float, int]] = {}

    def of(self, observations: Observations) -> kernels.Memory:
        """Memory of these rows, for a kernel to write."""
        keys = observations.satellite.astype(np.int32) << 16 | observations.signal
        if not np.array_equal(keys, self._keys):
            self._arrange(keys)
        return self._memory

    def _arrange(self, keys: NDArray[np.int32]) -> None:
        old = zip(self._keys.tolist(), self._memory.shift.tolist(), self._memory.restart.tolist(), strict=True)
        self._resting |= {k: (shift, at) for k, shift, at in old if shift or at != kernels.NO_TIME}
        self._keys, self._memory = keys, fresh_memory(len(keys))
        if self._resting:
            for row, key in enumerate(keys.tolist()):
                if key in self._resting:
                    self._memory.shift[row], self._memory.restart[row] = self._resting.pop(key)
