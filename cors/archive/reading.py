"""Raw hours read back: the last minutes of all stations in the order they came, or any span of any of them.

A running archive may be read: only what its tags speak of is taken. Missing tags cost the times, not the data.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cors.archive.places import HOUR_NS, archived_stations, hour_path, hour_start
from cors.archive.time_tags import TagError, read_tags, tag_path
from cors.gnss.time import NS

BLOCK_BYTES = 1 << 16
"""Untagged data comes in blocks of this size, all at the start of its hour."""


class ArchivedPiece(NamedTuple):
    """Bytes of one station that came together."""

    received: int
    """gpst ns."""
    station: str
    data: bytes


def read_between(root: Path, begin: int, end: int, stations: Iterable[str] | None = None) -> Iterator[ArchivedPiece]:
    """Pieces received in [begin, end) gpst ns, of all stations or of those named, merged by time."""
    names = archived_stations(root) if stations is None else list(stations)
    return heapq.merge(*(_station_pieces(root, name, begin, end) for name in names), key=lambda piece: piece.received)


def read_recent(root: Path, now: int, seconds: float, stations: Iterable[str] | None = None) -> Iterator[ArchivedPiece]:
    """The last `seconds` before `now` (gpst ns): what a restarted engine warms up with."""
    return read_between(root, now - round(seconds * NS), now, stations)


def read_file(path: Path, station: str, begin: int | None = None) -> Iterator[ArchivedPiece]:
    """Pieces of one recording with the times of its tags, from `begin` (gpst ns) on. Raises OSError."""
    size = path.stat().st_size
    try:
        tags = read_tags(tag_path(path))
        times, ends = tags.times, np.minimum(tags.ends, size)
    except (OSError, TagError):
        start = hour_start(path) or 0
        ends = np.arange(BLOCK_BYTES, size + BLOCK_BYTES, BLOCK_BYTES).clip(max=size)
        times = np.full(ends.size, start)
    first = int(np.searchsorted(times, begin)) if begin is not None else 0
    at = int(ends[first - 1]) if first else 0
    with path.open("rb") as file:
        file.seek(at)
        for received, until in zip(times[first:].tolist(), ends[first:].tolist(), strict=True):
            if until > at:
                data = file.read(until - at)
                at = until
                yield ArchivedPiece(received, station, data)


def _station_pieces(root: Path, station: str, begin: int, end: int) -> Iterator[ArchivedPiece]:
    for hour in range(begin // HOUR_NS * HOUR_NS, end, HOUR_NS):
        path = hour_path(root, station, hour)
        if path.is_file():
            for piece in read_file(path, station, begin):
                if piece.received >= end:
                    return
                yield piece
