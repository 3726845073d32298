"""A recorded stream in pieces, each with the time it is due: by the time tags beside it, else by its own epochs.

Without tags a piece reaches from the first observation message of an epoch to that of the next; what stands before the
first goes with it. Weeks are resolved against a time that the caller gives, right within half a week. Bytes are passed
on as they are, junk included; a recording without observation messages is one piece.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from cors.archive.places import hour_start
from cors.archive.reading import ArchivedPiece, read_file
from cors.archive.time_tags import TagError, read_tags, tag_path
from cors.gnss.time import NS
from cors.rtcm._decode_kernels import DECODED, OFFSET, STATUS, TAG
from cors.rtcm.observation_rows import decode_blocks

BLOCK_BYTES = 1 << 18
SAME_EPOCH_NS = NS // 200
"""Tags of one epoch may differ so much (receivers that stamp their systems apart)."""
MOST_PIECE_BYTES = 1 << 20
"""A longer stretch without an epoch comes in several pieces, all due at once."""


def recorded_pieces(path: Path, now: int) -> Generator[ArchivedPiece]:
    """Pieces of a recording of RTCM 3, named by the file's stem; `now` (gpst ns) resolves weeks.

    The hour in the name of an archive's file goes before `now`. Raises OSError.
    """
    name = path.name.split(".")[0]
    try:
        if read_tags(tag_path(path)).ends.size:
            yield from read_file(path, name)
            return
    except (OSError, TagError):
        pass  # no tags: the epochs tell
    hour = hour_start(path)
    yield from _by_epochs(path, name, now if hour is None else hour)


def _by_epochs(path: Path, name: str, now: int) -> Iterator[ArchivedPiece]:
    with path.open("rb") as file:
        begin, due = 0, None
        for tag, offset in _epochs(path, now):
            if due is not None:
                yield from _read(file, name, due, offset - begin)
                begin = offset
            due = tag if due is None else max(due, tag)
        yield from _read(file, name, now if due is None else due, path.stat().st_size - begin)


def _epochs(path: Path, now: int) -> Iterator[tuple[int, int]]:
    """Tag and offset of the first observation message of each epoch."""
    with path.open("rb") as file:
        newest: int | None = None
        for block in decode_blocks(iter(lambda: file.read(BLOCK_BYTES), b""), now, BLOCK_BYTES):
            decoded = block.table[block.table[:, STATUS] == DECODED]
            for tag, offset in decoded[:, [TAG, OFFSET]].tolist():
                if newest is None or abs(tag - newest) > SAME_EPOCH_NS:
                    newest = tag
                    yield tag, block.origin + offset


def _read(file: BinaryIO, name: str, due: int, size: int) -> Iterator[ArchivedPiece]:
    while size > 0:
        data = file.read(min(size, MOST_PIECE_BYTES))
        if not data:
            return
        size -= len(data)
        yield ArchivedPiece(due, name, data)
