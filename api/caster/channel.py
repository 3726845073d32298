"""A channel: one stream of epochs and all who follow it. A station's, or a nearest station's under another number.

`publish` prepares an epoch once (once more for those in chunks) and writes it to each follower. More than `SLICE`
followers are served in slices with a turn of the event loop between, so that positions are read and other channels
served. Epochs keep their order; when `MOST_QUEUED` wait for their slices, the oldest that has not begun is dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from api.caster.reasons import EndReason
from api.caster.seen import StreamWatch
from api.caster.sessions import Session
from cors.ntrip.chunks import encode_chunk

log = structlog.get_logger("caster")

SLICE = 500
MOST_QUEUED = 4


class Channel:
    """Made by the hub; `publish` and `greeting` are the service's."""

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self.name = name
        self.greeting = b""
        """Whole frames for one who joins: station, descriptors, ephemerides."""
        self.watch = StreamWatch()
        self.last_published: float | None = None
        self.epochs = 0
        self.epochs_dropped = 0
        """Epochs that no follower got because the event loop was behind."""
        self._monotonic = monotonic
        self._followers: set[Session] = set()
        self._snapshot: tuple[Session, ...] | None = None
        self._queue: deque[tuple[bytes, tuple[Session, ...]]] = deque()
        self._position = 0

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._followers)

    def publish(self, epoch: bytes) -> None:
        """Send one epoch (whole frames) to every follower. Call it in the event loop."""
        if not epoch:
            return
        now = self._monotonic()
        self.last_published = now
        self.epochs += 1
        self.watch.saw(epoch, now)
        if self._snapshot is None:
            self._snapshot = tuple(self._followers)
        if len(self._snapshot) <= SLICE and not self._queue:
            _write(epoch, self._snapshot)
            return
        if len(self._queue) >= MOST_QUEUED:
            del self._queue[1]
            self.epochs_dropped += 1
        self._queue.append((epoch, self._snapshot))
        if len(self._queue) == 1:
            self._next_slice()

    def silent_since(self, now: float) -> float:
        """Seconds without an epoch; infinite before the first."""
        return float("inf") if self.last_published is None else now - self.last_published

    def sessions(self) -> tuple[Session, ...]:
        """Who follows."""
        return tuple(self._followers)

    def add(self, session: Session) -> None:
        """Follow from the next epoch on, with the greeting first."""
        self._followers.add(session)
        self._snapshot = None
        session.channel = self
        session.greet(self.greeting)

    def remove(self, session: Session) -> None:
        """Follow no longer."""
        self._followers.discard(session)
        self._snapshot = None
        session.channel = None

    def _next_slice(self) -> None:
        epoch, sessions = self._queue[0]
        following = [s for s in sessions[self._position : self._position + SLICE] if s.channel is self]
        _write(epoch, following)
        self._position += SLICE
        if self._position >= len(sessions):
            self._queue.popleft()
            self._position = 0
        if self._queue:
            asyncio.get_running_loop().call_soon(self._next_slice)


def _write(epoch: bytes, sessions: Sequence[Session]) -> None:
    """One write a session: the loop that fan-out consists of. A connection that fails ends its own session only."""
    chunk = b""
    length = len(epoch)
    for session in sessions:
        try:
            if session.chunked:
                chunk = chunk or encode_chunk(epoch)
                session.send_prepared(chunk)
            elif session.ready:
                session.write(epoch)
                session.epochs_sent += 1
                session.bytes_sent += length
            else:
                session.send_prepared(epoch)
        except Exception:
            log.exception("write.fault", session=session.id)
            session.end(EndReason.HALF_OPEN)
