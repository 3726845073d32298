"""Our client against replies that real casters gave (byte forms of ntrip 2.1, 2.2, 2.7 and recorded transcripts)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.ntrip.client import (
    ClientRequest,
    Event,
    NotNtrip,
    NtripClient,
    Refusal,
    Refused,
    StreamData,
    StreamEnded,
    StreamStarted,
    TableReceived,
)

FRAME = bytes.fromhex("d300133ed007033acfa6a0800b2d05e00006fc23ac008a85a1")  # RTCM 1005, station 7
V2_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: NTRIP Millipede Server 0.8.1\r\nDate: Wed, 25 Nov 2026 02:48:25 GMT\r\n"
    b"Ntrip-Version: Ntrip/2.0\r\nConnection: close\r\nContent-Type: gnss/data\r\n"
    b"Cache-Control: no-store, no-cache, max-age=0\r\nPragma: no-cache\r\n\r\n"
)
CHUNKED_HEAD = (
    b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nTransfer-Encoding: chunked\r\nContent-Type: gnss/data\r\n\r\n"
)
TABLE = b"STR;A;;RTCM 3;;2;GPS;;CHN;1.00;2.00;0;0;;none;N;N;;\r\nENDSOURCETABLE\r\n"

REPLIES = {
    "BKG, RTKLIB, tisyang, go-gnss": (b"ICY 200 OK\r\n", FRAME * 3),
    "esp32-xbee, ours": (b"ICY 200 OK\r\n\r\n", FRAME * 3),
    "Millipede to version 1": (b"ICY 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", FRAME * 3),
    "ICY, Server, Date": (b"ICY 200 OK\r\nServer: x\r\nDate: y\r\n\r\n", FRAME * 3),
    "bare LF": (b"ICY 200 OK\n\n", FRAME),
    "data that begin with a letter": (b"ICY 200 OK\r\n", b"A\xd3" + FRAME),
    "Millipede, Spider version 2": (V2_HEAD, FRAME * 3),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n", FRAME),
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + V2_HEAD, FRAME),
}


def client(mountpoint: str = "M", version: int = 2) -> NtripClient:
    return NtripClient(ClientRequest("127.0.0.1", 2101, mountpoint, "u", "p", version))


def run(machine: NtripClient, *pieces: bytes, close: bool = True) -> list[Event]:
    events = list(itertools.chain.from_iterable(machine.receive(piece) for piece in pieces))
    return events + (machine.finish() if close else [])


def stream_of(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, StreamData))


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_every_reply_form_gives_the_stream_and_nothing_else(name: str, piece: int) -> None:
    head, body = REPLIES[name]
    whole = head + body
    events = run(client(), *(whole[i : i + piece] for i in range(0, len(whole), piece)))
    assert isinstance(events[0], StreamStarted)
    assert events[0].version == (1 if head.startswith(b"ICY") else 2)
    assert stream_of(events) == body
    assert events[-1] == StreamEnded(clean=False)


def test_a_stream_starts_before_the_first_byte_of_data_so_that_a_position_can_be_sent() -> None:
    for head, _ in REPLIES.values():
        machine = client()
        assert any(isinstance(e, StreamStarted) for e in machine.receive(head))
        assert machine.streaming


@pytest.mark.parametrize("piece", [1, 3, 10_000])
def test_chunks_are_undone_wherever_segments_cut(piece: int) -> None:
    body = b"19\r\n" + FRAME + b"\r\n" + b"32;x=1\r\n" + FRAME * 2 + b"\r\n0\r\n\r\n"
    whole = CHUNKED_HEAD + body
    events = run(client(), *(whole[i : i + piece] for i in range(0, len(whole), piece)))
    assert stream_of(events) == FRAME * 3
    assert events[-1] == StreamEnded(clean=True)


def test_a_table_instead_of_a_stream_means_not_available() -> None:
    reply = b"SOURCETABLE 200 OK\r\nServer: x\r\nContent-Length: 20\r\n\r\n" + TABLE
    for version_2 in (reply, b"HTTP/1.1 200 OK\r\nContent-Type: gnss/sourcetable\r\n\r\n" + TABLE):
        (refused,) = run(client(), version_2)
        assert isinstance(refused, Refused)
        assert refused.refusal is Refusal.NOT_AVAILABLE
        assert refused.table == TABLE


@pytest.mark.parametrize(
    ("reply", "refusal", "wait"),
    [
        (b"HTTP/1.0 401 Unauthorized\r\n", Refusal.UNAUTHORIZED, None),  # RTKLIB's caster: no more than this
        (b"HTTP/1.0 401 Unauthorized", Refusal.UNAUTHORIZED, None),
        (b'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="/M"\r\n\r\n', Refusal.UNAUTHORIZED, None),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", Refusal.FORBIDDEN, None),
        (b"HTTP/1.1 404 Not Found\r\nRetry-After: 30\r\n\r\n", Refusal.NOT_AVAILABLE, 30.0),
        (b"HTTP/1.1 409 Conflict\r\n\r\n", Refusal.CONFLICT, None),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 99999999999\r\n\r\n", Refusal.BUSY, None),
        (b"ERROR - Bad Password\r\n\r\n", Refusal.UNAUTHORIZED, None),
        (b"ICY 401 Unauthorized\r\n", Refusal.UNAUTHORIZED, None),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", Refusal.OTHER_STATUS, None),
    ],
)
def test_refusals_are_told_apart(reply: bytes, refusal: Refusal, wait: float | None) -> None:
    (event,) = run(client(), reply)
    assert isinstance(event, Refused)
    assert (event.refusal, event.retry_after_s) == (refusal, wait)


@pytest.mark.parametrize(
    "reply", [FRAME, b"", b"\x16\x03\x01", b"220 ftp ready\r\n", b"HTTP/1.1 200 OK\r\nA\rB: c\r\n\r\n"]
)
def test_what_is_no_reply_is_said_to_be_none(reply: bytes) -> None:
    (event,) = run(client(), reply)
    assert isinstance(event, NotNtrip)


def test_a_captive_portal_is_no_stream() -> None:
    (event,) = run(client(), b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html>")
    assert isinstance(event, NotNtrip)
    assert event.code == "web_page"


def test_broken_chunks_end_the_stream_after_the_good_ones() -> None:
    events = run(client(), CHUNKED_HEAD + b"19\r\n" + FRAME + b"\r\n", b"FFFFFFFFFFFFFFFFF\r\n")
    assert stream_of(events) == FRAME
    assert isinstance(events[-1], NotNtrip)
    assert events[-1].code == "chunk_too_large"


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\ngarbage that nobody asked for"])
def test_the_table_is_read_to_its_end_mark_not_to_its_length(end: bytes) -> None:
    head = b"SOURCETABLE 200 OK\r\nContent-Length: 20\r\n\r\n"
    (event,) = run(client(""), head + TABLE.removesuffix(b"\r\n") + end)
    assert isinstance(event, TableReceived)
    assert event.data.rstrip() == TABLE.rstrip()


def test_a_long_table_comes_whole_and_an_endless_one_is_given_up() -> None:
    long = b"STR;" + b"x" * 300_000 + b"\r\n" + TABLE
    pieces = [long[i : i + 1448] for i in range(0, len(long), 1448)]
    (event,) = run(client(""), b"HTTP/1.1 200 OK\r\n\r\n", *pieces)
    assert isinstance(event, TableReceived)
    assert event.data == long
    machine = client("")
    machine.receive(b"HTTP/1.1 200 OK\r\n\r\n")
    events = list(itertools.chain.from_iterable(machine.receive(b"x" * 65_536) for _ in range(70)))
    assert [type(e) for e in events] == [NotNtrip]


def test_requests_carry_what_strict_casters_want() -> None:
    gga = "$GPGGA,120000.00,2812.0000,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,*78"
    for version in (1, 2):
        request = client("M1", version).request_bytes(gga)
        head, _, rest = request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        assert lines[0] == f"GET /M1 HTTP/1.{version - 1}"
        for name in ("Host: 127.0.0.1:2101", "User-Agent: NTRIP corsnet", "Accept: */*", "Connection: close"):
            assert name in lines
        assert f"Ntrip-Version: Ntrip/{version}.0" in lines
        assert "Authorization: Basic dTpw" in lines
        assert (f"Ntrip-GGA: {gga}" in lines) == (version == 2)
        assert rest == (b"" if version == 2 else gga.encode() + b"\r\n")


@pytest.mark.parametrize("bad", ["M\r\nX: y", "a b", "\x00"])
def test_a_request_cannot_smuggle_headers(bad: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        ClientRequest("h", 2101, bad)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(ClientRequest("h", 2101, "M", "u", "secret"))


@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_raise(data: bytes, table: bool) -> None:
    for prefix in (b"", b"ICY 200 OK\r\n", b"HTTP/1.1 ", CHUNKED_HEAD, b"SOURCETABLE 200 OK\r\n\r\n"):
        events = run(client("" if table else "M"), prefix + data)
        assert sum(isinstance(e, NotNtrip | Refused | TableReceived | StreamEnded) for e in events) == 1
