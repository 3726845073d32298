"""Cycle slips as the lock times of a stream tell them.

A lock time on the wire is a least value; its span ends where the next one begins. Between two observations of a signal
dt apart the phase slipped for certain when the lock time fell, or when it cannot reach back to the first; it may have
when its least value does not. dt is the time since that signal's last observation, over outages too. Source: RTCM
10403.x DF402, DF407, DF013; `cors.quality` judges with more than this.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Slip(IntEnum):
    """What two lock times say."""

    NONE = 0
    POSSIBLE = 1
    CERTAIN = 2


MSM_LOCK_MS: NDArray[np.float64] = np.array([0.0, *(2.0 ** (k + 4) for k in range(1, 16))])
"""Least lock time of DF402."""


def _extended() -> NDArray[np.float64]:
    """Least lock time of DF407 0..704, ms."""
    table = [float(raw) for raw in range(64)]
    for raw in range(64, 704):
        b = raw // 32 - 1
        table.append(float((raw - 32 * b) << b))
    return np.array([*table, 67_108_864.0])


def _observable() -> NDArray[np.float64]:
    """Least lock time of DF013, DF019, DF043, DF049, ms."""
    addends = (0, 24, 120, 408, 1176, 3096)
    return np.array([*(1000.0 * ((raw << raw // 24) - addends[raw // 24]) for raw in range(127)), 937_000.0])


MSM_EXTENDED_LOCK_MS = _extended()
OBSERVABLE_LOCK_MS = _observable()


def lock_table(message_number: int) -> NDArray[np.float64]:
    """Least lock times, ms, of the message a row came in."""
    if message_number < 1071:
        return OBSERVABLE_LOCK_MS
    return MSM_EXTENDED_LOCK_MS if message_number % 10 > 5 else MSM_LOCK_MS


def slips(
    before_ms: NDArray[np.floating],
    after_ms: NDArray[np.floating],
    elapsed_ms: NDArray[np.floating],
    table: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """`Slip` of n signals from lock times before and after (ms, NaN unknown) and the time between; all [n]."""
    index = np.searchsorted(table, np.nan_to_num(after_ms), side="right")
    span_end = np.append(table[1:], np.inf)[np.clip(index - 1, 0, len(table) - 1)]
    certain = (after_ms < before_ms) | (span_end <= elapsed_ms)
    out = np.where(certain, Slip.CERTAIN, np.where(after_ms < elapsed_ms, Slip.POSSIBLE, Slip.NONE)).astype(np.uint8)
    out[np.isnan(after_ms)] = Slip.NONE
    return out
