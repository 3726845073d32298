"""Recorded streams through sources, decoder, quality and assembler: the week change of 2018 at Mount Stromlo."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from cors.archive.raw_archive import RawArchive
from cors.archive.reading import read_recent
from cors.epochs.assembler import EpochAssembler
from cors.epochs.batch import EpochBatch
from cors.epochs.station_log import Arrival
from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, StateEphemeris
from cors.gnss.time import NS, WEEK_NS, iso_gpst, parse_time
from cors.ingest.address import FileAddress
from cors.ingest.clock import DataClock
from cors.ingest.recording import recorded_pieces
from cors.ingest.station_feed import StationFeed
from cors.ingest.supervisor import Ingest
from cors.quality.judgement import SLIPS
from cors.quality.tracker import StationTracker
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import StationPosition
from tests.cors.ingest.peers import World
from tests.real.conftest import data_path
from tests.real.ranges import StationRanges

START = parse_time("2018-07-14T23:50:00")
STREAMS = {"STR1": "week-rollover-STR17", "STR2": "week-rollover-STR24"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The two recordings, unpacked."""
    folder = tmp_path_factory.mktemp("streams")
    paths = {}
    for name, stream in STREAMS.items():
        paths[name] = folder / f"{name}.rtcm3"
        packed = data_path("rtcm", "streams", "single_station", f"{stream}.rtcm3.gz")
        paths[name].write_bytes(gzip.decompress(packed.read_bytes()))
    return paths


class Network:
    """A sink that judges, assembles and archives, as a service would."""

    def __init__(self, root: Path, world: World) -> None:
        self.archive = RawArchive(root)
        self.assembler = EpochAssembler()
        self.trackers: dict[str, StationTracker] = {}
        self.ranges: dict[str, StationRanges] = {}
        self.ephemerides: list[Ephemeris] = []
        self.batches: list[EpochBatch] = []
        self.slips = 0
        self.rows = 0
        self._world = world

    def frames(self, station: str, data: bytes, received: int) -> None:
        self.archive.append(station, data, received)

    def value(self, station: str, value: object) -> None:
        if isinstance(value, KeplerEphemeris | StateEphemeris):
            self.assembler.add_ephemerides(station, [value])
            self.ephemerides.append(value)
            for ranges in self.ranges.values():
                ranges.tell(value)
        elif isinstance(value, StationPosition) and station not in self.ranges:
            self.ranges[station] = StationRanges(value.position_ecef, self.ephemerides, START)

    def epoch(self, station: str, epoch: StationEpoch, arrived: float) -> None:
        tracker = self.trackers.setdefault(station, StationTracker())
        ranges = self.ranges.get(station)
        modelled = ranges(epoch.gpst, epoch.observations) if ranges is not None else None
        judged = tracker.step(epoch.gpst, epoch.observations, modelled)
        self.slips += int((judged.cause & int(SLIPS) != 0).sum())
        self.rows += len(judged.cause)
        self.assembler.add(station, epoch.gpst, judged.observations, (), arrived)
        self.batches += self.assembler.ready(arrived)


async def test_two_stations_are_assembled_through_the_week_change(files: dict[str, Path], tmp_path: Path) -> None:
    world = World(strict=True)
    clock = DataClock(START, lambda: world.s)
    network = Network(tmp_path, world)
    feeds: dict[str, StationFeed] = {}

    def feed(station: str) -> StationFeed:
        feeds[station] = StationFeed(station, clock, network, lambda: world.s)
        return feeds[station]

    ingest = Ingest(clock, feed, None, world.around())
    for name, path in files.items():
        ingest.add(name, FileAddress(path, 10.0))
    await ingest.finished()
    await ingest.close()
    batches = network.batches + list(network.assembler.ready(math.inf))
    times = [batch.gpst for batch in batches]
    assert times == sorted(set(times))
    assert iso_gpst(times[0]).startswith("2018-07-14T23:50:09") and iso_gpst(times[-1]).startswith(
        "2018-07-15T00:09:03"
    )
    assert {t // WEEK_NS for t in times} == {2009, 2010} and (np.diff(times) == NS).all()
    both = [batch for batch in batches if batch.stations == ("STR1", "STR2")]
    assert len(both) == 1125  # 23:50:18 to 00:09:02: every common epoch
    for name in files:
        arrivals = network.assembler.timing()[name].arrivals
        assert {a: n for a, n in arrivals.items() if n} == {Arrival.ON_TIME: {"STR1": 1126, "STR2": 1134}[name]}
        assert feeds[name].statistics().crc_errors == 0 or name == "STR2"
    assert len(batches[-1].ephemerides) > 30
    assert network.slips < 2e-3 * network.rows
    _same_bytes(network, files, tmp_path, clock.now())


def _same_bytes(network: Network, files: dict[str, Path], root: Path, now: int) -> None:
    """What the archive gives back for a warm-up is every whole frame that came, in order of reception."""
    network.archive.close()
    pieces = list(read_recent(root, now + NS, 3600.0))
    assert [p.received for p in pieces] == sorted(p.received for p in pieces)
    for name, path in files.items():
        kept = b"".join(p.data for p in pieces if p.station == name)
        came = path.read_bytes()
        assert len(came) - len(kept) in (46, 208)  # the junk that the collection's README counts
    assert len({p.station for p in pieces}) == 2


@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_is_cut_by_its_own_epochs(files: dict[str, Path], name: str) -> None:
    pieces = list(recorded_pieces(files[name], START))
    assert len(pieces) == {"STR1": 1126, "STR2": 1134}[name]
    assert (np.diff([piece.received for piece in pieces]) == NS).all()
    assert b"".join(piece.data for piece in pieces) == files[name].read_bytes()
    assert iso_gpst(pieces[-1].received, 0) == {"STR1": "2018-07-15T00:09:03", "STR2": "2018-07-15T00:09:02"}[name]
