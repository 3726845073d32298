"""The caster's own behaviour on loopback (ntrip 1, 5.7, 7): what is sent to whom, faults of others, start and stop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog
import uvloop

from api.accounts.account import AccountLevel
from api.caster.caster import STOP_S, Caster, CasterError
from api.caster.mountpoints import Form, parse_mountpoint
from api.caster.reasons import EndReason, UploadEnd
from api.caster.sessions import Session
from api.caster.settings import LimitSettings, ListenerSettings
from cors.gnss.satellites import Constellation
from tests.api.caster.world import BASIC, GGA, STATION_FRAME, V1, V2, epoch, frame, settings, world

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
SOURCE = b"SOURCE secret M1\r\nSource-Agent: NTRIP t/1\r\n\r\n"


def basic(token: bytes, mountpoint: bytes = b"M1") -> bytes:
    return (V2 % mountpoint).replace(BASIC, b"Authorization: Basic " + token + b"\r\n")


MEMBER = b"bWVtYmVyOnB3"  # member:pw
METRE = b"bWV0cmU6cHc="  # metre:pw
NONE = (V2 % b"%b").replace(BASIC, b"")


@pytest.fixture(params=LOOPS)
def on_loop(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Runs a scenario on asyncio's own loop, and on uvloop."""

    def run(scenario: Callable[[], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(asyncio.wait_for(scenario(), 60.0))  # type: ignore[arg-type]

    return run


# fan-out


def test_every_dialect_gets_the_same_whole_epochs(on_loop: Any) -> None:
    async def scenario() -> None:
        async with world() as made:
            web = NONE.replace(b"Ntrip-Version: Ntrip/2.0\r\n", b"").replace(b"NTRIP t/1", b"browser") % b"FREE"
            peers = [await made.client(request) for request in (V1 % b"M1", V2 % b"M1", web, V2 % b"M1")]
            heads = [await peer.head() for peer in peers]
            assert heads[0] == b"ICY 200 OK\r\n\r\n"
            assert all(head.startswith(b"HTTP/1.1 200 OK\r\n") for head in heads[1:])
            await made.streaming(4)
            sent = b"".join(made.publish() for _ in range(50))
            assert [await peer.exactly(len(sent)) for peer in peers] == [sent] * 4

    on_loop(scenario)


def test_more_than_a_slice_of_followers_get_epochs_whole_and_in_order(on_loop: Any) -> None:
    async def scenario() -> None:
        async with world() as made:
            peers = [await made.client(V1 % b"M1") for _ in range(620)]
            for peer in peers:
                await peer.head()
            await made.streaming(620)
            sent = made.publish() + made.publish() + made.publish()
            for peer in peers:
                assert await peer.exactly(len(sent)) == sent
            assert made.m1.followers == 620
            assert made.m1.epochs_dropped == 0

    on_loop(scenario)


def test_each_session_of_a_product_gets_its_own(on_loop: Any) -> None:
    async def scenario() -> None:
        async with world(settings(v2_framing="chunked")) as made:
            first, second = await made.client(V1 % b"VRS"), await made.client(V2 % b"VRS")
            await first.head()
            await second.head()
            await made.streaming(2)
            by_dialect = {session.record().dialect: session for session in made.service.opened}
            await made.caster.hub.deliver([(by_dialect["ntrip1"], epoch(1)), (by_dialect["ntrip2"], epoch(2))])
            assert await first.exactly(len(epoch(1))) == epoch(1)
            chunk = b"%x\r\n" % len(epoch(2)) + epoch(2) + b"\r\n"
            assert await second.exactly(len(chunk)) == chunk
            by_dialect["ntrip2"].end(EndReason.ADMIN)
            assert await second.rest() == b"0\r\n\r\n"

    on_loop(scenario)


class Writes:
    """Notes each write of a session's transport."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[bytes] = []
        attach = Session.attach

        def noting(session: Session, transport: Any, client: Any) -> None:
            attach(session, transport, client)
            write = session.write

            def note(data: bytes) -> None:
                self.calls.append(data)
                write(data)

            session.write = note

        monkeypatch.setattr(Session, "attach", noting)


async def test_head_greeting_and_epochs_are_writes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    writes = Writes(monkeypatch)
    async with world(settings(settle_s=0.2)) as made:
        made.m1.greeting = STATION_FRAME + frame(1033)
        peer = await made.client(V1 % b"M1")
        first = await asyncio.wait_for(peer.reader.read(65_536), 10)
        assert first == b"ICY 200 OK\r\n\r\n"  # alone in its segment
        assert writes.calls == []
        early = made.publish()  # before data may flow: it waits, it is not lost
        await made.streaming()
        sent = made.publish()
        assert writes.calls == [made.m1.greeting, early, sent]
        assert await peer.exactly(len(made.m1.greeting + early + sent)) == made.m1.greeting + early + sent


async def test_a_nearest_station_is_a_channel_that_a_session_follows_and_leaves() -> None:
    async with world() as made:
        hub = made.caster.hub
        near_a, near_b = hub.channel("near A"), hub.channel("near B")
        near_a.greeting, near_b.greeting = frame(1005, 19, 1), frame(1005, 19, 2)
        peer = await made.client(V1 % b"VRS")
        await peer.head()
        (session,) = await made.streaming()
        hub.follow(session, near_a)
        near_a.publish(epoch(1))
        hub.follow(session, near_b)
        near_a.publish(epoch(2))
        near_b.publish(epoch(3))
        expected = near_a.greeting + epoch(1) + near_b.greeting + epoch(3)
        assert await peer.exactly(len(expected)) == expected
        assert session.record().serving == "near B"
        hub.drop_channel("near B")
        assert session.channel is None
        assert hub.channel("near B").followers == 0


async def test_suffixes_open_a_product_in_another_form() -> None:
    async with world() as made:
        assert (await (await made.client(V1 % b"VRS_MSM4_GPS_BDS")).head()) == b"ICY 200 OK\r\n\r\n"
        (session,) = await made.streaming()
        assert session.mountpoint.form is Form.MSM4
        assert session.mountpoint.systems == (Constellation.GPS, Constellation.BEIDOU)
        assert session.mountpoint.access.level is AccountLevel.CENTIMETRE
        for name in (b"VRS_MSM9", b"VRS_BDS_GPS", b"M1_MSM4", b"VRS_"):
            assert (await made.ask(V2 % name)).startswith(b"HTTP/1.1 404 ")


async def test_mountpoints_come_and_go() -> None:
    async with world() as made:
        hub = made.caster.hub
        with pytest.raises(ValueError, match="M1 is registered already"):
            hub.register(parse_mountpoint("M1"))
        peer = await made.client(V1 % b"VRS_GPS")
        await peer.head()
        await made.streaming()
        hub.unregister("VRS")
        assert await peer.rest() == b""
        assert made.service.closed[0].end_reason is EndReason.SOURCE_LOST
        assert (await made.ask(V2 % b"VRS")).startswith(b"HTTP/1.1 404 ")


async def test_a_lost_source_keeps_its_rovers_for_a_while_and_takes_no_new_ones() -> None:
    async with world() as made:
        peer = await made.client(V1 % b"M1")
        await peer.head()
        await made.streaming()
        made.pass_time(31.0)
        assert (await made.ask(V2 % b"M1")).startswith(b"HTTP/1.1 404 ")
        sent = made.publish()
        assert await peer.exactly(len(sent)) == sent
        assert (await (await made.client(V2 % b"M1")).head()).startswith(b"HTTP/1.1 200 ")
        made.pass_time(61.0)
        assert await peer.rest() == b""
        assert {record.end_reason for record in made.service.closed} == {EndReason.SOURCE_LOST}


# faults of others


def test_a_service_may_end_a_session_as_it_opens(on_loop: Any) -> None:
    async def scenario() -> None:
        async with world() as made:
            made.service.session_opened = lambda session: session.end(EndReason.QUOTA)  # type: ignore[method-assign]
            for _ in range(20):
                peer = await made.client(V1 % b"VRS" + GGA * 10)
                assert await peer.rest() in (b"ICY 200 OK\r\n\r\n", b"")
            assert {record.end_reason for record in made.service.closed} == {EndReason.QUOTA}
            assert not made.service.positions

    on_loop(scenario)


async def test_a_service_that_fails_harms_no_connection() -> None:
    async with world() as made:

        def fails(*_: Any) -> None:
            raise RuntimeError("of the service")

        made.service.session_opened = fails  # type: ignore[method-assign]
        made.service.serve = fails
        with structlog.testing.capture_logs() as logs:
            peer = await made.client(V1 % b"VRS" + GGA)
            assert await peer.head() == b"ICY 200 OK\r\n\r\n"
            await made.service.until(lambda: made.service.positions)
        assert [entry["event"] for entry in logs].count("service.fault") == 2
        made.caster.hub.sessions()[0].send(epoch(1))
        assert await peer.exactly(len(epoch(1))) == epoch(1)


async def test_a_sink_that_fails_ends_its_own_source_only() -> None:
    async with world() as made:

        class Fails:
            async def receive(self, data: bytes) -> int:
                raise RuntimeError("of the sink")

            def closed(self, reason: UploadEnd) -> None:
                raise RuntimeError("again")

        made.caster.uploads.offer("M2", lambda info: Fails())
        with structlog.testing.capture_logs() as logs:
            bad, good = await made.client(SOURCE.replace(b"M1", b"M2")), await made.client(SOURCE)
            await bad.head()
            await good.head()
            bad.send(STATION_FRAME)
            assert await bad.rest() == b""
        assert [entry["event"] for entry in logs].count("sink.fault") == 2
        good.send(STATION_FRAME)
        await made.sinks["M1"][0].until(lambda: made.sinks["M1"][0].data == STATION_FRAME)
        assert made.caster.uploads.ended == {UploadEnd.FAULT: 1}


async def test_logs_tell_no_secret() -> None:
    async with world() as made:
        with structlog.testing.capture_logs() as logs:
            for request in (V1 % b"M1", V2 % b"NOPE", basic(b"cm92ZXI6bm8=")):
                await (await made.client(request)).head()
            for source in (SOURCE, SOURCE.replace(b"secret", b"guessed")):
                await (await made.client(source)).reader.readline()
            agent = b"NTRIP \x1b[31m" + b"x" * 400
            await (await made.client((V1 % b"M1").replace(b"NTRIP t/1", agent.replace(b"\x1b", b"\xff")))).head()
        text = str(logs)
        assert {entry.get("denial") for entry in logs} >= {"unknown_mountpoint", "bad_credentials"}
        for secret in ("secret", "guessed", "cm92ZXI6cHc", "cm92ZXI6bm8", "'pw'", "Basic"):
            assert secret not in text
        assert "\\\\xc3\\\\xbf[31m" in text
        assert all(len(str(value)) <= 1000 for entry in logs for value in entry.values())


async def test_hostile_heads_find_a_caster_that_goes_on() -> None:
    chance = random.Random(7)
    seeds = [V1 % b"M1", V2 % b"VRS", SOURCE, b"POST /M1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"]
    async with world(
        settings(limits=LimitSettings(headless_per_address=1000, failures_per_minute_address=9999))
    ) as made:
        with structlog.testing.capture_logs() as logs:
            for _ in range(300):
                raw = bytearray(chance.choice(seeds))
                for _ in range(chance.randint(1, 5)):
                    at = chance.randrange(len(raw))
                    raw[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
                peer = await made.client(bytes(raw))
                peer.writer.write_eof()
                peer.close()
            peer = await made.client(V1 % b"M1")
            await peer.head()
        assert not [entry for entry in logs if entry["event"].endswith(".fault")]
        async with asyncio.timeout(10):
            while not any(s.ready and s.channel is made.m1 for s in made.caster.hub.sessions()):
                await asyncio.sleep(0)
        sent = made.publish()
        assert await peer.exactly(len(sent)) == sent


async def test_a_connection_that_fails_ends_its_own_session_only() -> None:
    async with world() as made:
        peers = [await made.client(V1 % b"M1") for _ in range(3)]
        for peer in peers:
            await peer.head()
        sessions = await made.streaming(3)

        def fails(data: bytes) -> None:
            raise OSError("of the transport")

        sessions[1].write = fails
        sent = made.publish() + made.publish()
        others = [peer for peer in peers if peer.writer.get_extra_info("sockname")[1] != sessions[1].client.port]
        assert [await peer.exactly(len(sent)) for peer in others] == [sent] * 2
        assert [record.end_reason for record in made.service.closed] == [EndReason.HALF_OPEN]


# start and stop


async def test_a_port_in_use_is_one_clear_error_and_nothing_listens() -> None:
    async with world() as made:
        free = ListenerSettings(host="127.0.0.1", port=0)
        taken = settings(port=made.port, more_listeners=(free,))
        second = Caster(taken.model_copy(update={"more_listeners": (free,)}))
        with pytest.raises(CasterError, match=f"cannot listen at 127.0.0.1:{made.port}: in use by another program"):
            await second.start()
        assert second.ports == ()


async def test_a_certificate_that_cannot_be_read_is_one_clear_error(tmp_path: Any) -> None:
    (tmp_path / "c").write_text("no certificate")
    caster = Caster(settings(certificate=tmp_path / "c", certificate_key=tmp_path / "c", tls_port=0))
    with pytest.raises(CasterError, match="certificate"):
        await caster.start()


def test_stop_says_why_and_waits_for_nobody(on_loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.caster.caster.STOP_S", 1.0)

    async def scenario() -> None:
        async with world() as made:

            class Hangs:
                async def receive(self, data: bytes) -> int:
                    await asyncio.Event().wait()
                    return 0

                def closed(self, reason: UploadEnd) -> None:
                    reasons.append(reason)

            reasons: list[UploadEnd] = []
            made.caster.uploads.offer("M1", lambda info: Hangs())
            rover, source, silent = await made.client(V2 % b"M1"), await made.client(SOURCE), await made.client(b"G")
            await rover.head()
            await source.head()
            source.send(STATION_FRAME)
            await made.streaming()
            async with asyncio.timeout(STOP_S):
                await made.caster.stop()
            assert made.service.closed[0].end_reason is EndReason.SHUTDOWN
            assert reasons == [UploadEnd.SHUTDOWN]
            for peer in (rover, source, silent):
                await peer.rest()
            assert made.caster.counters()["connections.now"] == 0
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", made.port)

    on_loop(scenario)
