"""Peers that do not read, that vanish, that flood, that never ask (ntrip 3.6, 5.3, 7, C81, C82); TLS of an EC key."""

from __future__ import annotations

import asyncio
import ctypes
import random
import socket
import ssl
import struct
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from pyrtcm import calc_crc24q

from api.caster import sockets
from api.caster.mountpoints import parse_mountpoint
from api.caster.reasons import EndReason, UploadEnd
from api.caster.service import UploadInfo
from api.caster.settings import LimitSettings, ListenerSettings, SourceSettings
from tests.api.caster.world import BASIC, GGA, STATION_FRAME, TIMEOUT_S, V1, V2, World, epoch, settings, world
from tests.programs import program

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
SOURCE = b"SOURCE secret M1\r\nSource-Agent: NTRIP t/1\r\n\r\n"


@pytest.fixture(params=LOOPS)
def on_loop(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    def run(scenario: Callable[[], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(asyncio.wait_for(scenario(), 60.0))  # type: ignore[arg-type]

    return run


def big_epoch(number: int) -> bytes:
    """About 8 kB in eight frames, the epoch's number in the first bytes of each."""
    return b"".join(numbered(number, part) for part in range(8))


def numbered(number: int, part: int) -> bytes:
    payload = (1077 << 4).to_bytes(2) + struct.pack(">HB", number, part) + bytes(995)
    head = b"\xd3" + len(payload).to_bytes(2) + payload
    return head + calc_crc24q(head).to_bytes(3)


def whole_epochs(data: bytes) -> list[int]:
    """Numbers of the epochs in a stream; fails where a frame is broken or an epoch is not whole."""
    parts: list[tuple[int, int]] = []
    while data:
        length = 6 + (data[1] & 3) * 256 + data[2]
        assert data[0] == 0xD3 and calc_crc24q(data[:length]) == 0
        number, part = struct.unpack_from(">HB", data, 5)
        parts.append((number, part))
        data = data[length:]
    assert [part for _, part in parts] == list(range(8)) * (len(parts) // 8)
    return [number for number, part in parts if part == 0]


class Deaf:
    """A client whose kernel takes little and who reads only when told."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(request)
        self.socket.setblocking(False)
        self.data = bytearray()

    async def read(self, until: Callable[[bytes], bool]) -> bytes:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(TIMEOUT_S):
            while not until(bytes(self.data)):
                piece = await loop.sock_recv(self.socket, 65_536)
                if not piece:
                    break
                self.data += piece
        return bytes(self.data)


def test_a_slow_reader_loses_whole_epochs_oldest_first_and_slows_nobody(on_loop: Any) -> None:
    async def scenario() -> None:
        async with world() as made:
            quick, slow = await made.client(V1 % b"M1"), Deaf(made.port, V1 % b"M1")
            await quick.head()
            await slow.read(lambda data: data.endswith(b"\r\n\r\n"))
            sessions = await made.streaming(2)
            slow.data.clear()
            numbers = iter(range(65_536))
            session = next(s for s in sessions if s.client and s.client.port == slow.socket.getsockname()[1])
            published = 0
            while session.epochs_dropped < 20:
                data = made.publish(big_epoch(next(numbers)))
                published += 1
                assert await quick.exactly(len(data)) == data
                assert published < 2000
            assert session.record().state == "slow"
            assert session.transport is not None
            assert session.transport.get_write_buffer_size() < 8192 + len(data)
            dropped = session.epochs_dropped
            got = await slow.read(lambda data: len(data) >= (published - dropped) * len(big_epoch(0)))
            kept = whole_epochs(got)
            assert kept == sorted(set(kept))
            assert len(kept) == published - dropped
            missing = sorted(set(range(published)) - set(kept))
            assert missing == list(range(missing[0], missing[0] + dropped))  # the oldest of those that had to wait
            assert kept[-2:] == [published - 2, published - 1]  # and the newest came through
            await made.streaming(2)
            last = made.publish(big_epoch(next(numbers)))
            assert (await slow.read(lambda data: data.endswith(last))).endswith(last)
            assert await quick.exactly(len(last)) == last
            slow.socket.close()

    on_loop(scenario)


def test_what_waited_too_long_is_not_sent_any_more(on_loop: Any) -> None:
    async def scenario() -> None:
        async with world() as made:
            slow = Deaf(made.port, V1 % b"M1")
            await slow.read(lambda data: data.endswith(b"\r\n\r\n"))
            (session,) = await made.streaming()
            slow.data.clear()
            count = 0
            while not session.congested or session.epochs_dropped == 0:
                made.publish(big_epoch(count))
                count += 1
            dropped = session.epochs_dropped
            made.clock.offset += 6.0  # older than waiting_s, younger than slow_reader_s
            size = len(big_epoch(0))
            got = whole_epochs(
                await slow.read(lambda data: session.ready and len(data) >= (count - session.epochs_dropped) * size)
            )
            assert count - 1 not in got
            assert session.epochs_dropped == dropped + 2
            slow.socket.close()

    on_loop(scenario)


def test_who_does_not_read_at_all_is_closed_after_ten_seconds(on_loop: Any) -> None:
    async def scenario() -> None:
        async with world() as made:
            slow = Deaf(made.port, V1 % b"M1")
            await slow.read(lambda data: data.endswith(b"\r\n\r\n"))
            (session,) = await made.streaming()
            while not session.congested:
                made.publish(big_epoch(0))
            made.pass_time(9.0)
            assert not made.service.closed
            made.pass_time(2.0)
            assert made.service.closed[0].end_reason is EndReason.SLOW_READER
            assert made.caster.counters()["sessions.ended.slow_reader"] == 1
            slow.socket.close()

    on_loop(scenario)


async def test_what_waits_for_a_slow_rover_is_dropped_when_its_station_changes() -> None:
    async with world() as made:
        hub = made.caster.hub
        old, new = hub.channel("old"), hub.channel("new")
        new.greeting = big_epoch(1000)
        slow = Deaf(made.port, V1 % b"VRS" + GGA)
        await slow.read(lambda data: data.endswith(b"\r\n\r\n"))
        (session,) = await made.streaming()
        slow.data.clear()
        hub.follow(session, old)
        count = 0
        while not session.congested:
            old.publish(big_epoch(count))
            count += 1
        old.publish(big_epoch(count))
        hub.follow(session, new)
        new.publish(big_epoch(1001))
        got = whole_epochs(await slow.read(lambda data: data.endswith(big_epoch(1001))))
        assert got == [*range(count), 1000, 1001]
        slow.socket.close()


class DeafOverTls(Deaf):
    """The same over TLS, its blocking calls in a thread."""

    def __init__(self, port: int, request: bytes, chain: Path) -> None:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(("127.0.0.1", port))
        self.socket = ssl.create_default_context(cafile=str(chain)).wrap_socket(plain, server_hostname="127.0.0.1")
        self.socket.settimeout(TIMEOUT_S)
        self.socket.sendall(request)
        self.data = bytearray()

    async def read(self, until: Callable[[bytes], bool]) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            while not until(bytes(self.data)):
                self.data += await asyncio.to_thread(self.socket.recv, 65_536)
        return bytes(self.data)


def test_a_slow_reader_over_tls_loses_whole_epochs_too(on_loop: Any, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "first")
    tls = ListenerSettings(host="127.0.0.1", port=0, certificate=chain, certificate_key=key)

    async def scenario() -> None:
        async with world(settings(more_listeners=(tls,))) as made:
            slow = await asyncio.to_thread(DeafOverTls, made.caster.ports[1], V1 % b"M1", chain)
            await slow.read(lambda data: data.endswith(b"\r\n\r\n"))
            (session,) = await made.streaming()
            slow.data.clear()
            published = 0
            while session.epochs_dropped < 20:
                made.publish(big_epoch(published))
                published += 1
                await asyncio.sleep(0)
                assert published < 2000
            expected = (published - session.epochs_dropped) * len(big_epoch(0))
            kept = whole_epochs(await slow.read(lambda data: len(data) >= expected))
            assert kept == sorted(set(kept))
            assert kept[-1] == published - 1
            slow.socket.close()

    on_loop(scenario)


# peers that vanish


def vanish(connection: socket.socket) -> None:
    """Let the kernel drop every segment that comes for a socket: no acknowledgement, no reset, as a dead radio."""
    program_ = (ctypes.c_ubyte * 8)(*struct.pack("=HBBI", 0x06, 0, 0, 0))  # BPF: return 0
    fprog = struct.pack("HL", 1, ctypes.addressof(program_))
    connection.setsockopt(socket.SOL_SOCKET, 26, fprog)  # SO_ATTACH_FILTER


def faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same options with less patience."""
    changed = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 1, "TCP_USER_TIMEOUT": 700}
    monkeypatch.setattr(sockets, "_OPTIONS", [(n, level, changed.get(n, v)) for n, level, v in sockets._OPTIONS])


@pytest.mark.parametrize("sending", [True, False])
async def test_a_peer_that_vanishes_is_noticed_and_frees_its_place(
    monkeypatch: pytest.MonkeyPatch, sending: bool
) -> None:
    faster(monkeypatch)
    async with world() as made:
        lost = Deaf(made.port, V1 % b"VRS" + GGA)
        await lost.read(lambda data: data.endswith(b"\r\n\r\n"))
        (session,) = await made.streaming()
        vanish(lost.socket)
        if sending:
            session.send(epoch(1))
        await made.service.until(lambda: made.service.closed)
        assert made.service.closed[0].end_reason is EndReason.HALF_OPEN
        assert made.caster.hub.logins.of("rover") == []
        lost.socket.close()


async def test_a_dead_session_is_known_before_the_kernel_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "DEAD_AFTER_MS", 100)
    async with world(settings(second_login="refuse")) as made:
        member = (V1 % b"VRS").replace(BASIC, b"Authorization: Basic bWVtYmVyOnB3\r\n")
        lost = Deaf(made.port, member)
        await lost.read(lambda data: data.endswith(b"\r\n\r\n"))
        (session,) = await made.streaming()
        refused = await made.ask(member.replace(b"NTRIP t", b"NTRIP u"))
        assert refused.startswith(b"HTTP/1.0 401 ")
        vanish(lost.socket)
        session.send(epoch(1))
        async with asyncio.timeout(TIMEOUT_S):
            while not sockets.is_dead(session.transport):
                await asyncio.sleep(0)
        peer = await made.client(member.replace(b"NTRIP t", b"NTRIP u"))
        assert await peer.head() == b"ICY 200 OK\r\n\r\n"
        assert made.service.closed[0].end_reason is EndReason.REPLACED
        lost.socket.close()


async def test_the_kernel_is_asked_for_what_the_rules_say() -> None:
    async with world() as made:
        await (await made.client(V1 % b"M1")).head()
        (session,) = await made.streaming()
        assert session.transport is not None
        connection = session.transport.get_extra_info("socket")
        tcp = {name: connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in (
            "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT", "TCP_NODELAY")}  # fmt: skip
        assert list(tcp.values()) == [30, 10, 3, 30_000, 1]
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


# floods and silence


async def test_a_flood_of_positions_is_read_no_faster_than_allowed() -> None:
    async with world(settings(limits=LimitSettings(uplink_bytes_s=10_000))) as made:
        peer = await made.client(V1 % b"VRS")
        await peer.head()
        (session,) = await made.streaming()
        for _ in range(200):
            peer.send(GGA * 200)
        async with asyncio.timeout(TIMEOUT_S):
            while not made.caster.counters().get("connections.throttled"):
                await asyncio.sleep(0)
        assert session.uplink["gga"] * len(GGA) < 600_000
        assert len(made.service.positions) == 1
        session.send(epoch(1))
        assert await peer.exactly(len(epoch(1))) == epoch(1)
        before = session.uplink["gga"]
        made.pass_time(1.0)
        async with asyncio.timeout(TIMEOUT_S):
            while session.uplink["gga"] == before:
                await asyncio.sleep(0)
        peer.writer.transport.abort()


async def test_a_source_faster_than_its_sink_is_slowed_and_loses_nothing() -> None:
    gate = asyncio.Event()

    class Slow:
        data = bytearray()

        async def receive(self, data: bytes) -> int:
            await gate.wait()
            self.data += data
            return 1

        def closed(self, reason: UploadEnd) -> None:
            self.ended = reason

    sink = Slow()

    def make(info: UploadInfo) -> Slow:
        return sink

    async with world() as made:
        made.caster.uploads.offer("M1", make)
        source = await made.client(SOURCE)
        await source.head()
        stream = random.Random(1).randbytes(12_000_000)
        source.send(stream)
        async with asyncio.timeout(TIMEOUT_S):
            while made.caster.uploads.records()[0].bytes_received < 250_000:
                await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        held = made.caster.uploads.records()[0].bytes_received
        assert held < 262_144 + 262_144 * 2
        gate.set()
        source.writer.write_eof()
        async with asyncio.timeout(TIMEOUT_S):
            while len(sink.data) < len(stream):
                await asyncio.sleep(0)
        assert sink.data == stream


async def test_a_client_that_never_reads_its_answer_is_not_kept() -> None:
    async with world() as made:
        for number in range(300):
            made.caster.hub.register(parse_mountpoint(f"VRS_{number}_{'x' * 20}"))
        deaf = Deaf(made.port, b"GET / HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(TIMEOUT_S):
            while made.caster.counters()["tables"] == 0:
                await asyncio.sleep(0)
        made.pass_time(2.5)
        made.pass_time(28.0)
        async with asyncio.timeout(TIMEOUT_S):
            while made.caster.counters()["connections.now"]:
                await asyncio.sleep(0)
        assert deaf.data == b""
        deaf.socket.close()


async def test_sources_change_when_the_present_one_is_silent() -> None:
    async with world(settings(sources=SourceSettings(stale_s=15.0))) as made:
        first = await made.client(SOURCE)
        await first.head()
        first.send(STATION_FRAME)
        await made.sinks["M1"][0].until(lambda: made.sinks["M1"][0].data)
        assert await made.ask(SOURCE) == b"ERROR - Mount Point Taken or Invalid\r\n"
        made.pass_time(16.0)
        second = await made.client(SOURCE)
        assert await second.head() == b"ICY 200 OK\r\n\r\n"
        second.send(STATION_FRAME * 2)
        await made.sinks["M1"][1].until(lambda: made.sinks["M1"][1].data == STATION_FRAME * 2)
        assert await first.rest() == b""
        assert made.sinks["M1"][0].ended is UploadEnd.TAKEN_OVER


# TLS


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", str(key), "-out", str(chain), "-days", "2", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return chain, key


async def over_tls(made: World, chain: Path, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context(cafile=str(chain))
    reader, writer = await asyncio.open_connection("127.0.0.1", made.caster.ports[1], ssl=context)
    writer.write(request)
    return reader, writer


def test_tls_streams_refuses_and_changes_its_certificate_without_dropping_streams(on_loop: Any, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "first")
    tls = ListenerSettings(host="127.0.0.1", port=0, certificate=chain, certificate_key=key)

    async def scenario() -> None:
        async with world(settings(more_listeners=(tls,), digest=True)) as made:
            reader, writer = await over_tls(made, chain, V2 % b"M1")
            async with asyncio.timeout(TIMEOUT_S):
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
                (session,) = await made.streaming()
                sent = b"".join(made.publish() for _ in range(20))
                assert await reader.readexactly(len(sent)) == sent
                assert session.record().tls
                refused, other = await over_tls(made, chain, (V2 % b"M1").replace(BASIC, b""))
                reply = await refused.read()
                assert reply.startswith(b"HTTP/1.1 401 ")
                assert b"Digest" not in reply  # in clear only
                other.close()
                second, second_key = certificate(tmp_path, "second")
                chain.write_bytes(second.read_bytes())
                key.write_bytes(second_key.read_bytes())
                made.caster.reload_certificates()
                third, third_writer = await over_tls(made, second, V2 % b"M1")
                assert (await third.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
                sent = made.publish()
                assert await reader.readexactly(len(sent)) == sent
                writer.close()
                third_writer.close()

    on_loop(scenario)


async def test_clear_text_at_a_tls_port_is_no_request(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "first")
    tls = ListenerSettings(host="127.0.0.1", port=0, certificate=chain, certificate_key=key)
    async with world(settings(more_listeners=(tls,))) as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.caster.ports[1])
        writer.write(V1 % b"M1")
        async with asyncio.timeout(TIMEOUT_S):
            assert b"ICY" not in await reader.read()
        writer.close()
        assert made.caster.hub.sessions() == []
