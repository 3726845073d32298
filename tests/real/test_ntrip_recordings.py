"""Recorded requests, transcripts of clients and casters, sourcetables and GGA lines of the data collection."""

from __future__ import annotations

import ast
import json
import math
import re
from typing import Any

import pytest

from cors.ntrip.client import (
    ClientRequest,
    Event,
    NotNtrip,
    NtripClient,
    Refused,
    StreamData,
    StreamStarted,
    TableReceived,
)
from cors.ntrip.errors import GgaError
from cors.ntrip.gga import parse_gga
from cors.ntrip.heads import HeadReader
from cors.ntrip.requests import Dialect, Purpose, Request, parse_request
from cors.ntrip.table_reader import parse_sourcetable
from tests.real.conftest import data_path

NTRIP = data_path("ntrip")

EXPECTED = {
    "bkg-ntripclient-auto": (Dialect.NTRIP2, Purpose.STREAM, "M"),
    "bkg-ntripclient-http": (Dialect.NTRIP2, Purpose.STREAM, "M"),
    "bkg-ntripclient-rtsp": (Dialect.RTSP, Purpose.CONTROL, ""),
    "bkg-ntripclient-v1": (Dialect.NTRIP1, Purpose.STREAM, "M"),
    "bkg-ntripserver-rtsp-fallback": (Dialect.RTSP, Purpose.CONTROL, ""),
    "bkg-ntripserver-v1": (Dialect.NTRIP1, Purpose.UPLOAD, "M1"),
    "bkg-ntripserver-v2": (Dialect.NTRIP2, Purpose.UPLOAD, "M1"),
    "curl-client-vs-icy": (Dialect.HTTP, Purpose.STREAM, "M"),
    "curl-server-v2-post": (Dialect.NTRIP2, Purpose.UPLOAD, "M1"),
    "gpsd-client": (Dialect.NTRIP1, Purpose.TABLE, ""),
    "microstrain-ros-client-v1": (Dialect.NTRIP1, Purpose.STREAM, "M"),
    "microstrain-ros-client-v2": (Dialect.NTRIP2, Purpose.STREAM, "M"),
    "node-ntrip-client": (Dialect.NTRIP1, Purpose.STREAM, "M"),
    "node-ntrip-client-sourcetable": (Dialect.NTRIP1, Purpose.TABLE, ""),
    "ntripstreams-client-v2": (Dialect.NTRIP2, Purpose.STREAM, "M"),
    "ntripstreams-server-v2": (Dialect.NTRIP2, Purpose.UPLOAD, "M"),
    "pygnssutils-client-v1": (Dialect.NTRIP1, Purpose.STREAM, "M"),
    "pygnssutils-client-v2": (Dialect.NTRIP2, Purpose.STREAM, "M"),
    "pygnssutils-sourcetable-v2": (Dialect.NTRIP2, Purpose.TABLE, ""),
    "rtklib-str2str-client-v1": (Dialect.NTRIP1, Purpose.STREAM, "M"),
    "rtklib-str2str-client-anonymous": (Dialect.NTRIP1, Purpose.STREAM, "M"),
    "rtklib-str2str-server-v1": (Dialect.NTRIP1, Purpose.UPLOAD, "M1"),
    "rtklib-str2str-sourcetable": (Dialect.NTRIP1, Purpose.TABLE, ""),
}


def recorded(raw: bytes) -> Request:
    head = HeadReader().receive(raw)
    assert head is not None
    assert head.skipped_lines == 0
    return parse_request(head)


@pytest.mark.parametrize("path", sorted((NTRIP / "requests").glob("*.req")), ids=lambda path: path.stem)
def test_recorded_requests(path: Any) -> None:
    request = recorded(path.read_bytes())
    family = re.sub(r"-(401|404|fallback|vs-http-reply|vs-http-401|no-reply|close-delimited)$", "", path.stem)
    if path.stem in EXPECTED:
        assert (request.dialect, request.purpose, request.mountpoint) == EXPECTED[path.stem]
    else:
        assert request.purpose in (Purpose.STREAM, Purpose.UPLOAD), family
    if b"Authorization: Basic" in path.read_bytes() and request.dialect is not Dialect.RTSP:
        assert request.credentials is not None
    if b"Ntrip-GGA" in path.read_bytes() and request.dialect is not Dialect.RTSP:
        assert request.gga
        if path.stem == "bkg-ntripclient-http":  # a hand-typed sentence: its checksum is wrong
            with pytest.raises(GgaError, match="gga_checksum"):
                parse_gga(request.gga)
        else:
            assert parse_gga(request.gga).latitude == pytest.approx(28.2)


