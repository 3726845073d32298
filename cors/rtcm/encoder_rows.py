"""What all encoders of observations share: rows fit for kernels, the memory of phases, counts of what was not sent.

A phase that leaves its field's range is moved by whole cycles, and its lock time starts again. Both must last, or the
phase would slip at every epoch: `PhaseMemory` holds them by satellite and signal for one stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations, empty_observations, sort_order, take
from cors.gnss.signals import CHANNEL_STEP, FREQUENCY, SIGNALS, UNKNOWN_CHANNEL, is_encodable
from cors.rtcm import _encode_kernels as kernels

FRAME_BYTES = 1029
MS_NS = 1_000_000

CARRIERS = kernels.Carriers(
    FREQUENCY.copy(), CHANNEL_STEP.copy(), np.array([is_encodable(signal) for signal in range(SIGNALS)], np.uint8)
)
_DTYPES = tuple(column.dtype for column in empty_observations())
_PLACES = SIGNALS * 32


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


def sorted_rows(observations: Observations) -> Observations:
    """The rows by satellite and signal, each pair once (the first)."""
    key = observations.satellite.astype(np.int32) << 16 | observations.signal
    steps = np.diff(key)
    if np.all(steps > 0):
        return observations
    order = sort_order(observations)
    first = np.append(True, np.diff(key[order]) > 0)
    return take(observations, order[first])


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
    """Moves and restarts of a stream's phases, kept by satellite and signal between epochs."""

    def __init__(self) -> None:
        """Nothing sent yet."""
        self._all = fresh_memory(_PLACES + 1)

    def places(self, observations: Observations) -> NDArray[np.intp]:
        """Where each row's memory is kept; signals without a place in a message share one nobody reads."""
        place = observations.satellite.astype(np.intp) * 32 + (observations.signal & 31)
        return np.where((observations.signal & 63) < 32, place, _PLACES)

    def load(self, places: NDArray[np.intp]) -> kernels.Memory:
        """Memory of rows, for a kernel to write."""
        return kernels.Memory(self._all.shift[places], self._all.restart[places])

    def store(self, places: NDArray[np.intp], memory: kernels.Memory) -> None:
        """Keep what the kernel wrote."""
        self._all.shift[places], self._all.restart[places] = memory.shift, memory.restart

    def forget(self) -> None:
        """Begin anew, as after a change of station id."""
        self._all.shift[:], self._all.restart[:] = 0.0, kernels.NO_TIME
