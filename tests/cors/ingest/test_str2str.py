"""RTKLIB's str2str as caster and server for our sources, and as client of our replay."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cors.archive.places import hour_path
from cors.archive.raw_archive import RawArchive
from cors.gnss.time import NS, gpst_from_calendar
from cors.ingest.address import NtripAddress, Secret, TcpAddress
from cors.ingest.connection import SourceOptions
from cors.ingest.pacing import Pacer
from cors.ingest.replay import merged, replay, replay_over_tcp
from cors.ingest.supervisor import Ingest
from tests.cors.archive.frames import frame
from tests.cors.ingest.peers import Counter, StillClock, World
from tests.programs import program

HOUR = gpst_from_calendar(2026, 11, 25, 12)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture
def recording(tmp_path: Path) -> tuple[Path, bytes]:
    """An hour file of 600 s with two frames a second, every frame different."""
    archive, sent = RawArchive(tmp_path), b""
    for k in range(1200):
        data = frame(1077, k.to_bytes(2, "big") * 40)
        archive.append("STR100AUS", data, HOUR + k * NS // 2)
        sent += data
    archive.close()
    return hour_path(tmp_path, "STR100AUS", HOUR), sent


@asynccontextmanager
async def str2str(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        program("str2str"), *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("kind", ["tcp", "ntrip"])
async def test_we_read_what_str2str_serves(kind: str, recording: tuple[Path, bytes]) -> None:
    path, sent = recording
    port, taker, world = free_port(), Counter(5000), World()
    output = f"tcpsvr://:{port}" if kind == "tcp" else f"ntripc://user:pw@:{port}/BASE"
    address = TcpAddress("127.0.0.1", port)
    if kind == "ntrip":
        address = NtripAddress("127.0.0.1", port, "BASE", "user", Secret("pw"))
    async with str2str("-in", f"{path}::T::x100", "-out", output):
        ingest = Ingest(StillClock(), lambda station: taker, SourceOptions(), world.around())
        ingest.add("BASE", address)
        await taker.full.wait()
        await ingest.close()
    data = taker.data[taker.data.index(b"\xd3") :]  # the caster's reply may leave CR LF in front
    assert data in sent and len(data) >= 4990


async def test_a_wrong_password_is_refused_by_str2str(recording: tuple[Path, bytes]) -> None:
    port, world = free_port(), World()
    async with str2str("-in", f"{recording[0]}::T", "-out", f"ntripc://user:pw@:{port}/BASE"):
        ingest = Ingest(StillClock(), lambda station: Counter(), SourceOptions(), world.around())
        ingest.add("BASE", NtripAddress("127.0.0.1", port, "BASE", "user", Secret("wrong")))
        await ingest.finished()
        statistics = ingest.statistics()["BASE"]
        await ingest.close()
    assert statistics.ends["REFUSED"] >= 5 and statistics.connections == 0


async def test_str2str_reads_what_we_replay(recording: tuple[Path, bytes], tmp_path: Path) -> None:
    path, sent = recording
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def drain() -> bytes:
        received = b""
        with pipe.open("rb", buffering=0) as file:
            while len(received) < len(sent) and (chunk := file.read(1 << 16)):
                received += chunk
        return received

    ports: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
    replaying = asyncio.create_task(replay_over_tcp([(path, 0)], 1000.0, HOUR, listening=ports.set_result))
    async with str2str("-in", f"tcpcli://127.0.0.1:{(await ports)[0]}", "-out", f"file://{pipe}") as process:
        assert await asyncio.to_thread(drain) == sent
        process.send_signal(signal.SIGINT)
        await process.wait()
    assert await replaying == len(sent)


async def test_several_files_of_one_scene_come_in_step(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    for n, name in enumerate(("AAA", "BBB")):
        for k in range(20):
            archive.append(name, frame(1077, bytes([n, k]) * 5), HOUR + (9 * n + k) * NS)  # B begins 9 s later
    archive.close()
    order: list[tuple[str, int]] = []

    async def deliver(path: Path, data: bytes) -> None:
        order.append((path.name[:3], data[6]))

    hand: list[float] = [0.0]

    async def sleep(seconds: float) -> None:
        hand[0] += seconds

    paths = [hour_path(tmp_path, name, HOUR) for name in ("BBB", "AAA")]
    pacer = Pacer(1.0, monotonic=lambda: hand[0], sleep=sleep)
    await replay(merged(paths, HOUR), pacer, deliver)
    seconds = [k + (9 if name == "BBB" else 0) for name, k in order]
    assert seconds == sorted(seconds) and len(order) == 40 and hand[0] == pytest.approx(28.0)
