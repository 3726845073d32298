"""Fan-out on loopback, 1 kB an epoch, against a bare loop of `socket.send` over as many sockets in the same run.

Ours is the whole caster (accounts, limits, counters, logs to nowhere) on uvloop; every client logged in with a
password. The clients of both live in one process of their own and note when each epoch is complete. Epochs of ours
and of the peer take turns. CPU is the server's own process, kernel time included, from the epoch to the end of its
tick. `run()` gives a row for CPU a tick and one for latency, for each number of clients; `python -m
benchmarks.caster` prints them. Bars (speed.md): at 5,000 clients 90 ms and p99 150 ms; 1.7 x the bare loop's CPU.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import logging
import resource
import socket
import statistics
import struct
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvloop

from api.accounts.account import Account, AccountLevel
from api.accounts.passwords import Passwords
from api.accounts.register import add_account
from api.accounts.verification import Verifier
from api.caster.caster import Caster
from api.caster.mountpoints import parse_mountpoint
from api.caster.settings import CasterSettings, LimitSettings
from api.store.engine import StoreSettings, open_store

SIZES = (5000, 1000)
"""Largest first: what is resident a client is measured in a fresh process."""
TICKS = 20
WARM = 3
TICK_S = 0.5
EPOCH_BYTES = 1000
CPU_BAR_MS = 90.0
P99_BAR_MS = 150.0
RATIO_BAR = 1.7
KIB_BAR = 12.0
AT_ONCE = 200
REQUEST = (
    b"GET /M1 HTTP/1.0\r\nUser-Agent: NTRIP benchmark/1\r\nAuthorization: Basic "
    + base64.b64encode(b"rover:pw")
    + b"\r\n\r\n"
)
HEAD = b"ICY 200 OK\r\n\r\n"

Row = dict[str, float | str | bool]


def _epoch() -> bytes:
    """One frame with the time in it (its CRC nobody here checks)."""
    body = struct.pack(">HQ", 1077 << 4, time.monotonic_ns())
    head = b"\xd3" + (EPOCH_BYTES - 6).to_bytes(2)
    return head + body + bytes(EPOCH_BYTES - 3 - len(body))


# the clients' process


class _Receiver(asyncio.Protocol):
    """One client: skips a head of `skip` bytes, then notes the age of each whole epoch."""

    def __init__(self, request: bytes, skip: int, ages: list[int], ready: Callable[[], None]) -> None:
        self.request, self.skip, self.ages, self.ready = request, skip, ages, ready
        self.held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        transport.write(self.request)  # type: ignore[attr-defined]
        if not self.skip:
            self.ready()

    def data_received(self, data: bytes) -> None:
        self.held += data
        if self.skip and len(self.held) >= self.skip:
            del self.held[: self.skip]
            self.skip = 0
            self.ready()
        while not self.skip and len(self.held) >= EPOCH_BYTES:
            self.ages.append(time.monotonic_ns() - struct.unpack_from(">Q", self.held, 5)[0])
            del self.held[:EPOCH_BYTES]


async def _connect(port: int, count: int, request: bytes, skip: int, ages: list[int]) -> None:
    loop = asyncio.get_running_loop()
    for start in range(0, count, AT_ONCE):
        waiting = min(AT_ONCE, count - start)
        done = asyncio.Semaphore(0)
        factory = functools.partial(_Receiver, request, skip, ages, done.release)
        await asyncio.gather(*(loop.create_connection(factory, "127.0.0.1", port) for _ in range(waiting)))
        for _ in range(waiting):
            await done.acquire()


async def _clients(caster_port: int, bare_port: int, count: int) -> None:
    """Connect, say so, collect until the input ends, tell the ages of the epochs in ns."""
    ages: tuple[list[int], list[int]] = ([], [])
    await _connect(caster_port, count, REQUEST, len(HEAD), ages[0])
    await _connect(bare_port, count, b"x", 0, ages[1])
    print("ready", flush=True)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line == b"forget\n":
            for group in ages:
                group.clear()
            print("forgotten", flush=True)
        if line == b"tell\n":
            print(json.dumps([_summary(group) for group in ages]), flush=True)


def _summary(ages: list[int]) -> dict[str, float]:
    ordered = sorted(ages)
    pick = {q: ordered[min(len(ordered) - 1, int(len(ordered) * q))] / 1e6 for q in (0.5, 0.99)} if ordered else {}
    return {"count": len(ordered), "p50": pick.get(0.5, 0.0), "p99": pick.get(0.99, 0.0)}


# the server's process


def _resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


class _Bare:
    """The least there is: accepted sockets and a loop of `send`."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self._listening.getsockname()[1]
        self._sockets: list[socket.socket] = []

    async def accept(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)
        while len(self._sockets) < count:
            accepted, _ = await loop.sock_accept(self._listening)
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(accepted)

    def publish(self, epoch: bytes) -> None:
        for connection in self._sockets:
            connection.send(epoch)

    def close(self) -> None:
        for connection in (*self._sockets, self._listening):
            connection.close()


