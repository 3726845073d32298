"""Recordings poured out again with their true cadence, several of one scene in step.

    await replay(merged(paths, now), Pacer(speed), deliver)     # deliver(path, bytes): a caster's mountpoint, ...
    await replay_over_tcp([(path, port), ...], speed, now)

Nothing is lost: the pouring waits for whoever takes the bytes.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cors.ingest.pacing import Pacer
from cors.ingest.recording import recorded_pieces
from cors.ingest.tcp_server import TcpServer


class ReplayPiece(NamedTuple):
    """Bytes of one recording that are due together."""

    due: int
    """gpst ns."""
    path: Path
    data: bytes


def merged(paths: Sequence[Path], now: int) -> Iterator[ReplayPiece]:
    """Pieces of several recordings by the time they are due; `now` as in `recorded_pieces`.

    Raises OSError when a piece cannot be read.
    """
    return heapq.merge(*(_named(path, now) for path in paths), key=lambda piece: piece.due)


def _named(path: Path, now: int) -> Iterator[ReplayPiece]:
    for piece in recorded_pieces(path, now):
        yield ReplayPiece(piece.received, path, piece.data)


async def replay(pieces: Iterator[ReplayPiece], pacer: Pacer, deliver: Callable[[Path, bytes], Awaitable[None]]) -> int:
    """Deliver every piece when it is due; returns how many bytes that were."""
    poured = 0
    for piece in pieces:
        await pacer.until(piece.due)
        await deliver(piece.path, piece.data)
        poured += len(piece.data)
    return poured


async def replay_over_tcp(
    recordings: Sequence[tuple[Path, int]],
    speed: float,
    now: int,
    host: str = "127.0.0.1",
    listening: Callable[[list[int]], None] = lambda ports: None,
) -> int:
    """Serve each recording on its port (0: any) and begin when every port has a client; returns bytes poured.

    `listening` is told the ports. Raises OSError.
    """
    servers = {path: TcpServer() for path, _ in recordings}
    try:
        listening([await servers[path].start(host, port) for path, port in recordings])
        await asyncio.gather(*(server.somebody() for server in servers.values()))
        return await replay(merged(list(servers), now), Pacer(speed), lambda path, data: servers[path].deliver(data))
    finally:
        await asyncio.gather(*(server.close() for server in servers.values()))
