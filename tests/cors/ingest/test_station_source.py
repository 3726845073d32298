"""One source kept alive through everything a peer can do to it."""

from __future__ import annotations

import asyncio

import pytest

from cors.ingest.address import NtripAddress, Secret, TcpAddress
from cors.ingest.backoff import End
from cors.ingest.connection import SourceOptions, connect_tcp
from cors.ingest.ntrip_source import NtripOpener
from cors.ingest.station_source import SourceState, StationSource
from tests.cors.ingest.peers import FRAMES, Counter, StillClock, World, read_head, says, serving


def tcp_source(port: int, taker: Counter, world: World, options: SourceOptions | None = None) -> StationSource:
    options = options or SourceOptions()
    return StationSource(
        "A", lambda: connect_tcp(TcpAddress("127.0.0.1", port), options), taker, options, world.around()
    )


async def test_reconnects_with_growing_waits_and_counts() -> None:
    async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(FRAMES)
        await writer.drain()

    taker, world = Counter(5 * len(FRAMES)), World()
    async with serving(short) as port:
        source = tcp_source(port, taker, world)
        task = asyncio.create_task(source.run())
        await taker.full.wait()
        await world.ended(End.CLOSED, 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert taker.data.startswith(FRAMES * 5)
    assert world.slept[:5] == [1, 2, 4, 8, 16]
    statistics = source.statistics()
    assert statistics.ends[End.CLOSED] >= 5 and statistics.connections >= 5 and statistics.bytes == len(taker.data)
    assert statistics.last_error == "closed by the peer"


async def test_nobody_there() -> None:
    async with serving(says()) as port:
        pass
    world = World()
    task = asyncio.create_task(tcp_source(port, Counter(), world).run())
    event = await world.ended(End.UNREACHABLE, 3)
    task.cancel()
    assert event.wait_s == 4.0 and "refused" in event.detail.lower()


@pytest.mark.parametrize("kind", ["garbage", "slow drip", "half open"])
async def test_bytes_without_frames_are_no_sign_of_life(kind: str) -> None:
    async def hostile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while kind == "garbage":
            writer.write(bytes(range(200)) * 500)
            await writer.drain()
        while kind == "slow drip":
            writer.write(b"\xd3")
            await writer.drain()
            await asyncio.sleep(0.005)
        await reader.read(-1)

    world, taker = World(), Counter()
    async with serving(hostile) as port:
        source = tcp_source(port, taker, world, SourceOptions(silence_s=0.05))
        task = asyncio.create_task(source.run())
        event = await world.ended(End.SILENT, 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert event.wait_s == 2.0 and event.state is SourceState.WAITING


async def test_an_endless_head_ends() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Filler: " + b"y" * 1000 + b"\r\n")
            await writer.drain()

    world = World()
    async with serving(endless) as port:
        options = SourceOptions()
        opener = NtripOpener(NtripAddress("127.0.0.1", port, "M"), options, StillClock())
        task = asyncio.create_task(StationSource("A", opener, Counter(), options, world.around()).run())
        event = await world.ended(End.BAD_REPLY)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert "head" in event.detail


async def test_five_refusals_stop_it_and_the_password_is_nowhere() -> None:
    world, options = World(), SourceOptions()
    async with serving(says(b"HTTP/1.0 401 Unauthorized\r\n\r\n")) as port:
        address = NtripAddress("127.0.0.1", port, "M", "user", Secret("hunter2"))
        source = StationSource("A", NtripOpener(address, options, StillClock()), Counter(), options, world.around())
        await source.run()
    assert world.slept == [30.0] * 4 and source.statistics().state is SourceState.STOPPED
    assert [event.wait_s for event in world.events][-1] is None
    assert "hunter2" not in f"{world.events} {source.statistics()} {address!r} {address}"


async def test_our_own_fault_is_told_and_tried_again() -> None:
    class Broken(Counter):
        def take(self, data: bytes) -> int:
            raise ZeroDivisionError("a bug")

    async def steady(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(FRAMES)
        await reader.read(-1)

    world = World()
    async with serving(steady) as port:
        task = asyncio.create_task(tcp_source(port, Broken(), world).run())
        event = await world.ended(End.FAULT, 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert isinstance(event.error, ZeroDivisionError) and event.detail == "ZeroDivisionError: a bug"


async def test_a_minute_of_data_starts_the_waits_anew() -> None:
    async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(FRAMES)
        await writer.drain()

    world = World()

    class Old(Counter):
        def take(self, data: bytes) -> int:
            world.s += 61.0
            return super().take(data)

    async with serving(short) as port:
        task = asyncio.create_task(tcp_source(port, Old(), world).run())
        await world.ended(End.CLOSED, 4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert world.slept[:4] == [1.0] * 4
