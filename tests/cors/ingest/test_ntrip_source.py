"""The NTRIP source against every form of reply measured in the field, refusals, TLS and positions."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
from pathlib import Path

import pytest

from cors.ingest.address import NtripAddress, Secret
from cors.ingest.backoff import End
from cors.ingest.connection import Ended, SourceOptions
from cors.ingest.ntrip_source import NtripOpener, fetch_sourcetable
from cors.ntrip.gga import parse_gga
from tests.cors.ingest.peers import FRAMES, StillClock, read_head, says, serving

HTTP = b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nContent-Type: gnss/data\r\nConnection: close\r\n"
TABLE = b"STR;M1;Changsha;RTCM 3.3;1005(10);2;GPS;N;CHN;28.20;112.90;0;0;x;none;B;N;9600;\r\nENDSOURCETABLE\r\n"
SOURCETABLE = b"SOURCETABLE 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(TABLE) + TABLE


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return f"{len(data):X}".encode() + extension + b"\r\n" + data + b"\r\n"


CHUNKED = HTTP + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = chunk(FRAMES[:100]) + chunk(FRAMES[100:]) + b"0\r\n\r\n"
REPLIES = {  # ntrip 2.1, 3.2, 3.3: what real casters send, whole, cut and glued
    "ICY alone": [b"ICY 200 OK\r\n", FRAMES],
    "ICY and an empty line": [b"ICY 200 OK\r\n\r\n", FRAMES],
    "ICY and headers": [b"ICY 200 OK\r\nServer: NTRIP x\r\nDate: y\r\n\r\n", FRAMES],
    "ICY by Millipede": [b"ICY 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", FRAMES],
    "ICY and data in one segment": [b"ICY 200 OK\r\n" + FRAMES],
    "ICY byte by byte": [bytes([b]) for b in b"ICY 200 OK\r\n\r\n"] + [FRAMES],
    "HTTP to the end": [HTTP + b"\r\n", FRAMES],
    "HTTP 1.0": [b"HTTP/1.0 200 OK\r\n\r\n" + FRAMES],
    "HTTP head cut": [HTTP[:40], HTTP[40:] + b"\r\n", FRAMES],
    "chunks": [CHUNKED, BODY],
    "chunks in the head's segment": [CHUNKED + BODY],
    "chunks cut anywhere": [CHUNKED, *(BODY[n : n + 7] for n in range(0, len(BODY), 7))],
    "chunk extensions": [CHUNKED, chunk(FRAMES, b";x=1") + b"0\r\n\r\n"],
}


def address(port: int, **other: object) -> NtripAddress:
    return NtripAddress("127.0.0.1", port, "M1", "user", Secret("pw"), **other)  # type: ignore[arg-type]


async def read_all(opener: NtripOpener) -> tuple[bytes, Ended]:
    """Everything up to the end, and the end."""
    stream = await opener()
    data = b""
    try:
        while True:
            data += await stream.read()
    except Ended as ended:
        return data, ended
    finally:
        await stream.close()


@pytest.mark.parametrize("form", REPLIES)
async def test_every_form_of_yes_gives_the_same_bytes(form: str) -> None:
    requests: list[bytes] = []
    async with serving(says(*REPLIES[form], requests=requests)) as port:
        data, ended = await read_all(NtripOpener(address(port), SourceOptions(), StillClock()))
    assert data.removeprefix(b"\r\n") == FRAMES and ended.end is End.CLOSED
    (request,) = requests  # ntrip 2.1: always these, whatever the caster needs
    assert request.startswith(b"GET /M1 HTTP/1.1\r\n")
    for header in (b"Host: 127.0.0.1:", b"User-Agent: NTRIP corsnet", b"Ntrip-Version: Ntrip/2.0",
                   b"Authorization: Basic dXNlcjpwdw==", b"Accept: */*", b"Connection: close"):  # fmt: skip
        assert header in request


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        (b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="/M1"\r\n\r\n', End.REFUSED),
        (b"HTTP/1.0 401 Unauthorized\r\n", End.REFUSED),
        (b"ERROR - Bad Password\r\n", End.REFUSED),
        (b"HTTP/1.0 403 Forbidden\r\n", End.REFUSED),
        (b"HTTP/1.1 409 Conflict\r\n\r\n", End.REFUSED),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", End.NO_MOUNTPOINT),
        (SOURCETABLE, End.NO_MOUNTPOINT),
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 90\r\n\r\n", End.CLOSED),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", End.BAD_REPLY),
        (b"SSH-2.0-OpenSSH_9.2\r\n", End.BAD_REPLY),
        (b"\x16\x03\x01\x02\x00\x01" * 50, End.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000, End.BAD_REPLY),
        (b"A" * 100_000, End.BAD_REPLY),
        (b"", End.BAD_REPLY),
    ],
)
async def test_every_form_of_no_is_told_apart(reply: bytes, end: End) -> None:
    async with serving(says(reply)) as port:
        with pytest.raises(Ended) as ended:
            await NtripOpener(address(port), SourceOptions(), StillClock())()
    assert ended.value.end is end and "pw" not in str(ended.value)
    assert ended.value.wait_s == (90.0 if b"Retry-After" in reply else 0.0)


async def test_a_caster_that_never_answers_is_given_up() -> None:
    async with serving(says(stay=True)) as port:
        with pytest.raises(Ended) as ended:
            await NtripOpener(address(port), SourceOptions(reply_s=0.05), StillClock())()
    assert ended.value.end is End.BAD_REPLY


async def test_a_caster_that_only_speaks_version_1_is_found_out() -> None:
    requests: list[bytes] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_head(reader))
        if b" HTTP/1.0\r\n" in requests[-1]:
            writer.write(b"ICY 200 OK\r\n" + FRAMES)
            await writer.drain()

    async with serving(old) as port:
        opener = NtripOpener(address(port), SourceOptions(), StillClock())
        with pytest.raises(Ended, match="BAD_REPLY"):
            await opener()
        for _ in range(2):
            assert (await read_all(opener))[0] == FRAMES
    assert [b" HTTP/1.0\r\n" in request for request in requests] == [False, True, True]


@pytest.mark.parametrize("version", [1, 2])
async def test_the_position_goes_up_at_once_and_again(version: int) -> None:
    heads: list[bytes] = []
    lines: list[bytes] = []

    async def network(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_head(reader))
        writer.write(b"ICY 200 OK\r\n\r\n" if version == 1 else HTTP + b"\r\n")
        while len(lines) < 4:
            lines.append(await reader.readline())
        writer.write(FRAMES)
        await writer.drain()

    options = SourceOptions(position=(28.2, 112.9, 60.0), gga_interval_s=0.01)
    async with serving(network) as port:
        data, _ = await read_all(NtripOpener(address(port, version=version), options, StillClock()))
    assert data == FRAMES
    assert (b"Ntrip-GGA: $GPGGA," in heads[0]) is (version == 2)
    for line in lines:
        gga = parse_gga(line)
        assert (gga.latitude, gga.longitude) == (pytest.approx(28.2), pytest.approx(112.9)) and gga.talker == "GP"
        assert gga.height == pytest.approx(60.0) and gga.quality == 1


async def test_a_position_that_is_not_known_yet_is_sent_when_it_is() -> None:
    positions = iter([None, None, (28.2, 112.9, 60.0), (28.3, 112.9, 60.0)])
    lines: list[bytes] = []

    async def network(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"GGA" not in await read_head(reader)
        writer.write(HTTP + b"\r\n")
        lines.extend([await reader.readline(), await reader.readline()])
        writer.write(FRAMES)
        await writer.drain()

    options = SourceOptions(position=lambda: next(positions, None), gga_interval_s=0.01)
    async with serving(network) as port:
        data, _ = await read_all(NtripOpener(address(port), options, StillClock()))
    assert data == FRAMES and [parse_gga(line).latitude for line in lines] == pytest.approx([28.2, 28.3])


async def test_the_sourcetable_comes_whole() -> None:
    v2 = b"HTTP/1.1 200 OK\r\nContent-Type: gnss/sourcetable\r\nConnection: close\r\n\r\n" + TABLE
    for reply in (SOURCETABLE, v2):
        requests: list[bytes] = []
        async with serving(says(reply, requests=requests)) as port:
            assert await fetch_sourcetable(address(port), SourceOptions()) == TABLE
        assert requests[0].startswith(b"GET / HTTP/1.1\r\n")
    async with serving(says(b"ICY 200 OK\r\n\r\n", FRAMES)) as port:
        with pytest.raises(Ended):
            await fetch_sourcetable(address(port), SourceOptions())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-made certificate of 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


async def test_tls_is_spoken_with_those_we_trust_and_nobody_else(certificate: tuple[Path, Path]) -> None:
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    async with serving(says(HTTP + b"\r\n", FRAMES), ssl=context) as port:
        trusting = SourceOptions(ca_file=cert)
        data, _ = await read_all(NtripOpener(address(port, tls=True), trusting, StillClock()))
        assert data == FRAMES
        with pytest.raises(Ended, match=re.compile("UNREACHABLE.*certificate", re.IGNORECASE)):
            await NtripOpener(address(port, tls=True), SourceOptions(), StillClock())()
    async with serving(says(b"ICY 200 OK\r\n", FRAMES)) as port:  # clear text where TLS was asked
        with pytest.raises(Ended) as ended:
            await NtripOpener(address(port, tls=True), SourceOptions(connect_s=0.5), StillClock())()
        assert ended.value.end is End.UNREACHABLE


async def test_what_cannot_be_reached_says_so() -> None:
    async with serving(says()) as port:
        pass
    for options, host in ((SourceOptions(), "127.0.0.1"), (SourceOptions(ca_file=Path("/gone.pem")), "127.0.0.1")):
        with pytest.raises(Ended) as ended:
            await NtripOpener(NtripAddress(host, port, "M1", tls=options.ca_file is not None), options, StillClock())()
        assert ended.value.end is End.UNREACHABLE
