"""GGA, the uplink, chunks, tables and replies against published and recorded byte strings."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.ntrip.chunks import LAST_CHUNK, ChunkDecoder, encode_chunk
from cors.ntrip.errors import ChunkError, GgaError
from cors.ntrip.gga import build_gga, parse_gga
from cors.ntrip.heads import HeadReader
from cors.ntrip.replies import Origin, refusal, stream_reply, table_reply, upload_error, upload_reply, uses_chunks
from cors.ntrip.requests import Request, parse_request
from cors.ntrip.server import (
    BadRequest,
    PositionReceived,
    RequestReceived,
    ServerConnection,
    UploadData,
    UploadEnded,
)
from cors.ntrip.sourcetable import CasterRecord, NetworkRecord, StreamRecord, build_sourcetable
from cors.ntrip.table_filter import matching, parse_filter
from cors.ntrip.table_reader import parse_sourcetable
from cors.ntrip.uplink import UplinkReader

CHANGSHA = b"$GPGGA,120000.00,2812.0000,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,*78"
ORIGIN = Origin("NTRIP corsnet/0.1.0", datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC))
FRAME = bytes.fromhex("d300133ed007033acfa6a0800b2d05e00006fc23ac008a85a1")


def request(raw: bytes) -> Request:
    head = HeadReader().receive(raw)
    assert head is not None
    return parse_request(head)


V1 = request(b"GET /M1 HTTP/1.0\r\nUser-Agent: NTRIP t/1\r\n\r\n")
V2 = request(b"GET /M1 HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\nUser-Agent: NTRIP t/1\r\n\r\n")
V2_HTTP10 = request(b"GET /M1 HTTP/1.0\r\nNtrip-Version: Ntrip/2.0\r\nUser-Agent: NTRIP t/1\r\n\r\n")
WEB = request(b"GET /M1 HTTP/1.1\r\nUser-Agent: curl/7.88.1\r\n\r\n")
SOURCE = request(b"SOURCE secret M1\r\n\r\n")
POST = request(b"POST /M1 HTTP/1.1\r\n\r\n")
RTSP = request(b"SETUP rtsp://x/M1 RTSP/1.0\r\nCSeq: 1\r\n\r\n")


# GGA


@pytest.mark.parametrize(
    ("line", "latitude", "longitude", "height"),
    [
        # str2str 2.4.3 b34, pygnssutils 1.3.1, npm ntrip-client 1.1.1 (recorded)
        ("$GNGGA,023312.38,2812.0000000,N,11254.0000000,E,1,00,1.0,76.933,M,-16.933,M,0.0,0000*46", 28.2, 112.9, 60.0),
        ("$GPGGA,023557.39,2812.00000,N,11254.00000,E,1,15,0.98,60.0,M,-17.0,M,0,0*42", 28.2, 112.9, 43.0),
        (
            "$GPGGA,025158.383,2816.590371,N,11257.444178,E,1,00,0.000,0,M,0,M,1.000,0001*4F",
            28.276506183, 112.957402967, 0.0,
        ),
        # NMEA 0183 documentation's classic
        ("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47", 48.1173, 11.5166667, 592.3),
    ],
)  # fmt: skip
def test_positions_of_known_senders(line: str, latitude: float, longitude: float, height: float) -> None:
    gga = parse_gga(line)
    assert gga.has_position
    assert gga.latitude == pytest.approx(latitude, abs=1e-7)
    assert gga.longitude == pytest.approx(longitude, abs=1e-7)
    assert gga.height == pytest.approx(height, abs=1e-9)


def test_before_a_fix_there_is_no_position() -> None:
    gga = parse_gga("$GPGGA,120000.00,,,,,0,00,99.9,,M,,M,,*5C")
    assert not gga.has_position
    assert math.isnan(gga.latitude)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$GNGGA,120000.00,2812.0000,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,*78", "gga_checksum"),
        ("$GPGGA,120000.00,7290747.02,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,", "gga_position"),  # a grid coordinate
        ("$GPGGA,120000.00,2812.0000,,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,", "gga_position"),
        ("$GPGGA,120000.00,2812.0000,N,,,1,10,1.0,60.0,M,-17.0,M,,", "gga_half_position"),
        ("$GPGGA,120000.00,2860.0000,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,", "gga_position"),
        ("$GPGGA,1,2812.0,N,11254.0,E,x,10,1.0,60.0,M", "gga_quality"),
        ("$GPGGA,120000.00,2812.0000,N", "gga_fields"),
        ("$GPRMC,120000,A,2812.0,N,11254.0,E,0.0,0.0,251126,,*17", "gga_malformed"),
        ("$GPGGA,120000.00,nan,N,inf,E,1,10,1.0,60.0,M,-17.0,M,,", "gga_position"),
    ],
)
def test_what_is_no_usable_gga(line: str, code: str) -> None:
    with pytest.raises(GgaError) as caught:
        parse_gga(line)
    assert caught.value.code == code


def test_heights_need_their_unit() -> None:
    gga = parse_gga("$GPGGA,120000.00,2812.0000,N,11254.0000,E,1,10,1.0,60.0,F,-17.0,M,,")
    assert gga.has_position
    assert math.isnan(gga.altitude)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-500, 9000), st.floats(0, 86_399.99), st.floats(-100, 100))
def test_a_built_sentence_says_what_was_meant(lat: float, lon: float, height: float, time: float, sep: float) -> None:
    gga = parse_gga(build_gga(lat, lon, height, time, separation=sep))
    assert gga.latitude == pytest.approx(lat, abs=1e-9)  # 7 decimals of a minute: 0.1 mm
    assert gga.longitude == pytest.approx(lon, abs=1e-9)
    assert gga.height == pytest.approx(height, abs=0.0011)
    assert gga.time_of_day_s == pytest.approx(time, abs=0.0051)


def test_a_built_sentence_byte_for_byte() -> None:
    line = build_gga(28.2, 112.9, 43.0, 43_200.0, separation=-17.0)
    assert line == "$GPGGA,120000.00,2812.0000000,N,11254.0000000,E,1,10,1.0,60.000,M,-17.000,M,,*78"
    assert build_gga(-0.99999999999, 0, 0, 0).split(",")[2] == "0100.0000000"


# uplink


def test_every_line_end_and_binary_in_front() -> None:
    reader = UplinkReader()
    data = (
        b"\r\n" + CHANGSHA + b"\n" + CHANGSHA + b"\r" + b"\xb5b\x01\x07\\\x00" + CHANGSHA + b"\r\n" + CHANGSHA + b"\r\n"
    )
    assert len(reader.receive(data)) == 4
    assert reader.counts["gga"] == 4
    bytewise = UplinkReader()
    assert sum(len(bytewise.receive(bytes([b]))) for b in data) == 4


def test_what_is_no_gga_is_counted_and_dropped() -> None:
    reader = UplinkReader()
    lines = (
        b"$GPRMC,120000,A,2812.0,N,11254.0,E,0.0,0.0,251126,,*17",
        b"$PASHR,120000.00,90.0,T,0.1,0.2,0.0,0.1,0.1,0.1,1,1*00",
        b"GET /M HTTP/1.0",
        CHANGSHA.replace(b"GP", b"GN"),
        b"$GPGGA,120000.00,,,,,0,00,99.9,,M,,M,,*5C",
    )
    found = reader.receive(b"\r\n".join(lines) + b"\r\n")
    assert [gga.has_position for gga in found] == [False]
    assert reader.counts["other_line"] == 3
    assert reader.counts["gga_checksum"] == 1
    assert reader.counts["no_position"] == 1


@pytest.mark.parametrize("piece", [1, 100, 10_000])
def test_an_overlong_line_is_dropped_and_the_next_one_counts(piece: int) -> None:
    reader = UplinkReader()
    data = b"A" * 5000 + b"\r\n" + CHANGSHA + b"\r\n" + b"\xff" * 3000 + CHANGSHA + b"\r\n"
    found = [gga for i in range(0, len(data), piece) for gga in reader.receive(data[i : i + piece])]
    assert len(found) == 2
    assert reader.counts["line_too_long"] == 2
    assert len(reader._line) <= 1024


@given(st.lists(st.binary(max_size=2000), max_size=6))
def test_no_uplink_raises_or_grows(pieces: list[bytes]) -> None:
    reader = UplinkReader()
    for piece in pieces:
        reader.receive(piece)
        assert len(reader._line) <= 1024


# chunks


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.randoms(use_true_random=False))
def test_chunks_survive_any_cut(payloads: list[bytes], random: object) -> None:
    body = b"".join(map(encode_chunk, payloads)) + LAST_CHUNK + b"rest"
    decoder = ChunkDecoder()
    out, position = b"", 0
    while position < len(body):
        step = random.randint(1, 50)  # type: ignore[attr-defined]
        out += decoder.receive(body[position : position + step])
        position += step
    assert out == b"".join(payloads)
    assert decoder.ended
    assert decoder.rest == b"rest"


def test_one_chunk_byte_for_byte() -> None:
    assert encode_chunk(FRAME) == b"19\r\n" + FRAME + b"\r\n"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"FFFFFFFFFFFFFFFFF\r\n", "chunk_too_large"),
        (b"10001\r\n", "chunk_too_large"),
        (b"-1\r\n", "chunk_bad_size"),
        (b"0x10\r\n", "chunk_bad_size"),
        (b"\r\n", "chunk_bad_size"),
        (b"1;" + b"x" * 40 + b"\r\n", "chunk_line_too_long"),
        (b"1" * 40, "chunk_line_too_long"),
        (b"1\r\nabc\r\n", "chunk_line_too_long"),
        (b"1\r\na\rb\n", "chunk_line_too_long"),
        (b"0\r\n" + b"A: b\r\n" * 2000, "chunk_line_too_long"),
    ],
)
def test_broken_chunks(body: bytes, code: str) -> None:
    with pytest.raises(ChunkError) as caught:
        ChunkDecoder().receive(body)
    assert caught.value.code == code


# replies


def test_replies_byte_for_byte() -> None:
    assert stream_reply(V1, ORIGIN) == b"ICY 200 OK\r\n\r\n"
    assert stream_reply(V1, ORIGIN, icy_empty_line=False) == b"ICY 200 OK\r\n"
    version_2 = (
        b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nServer: NTRIP corsnet/0.1.0\r\n"
        b"Date: Wed, 25 Nov 2026 12:00:00 GMT\r\nCache-Control: no-store, no-cache, max-age=0\r\nPragma: no-cache\r\n"
        b"Content-Type: gnss/data\r\nConnection: close\r\n"
    )
    assert stream_reply(V2, ORIGIN) == version_2 + b"\r\n"
    assert stream_reply(V2, ORIGIN, chunked=True) == version_2 + b"Transfer-Encoding: chunked\r\n\r\n"
    assert stream_reply(WEB, ORIGIN) == version_2.replace(b"Ntrip-Version: Ntrip/2.0\r\n", b"") + b"\r\n"
    assert upload_reply(SOURCE, ORIGIN) == b"ICY 200 OK\r\n\r\n"
    assert upload_reply(POST, ORIGIN).startswith(b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\n")
    assert refusal(V1, ORIGIN, 401, challenges=['Basic realm="/M1"']) == (
        b'HTTP/1.0 401 Unauthorized\r\nServer: NTRIP corsnet/0.1.0\r\nWWW-Authenticate: Basic realm="/M1"\r\n'
        b"Content-Type: text/html\r\nConnection: close\r\n\r\n"
    )
    assert refusal(RTSP, ORIGIN, 501) == b"RTSP/1.0 501 Not Implemented\r\nCSeq: 1\r\nNtrip-Version: Ntrip/2.0\r\n\r\n"
    assert upload_error(SOURCE, 401) == b"ERROR - Bad Password\r\n"
    assert upload_error(SOURCE, 409) == upload_error(SOURCE, 404) == b"ERROR - Mount Point Taken or Invalid\r\n"


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 503])
def test_every_refusal_of_version_2_says_its_version_and_length(status: int) -> None:
    for asked in (V2, POST):
        head, _, body = refusal(asked, ORIGIN, status, "because", retry_after_s=30).partition(b"\r\n\r\n")
        assert b"Ntrip-Version: Ntrip/2.0" in head
        assert f"Content-Length: {len(body)}".encode() in head
        assert b"Connection: close" in head


def test_chunks_only_for_those_who_said_they_can() -> None:
    assert uses_chunks(V2, configured=True)
    assert not any(uses_chunks(r, configured=True) for r in (V1, V2_HTTP10, WEB))
    assert not uses_chunks(V2, configured=False)


def test_tables_state_their_exact_length() -> None:
    table = build_sourcetable([StreamRecord("M1", "长沙")])
    for asked, first in ((V1, b"SOURCETABLE 200 OK"), (V2, b"HTTP/1.1 200 OK"), (WEB, b"HTTP/1.1 200 OK")):
        head, _, body = table_reply(asked, ORIGIN, table).partition(b"\r\n\r\n")
        assert head.startswith(first + b"\r\n")
        assert body.endswith(b"ENDSOURCETABLE\r\n")
        assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")


# sourcetable


RECORDS = (
    CasterRecord("caster.example", 2101, "Example", "Corsnet", country="CHN", latitude=28.2, longitude=112.9),
    NetworkRecord("HNCORS", "Example Survey", "B", fee=True),
    StreamRecord("VRS33", "Changsha", "RTCM 3.3", "1005(10),1077(1)", 2, "GPS+BDS", "HNCORS", "CHN", 28.2, 112.9,
                 nmea=True, network_solution=True, bitrate=9600),
    StreamRecord("M2", "Yueyang", "RTCM 3.2", "1006 (10), 1004/1012(1)", 1, "GPS+GLO", "X", "CHN", 29.4, 113.1),
    StreamRecord("M3", "Huaihua", "RTCM 2.3", "", 2, "GPS", "X", "CHN", 27.6, 110.0, bitrate=2400),
)  # fmt: skip


def test_a_table_is_read_as_written() -> None:
    table = build_sourcetable(RECORDS)
    assert table.startswith(b"CAS;caster.example;2101;Example;Corsnet;0;CHN;28.20;112.90;0.0.0.0;0;\r\nNET;HNCORS;")
    back = parse_sourcetable(table)
    assert (*back.casters, *back.networks, *back.streams) == RECORDS
    assert back.complete
    assert not back.warnings
    assert back.streams[1].messages[1006] == 10.0
    assert list(back.streams[1].messages) == [1006, 1004, 1012]


def test_texts_cannot_break_a_record() -> None:
    table = build_sourcetable([StreamRecord("M", "a;b\r\nSTR;X")])
    assert [s.identifier for s in parse_sourcetable(table).streams] == ["a,b  STR,X"]


@given(st.binary(max_size=500))
def test_no_table_raises(data: bytes) -> None:
    table = parse_sourcetable(b"STR;" + data + b"\r\nCAS;" + data + b"\nNET;" + data)
    assert all(-180.0 <= s.longitude <= 180.0 or math.isnan(s.longitude) for s in table.streams)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("STR;;;RTCM%203.3", ["VRS33"]),
        ("STR;;;rtcm3.3", ["VRS33"]),
        ("STR;;;RTCM 3.*", ["VRS33", "M2"]),
        ("STR;;;RTCM 3.3|RTCM 2.3", ["VRS33", "M3"]),
        ("STR;;;!RTCM 2.3", ["VRS33", "M2"]),
        ("STR;;;;;;GPS+BDS", ["VRS33"]),
        ("STR;;;;;;GLO", ["M2"]),
        ("STR;;;;;;;;;>28", ["VRS33", "M2"]),
        ("STR;;;;;;;;;<=28.2", ["VRS33", "M3"]),
        ("STR;;;;;;;;;~29.0;~113", ["M2"]),
        ("STR;M*", ["M2", "M3"]),
        ("strict;STR;M2", ["M2"]),
        ("NET", ["HNCORS"]),
    ],
)
def test_filters_select(query: str, names: list[str]) -> None:
    pattern = parse_filter(query)
    assert pattern is not None
    assert [record.fields()[1] for record in matching(RECORDS, pattern)] == names


@pytest.mark.parametrize("query", [None, "", "match&filter", "XYZ;1", ";;;", "x" * 2000])
def test_what_is_no_filter_is_none(query: str | None) -> None:
    assert parse_filter(query) is None


@given(st.text(max_size=60))
def test_no_filter_raises(text: str) -> None:
    pattern = parse_filter("STR;" + text)
    assert pattern is None or set(matching(RECORDS, pattern)) <= set(RECORDS)


# the server's side of a connection


def test_a_rover_from_head_to_position() -> None:
    head = b"GET /VRS HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\nNtrip-GGA: " + CHANGSHA + b"\r\n\r\n"
    connection = ServerConnection()
    (event,) = connection.receive(head + CHANGSHA + b"\r\n")
    assert isinstance(event, RequestReceived)
    assert [type(e) for e in connection.begin_stream()] == [PositionReceived, PositionReceived]
    assert [type(e) for e in connection.receive(CHANGSHA + b"\n")] == [PositionReceived]


@pytest.mark.parametrize(
    ("framing", "body", "ended"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"19\r\n" + FRAME + b"\r\n0\r\n\r\n", [UploadEnded()]),
        (b"Transfer-Encoding: chunked\r\n", b"19;ext=1\r\n" + FRAME + b"\r\n", []),
        (b"Content-Length: 25\r\n", FRAME + b"beyond", [UploadEnded()]),
        (b"", FRAME, []),
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_a_source_in_every_framing(framing: bytes, body: bytes, ended: list[UploadEnded], piece: int) -> None:
    connection = ServerConnection()
    connection.receive(b"POST /M HTTP/1.1\r\n" + framing + b"\r\n" + body[:3])
    events = connection.begin_upload()
    for i in range(3, len(body), piece):
        events += connection.receive(body[i : i + piece])
    assert b"".join(e.data for e in events if isinstance(e, UploadData)) == FRAME
    assert [e for e in events if isinstance(e, UploadEnded)] == ended


def test_tls_on_a_clear_port_gets_no_answer() -> None:
    (event,) = ServerConnection().receive(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert event == BadRequest("tls_on_plain", None, "")


def test_a_second_request_on_the_connection_is_not_one() -> None:
    connection = ServerConnection()
    table = b"GET / HTTP/1.1\r\nHost: x\r\nNtrip-Version: Ntrip/2.0\r\n\r\n"
    assert [type(e) for e in connection.receive(table + table)] == [RequestReceived]
    connection.close()
    assert connection.receive(table) == []
