"""Peers for the sources: a server that says what a test tells it to, and a taker that counts."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from cors.gnss.time import gpst_from_week
from cors.ingest.backoff import End
from cors.ingest.station_source import SourceEvent, SourceState, Surroundings
from tests.cors.archive.frames import STATION_1005, frame

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
FRAMES = b"".join(frame(1077, bytes([n]) * (30 + 7 * n)) for n in range(9)) + STATION_1005
NOW = gpst_from_week(2437, 259_200)


class StillClock:
    """A clock that stands."""

    def now(self) -> int:
        return NOW

    def saw(self, tag: int, station: str) -> None:
        raise AssertionError("nobody decodes here")


class Counter:
    """A taker: keeps the bytes; every good-looking frame start counts as a frame."""

    def __init__(self, wanted: int = 1 << 30) -> None:
        self.data = b""
        self.connections = self.ends = 0
        self.full = asyncio.Event()
        self._wanted = wanted

    def connected(self) -> None:
        self.connections += 1

    def take(self, data: bytes) -> int:
        self.data += data
        if len(self.data) >= self._wanted:
            self.full.set()
        return data.count(b"\xd3\x00")

    def ended(self) -> None:
        self.ends += 1


class VirtualTime:
    """Seconds that pass only when everybody sleeps: the earliest sleeper is woken when nobody has anything to do."""

    def __init__(self) -> None:
        self.s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._waker: asyncio.Task[None] | None = None

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.s + seconds, self._count, sleeper))
        if self._waker is None or self._waker.done():
            self._waker = asyncio.create_task(self._wake())
        await sleeper

    async def _wake(self) -> None:
        while self._sleepers:
            for _ in range(20):
                await asyncio.sleep(0)
            due, _, sleeper = heapq.heappop(self._sleepers)
            self.s = max(self.s, due)
            if not sleeper.done():
                sleeper.set_result(None)


class World(VirtualTime):
    """Surroundings with virtual time that remember what they were told."""

    def __init__(self, strict: bool = False) -> None:
        """`strict`: a fault of ours ends the test instead of being tried again."""
        super().__init__()
        self.slept: list[float] = []
        self.events: list[SourceEvent] = []
        self._strict = strict

    def around(self) -> Surroundings:
        return Surroundings(self._observe, lambda: self.s, self._sleep, lambda: 0.5)

    async def ended(self, end: End, times: int = 1) -> SourceEvent:
        """The `times`th event of this end."""
        while True:
            found = [event for event in self.events if event.end is end]
            if len(found) >= times:
                return found[times - 1]
            await asyncio.sleep(0)

    async def reached(self, state: SourceState) -> None:
        while all(event.state is not state for event in self.events):
            await asyncio.sleep(0)

    def _observe(self, event: SourceEvent) -> None:
        self.events.append(event)

    async def _sleep(self, seconds: float) -> None:
        faults = [event.error for event in self.events if event.error is not None]
        if self._strict and faults:
            raise faults[0]
        self.slept.append(seconds)
        await self.sleep(seconds)


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def says(*pieces: bytes, stay: bool = False, requests: list[bytes] | None = None) -> Handler:
    """Reads a request's head, writes the pieces as segments of their own, and closes unless it stays."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        if requests is not None:
            requests.append(head)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if stay:
            await reader.read(-1)

    return handle


@asynccontextmanager
async def serving(handler: Handler, **options: object) -> AsyncIterator[int]:
    """Port of a server on loopback whose connections `handler` serves; it is gone at the end, its clients with it."""
    open_writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        open_writers.add(writer)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            open_writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, **options)  # type: ignore[arg-type]
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(open_writers):
            writer.transport.abort()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
