"""The TCP server: everybody gets every byte, the slow are cut off or waited for, as said."""

from __future__ import annotations

import asyncio
import contextlib

from cors.ingest.tcp_server import MOST_BUFFERED_BYTES, TcpServer


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, limit=1 << 12)


async def test_all_clients_get_all_bytes_and_the_end() -> None:
    server = TcpServer()
    port = await server.start("127.0.0.1", 0)
    connections = [await connect(port) for _ in range(5)]
    while server.clients < 5:
        await server.somebody()
        await asyncio.sleep(0)
    connections[0][1].write(b"$GPGGA,,,,,,0,,,,,,,,*66\r\n" * 100)  # thrown away
    for n in range(50):
        server.send(bytes([n]) * 100)
    closing = asyncio.create_task(server.close())
    for reader, writer in connections:
        assert await reader.read(-1) == b"".join(bytes([n]) * 100 for n in range(50))
        writer.close()
    await closing


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_go_on() -> None:
    server = TcpServer()
    port = await server.start("127.0.0.1", 0)
    _, stalled = await connect(port)
    await server.somebody()
    block = bytes(1 << 16)
    for _ in range(100 + MOST_BUFFERED_BYTES * 16 // len(block)):
        server.send(block)
        await asyncio.sleep(0)
        if server.dropped:
            break
    assert server.dropped == 1
    while server.clients:
        await asyncio.sleep(0)
    reader, writer = await connect(port)
    await server.somebody()
    server.send(b"alive")
    assert await reader.readexactly(5) == b"alive"
    for w in (writer, stalled):
        w.close()
    await server.close()


async def test_deliver_waits_for_the_slowest() -> None:
    server = TcpServer()
    port = await server.start("127.0.0.1", 0)
    reader, writer = await connect(port)
    await server.somebody()
    block, blocks = bytes(range(256)) * 256, 400  # 26 MB, more than buffers hold

    async def pour() -> None:
        for _ in range(blocks):
            await server.deliver(block)
        await server.close()

    pouring = asyncio.create_task(pour())
    received = 0
    while chunk := await reader.read(1 << 20):
        received += len(chunk)
    writer.close()
    await pouring
    assert received == blocks * len(block) and server.dropped == 0


async def test_one_client_too_many_is_turned_away() -> None:
    server = TcpServer(most_clients=1)
    port = await server.start("127.0.0.1", 0)
    _, first = await connect(port)
    await server.somebody()
    reader, second = await connect(port)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read(1) == b""
    assert server.clients == 1
    for writer in (first, second):
        writer.close()
    await server.close()
