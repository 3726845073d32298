"""One station's source, kept alive: connect, read, and after every end wait and try again.

Nothing a source does reaches another one: errors of the network end a connection, errors of ours are counted as FAULT,
told to the observer with their trace and tried again later. Only cancelling ends it, or a caster that refused five
times.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from cors.ingest.backoff import LONGEST_S, Backoff, End
from cors.ingest.connection import ByteSource, Ended, SourceOptions


class SourceState(StrEnum):
    """What a source does at the moment."""

    IDLE = "IDLE"
    CONNECTING = "CONNECTING"
    STREAMING = "STREAMING"
    WAITING = "WAITING"
    """Between two tries."""
    STOPPED = "STOPPED"
    """For good: refused, or a file that ended."""


class SourceEvent(NamedTuple):
    """Something an operator may want to know."""

    station: str
    state: SourceState
    end: End | None
    detail: str
    """In words, without credentials."""
    wait_s: float | None
    """Until the next try."""
    error: BaseException | None = None
    """Of FAULT alone: our own bug."""


class SourceStatistics(NamedTuple):
    """A source since it was started."""

    state: SourceState
    bytes: int
    connections: int
    """Times that a stream came about."""
    ends: dict[End, int]
    last_error: str
    """The last end in words; empty before the first."""


class Taker(Protocol):
    """Takes a station's bytes."""

    def connected(self) -> None:
        """A new stream begins: what was cut off before is forgotten."""

    def take(self, data: bytes) -> int:
        """Bytes that came; returns how many whole frames they completed."""

    def ended(self) -> None:
        """The stream has ended."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a source needs of the world, so that tests can bring their own."""

    observer: Callable[[SourceEvent], None] = lambda event: None
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[], float] = random.random


class StationSource:
    """Keeps one source; `run` is its task."""

    def __init__(
        self,
        station: str,
        opener: Callable[[], Awaitable[ByteSource]],
        taker: Taker,
        options: SourceOptions,
        surroundings: Surroundings,
    ) -> None:
        """`opener` connects and raises Ended; `taker` gets every byte."""
        self.station = station
        self._open = opener
        self._taker = taker
        self._options = options
        self._around = surroundings
        self._state = SourceState.IDLE
        self._bytes = 0
        self._connections = 0
        self._ends: dict[End, int] = {}
        self._last_error = ""
        self._streamed = False

    def statistics(self) -> SourceStatistics:
        """Counts so far."""
        return SourceStatistics(self._state, self._bytes, self._connections, dict(self._ends), self._last_error)

    async def run(self) -> None:
        """Until cancelled, refused for good, or a file's end."""
        backoff = Backoff(self._around.uniform)
        while True:
            self._state = SourceState.CONNECTING
            began = self._around.monotonic()
            ended, error = await self._once()
            streamed_s = self._around.monotonic() - began if self._streamed else 0.0
            wait_s = backoff.wait(ended.end, streamed_s)
            if wait_s is not None:
                wait_s = max(wait_s, min(ended.wait_s, LONGEST_S))
            self._note(ended, wait_s, error)
            if wait_s is None:
                return
            await self._around.sleep(wait_s)

    async def _once(self) -> tuple[Ended, Exception | None]:
        """One connection from beginning to end; how it ended, and our own error if it was one."""
        self._streamed = False
        source: ByteSource | None = None
        try:
            source = await self._open()
            self._streamed = True
            self._connections += 1
            self._taker.connected()
            self._tell(SourceState.STREAMING, None, "connected", None)
            try:
                await self._read(source)
            finally:
                self._taker.ended()
        except Ended as ended:
            return ended, None
        except Exception as error:  # the outermost loop of a task: a bug must not end the station
            return Ended(End.FAULT, f"{type(error).__name__}: {error}"[:200]), error
        finally:
            if source is not None:
                await source.close()
        raise AssertionError("a source ends by raising")

    async def _read(self, source: ByteSource) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._options.silence_s
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    data = await source.read()
            except TimeoutError:
                raise Ended(End.SILENT, f"no whole frame for {self._options.silence_s:g} s") from None
            self._bytes += len(data)
            if self._taker.take(data):
                deadline = loop.time() + self._options.silence_s

    def _note(self, ended: Ended, wait_s: float | None, error: Exception | None) -> None:
        self._ends[ended.end] = self._ends.get(ended.end, 0) + 1
        self._last_error = ended.detail
        state = SourceState.STOPPED if wait_s is None else SourceState.WAITING
        self._tell(state, ended.end, ended.detail, wait_s, error)

    def _tell(
        self, state: SourceState, end: End | None, detail: str, wait_s: float | None, error: Exception | None = None
    ) -> None:
        self._state = state
        try:
            self._around.observer(SourceEvent(self.station, state, end, detail, wait_s, error))
        except Exception as fault:  # whoever listens must not end the station
            context = {"message": f"observer of source {self.station} failed", "exception": fault}
            asyncio.get_running_loop().call_exception_handler(context)
