"""Who is let in and who is not, and what is asked of a rover's position (ntrip 1, 2.10, 5, 7), on loopback."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.accounts.passwords import Passwords
from api.accounts.register import change_account, find_account, revoke_account
from api.caster.mountpoints import Access, Form, Mountpoint, Product
from api.caster.reasons import EndReason, UploadEnd, Waiting
from api.caster.sessions import Session
from api.caster.settings import ListenerSettings
from cors.ntrip.authorization import DigestCredentials, digest_response, digest_secret
from cors.ntrip.table_reader import parse_sourcetable
from tests.api.caster.world import BASIC, GGA, STATION_FRAME, V1, V2, epoch, frame, settings, world

SOURCE = b"SOURCE secret M1\r\nSource-Agent: NTRIP t/1\r\n\r\n"


def basic(token: bytes, mountpoint: bytes = b"M1") -> bytes:
    return (V2 % mountpoint).replace(BASIC, b"Authorization: Basic " + token + b"\r\n")


MEMBER = b"bWVtYmVyOnB3"  # member:pw
METRE = b"bWV0cmU6cHc="  # metre:pw
NONE = (V2 % b"%b").replace(BASIC, b"")


# who is let in


async def test_a_hidden_mountpoint_is_not_there_for_those_who_may_not_have_it() -> None:
    async with world() as made:

        def without_date(reply: bytes) -> list[bytes]:
            return [line for line in reply.split(b"\r\n") if not line.startswith(b"Date")]

        for request in (NONE, V2, V1, V1.replace(BASIC, b""), basic(b"cm92ZXI6bm8=", b"%b")):
            hidden, unknown = await made.ask(request % b"HIDDEN"), await made.ask(request % b"NOTHING")
            told = [line.replace(b"/NOTHING", b"/HIDDEN") for line in without_date(unknown)]
            assert without_date(hidden) == told
        assert b"HIDDEN" not in await made.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert (await (await made.client(basic(MEMBER, b"HIDDEN"))).head()).startswith(b"HTTP/1.1 200 OK")


async def test_wrong_password_unknown_dead_and_forbidden_in_both_versions() -> None:
    async with world() as made:
        cases = [
            (basic(b"cm92ZXI6bm8="), b"HTTP/1.1 401 Unauthorized\r\nNtrip-Version"),
            (NONE % b"M1", b"HTTP/1.1 401 Unauthorized\r\nNtrip-Version"),
            (V1.replace(BASIC, b"Authorization: Basic eDp5\r\n") % b"M1", b"HTTP/1.0 401 Unauthorized\r\n"),
            (V2 % b"NOPE", b"HTTP/1.1 404 Not Found\r\n"),
            (V1 % b"NOPE", b"SOURCETABLE 200 OK\r\n"),
            (V2 % b"DEAD", b"HTTP/1.1 404 Not Found\r\n"),
            (V1 % b"DEAD", b"SOURCETABLE 200 OK\r\n"),
            (basic(METRE), b"HTTP/1.1 403 Forbidden\r\n"),
            (V2 % b"../M1", b"HTTP/1.1 404 Not Found\r\n"),
        ]
        for request, reply in cases:
            assert (await made.ask(request)).startswith(reply), request


async def test_disabled_and_expired_are_told_so_in_version_2_and_401_in_version_1() -> None:
    async with world() as made:
        now = datetime.now(UTC)
        rover = await find_account(made.store.sessions, "rover")
        assert rover is not None
        for changed, reason in (
            (replace(rover, enabled=False), b"disabled"),
            (replace(rover, expires=now - timedelta(seconds=1)), b"expired"),
        ):
            await change_account(made.store.sessions, changed, now)
            made.verifier.forget_rows()
            reply = await made.ask(V2 % b"M1")
            assert reply.startswith(b"HTTP/1.1 403 Forbidden\r\n")
            assert reply.endswith(reason + b"\r\n")
            assert (await made.ask(V1 % b"M1")).startswith(b"HTTP/1.0 401 ")


async def test_a_digest_is_good_once_and_for_its_own_mountpoint_only() -> None:
    async with world(settings(digest=True)) as made:
        challenge = await made.ask(NONE % b"M1")
        nonce = challenge.split(b'nonce="')[1].split(b'"')[0].decode()

        def answer(uri: str, count: int) -> bytes:
            asked = DigestCredentials("rover", "corsnet", nonce, uri, "", "MD5", "auth", f"{count:08x}", "c")
            response = digest_response(digest_secret("MD5", "rover", "corsnet", "pw"), asked, "GET")
            line = f'Authorization: Digest username="rover", realm="corsnet", nonce="{nonce}", uri="{uri}", '
            line += f'qop=auth, nc={count:08x}, cnonce="c", response="{response}"\r\n'
            return (V2 % b"M1").replace(BASIC, line.encode())

        assert (await (await made.client(answer("/M1", 1))).head()).startswith(b"HTTP/1.1 200 OK")
        again = await made.ask(answer("/M1", 1))
        assert again.startswith(b"HTTP/1.1 401 ")
        assert b"stale=true" in again
        assert (await made.ask(answer("/VRS", 2))).startswith(b"HTTP/1.1 401 ")
        assert (await (await made.client(answer("/M1", 3))).head()).startswith(b"HTTP/1.1 200 OK")
        made.clock.offset += 301.0
        assert b"stale=true" in await made.ask(answer("/M1", 4))


async def test_guesses_are_stopped_and_a_known_rover_behind_the_same_address_is_not() -> None:
    checked: list[str] = []

    class Counted(Passwords):
        async def check(self, stored: str | None, password: str) -> bool:
            checked.append(password)
            return await super().check(stored, password)

    async with world() as made:
        await (await made.client(V2 % b"M1")).head()
        counted = Counted(memory_kib=8, passes=1, workers=1)
        made.verifier._passwords = counted
        replies = [(await made.ask(basic(b"cm92ZXI6bm8=")))[:12] for _ in range(8)]
        assert replies == [b"HTTP/1.1 401"] * 5 + [b"HTTP/1.1 429"] * 3
        assert len(checked) == 5
        assert (await (await made.client(V2 % b"M1")).head()).startswith(b"HTTP/1.1 200 OK")
        counted.close()


async def test_accounts_that_are_revoked_leave() -> None:
    async with world() as made:
        rover, source = await made.client(V2 % b"M1"), await made.client(SOURCE)
        await rover.head()
        await source.head()
        await made.streaming()
        for name in ("rover", "base1"):
            await revoke_account(made.store.sessions, name, datetime.now(UTC))
        made.pass_time(10.0)
        await made.caster.check_accounts()
        assert await rover.rest() == b""
        assert await source.rest() == b""
        assert made.service.closed[0].end_reason is EndReason.EXPIRED
        await made.sinks["M1"][0].until(lambda: made.sinks["M1"][0].ended is UploadEnd.EXPIRED)


async def test_ports_tell_their_frame_and_a_table_lists_what_is_seen() -> None:
    other = ListenerSettings(host="127.0.0.1", port=0, frame="ITRF2020")
    async with world(settings(more_listeners=(other,))) as made:
        hub = made.caster.hub
        own = Mountpoint("RTCM33_GRCEJ", Product.VRS, Form.MSM5, frame="CGCS2000", access=Access(anonymous=True))
        hub.register(own)
        for second in range(3):
            made.clock.offset = float(second)
            made.publish(frame(1077, 200) + frame(1127, 150) + (STATION_FRAME if second != 1 else b""))
        reader, writer = await asyncio.open_connection("127.0.0.1", made.caster.ports[1])
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        made.clock.offset += 1.0
        table = parse_sourcetable((await reader.read()).partition(b"\r\n\r\n")[2])
        writer.close()
        assert not table.warnings
        assert table.casters[0].misc == "ITRF2020"
        m1, vrs = table.stream("M1"), table.stream("RTCM33_GRCEJ")
        assert m1 is not None and vrs is not None
        assert (m1.details, m1.systems) == ("1005(2),1077(1),1127(1)", "GPS+BDS")
        assert (m1.nmea, m1.authentication, m1.identifier) == (False, "B", "Changsha")
        assert (vrs.nmea, vrs.network_solution, vrs.authentication, vrs.misc) == (True, True, "N", "CGCS2000")


async def test_the_table_shows_what_a_product_sends_to_its_rovers() -> None:
    async with world() as made:
        peer = await made.client(V1 % b"VRS")
        await peer.head()
        (session,) = await made.streaming()
        for second in range(3):
            made.clock.offset = float(second)
            session.send(frame(1075, 100) + frame(1125, 100))
        made.clock.offset += 1.5
        table = parse_sourcetable((await made.ask(b"GET / HTTP/1.0\r\n\r\n")).partition(b"\r\n\r\n")[2])
        vrs = table.stream("VRS")
        assert vrs is not None
        assert (vrs.details, vrs.systems) == ("1075(1),1125(1)", "GPS+BDS")


# positions


async def test_a_rover_that_says_nothing_is_told_of_and_then_closed() -> None:
    async with world() as made:
        peer = await made.client(V1 % b"VRS")
        await peer.head()
        await made.streaming()
        made.pass_time(9.0)
        assert not made.service.waitings
        made.pass_time(1.5)
        assert [waiting for _, waiting in made.service.waitings] == [Waiting.GGA]
        assert made.caster.hub.sessions()[0].record().state == "waiting"
        made.pass_time(20.0)
        assert await peer.rest() == b""
        assert made.service.closed[0].end_reason is EndReason.NO_POSITION


async def test_a_rover_without_a_fix_is_told_of_at_once_and_may_wait_five_minutes() -> None:
    empty = b"$GPGGA,120000.00,,,,,0,00,99.9,,M,,M,,*5C\r\n"
    async with world() as made:
        peer = await made.client(V1 % b"VRS" + empty)
        await peer.head()
        (session,) = await made.streaming()
        assert [waiting for _, waiting in made.service.waitings] == [Waiting.FIX]
        for minute in range(1, 11):
            made.pass_time(29.0)
            assert not made.service.closed
            peer.send(empty)
            async with asyncio.timeout(10):
                while session.track.unplaced <= minute:
                    await asyncio.sleep(0)
        made.pass_time(29.0)
        assert made.service.closed[0].end_reason is EndReason.NO_POSITION


@pytest.mark.parametrize("static", [False, True])
async def test_an_old_position_ends_a_session_unless_it_is_static(static: bool) -> None:
    async with world() as made:
        rover = await find_account(made.store.sessions, "rover")
        assert rover is not None
        await change_account(made.store.sessions, replace(rover, static_position=static), datetime.now(UTC))
        peer = await made.client(V1 % b"VRS" + GGA)
        await peer.head()
        await made.service.until(lambda: made.service.positions)
        made.pass_time(299.0)
        assert not made.service.closed
        made.pass_time(2.0)
        assert [record.end_reason for record in made.service.closed] == ([] if static else [EndReason.POSITION_STALE])


async def test_outside_the_area_ends_after_a_minute_and_coming_back_in_does_not() -> None:
    async with world() as made:
        inside = False
        made.service.serve = lambda session, _: session.mark_area(inside)
        peer = await made.client(V1 % b"VRS" + GGA)
        await peer.head()

        async def next_position(seconds: float) -> None:
            made.pass_time(seconds)
            count = len(made.service.positions)
            peer.send(GGA)
            await made.service.until(lambda: len(made.service.positions) > count)

        await made.service.until(lambda: made.service.positions)
        await next_position(50.0)
        inside = True
        await next_position(5.0)
        inside = False
        await next_position(5.0)
        await next_position(50.0)
        assert not made.service.closed
        made.pass_time(10.5)
        assert made.service.closed[0].end_reason is EndReason.OUT_OF_AREA


async def test_a_reconnect_of_the_same_rover_is_the_same_session() -> None:
    """BNC in version 2 aborts its request and asks again with a new position in the head."""
    request = (V2 % b"VRS").replace(b"\r\n\r\n", b"\r\nNtrip-GGA: " + GGA + b"\r\n")
    async with world() as made:
        first = await made.client(request)
        await first.head()
        await made.service.until(lambda: made.service.positions)
        first.close()
        await disconnected(made.service.opened[0])
        made.pass_time(2.0)
        second = await made.client(request)
        await second.head()
        await made.service.until(lambda: made.service.resumed)
        assert made.service.resumed == made.service.opened
        assert not made.service.closed
        (session,) = await made.streaming()
        session.send(epoch(1))
        assert await second.exactly(len(epoch(1))) == epoch(1)
        second.close()
        await disconnected(session)
        made.pass_time(6.0)
        assert [record.end_reason for record in made.service.closed] == [EndReason.CLIENT_CLOSED]
        assert made.service.closed[0].reconnects == 1


async def disconnected(session: Session) -> None:
    async with asyncio.timeout(10):
        while session.connected:
            await asyncio.sleep(0)


async def test_a_reconnect_at_a_port_of_another_frame_is_another_session() -> None:
    other = ListenerSettings(host="127.0.0.1", port=0, frame="ITRF2020")
    async with world(settings(more_listeners=(other,))) as made:
        first = await made.client(V2 % b"VRS")
        await first.head()
        (session,) = await made.streaming()
        first.close()
        await disconnected(session)
        reader, writer = await asyncio.open_connection("127.0.0.1", made.caster.ports[1])
        writer.write(V2 % b"VRS")
        await made.service.until(lambda: len(made.service.opened) == 2)
        assert [s.frame for s in made.service.opened] == ["", "ITRF2020"]
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_full_account_is_taken_over_by_the_same_rover_and_replaced_by_another() -> None:
    async with world() as made:
        first = await made.client(basic(MEMBER, b"VRS"))
        await first.head()
        await made.streaming()
        second = await made.client(basic(MEMBER, b"VRS"))
        await second.head()
        assert await first.rest() == b""
        assert len(made.service.resumed) == 1
        third = await made.client(basic(MEMBER, b"VRS").replace(b"NTRIP t/1", b"NTRIP other/1"))
        await third.head()
        assert await second.rest() == b""
        assert [record.end_reason for record in made.service.closed] == [EndReason.REPLACED]
        assert len(made.service.opened) == 2


async def test_a_record_tells_how_a_rover_fared() -> None:
    fixed = GGA.replace(b"E,1,10", b"E,4,10").replace(b"*78", b"*7D")
    async with world() as made:
        peer = await made.client(V1 % b"VRS" + GGA + GGA + b"$GPRMC,x\r\n")
        await peer.head()
        (session,) = await made.streaming()
        made.clock.offset += 20.0
        peer.send(fixed)
        async with asyncio.timeout(10):
            while session.track.fixed is None:
                await asyncio.sleep(0)
        session.send(epoch(1))
        session.end(EndReason.ADMIN)
        (record,) = made.service.closed
        assert (record.account, record.level, record.mountpoint) == ("rover", "centimetre", "VRS")
        assert record.qualities == {1: 2, 4: 1}
        assert record.first_fixed_s == pytest.approx(20.0, abs=5.0)
        assert (record.uplink["gga"], record.uplink["other_line"]) == (3, 1)
        assert (record.epochs_sent, record.bytes_sent, record.epochs_dropped) == (1, len(epoch(1)), 0)
        assert record.first_position is not None and record.position is not None
        assert record.position.received - record.first_position.received == pytest.approx(20.0, abs=5.0)
        assert record.end_reason is EndReason.ADMIN
