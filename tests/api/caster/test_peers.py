"""Programs of others at our caster: RTKLIB, curl, gpsd, pygnssutils. What goes either way arrives byte for byte."""

from __future__ import annotations

import asyncio
import json
import queue
import socket
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pygnssutils import GNSSNTRIPClient

from api.caster.reasons import UploadEnd
from api.caster.settings import ListenerSettings
from cors.ntrip.gga import parse_gga
from tests.api.caster.world import STATION_FRAME, TIMEOUT_S, World, settings, station_frame, world
from tests.programs import program

EPOCHS = [b"".join(station_frame(3 * i + k) for k in range(3)) for i in range(20)]
STREAM = b"".join(EPOCHS)


@asynccontextmanager
async def running(*command: str, **pipes: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program, ended when it is no longer needed."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(*command, **{**quiet, **pipes})
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Collector:
    """A TCP server that keeps what one program sends to it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Collector:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            self.data += data
            self._changed.set()
        writer.close()

    async def until(self, length: int) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.data) < length:
                self._changed.clear()
                await self._changed.wait()
        return bytes(self.data)


def serve_stream(made: World) -> None:
    """Let VRS rovers have the whole stream, each from its first position on."""

    def serve(session: Any, _: Any) -> None:
        if session.epochs_sent == 0:
            for epoch in EPOCHS:
                session.send(epoch)

    made.service.serve = serve


# RTKLIB


async def test_str2str_receives_a_shared_mountpoint() -> None:
    async with world() as made, Collector() as collector:
        source, sink = f"ntrip://rover:pw@127.0.0.1:{made.port}/M1", f"tcpcli://127.0.0.1:{collector.port}"
        async with running(program("str2str"), "-in", source, "-out", sink):
            (session,) = await made.streaming()
            for epoch in EPOCHS:
                made.publish(epoch)
            # RTKLIB passes on the empty line behind ICY; its decoders skip it
            assert await collector.until(len(STREAM) + 2) == b"\r\n" + STREAM
            assert session.client is not None and session.client.agent == "NTRIP RTKLIB/2.4.3"
            assert session.epochs_sent == len(EPOCHS)


async def test_str2str_sends_its_position_and_receives_its_own_stream() -> None:
    async with world() as made, Collector() as collector:
        serve_stream(made)
        source, sink = f"ntrip://rover:pw@127.0.0.1:{made.port}/VRS", f"tcpcli://127.0.0.1:{collector.port}"
        position = ("-p", "28.2", "112.9", "60", "-n", "1000")
        async with running(program("str2str"), "-in", source, *position, "-out", sink):
            assert await collector.until(len(STREAM) + 2) == b"\r\n" + STREAM
            (_, told), *_ = made.service.positions
            assert (told.latitude, told.longitude) == pytest.approx((28.2, 112.9), abs=1e-8)
            assert told.height == pytest.approx(60.0, abs=0.002)  # RTKLIB takes its own geoid off and adds it again


async def test_str2str_uploads_as_a_version_1_source(tmp_path: Path) -> None:
    (tmp_path / "in.rtcm3").write_bytes(STREAM)
    async with world() as made:
        sink = f"ntrips://:secret@127.0.0.1:{made.port}/M1:M1;Changsha;RTCM 3.3"
        async with running(program("str2str"), "-in", str(tmp_path / "in.rtcm3"), "-out", sink):
            async with asyncio.timeout(TIMEOUT_S):
                while not made.sinks["M1"]:
                    await asyncio.sleep(0)
            received = made.sinks["M1"][0]
            await received.until(lambda: len(received.data) >= len(STREAM))
            assert bytes(received.data) == STREAM
            (record,) = made.caster.uploads.records()
            assert (record.account, record.mountpoint, record.frames) == ("base1", "M1", 60)


async def test_str2str_with_a_wrong_password_hears_error() -> None:
    async with world() as made:
        sink = f"ntrips://:wrong@127.0.0.1:{made.port}/M1"
        async with running(
            program("str2str"), "-in", "tcpsvr://127.0.0.1:0", "-out", sink, stderr=subprocess.PIPE
        ) as run:
            assert run.stderr is not None
            async with asyncio.timeout(TIMEOUT_S):
                while b"Bad Password" not in (line := await run.stderr.readline()):
                    assert line


# curl


async def curl_reads(made: World, url: str, *options: str, length: int) -> bytes:
    async with running(program("curl"), "-sS", "-N", "-k", *options, url, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        if url.endswith("/M1"):
            await made.streaming()
            for epoch in EPOCHS:
                made.publish(epoch)
        async with asyncio.timeout(TIMEOUT_S):
            return await run.stdout.readexactly(length)


V2_OPTIONS = ("-u", "rover:pw", "-H", "Ntrip-Version: Ntrip/2.0", "-A", "NTRIP curl")


@pytest.mark.parametrize("framing", ["close", "chunked"])
async def test_curl_receives_version_2_in_both_framings(framing: str) -> None:
    async with world(settings(v2_framing=framing)) as made:
        url = f"http://127.0.0.1:{made.port}/M1"
        assert await curl_reads(made, url, *V2_OPTIONS, length=len(STREAM)) == STREAM


async def test_curl_receives_plain_http() -> None:
    async with world() as made:
        url = f"http://127.0.0.1:{made.port}/M1"
        assert await curl_reads(made, url, "-u", "rover:pw", length=len(STREAM)) == STREAM
        assert made.service.opened[0].record().dialect == "http"


@pytest.mark.parametrize("framing", ["close", "chunked"])
async def test_curl_receives_its_own_stream_for_the_position_in_its_head(framing: str) -> None:
    gga = "Ntrip-GGA: $GPGGA,120000.00,2812.0000,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,*78"
    async with world(settings(v2_framing=framing)) as made:
        serve_stream(made)
        url = f"http://127.0.0.1:{made.port}/VRS"
        assert await curl_reads(made, url, *V2_OPTIONS, "-H", gga, length=len(STREAM)) == STREAM


async def test_curl_answers_a_digest_challenge() -> None:
    async with world(settings(digest=True)) as made:
        url = f"http://127.0.0.1:{made.port}/M1"
        options = ("--digest", "-u", "rover:pw", "-H", "Ntrip-Version: Ntrip/2.0")
        assert await curl_reads(made, url, *options, length=len(STREAM)) == STREAM
        assert made.caster.counters()["denied.no_credentials"] == 1


async def test_curl_over_tls_with_an_ec_certificate(tmp_path: Path) -> None:
    certificate, key = elliptic_certificate(tmp_path)
    tls = ListenerSettings(host="127.0.0.1", port=0, certificate=certificate, certificate_key=key)
    async with world(settings(more_listeners=(tls,), digest=True)) as made:
        url = f"https://127.0.0.1:{made.caster.ports[1]}/M1"
        got = await curl_reads(made, url, "--cacert", str(certificate), *V2_OPTIONS, length=len(STREAM))
        assert got == STREAM
        assert made.service.opened[0].record().tls


def elliptic_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return certificate, key


async def test_curl_uploads_in_chunks() -> None:
    async with world() as made:
        command = (program("curl"), "-sS", "-T", "-", "-X", "POST", "-u", "base1:secret", "-A", "NTRIP curl")
        extra = ("-H", "Ntrip-Version: Ntrip/2.0", "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue")
        url = f"http://127.0.0.1:{made.port}/M1"
        async with running(*command, *extra, url, stdin=subprocess.PIPE) as run:
            assert run.stdin is not None
            for epoch in EPOCHS:
                run.stdin.write(epoch)
                await run.stdin.drain()
            run.stdin.close()
            async with asyncio.timeout(TIMEOUT_S):
                while not made.sinks["M1"]:
                    await asyncio.sleep(0)
            received = made.sinks["M1"][0]
            await received.until(lambda: received.ended)
            assert bytes(received.data) == STREAM
            assert received.ended is UploadEnd.SOURCE_CLOSED


async def test_curl_reads_the_table_as_text() -> None:
    async with world() as made:
        url = f"http://127.0.0.1:{made.port}/"
        async with running(program("curl"), "-sS", url, stdout=subprocess.PIPE) as run:
            out, _ = await asyncio.wait_for(run.communicate(), TIMEOUT_S)
            assert out.startswith(b"CAS;localhost;")
            assert out.endswith(b"ENDSOURCETABLE\r\n")
            assert run.returncode == 0


# gpsd


async def test_gpsd_finds_the_mountpoint_in_the_table_and_decodes_its_stream() -> None:
    gpsd, gpspipe = program("gpsd"), program("gpspipe")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    async with world() as made:
        url = f"ntrip://rover:pw@127.0.0.1:{made.port}/M1"
        async with running(gpsd, "-N", "-n", "-S", port, "-F", "", url):
            await made.streaming()
            assert made.caster.counters()["tables"] == 1
            async with running(gpspipe, "-w", f"127.0.0.1:{port}", stdout=subprocess.PIPE) as pipe:
                assert pipe.stdout is not None
                stations: list[int] = []
                async with asyncio.timeout(TIMEOUT_S):
                    while b'"WATCH"' not in await pipe.stdout.readline():
                        pass
                    for epoch in EPOCHS:
                        made.publish(epoch)
                    while len(stations) < 60:
                        report = json.loads(await pipe.stdout.readline())
                        if report["class"] == "RTCM3":
                            stations.append(report["station_id"])
                assert stations == list(range(60))


# pygnssutils


@pytest.mark.parametrize(("version", "framing"), [("1.0", "close"), ("2.0", "close"), ("2.0", "chunked")])
@pytest.mark.parametrize("mountpoint", ["M1", "VRS"])
async def test_pygnssutils_receives(version: str, mountpoint: str, framing: str) -> None:
    async with world(settings(v2_framing=framing)) as made:
        got: queue.Queue[Any] = queue.Queue()
        stop = threading.Event()
        with GNSSNTRIPClient(None, retries=1, timeout=10) as client:
            client.run(
                server="127.0.0.1", port=made.port, mountpoint=mountpoint, version=version, ntripuser="rover",
                ntrippassword="pw", ggainterval=1 if mountpoint == "VRS" else -1, ggamode=1, reflat=28.2,
                reflon=112.9, refalt=60, output=got, stopevent=stop,
            )  # fmt: skip
            try:
                (session,) = await made.streaming()
                if mountpoint == "VRS":
                    await made.service.until(lambda: made.service.positions)
                    assert made.service.positions[0][1].latitude == pytest.approx(28.2, abs=1e-7)
                sent, received = await exchange(made, session, got)
            finally:
                stop.set()
        # its first read after the head is lost whatever a caster does; from then on nothing may be missing
        assert received == sent[-len(received) :]
        assert len(received) >= 10


async def exchange(made: World, session: Any, got: queue.Queue[Any]) -> tuple[list[bytes], list[bytes]]:
    """Send frames until ten have come back out of the client."""
    sent: list[bytes] = []
    received: list[bytes] = []
    loop = asyncio.get_running_loop()
    for station in range(200):
        frame = station_frame(station)
        sent.append(frame)
        if session.channel is not None:
            made.publish(frame)
        else:
            session.send(frame)
        try:
            while True:
                raw, _ = await loop.run_in_executor(None, got.get, True, 0.05)
                if raw.startswith(b"\xd3"):
                    received.append(raw)
                if received and received[-1] == sent[-1]:
                    break
        except queue.Empty:
            pass
        if len(received) >= 10 and received[-1] == sent[-1]:
            return sent, received
    return sent, received


async def test_pygnssutils_reads_the_table() -> None:
    async with world() as made:
        got: queue.Queue[Any] = queue.Queue()
        with GNSSNTRIPClient(None, retries=0, timeout=5) as client:
            client.run(
                server="127.0.0.1", port=made.port, mountpoint="", version="2.0", ntripuser="x", ntrippassword="y",
                output=got,
            )  # fmt: skip
            table, _ = await asyncio.get_running_loop().run_in_executor(None, got.get, True, TIMEOUT_S)
        assert [row[0] for row in table] == ["FREE", "M1", "VRS"]


def test_the_frames_are_what_pyrtcm_and_gpsd_take_for_1005() -> None:
    assert station_frame(7) == STATION_FRAME
    assert parse_gga("$GPGGA,120000.00,2812.0000,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,*78").has_position