async def _tick(publish: Callable[[bytes], None]) -> float:
    """CPU seconds of one epoch and everything its tick brought with it."""
    started, wall = time.process_time(), time.monotonic()
    publish(_epoch())
    await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - wall)))
    return time.process_time() - started


async def _measure(count: int) -> list[Row]:
    passwords = Passwords()
    async with await open_store(StoreSettings(url=":memory:")) as store:
        account = Account("rover", AccountLevel.CENTIMETRE, concurrency=0)
        await add_account(store.sessions, passwords, account, "pw", datetime.now(UTC))
        limits = LimitSettings(clients_per_address=20_000)
        caster = Caster(CasterSettings(host="127.0.0.1", port=0, limits=limits), Verifier(store.sessions, passwords))
        channel = caster.hub.channel("M1")
        caster.hub.register(parse_mountpoint("M1"), channel=channel)
        channel.publish(_epoch())
        await caster.start()
        bare = _Bare()
        accepting = asyncio.create_task(bare.accept(count))
        command = (sys.executable, "-m", "benchmarks.caster", str(caster.ports[0]), str(bare.port), str(count))
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
        clients = await asyncio.create_subprocess_exec(*command, **pipes)  # type: ignore[arg-type]
        assert clients.stdin is not None and clients.stdout is not None
        kilobytes = -_resident_kib()
        assert await clients.stdout.readline() == b"ready\n"
        await accepting
        await asyncio.sleep(2.0)
        kilobytes += _resident_kib()
        idle = statistics.median([await _tick(lambda _: None) for _ in range(WARM)])
        cpu: tuple[list[float], list[float]] = ([], [])
        for tick in range(WARM + TICKS):
            if tick == WARM:
                clients.stdin.write(b"forget\n")
                assert await clients.stdout.readline() == b"forgotten\n"
                cpu = ([], [])
            cpu[0].append(await _tick(channel.publish))
            cpu[1].append(await _tick(bare.publish))
        clients.stdin.write(b"tell\n")
        told = json.loads(await clients.stdout.readline())
        clients.stdin.close()
        await clients.wait()
        bare.close()
        await caster.stop()
    passwords.close()
    if [group["count"] for group in told] != [count * TICKS] * 2:
        raise AssertionError(f"epochs arrived: {told}, expected {count * TICKS} each")
    return _rows(count, [statistics.median(c) - idle for c in cpu], told, kilobytes)


def _rows(count: int, cpu: list[float], told: list[dict[str, float]], kilobytes: int) -> list[Row]:
    full = count == max(SIZES)
    ours, peer = cpu[0] * 1e3, cpu[1] * 1e3
    within = ours <= RATIO_BAR * peer and (ours <= CPU_BAR_MS or not full)
    p99 = told[0]["p99"]
    rows: list[Row] = [
        {
            "name": f"fan-out CPU a tick, {count} clients", "unit": "ms", "ours": ours, "peer": peer,
            "peer_name": "bare send loop", "ratio": ours / peer, "bar": RATIO_BAR, "met": within,
        },
        {
            "name": f"fan-out latency p99, {count} clients", "unit": "ms", "ours": p99, "peer": told[1]["p99"],
            "peer_name": "bare send loop", "ratio": p99 / told[1]["p99"], "bar": P99_BAR_MS if full else 0.0,
            "met": p99 <= P99_BAR_MS or not full, "p50": told[0]["p50"], "peer_p50": told[1]["p50"],
        },
    ]  # fmt: skip
    if full:
        each = kilobytes / count  # the peer's socket included
        rows.append({"name": "resident a client", "unit": "KiB", "ours": each, "bar": KIB_BAR, "met": each <= KIB_BAR})
    return rows


def run() -> list[Row]:
    """Rows for each number of clients."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(open("/dev/null", "w")),  # noqa: SIM115, PTH123
    )
    rows: list[Row] = []
    for count in SIZES:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            rows += runner.run(_measure(count))
    return rows


if __name__ == "__main__":
    if len(sys.argv) > 1:
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as client_runner:
            client_runner.run(_clients(*map(int, sys.argv[1:])))
    else:
        for row in run():
            print(*(f"{k}={v:.1f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()))
