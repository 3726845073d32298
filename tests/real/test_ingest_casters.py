"""Our sources against the recorded replies of three real casters (BKG 0.1.5, Millipede 0.8, RTKLIB 2.4.3)."""

from __future__ import annotations

import ast
import asyncio

import pytest

from cors.ingest.address import NtripAddress, Secret
from cors.ingest.backoff import End
from cors.ingest.connection import Ended, SourceOptions
from cors.ingest.ntrip_source import NtripOpener, fetch_sourcetable
from cors.ingest.station_source import StationSource
from tests.cors.ingest.peers import FRAMES, Counter, StillClock, World, read_head, says, serving
from tests.real.conftest import data_path

CASTERS = ["caster-bkg-0.1.5", "caster-millipede", "caster-rtklib-ntripc"]


def replies(caster: str) -> dict[str, bytes]:
    """Reply by the name of the probe; those that answer a GET."""
    found: dict[str, bytes] = {}
    name, asked = "", b""
    for line in data_path("ntrip", "transcripts", f"{caster}.txt").read_text().splitlines():
        if line.startswith("### "):
            name = line[4:].strip()
        elif line.startswith("> "):
            asked = ast.literal_eval(line[2:].strip())
        elif line.startswith("< ") and asked.startswith(b"GET"):
            found[name] = ast.literal_eval(line[2:].strip())
    return found


def address(port: int) -> NtripAddress:
    return NtripAddress("127.0.0.1", port, "M", "user", Secret("pw"))


@pytest.mark.parametrize("caster", CASTERS)
async def test_a_stream_comes_whichever_version_the_caster_speaks(caster: str) -> None:
    said = replies(caster)

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        reply = said["ok_v2" if b" HTTP/1.1\r\n" in head else "ok_v1"].removesuffix(b"\xa1")
        writer.write(reply)
        await writer.drain()
        if b"401" not in reply:
            writer.write(FRAMES)
            await writer.drain()

    taker, world, options = Counter(len(FRAMES)), World(), SourceOptions()
    async with serving(play) as port:
        opener = NtripOpener(address(port), options, StillClock())
        task = asyncio.create_task(StationSource("M", opener, taker, options, world.around()).run())
        await taker.full.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert taker.data.endswith(FRAMES[-100:]) and FRAMES in taker.data
    assert world.slept[:1] in ([], [1.0], [30.0])  # BKG 0.1.5 refuses version 2: version 1 after 30 s


@pytest.mark.parametrize("caster", CASTERS)
async def test_no_stream_says_why(caster: str) -> None:
    said = {
        probe: reply for probe, reply in replies(caster).items() if probe.startswith(("unknown", "noauth", "badauth"))
    }
    assert len(said) >= 2
    for probe, reply in said.items():
        async with serving(says(reply)) as port:
            with pytest.raises(Ended) as ended:
                await NtripOpener(address(port), SourceOptions(), StillClock())()
        assert ended.value.end is (End.REFUSED if b" 401 " in reply[:40] else End.NO_MOUNTPOINT), probe


@pytest.mark.parametrize("caster", CASTERS)
@pytest.mark.parametrize("probe", ["st_v1", "st_v2"])
async def test_sourcetables_come_whole(caster: str, probe: str) -> None:
    said = replies(caster)[probe]
    async with serving(says(said)) as port:
        table = await fetch_sourcetable(address(port), SourceOptions())
    assert table.rstrip().endswith(b"ENDSOURCETABLE") and said.rstrip().endswith(table.rstrip())
