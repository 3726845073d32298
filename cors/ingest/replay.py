"""Recordings poured out again with their true cadence, several of one scene in step.

    pacer = Pacer(speed)
    await replay(merged(paths, now), pacer, deliver)        # deliver(name, bytes): a TcpServer, a caster's source, ...

Nothing is lost: the pouring waits for whoever takes the bytes.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from cors.archive.reading import ArchivedPiece
from cors.ingest.pacing import Pacer
from cors.ingest.recording import recorded_pieces


def merged(paths: Sequence[Path], now: int) -> Iterator[ArchivedPiece]:
    """Pieces of several recordings by the time they are due, named by their files; `now` as in `recorded_pieces`.

    Raises OSError when a piece cannot be read.
    """
    return heapq.merge(*(recorded_pieces(path, now) for path in paths), key=lambda piece: piece.received)


async def replay(
    pieces: Iterator[ArchivedPiece], pacer: Pacer, deliver: Callable[[str, bytes], Awaitable[None]]
) -> int:
    """Deliver every piece when it is due; returns how many bytes that were."""
    poured = 0
    for piece in pieces:
        await pacer.until(piece.received)
        await deliver(piece.station, piece.data)
        poured += len(piece.data)
    return poured
