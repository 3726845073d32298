"""What came in, kept: raw frames of all stations in hourly files, at most a second behind.

`append` only queues; `flush` writes and is called once a second, in a thread (`keep_flushing`). A process that dies
loses what came since the last flush, never a part of what was flushed. A full or broken disk is reported and tried
again; what waits for it is bounded and the oldest goes first, counted.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from cors.archive.hour_file import HourFile, Piece
from cors.archive.places import HOUR_NS, check_station, hour_path

MOST_WAITING_BYTES = 4 << 20
"""A station's queue for the disk (about an hour of a busy stream); when full the oldest pieces go."""
FLUSH_S = 1.0


class ArchiveCounts(NamedTuple):
    """What became of one station's bytes."""

    written_bytes: int
    waiting_bytes: int
    lost_bytes: int
    """Dropped because the disk took nothing for too long."""
    mended_bytes: int
    """Cut off when files were opened: left behind by a crash."""
    errors: int
    last_error: str


@dataclass(slots=True)
class _Station:
    waiting: deque[Piece] = field(default_factory=deque)
    waiting_bytes: int = 0
    file: HourFile | None = None
    written_bytes: int = 0
    lost_bytes: int = 0
    mended_bytes: int = 0
    errors: int = 0
    last_error: str = ""


class RawArchive:
    """Raw hours under one folder, which has one writer; any thread may call."""

    def __init__(self, root: Path) -> None:
        """Writes below `root`/raw; nothing is touched before the first flush."""
        self._root = root
        self._stations: dict[str, _Station] = {}
        self._lock = threading.Lock()
        self._disk = threading.Lock()

    def append(self, station: str, frames: bytes, received: int) -> None:
        """Queue whole frames that came at `received` (gpst ns). Raises ValueError for a name that is no folder's."""
        entry = self._stations.get(station)
        if entry is None:
            entry = self._stations.setdefault(check_station(station), _Station())
        with self._lock:
            entry.waiting.append(Piece(received, frames))
            entry.waiting_bytes += len(frames)
            self._bound(entry)

    def flush(self) -> None:
        """Write what waits. A station whose disk fails keeps its pieces for the next time."""
        with self._disk:
            for name, entry in list(self._stations.items()):
                with self._lock:
                    pieces, entry.waiting, entry.waiting_bytes = entry.waiting, deque(), 0
                if pieces:
                    self._write(name, entry, list(pieces))

    def close(self) -> None:
        """Write what waits and close the files; a later flush opens them again."""
        self.flush()
        with self._disk:
            for entry in self._stations.values():
                self._close_file(entry)

    def counts(self) -> dict[str, ArchiveCounts]:
        """By station."""
        with self._lock:
            return {
                name: ArchiveCounts(
                    e.written_bytes, e.waiting_bytes, e.lost_bytes, e.mended_bytes, e.errors, e.last_error
                )
                for name, e in self._stations.items()
            }

    def _write(self, name: str, entry: _Station, pieces: list[Piece]) -> None:
        done = 0
        try:
            for _, group in groupby(pieces, lambda piece: piece.received // HOUR_NS):
                together = list(group)
                self._file(name, entry, together[0].received).append(together)
                done += len(together)
                entry.written_bytes += sum(len(piece.data) for piece in together)
        except OSError as error:
            entry.errors += 1
            entry.last_error = str(error)
            self._close_file(entry)
            with self._lock:
                entry.waiting.extendleft(reversed(pieces[done:]))
                entry.waiting_bytes = sum(len(piece.data) for piece in entry.waiting)
                self._bound(entry)

    def _file(self, name: str, entry: _Station, received: int) -> HourFile:
        path = hour_path(self._root, name, received)
        if entry.file is None or entry.file.path != path:
            if entry.file is not None:
                entry.file.sync()
                self._close_file(entry)
            entry.file = HourFile(path, received)
            entry.mended_bytes += entry.file.mended_bytes
        return entry.file

    @staticmethod
    def _close_file(entry: _Station) -> None:
        if entry.file is not None:
            entry.file.close()
            entry.file = None

    @staticmethod
    def _bound(entry: _Station) -> None:
        while entry.waiting_bytes > MOST_WAITING_BYTES:
            lost = len(entry.waiting.popleft().data)
            entry.waiting_bytes -= lost
            entry.lost_bytes += lost


async def keep_flushing(
    archive: RawArchive, every_s: float = FLUSH_S, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Flush each `every_s` in a thread until cancelled; then once more, and close."""
    try:
        while True:
            await asyncio.to_thread(archive.flush)
            await sleep(every_s)
    finally:
        archive.close()