@pytest.mark.parametrize("path", sorted((NTRIP / "transcripts").glob("*.txt")), ids=lambda path: path.stem)
def test_transcripts(path: Any) -> None:
    """What clients said is read whole; what casters answered means to our client what it meant to theirs."""
    name, asked, read = "", b"", 0
    for line in path.read_text().splitlines():
        if line.startswith("### "):
            name = line[4:].strip()
        elif line.startswith("> "):
            asked = ast.literal_eval(line[2:].strip())
        elif line.startswith("< "):
            read += answered(path.stem, name, asked, ast.literal_eval(line[2:].strip()))
        elif match := re.match(r"[\d.]+ C (b['\"].*['\"])( \.\.\. \d+ bytes)?$", line):
            read += said(ast.literal_eval(match.group(1)))
    assert read > 0


def said(data: bytes) -> bool:
    if data.startswith((b"GET ", b"POST ", b"SOURCE ", b"SETUP ")):
        recorded(data)
    elif data.startswith(b"$"):
        assert parse_gga(data).has_position
    return True


def client_events(reply: bytes, mountpoint: str) -> list[Event]:
    client = NtripClient(ClientRequest("h", 2101, mountpoint))
    return [*client.receive(reply), *client.finish()]


def answered(caster: str, name: str, asked: bytes, reply: bytes) -> bool:
    if not asked.startswith(b"GET") or not reply:
        return False
    mountpoint = "" if asked.startswith(b"GET / ") or asked.startswith(b"GET /?") else "M"
    first = client_events(reply, mountpoint)[0]
    if mountpoint == "":
        assert isinstance(first, TableReceived), (caster, name)
        table = parse_sourcetable(first.data)
        assert table.complete
        assert table.stream("M") is not None
    elif name in ("ok_v1", "near_v1", "ok_v2", "browser") and (b" 200 OK" in reply.split(b"\r\n")[0]):
        assert isinstance(first, StreamStarted), (caster, name)
    else:
        assert isinstance(first, Refused), (caster, name)
    return True


def test_what_followed_icy_in_a_recorded_caster_is_data() -> None:
    events = client_events(b"ICY 200 OK\r\n\xa1", "M")
    assert [e.data for e in events if isinstance(e, StreamData)] == [b"\xa1"]
    assert not any(isinstance(e, NotNtrip) for e in events)


def test_the_recorded_table_of_millipede() -> None:
    table = parse_sourcetable((NTRIP / "sourcetables" / "millipede-sample.txt").read_bytes())
    near = table.stream("NEAR")
    assert near is not None and near.nmea
    assert 1077 in near.messages and math.isnan(near.messages[1077])
    assert [s.mountpoint for s in table.streams] == ["NEAR", "V"]


GGA_LINES = json.loads(data_path("rinex", "gga-lines.json").read_text())


@pytest.mark.parametrize("case", GGA_LINES, ids=range(len(GGA_LINES)))
def test_gga_lines(case: dict[str, Any]) -> None:
    if "no position" in case.get("error", ""):
        assert not parse_gga(case["s"]).has_position
        return
    if "error" in case:
        with pytest.raises(GgaError):
            parse_gga(case["s"])
        return
    gga = parse_gga(case["s"])
    assert gga.quality == case["q"]
    got = {
        "lat": gga.latitude, "lon": gga.longitude, "nsat": gga.satellites, "alt": gga.altitude,
        "sep": gga.separation, "h": gga.height, "age": gga.age_s,
    }  # fmt: skip
    for key in got.keys() & case.keys():
        if case[key] is None:
            assert math.isnan(got[key]), key
        else:
            assert got[key] == pytest.approx(case[key], abs=1e-7 if key in ("lat", "lon") else 1e-9), key
    if "sta" in case:
        assert gga.station == case["sta"]
    assert gga.has_position == (case["lat"] is not None)
