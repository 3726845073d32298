"""Every conformance row of the data collection, run against a caster on loopback, or named with the reason why not.

The caster has the accounts and mountpoints that the rows assume (`tests.api.caster.world`).
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.accounts.account import AccountLevel
from api.accounts.register import change_account, find_account, set_password
from api.caster.doors import Description
from api.caster.mountpoints import parse_mountpoint
from api.caster.reasons import EndReason, UploadEnd, Waiting
from api.caster.settings import LimitSettings
from cors.ntrip.client import (
    ClientRequest,
    NtripClient,
    TableReceived,
)
from cors.ntrip.table_reader import parse_sourcetable
from tests.api.caster.world import GGA, STATION_FRAME, V1, V2, Peer, World, frame, settings, world
from tests.real.conftest import data_path

NTRIP = data_path("ntrip")
ROWS = {row["id"]: row for row in map(json.loads, (NTRIP / "conformance.jsonl").read_text().splitlines())}
Check = Callable[[World, bytes], Awaitable[None]]

ELSEWHERE = {
    "C81": "a scenario without input: slow readers, tests/api/caster/test_slow_and_silent.py",
    "C82": "a scenario without input: peers that vanish, tests/api/caster/test_slow_and_silent.py",
}
"""Scenarios that have tests of their own; every other row is run below."""


def bytes_of(row: dict[str, Any]) -> bytes:
    value = ast.literal_eval(row["input"])
    assert isinstance(value, bytes)
    return value


async def ready(world: World, count: int = 1) -> None:
    """Wait until so many sessions stream."""
    await world.service.until(lambda: len(world.service.opened) >= count)
    async with asyncio.timeout(10):
        while not all(session.ready for session in world.caster.hub.sessions()):
            await asyncio.sleep(0)


async def on_vrs(world: World) -> Peer:
    peer = await world.client(V1 % b"VRS")
    await peer.head()
    await ready(world)
    return peer


async def written(world: World, data: bytes, *counts: str) -> None:
    """Write on /VRS and wait until that was read, as the counters say."""
    peer = await on_vrs(world)
    peer.send(data)
    session = world.service.opened[0]
    async with asyncio.timeout(10):
        while not all(session.uplink[name] for name in counts):
            await asyncio.sleep(0)


async def change(world: World, **changes: Any) -> None:
    account = await find_account(world.store.sessions, "rover")
    assert account is not None
    await change_account(world.store.sessions, replace(account, **changes), datetime.now(UTC))
    world.verifier.forget_rows()


# what most rows expect


async def is_version_1(world: World, data: bytes) -> None:
    peer = await world.client(data)
    assert await peer.exactly(14) == b"ICY 200 OK\r\n\r\n"
    await ready(world)
    epoch = world.publish()
    assert await peer.exactly(len(epoch)) == epoch


async def is_version_2(world: World, data: bytes) -> None:
    peer = await world.client(data)
    head = await peer.head()
    assert head.startswith(b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nServer: NTRIP corsnet/")
    for line in (b"Date: ", b"Cache-Control: ", b"Pragma: ", b"Content-Type: gnss/data\r\n", b"Connection: close\r\n"):
        assert b"\r\n" + line in head
    assert b"Transfer-Encoding" not in head
    await ready(world)
    epoch = world.publish()
    assert await peer.exactly(len(epoch)) == epoch


async def is_chunked(world: World, data: bytes) -> None:
    peer = await world.client(data)
    assert b"\r\nTransfer-Encoding: chunked\r\n" in await peer.head()
    await ready(world)
    epoch = world.publish()
    assert await peer.exactly(len(epoch) + 7) == b"%x\r\n" % len(epoch) + epoch + b"\r\n"


async def is_plain_http(world: World, data: bytes) -> None:
    peer = await world.client(data)
    head = await peer.head()
    assert head.startswith(b"HTTP/1.1 200 OK\r\nServer")
    assert b"Content-Type: gnss/data\r\n" in head
    assert b"Connection: close" in head
    assert b"Transfer-Encoding" not in head


def is_reply(*beginnings: bytes, absent: bytes = b"\0") -> Check:
    async def check(world: World, data: bytes) -> None:
        reply = await world.ask(data)
        assert reply.startswith(beginnings[0])
        for part in beginnings[1:]:
            assert part in reply
        assert absent not in reply

    return check


def is_exactly(expected: bytes) -> Check:
    async def check(world: World, data: bytes) -> None:
        assert await world.ask(data) == expected

    return check


is_table_1 = is_reply(b"SOURCETABLE 200 OK\r\nServer: NTRIP corsnet/", b"\r\nSTR;M1;", b"\r\nENDSOURCETABLE\r\n")
not_found = is_reply(b"HTTP/1.1 404 Not Found\r\nNtrip-Version: Ntrip/2.0\r\n", b"Connection: close\r\n")
unauthorized_1 = is_reply(
    b"HTTP/1.0 401 Unauthorized\r\nServer: NTRIP corsnet/",
    b'\r\nWWW-Authenticate: Basic realm="/M1"\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n',
)


def is_position(latitude: float, longitude: float) -> Check:
    async def check(world: World, data: bytes) -> None:
        if data.startswith(b"GET"):
            await (await world.client(data)).head()
        else:
            await written(world, data, "gga")
        await world.service.until(lambda: world.service.positions)
        position = world.service.positions[0][1]
        assert position.latitude == pytest.approx(latitude, abs=1e-8)
        assert position.longitude == pytest.approx(longitude, abs=1e-8)

    return check


changsha = is_position(28.2, 112.9)


# rows of their own


async def c13(world: World, data: bytes) -> None:
    reply = await world.ask(data)
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: text/plain" in reply
    assert b"SOURCETABLE 200" not in reply


async def c23(world: World, data: bytes) -> None:
    peer = await world.client(data)
    assert await peer.exactly(14) == b"ICY 200 OK\r\n\r\n"
    world.pass_time(29.0)
    assert world.service.waitings[0][1] is Waiting.GGA
    assert not world.service.closed
    world.pass_time(1.5)
    assert world.service.closed[0].end_reason is EndReason.NO_POSITION
    assert await peer.rest() == b""


async def c25(world: World, data: bytes) -> None:
    await written(world, GGA + data, "gga", "gga_checksum")
    assert len(world.service.positions) == 1


async def c27(world: World, data: bytes) -> None:
    await written(world, data, "no_position")
    assert [waiting for _, waiting in world.service.waitings] == [Waiting.FIX]
    assert not world.service.positions
    world.pass_time(29.0)
    assert not world.service.closed


async def c29(world: World, data: bytes) -> None:
    await written(world, data, "gga")
    assert not world.service.positions
    world.pass_time(59.0)
    assert not world.service.closed
    world.pass_time(2.0)
    assert world.service.closed[0].end_reason is EndReason.OUT_OF_AREA


async def ignored(world: World, data: bytes) -> None:
    await written(world, data, "other_line")
    assert not world.service.positions
    assert world.caster.hub.sessions()


async def c32(world: World, data: bytes) -> None:
    await written(world, data, "gga")
    session = world.service.opened[0]
    assert session.uplink["gga"] == data.count(b"$GPGGA") == 50
    assert len(world.service.positions) == 1
    world.pass_time(1.0)
    assert len(world.service.positions) == 2


async def c34(world: World, data: bytes) -> None:
    await written(world, data + b"\r\n" + GGA, "line_too_long", "gga")
    assert len(world.service.positions) == 1


async def c35(world: World, data: bytes) -> None:
    peer = await world.client(V1 % b"M1" + data)
    await peer.head()
    await ready(world)
    assert world.service.opened[0].record().position is not None
    assert not world.service.positions


async def c40(world: World, data: bytes) -> None:
    await set_password(world.store.sessions, world.passwords, "rover", "p:w", datetime.now(UTC))
    await is_version_1(world, data)


async def c41(world: World, data: bytes) -> None:
    reply = await world.ask(data)
    assert reply.startswith(b"HTTP/1.1 401 Unauthorized\r\nNtrip-Version")
    assert re.search(
        rb'WWW-Authenticate: Digest realm="corsnet", qop="auth", algorithm=MD5, nonce="[^"]+", stale=true', reply
    )


async def c46(world: World, data: bytes) -> None:
    await change(world, level=AccountLevel.METRE)
    await is_reply(b"HTTP/1.1 403 Forbidden\r\nNtrip-Version", b"\r\n\r\nlevel\r\n")(world, data)
    await is_reply(b"HTTP/1.0 403 Forbidden\r\n")(world, V1 % b"M1")


async def c47_replace(world: World, data: bytes) -> None:
    await change(world, concurrency=1)
    first = await world.client(V2 % b"M1")
    await first.head()
    await ready(world)
    second = await world.client(data)
    await second.head()
    assert await first.rest() == b""
    assert world.service.closed[0].end_reason is EndReason.REPLACED


async def c47_refuse(world: World, data: bytes) -> None:
    await change(world, concurrency=1)
    await (await world.client(V2 % b"M1")).head()
    await is_reply(b"HTTP/1.1 409 Conflict\r\nNtrip-Version")(world, data)
    await is_reply(b"HTTP/1.0 401 Unauthorized\r\n")(world, V1 % b"M1")


async def c48(world: World, data: bytes) -> None:
    world.caster.guard.ban("127.0.0.1", world.clock())
    await is_exactly(b"HTTP/1.0 403 Forbidden\r\n\r\n")(world, data)
    await is_reply(b"HTTP/1.1 429 Too Many Requests\r\n", b"\r\nRetry-After: 60\r\n")(world, V2 % b"M1")


async def c49(world: World, data: bytes) -> None:
    await (await world.client(V2 % b"M1")).head()
    await is_reply(b"HTTP/1.0 503 Service Unavailable\r\n")(world, data)


async def c50(world: World, data: bytes) -> None:
    head, _, body = (await world.ask(data)).partition(b"\r\n\r\n")
    assert head.startswith(b"SOURCETABLE 200 OK\r\nServer: ")
    assert b"Content-Type: text/plain\r\n" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.endswith(b"ENDSOURCETABLE\r\n")


async def c51(world: World, data: bytes) -> None:
    head, _, body = (await world.ask(data)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: gnss/sourcetable\r\n" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.endswith(b"ENDSOURCETABLE\r\n")


async def c52(world: World, data: bytes) -> None:
    reply = await world.ask(data)
    assert reply.count(b"HTTP/1.1 200 OK") == reply.count(b"ENDSOURCETABLE") == 1
    assert b"Connection: close" in reply


async def c53(world: World, data: bytes) -> None:
    world.caster.hub.register(parse_mountpoint("M32"), Description(format="RTCM 3.2"), channel=world.m1)
    body = (await world.ask(data)).partition(b"\r\n\r\n")[2]
    names = [line.split(b";")[:2] for line in body.splitlines()]
    assert names == [[b"STR", b"FREE"], [b"STR", b"M1"], [b"STR", b"VRS"], [b"ENDSOURCETABLE"]]


def upload(reply: bytes) -> Check:
    async def check(world: World, data: bytes) -> None:
        peer = await world.client(data)
        assert (await peer.head()).startswith(reply)
        body = b"19\r\n" + STATION_FRAME + b"\r\n" if b"chunked" in data else STATION_FRAME
        peer.send(body)
        sink = world.sinks["M1"][0]
        await sink.until(lambda: bytes(sink.data) == STATION_FRAME)

    return check


POST = b"POST /M1 HTTP/1.1\r\nAuthorization: Basic YmFzZTE6c2VjcmV0\r\nTransfer-Encoding: chunked\r\n\r\n"


async def taken(world: World, data: bytes, refusal: bytes) -> None:
    first = await world.client(POST)
    await first.head()
    assert (await world.ask(data)).startswith(refusal)
    first.send(b"19\r\n" + STATION_FRAME + b"\r\n")
    await world.sinks["M1"][0].until(lambda: world.sinks["M1"][0].data)
    world.pass_time(14.0)
    assert (await world.ask(data)).startswith(refusal)
    world.pass_time(1.5)
    second = await world.client(data)
    assert b" 200 OK\r\n" in await second.head()
    await world.sinks["M1"][0].until(lambda: world.sinks["M1"][0].ended is UploadEnd.TAKEN_OVER)


async def c63(world: World, data: bytes) -> None:
    await taken(world, data, b"ERROR - Mount Point Taken or Invalid\r\n")


async def c68(world: World, data: bytes) -> None:
    await taken(world, data, b"HTTP/1.1 409 Conflict\r\nNtrip-Version: Ntrip/2.0\r\n")


async def posted(world: World, data: bytes) -> Peer:
    peer = await world.client(POST)
    assert (await peer.head()).startswith(b"HTTP/1.1 200 OK")
    peer.send(data)
    return peer


async def c69(world: World, data: bytes) -> None:
    peer = await posted(world, data)
    sink = world.sinks["M1"][0]
    for _ in range(50):
        peer.send(STATION_FRAME * 4)
        await peer.writer.drain()
    peer.send(b"\r\n")
    await sink.until(lambda: bytes(sink.data) == STATION_FRAME * 200)


async def c70(world: World, data: bytes) -> None:
    await posted(world, data + STATION_FRAME + b"\r\n")
    sink = world.sinks["M1"][0]
    await sink.until(lambda: bytes(sink.data) == STATION_FRAME)


async def c71(world: World, data: bytes) -> None:
    peer = await posted(world, data)
    assert await peer.rest() == b""
    assert world.sinks["M1"][0].ended is UploadEnd.BAD_CHUNKS
    assert world.caster.counters()["connections.chunk_too_large"] == 1


async def c72(world: World, data: bytes) -> None:
    rover = await world.client(V1 % b"M1")
    await rover.head()
    peer = await posted(world, data)
    assert await peer.rest() == b""
    assert world.sinks["M1"][0].ended is UploadEnd.SOURCE_CLOSED
    world.pass_time(59.0)
    assert not world.service.closed
    world.pass_time(2.0)
    assert world.service.closed[0].end_reason is EndReason.SOURCE_LOST


async def c74(world: World, data: bytes) -> None:
    peer = await world.client(b"SOURCE secret /M1\r\n\r\n" + data)
    await peer.head()
    await world.sinks["M1"][0].until(lambda: world.sinks["M1"][0].data == data)
    world.pass_time(61.0)
    assert await peer.rest() == b""
    assert world.sinks["M1"][0].ended is UploadEnd.NO_VALID_DATA


async def c76(world: World, data: bytes) -> None:
    peers = [await world.client(data) for _ in range(10)]
    async with asyncio.timeout(10):
        while world.caster.counters().get("connections.accepted", 0) < 10:
            await asyncio.sleep(0)
    world.pass_time(2.0)
    assert await (await world.client(data)).rest() == b""
    world.pass_time(8.5)
    assert [await peer.rest() for peer in peers] == [b""] * 10
    assert world.caster.counters()["connections.head_timeout"] == 10


async def c83(world: World, data: bytes) -> None:
    world.m1.greeting = STATION_FRAME + frame(1033)
    peer = await world.client(V1 % b"M1")
    await peer.head()
    assert await peer.exactly(len(world.m1.greeting)) == world.m1.greeting
    epoch = world.publish()
    assert await peer.exactly(len(epoch)) == epoch


async def c84(world: World, data: bytes) -> None:
    whole = bytes_of(ROWS["C06"])
    assert whole.startswith(data)
    for cut in range(1, len(whole), 9):
        peer = await world.client(whole[:cut])
        await peer.writer.drain()
        await asyncio.sleep(0)
        peer.send(whole[cut:])
        assert (await peer.head()).startswith(b"HTTP/1.1 200 OK\r\nNtrip-Version")
        peer.close()


async def c56(world: World, data: bytes) -> None:
    table = parse_sourcetable((NTRIP / "sourcetables" / "synthetic-hostile.txt").read_bytes())
    short, long, trimble = table.stream("SHORT"), table.stream("EAST"), table.stream("M_TRIMBLE")
    assert short and long and trimble
    assert (short.latitude, short.generator, short.bitrate, short.misc) == (28.2, "", None, "")
    assert long.misc == "misc;with;semicolons"
    assert (trimble.carrier, trimble.systems) == (2, "GPS+GLO+GAL+BDS")
    assert (trimble.network, trimble.country) == ("SAPOS", "DEU")


async def c57(world: World, data: bytes) -> None:
    table = parse_sourcetable((NTRIP / "sourcetables" / "synthetic-hostile.txt").read_bytes())
    comma, east, latin = table.stream("COMMA"), table.stream("EAST"), table.stream("LATIN1")
    assert comma and east and latin
    assert (comma.latitude, comma.longitude) == (28.2, 112.9)
    assert east.longitude == pytest.approx(-74.1, abs=1e-9)
    assert latin.identifier == "Château"
    codes = [warning.code for warning in table.warnings]
    expected = {"decimal_comma": 2, "longitude_over_180": 1, "cr_cr_lf": 1, "bare_lf": 1, "latin_1": 1, "realigned": 1}
    assert {code: codes.count(code) for code in expected} == expected
    assert len(table.streams) == 11
    assert table.complete


async def c58(world: World, data: bytes) -> None:
    client = NtripClient(ClientRequest("h", 2101, ""))
    (event,) = [*client.receive(data), *client.finish()]
    assert isinstance(event, TableReceived)
    assert parse_sourcetable(event.data).stream("A") is not None


CHECKS: dict[str, Check] = {
    **dict.fromkeys(("C01", "C02", "C03", "C04", "C05", "C15", "C18", "C39", "C80"), is_version_1),
    **dict.fromkeys(("C06", "C07", "C08", "C09", "C11", "C14", "C16", "C19", "C20"), is_version_2),
    "C10": is_chunked, "C12": is_plain_http, "C13": c13, "C17": not_found,
    **dict.fromkeys(("C21", "C22", "C24", "C26", "C33"), changsha),
    "C23": c23, "C25": c25, "C27": c27, "C28": is_position(28 + 16.590371 / 60, 112 + 57.444178 / 60), "C29": c29,
    "C30": ignored, "C31": ignored, "C32": c32, "C34": c34, "C35": c35,
    "C36": unauthorized_1, "C38": unauthorized_1, "C40": c40, "C41": c41,
    "C37": is_reply(b"HTTP/1.1 401 Unauthorized\r\nNtrip-Version: Ntrip/2.0\r\n", b'Basic realm="/M1"\r\n',
                    b"Content-Length: ", b"Connection: close\r\n"),
    "C42": is_table_1, "C43": not_found, "C44": is_table_1,
    "C45": is_reply(b"HTTP/1.1 404 Not Found\r\nNtrip-Version", b"\r\nRetry-After: 30\r\n"),
    "C46": c46, "C47 replace": c47_replace, "C47 refuse": c47_refuse, "C48": c48, "C49": c49, "C50": c50, "C51": c51,
    "C52": c52, "C53": c53, "C54": c51, "C55": is_table_1, "C56": c56, "C57": c57, "C58": c58,
    "C59": upload(b"ICY 200 OK\r\n\r\n"), "C60": upload(b"ICY 200 OK\r\n\r\n"),
    "C61": is_exactly(b"ERROR - Bad Password\r\n"), "C62": is_exactly(b"ERROR - Mount Point Taken or Invalid\r\n"),
    "C63": c63, "C64": upload(b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\n"),
    "C65": upload(b"HTTP/1.1 100 Continue\r\n\r\n"), "C66": upload(b"HTTP/1.1 200 OK\r\nNtrip-Version"),
    "C67": is_reply(b"HTTP/1.1 401 Unauthorized\r\nNtrip-Version: Ntrip/2.0\r\n"), "C68": c68, "C69": c69, "C70": c70,
    "C71": c71, "C72": c72, "C73": is_reply(b"HTTP/1.1 400 Bad Request\r\n", b"Connection: close"), "C74": c74,
    "C75": is_exactly(b"RTSP/1.0 501 Not Implemented\r\nCSeq: 1\r\nNtrip-Version: Ntrip/2.0\r\n\r\n"), "C76": c76,
    "C77": is_reply(b"HTTP/1.1 431 "), "C78": is_reply(b"HTTP/1.1 431 "), "C79": is_exactly(b""), "C83": c83,
    "C84": c84,
}  # fmt: skip

CHANGES: dict[str, dict[str, Any]] = {
    "C08": {"v2_framing": "chunked"},
    "C10": {"v2_framing": "chunked"},
    "C41": {"digest": True},
    "C47 refuse": {"second_login": "refuse"},
    "C49": {"limits": LimitSettings(clients=1)},
}


def test_every_row_is_run_or_named() -> None:
    assert {name[:3] for name in CHECKS} | set(ELSEWHERE) == set(ROWS)


@pytest.mark.parametrize("name", CHECKS)
async def test_conformance(name: str) -> None:
    async with world(settings(**CHANGES.get(name, {}))) as made:
        await CHECKS[name](made, bytes_of(ROWS[name[:3]]))
        assert not made.caster.counters().get("denied.busy")
