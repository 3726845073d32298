"""A whole recording to observation arrays in one go: for conversion, statistics and whatever else wants speed.

`read_recording` gives all rows of a file held in memory, in the order of the messages, with a table of the messages;
`decode_blocks` (observation_rows) does the same for files of any size in arrays that are used again. Epochs here are
the tags as sent, but for BeiDou's in GPS time; `StreamDecoder` sets more right and costs 30 us an epoch.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations
from cors.gnss.time import BDT_OFFSET_S, NS
from cors.rtcm import _decode_kernels as kernels
from cors.rtcm import _frame_kernels as frame_kernels
from cors.rtcm.observation_rows import empty_rows, new_context

_BEIDOU_MSM = (1120, 1130)


class MessageTable(NamedTuple):
    """Observation messages of a recording, one a row, in their order."""

    number: NDArray[np.int64]
    """DF002."""
    station_id: NDArray[np.int64]
    """DF003."""
    gpst: NDArray[np.int64]
    """Tag, ns."""
    more: NDArray[np.bool_]
    """DF393 or DF005."""
    first: NDArray[np.int64]
    """First row."""
    rows: NDArray[np.int64]
    """Number of rows."""
    offset: NDArray[np.int64]
    """Bytes from the start."""


class Recording(NamedTuple):
    """What a recording holds."""

    observations: Observations
    """Rows in the order of the messages; each message's sorted by satellite and signal (MSM)."""
    messages: MessageTable
    frames: NDArray[np.int64]
    """[n, 3] offset, size and number (-1 none) of every good frame."""
    glonass_channels: NDArray[np.int8]
    """[64] by slot - 1, -128 where nobody told."""
    junk_bytes: int
    failed_headers: int


def load(path: Path) -> NDArray[np.uint8]:
    """Bytes of a file with the slack that kernels read behind the last one."""
    with path.open("rb") as file:
        size = path.stat().st_size
        buffer = np.empty(size + frame_kernels.PAD, np.uint8)
        buffer[size:] = 0
        read = file.readinto(buffer[:size].data)
    return buffer[: read + frame_kernels.PAD]


def read_recording(path: Path, start: int) -> Recording:
    """All of a file; `start` (gpst ns) within half a week of its first epoch. Raises OSError."""
    return decode_padded(load(path), start)


def decode_recording(data: bytes | bytearray | memoryview, start: int) -> Recording:
    """All of a recording in memory (copied once)."""
    buffer = np.zeros(len(data) + frame_kernels.PAD, np.uint8)
    buffer[: len(data)] = np.frombuffer(data, np.uint8)
    return decode_padded(buffer, start)


def decode_padded(buffer: NDArray[np.uint8], start: int) -> Recording:
    """All of a recording in a buffer with `PAD` bytes behind it."""
    table, state = _frames(buffer)
    context = new_context()
    clock = np.array([start, kernels.GUESSED, kernels.NO_TIME], np.int64)
    rows = empty_rows(int(kernels.count_rows(buffer, table, len(table))))
    used, numbers = 0, table[:, kernels.NUMBER]
    if np.any((numbers > 1070) & (numbers < 1138)):
        used = int(kernels.decode_msm(buffer, table, len(table), clock, context, rows, 0))
    if np.any((numbers > 1000) & (numbers < 1005) | (numbers > 1008) & (numbers < 1013)):
        used = int(kernels.decode_observables(buffer, table, len(table), clock.copy(), context, rows, used))
    rows = Observations._make(column[:used] for column in rows)
    return Recording(
        rows, _messages(table), table[:, :3].copy(), context.channels, int(state[frame_kernels.JUNK]),
        int(state[frame_kernels.FAILURES]),
    )  # fmt: skip


def _frames(buffer: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frame table of a whole buffer, and the final state of the scan."""
    size = len(buffer) - frame_kernels.PAD
    state, spans = np.zeros(frame_kernels.SCAN_STATE, np.int64), np.zeros((0, 3), np.int64)
    parts = []
    while True:
        part = np.empty((max(size // 128, 256), kernels.TABLE_COLUMNS), np.int64)
        n = int(frame_kernels.scan(buffer, size, True, part, spans, state))
        parts.append(part[:n])
        if n < len(part):
            break
    state[frame_kernels.JUNK] += size - state[frame_kernels.HEAD]
    return parts[0] if len(parts) == 1 else np.concatenate(parts), state


def _messages(table: NDArray[np.int64]) -> MessageTable:
    """The decoded observation messages of a frame table, with BeiDou epochs in GPS time set right."""
    t = table[table[:, kernels.STATUS] == kernels.DECODED]
    number, gpst, more = t[:, kernels.NUMBER].copy(), t[:, kernels.TAG].copy(), t[:, kernels.MORE] != 0
    beidou = (number > _BEIDOU_MSM[0]) & (number < _BEIDOU_MSM[1])
    chained = np.append(False, more[:-1] & ~beidou[:-1]) & beidou
    ahead = (gpst - np.roll(gpst, 1))[chained]
    if np.count_nonzero(ahead == BDT_OFFSET_S * NS) * 2 > ahead.size:
        gpst[beidou] -= BDT_OFFSET_S * NS
    return MessageTable(
        number, t[:, kernels.STATION].copy(), gpst, more, t[:, kernels.FIRST].copy(), t[:, kernels.ROWS].copy(),
        t[:, kernels.OFFSET].copy(),
    )  # fmt: skip


def epoch_bounds(messages: MessageTable) -> NDArray[np.int64]:
    """First message of each run of one station and tag, and the number of messages: [epochs + 1]."""
    if not len(messages.gpst):
        return np.zeros(1, np.int64)
    changes = (np.diff(messages.gpst) != 0) | (np.diff(messages.station_id) != 0)
    return np.concatenate([[0], np.flatnonzero(changes) + 1, [len(messages.gpst)]]).astype(np.int64)
