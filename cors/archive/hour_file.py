"""One hour of one station on disk: frames and time tags, appended whole and mended after a crash.

Data is written before its tags, so a tag never speaks of bytes that are not there for long; what a crash left (half a
frame, half a record, tags without data) is cut off when the file is opened again. All calls block.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cors.archive.places import hour_start
from cors.archive.time_tags import (
    HEADER_BYTES,
    MS,
    RECORD_BYTES,
    TagError,
    TimeTags,
    encode_header,
    encode_record,
    parse_tags,
    tag_path,
)
from cors.archive.whole_frames import whole_frames


class Piece(NamedTuple):
    """Bytes that came together."""

    received: int
    """gpst ns."""
    data: bytes


class HourFile:
    """An open hour; `append` is all or nothing."""

    def __init__(self, path: Path, received: int) -> None:
        """Open or create; `received` (gpst ns) starts the tags of a new one. Raises OSError."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._data = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._tags = -1
        self._start, self._size, self._tags_size, self._last_ms = received, 0, 0, 0
        try:
            self._tags = os.open(tag_path(path), os.O_RDWR | os.O_CREAT, 0o644)
            self.mended_bytes = self._mend(received)
        except OSError:
            self.close()
            raise

    def append(self, pieces: Sequence[Piece]) -> None:
        """Write pieces behind each other, each with a tag. Raises OSError; the data is then as it was before."""
        size, records, last_ms = self._size, [], self._last_ms
        for piece in pieces:
            size += len(piece.data)
            last_ms = max(last_ms, (piece.received - self._start) // MS)
            records.append(encode_record(last_ms, size))
        self._write(self._data, b"".join(piece.data for piece in pieces), self._size)
        self._size, self._last_ms = size, last_ms
        self._write(self._tags, b"".join(records), self._tags_size)
        self._tags_size += RECORD_BYTES * len(records)

    def sync(self) -> None:
        """Have the disk hold it, not only the system."""
        os.fsync(self._data)
        os.fsync(self._tags)

    def close(self) -> None:
        """Close both files."""
        for descriptor in (self._data, self._tags):
            if descriptor >= 0:
                os.close(descriptor)
        self._data = self._tags = -1

    @staticmethod
    def _write(descriptor: int, content: bytes, at: int) -> None:
        view, done = memoryview(content), 0
        try:
            while done < len(content):
                done += os.pwrite(descriptor, view[done:], at + done)
        except OSError:
            os.ftruncate(descriptor, at)
            raise

    def _mend(self, received: int) -> int:
        """Cut off what is not whole and take up the tags where they end; returns the bytes of data cut off."""
        content = os.pread(self._tags, os.fstat(self._tags).st_size, 0)
        length = os.fstat(self._data).st_size
        try:
            tags: TimeTags | None = parse_tags(content) if content else None
        except TagError:
            tags = None
        good = tags.ends[tags.ends <= length] if tags is not None else None
        behind = int(good[-1]) if good is not None and good.size else 0
        self._size = behind + whole_frames(os.pread(self._data, length - behind, behind))
        os.ftruncate(self._data, self._size)
        if tags is None or good is None:
            self._begin_tags(received)
        else:
            self._start = tags.start
            self._last_ms = int((tags.times[good.size - 1] - tags.start) // MS) if good.size else 0
            self._tags_size = HEADER_BYTES + RECORD_BYTES * good.size
            kept = content[:HEADER_BYTES] + b"".join(
                encode_record(int(t - tags.start) // MS, int(e)) for t, e in zip(tags.times, good, strict=False)
            )
            if kept != content:
                self._write(self._tags, kept, 0)
                os.ftruncate(self._tags, len(kept))
        if self._size > behind:
            self._write(self._tags, encode_record(self._last_ms, self._size), self._tags_size)
            self._tags_size += RECORD_BYTES
        return int(length - self._size)

    def _begin_tags(self, received: int) -> None:
        hour = hour_start(self.path)
        self._tags_size = HEADER_BYTES
        os.ftruncate(self._tags, 0)
        self._write(self._tags, encode_header(received, max(0, received - (hour or received)) // MS), 0)
