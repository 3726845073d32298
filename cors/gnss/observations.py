"""What a receiver measured: one row a satellite and signal, arrays beside each other.

A NamedTuple of arrays because kernels take it as it is. Absent is NaN. Phase is in metres, growing with range
(a receding satellite makes it grow); the rate likewise, so a RINEX Doppler is -rate / wavelength.
RINEX LLI and SSI digits and RTCM headers stay in the codecs' own records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ObservationFlag(IntFlag):
    """Bits of `Observations.flags`."""

    SLIP = 1
    """Cycle slip since the signal's last row."""
    HALF_CYCLE = 2
    """Half-cycle ambiguity unresolved."""
    CODE_REJECTED = 4
    PHASE_REJECTED = 8
    SLIP_BRIDGED = 16
    """A slip was repaired and waits for confirmation."""
    SMOOTHED_CODE = 32


class Observations(NamedTuple):
    """Rows of one station and epoch (or of many, concatenated by `offsets` elsewhere); all arrays have length n."""

    satellite: NDArray[np.int16]
    """constellation << 6 | id - 1 (cors.gnss.satellites)."""
    signal: NDArray[np.uint16]
    """constellation << 6 | id - 1 (cors.gnss.signals)."""
    pseudorange: NDArray[np.float64]
    """m."""
    phaserange: NDArray[np.float64]
    """m; wavelength times the carrier phase."""
    phaserange_rate: NDArray[np.float64]
    """m/s, positive when the range grows."""
    cn0: NDArray[np.float32]
    """dB-Hz."""
    lock_time: NDArray[np.float32]
    """ms, the least time of continuous lock the receiver tells; NaN unknown."""
    flags: NDArray[np.uint8]
    """ObservationFlag bits."""


_DTYPES = (np.int16, np.uint16, np.float64, np.float64, np.float64, np.float32, np.float32, np.uint8)


def empty_observations(rows: int = 0) -> Observations:
    """`rows` rows: zero identities and flags, NaN values."""
    return Observations._make(
        np.full(rows, np.nan, t) if np.issubdtype(t, np.floating) else np.zeros(rows, t) for t in _DTYPES
    )


def concatenate(parts: Sequence[Observations]) -> Observations:
    """Rows of all parts, in order."""
    if not parts:
        return empty_observations()
    return Observations._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def take(observations: Observations, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Observations:
    """The rows a mask, index array or slice selects (a slice gives views)."""
    return Observations._make(column[rows] for column in observations)


def sort_order(observations: Observations) -> NDArray[np.intp]:
    """Stable order by satellite, then signal."""
    key = observations.satellite.astype(np.int32) << 16 | observations.signal
    return np.argsort(key, kind="stable")


def from_rows(rows: Iterable[tuple[int, int, float, float, float, float, float, int]]) -> Observations:
    """Observations of row tuples in field order; for tests and small tools."""
    columns = list(zip(*rows, strict=True)) or [()] * len(_DTYPES)
    return Observations._make(np.array(column, dtype) for column, dtype in zip(columns, _DTYPES, strict=True))
