"""Recordings as sources: all bytes, in step, ended once."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cors.archive.places import hour_path
from cors.archive.raw_archive import RawArchive
from cors.gnss.time import NS
from cors.ingest.address import FileAddress
from cors.ingest.backoff import End
from cors.ingest.station_source import SourceState
from cors.ingest.supervisor import Ingest
from tests.cors.archive.frames import frame
from tests.cors.ingest.peers import NOW, Counter, StillClock, World


def recordings(root: Path) -> dict[str, bytes]:
    """Three stations that begin 0, 3 and 6 s after NOW."""
    archive, sent = RawArchive(root), {}
    for n, name in enumerate(("AAA", "BBB", "CCC")):
        pieces = [frame(1077, bytes([n, k]) * 5) for k in range(30)]
        for k, piece in enumerate(pieces):
            archive.append(name, piece, NOW + (3 * n + k) * NS)
        sent[name] = b"".join(pieces)
    archive.close()
    return sent


@pytest.mark.parametrize("speed", [1.0, 10.0, math.inf])
async def test_recordings_of_a_scene_are_read_whole_and_in_step(tmp_path: Path, speed: float) -> None:
    sent, world = recordings(tmp_path), World()
    came: list[tuple[float, str]] = []

    class Timed(Counter):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def take(self, data: bytes) -> int:
            came.append((world.s, self.name))
            return super().take(data)

    takers = {name: Timed(name) for name in sent}
    ingest = Ingest(StillClock(), takers.__getitem__, None, world.around())
    for name in ("CCC", "AAA", "BBB"):
        ingest.add(name, FileAddress(hour_path(tmp_path, name, NOW), speed))
    await ingest.finished()
    assert {name: taker.data for name, taker in takers.items()} == sent
    for statistics in ingest.statistics().values():
        assert (statistics.state, statistics.ends) == (SourceState.STOPPED, {End.FINISHED: 1})
    if not math.isinf(speed):
        first = {name: min(s for s, n in came if n == name) for name in sent}
        assert first["BBB"] - first["AAA"] >= 3 / speed - 1e-6 and first["CCC"] - first["BBB"] >= 3 / speed - 1e-6
    await ingest.close()


async def test_a_file_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    world = World()
    ingest = Ingest(StillClock(), lambda name: Counter(), None, world.around())
    ingest.add("A", FileAddress(tmp_path / "gone.rtcm3"))
    event = await world.ended(End.UNREACHABLE, 2)
    await ingest.close()
    assert "gone.rtcm3" in event.detail and "No such file" in event.detail


async def test_a_name_has_one_source_and_is_free_again_when_removed(tmp_path: Path) -> None:
    ingest = Ingest(StillClock(), lambda name: Counter(), None, World().around())
    address = FileAddress(tmp_path / "gone.rtcm3")
    ingest.add("A", address)
    with pytest.raises(ValueError, match="has a source already"):
        ingest.add("A", address)
    await ingest.remove("A")
    await ingest.remove("nobody")
    ingest.add("A", address)
    await ingest.close()
    assert ingest.statistics() == {}
