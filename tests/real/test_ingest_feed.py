"""A station's feed on a recorded stream, cut, damaged and made worse by hand (STR2, MSM4 of five systems at 1 Hz)."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import numpy as np
import pytest

from cors.gnss.time import NS, parse_time
from cors.ingest.clock import DataClock
from cors.ingest.station_feed import PATIENCE, StationFeed
from cors.rtcm.frames import Frame, encode_frame, read_frames
from cors.rtcm.station_epochs import StationEpoch
from tests.real.conftest import data_path

START = parse_time("2018-07-14T23:50:00")
MSM4 = (1074, 1084, 1094, 1114, 1124)


class Timers:
    """Timers that ring when the test says so."""

    def __init__(self) -> None:
        self.pending: list[Callable[[], None]] = []

    def later(self, seconds: float, callback: Callable[[], None]) -> Timers:
        self.pending = [callback]
        return self

    def cancel(self) -> None:
        self.pending.clear()

    def ring(self) -> None:
        for callback in self.pending[:]:
            self.pending.clear()
            callback()


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.data = b""
        self.epochs: list[StationEpoch] = []
        self.values: list[object] = []

    def frames(self, station: str, data: bytes, received: int) -> None:
        self.data += data

    def value(self, station: str, value: object) -> None:
        self.values.append(value)

    def epoch(self, station: str, epoch: StationEpoch, arrived: float) -> None:
        self.epochs.append(epoch)


def new_feed() -> tuple[StationFeed, Kept, Timers]:
    kept, timers = Kept(), Timers()
    clock = DataClock(START, lambda: 0.0)
    return StationFeed("STR2", clock, kept, lambda: 0.0, timers.later), kept, timers  # type: ignore[arg-type]


def stream(seconds: int) -> list[Frame]:
    """Frames of the first seconds."""
    packed = data_path("rtcm", "streams", "single_station", "week-rollover-STR24.rtcm3.gz")
    frames = read_frames(gzip.decompress(packed.read_bytes())[:120_000])
    first = next(k for k, frame in enumerate(frames) if frame.number == 1074)
    gps = [k for k, frame in enumerate(frames) if frame.number == 1074]
    return frames[first : gps[seconds]]


def test_bytes_cut_anywhere_give_the_same_epochs_and_every_frame() -> None:
    frames = stream(40)
    data = b"".join(frame.data for frame in frames)
    rng = np.random.default_rng(3)
    feed, kept, _ = new_feed()
    feed.connected()
    at = 0
    while at < len(data):
        size = int(rng.integers(1, 700))
        feed.take(data[at : at + size])
        at += size
    feed.ended()
    assert kept.data == data
    assert [epoch.gpst for epoch in kept.epochs] == [kept.epochs[0].gpst + k * NS for k in range(40)]
    assert all(epoch.messages == MSM4 for epoch in kept.epochs)
    statistics = feed.statistics()
    assert (statistics.frames, statistics.epochs, statistics.junk_bytes) == (len(frames), 40, 0)
    assert statistics.messages[1074] == 40 and statistics.newest == kept.epochs[-1].gpst
    assert -1.0 <= statistics.latency_s <= 1.0


def test_damage_costs_the_damaged_frame_and_is_counted() -> None:
    frames = stream(20)
    broken = bytearray(frames[3].data)
    broken[40] ^= 0x10
    pieces = [frame.data for frame in frames]
    pieces[3] = bytes(broken)
    pieces[10] += b"HTTP/1.1 200 OK\r\n\r\n"
    feed, kept, _ = new_feed()
    feed.take(b"".join(pieces))
    feed.ended()
    assert kept.data == b"".join(frame.data for k, frame in enumerate(frames) if k != 3)
    assert len(kept.epochs) == 20
    statistics = feed.statistics()
    assert statistics.crc_errors == 1 and statistics.junk_bytes == len(broken) + 19


def test_an_epoch_without_its_end_goes_out_when_the_stream_falls_silent() -> None:
    frames = stream(3)
    last = max(k for k, frame in enumerate(frames) if frame.number == 1124)
    feed, kept, timers = new_feed()
    feed.take(b"".join(frame.data for frame in frames[:last]))
    assert len(kept.epochs) == 2
    timers.ring()
    assert len(kept.epochs) == 3 and kept.epochs[2].messages == MSM4[:-1] and not kept.epochs[2].complete


def alone(frame: Frame) -> Frame:
    """The frame with DF393 = 0: nothing follows (bit 54 of an MSM)."""
    if frame.number not in MSM4:
        return frame
    payload = bytearray(frame.payload)
    payload[54 // 8] &= 0xFF ^ 0x80 >> 54 % 8
    return frame._replace(data=encode_frame(bytes(payload)))


def test_a_sender_that_ends_every_message_is_waited_for() -> None:
    feed, kept, timers = new_feed()
    second: list[bytes] = []
    for frame in map(alone, stream(30)):
        if frame.number == 1074 and second:
            feed.take(b"".join(second))
            timers.ring()
            second.clear()
        second.append(frame.data)
    feed.take(b"".join(second))
    feed.ended()
    whole = [epoch for epoch in kept.epochs if set(epoch.messages) == set(MSM4)]
    assert len(whole) >= 28  # the first second came in parts, and that was learned from
    tags = [epoch.gpst for epoch in kept.epochs]
    assert tags == sorted(tags)
    for epoch in whole:
        key = epoch.observations.satellite.astype(int) << 16 | epoch.observations.signal
        assert (np.diff(key) > 0).all()


def test_waiting_ends_when_the_sender_behaves() -> None:
    feed, kept, timers = new_feed()
    frames = stream(PATIENCE + 20)
    begun = 0
    for frame in frames:
        begun += frame.number == 1074
        feed.take((alone(frame) if begun <= 2 else frame).data)
        if frame.number == 1124:
            timers.ring()
    assert feed._patience == 0 and feed._held is None
    assert len({epoch.gpst for epoch in kept.epochs}) == PATIENCE + 20


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_connection_that_breaks_within_a_frame_leaves_nothing_behind(cut: int) -> None:
    frames = stream(4)
    data = b"".join(frame.data for frame in frames)
    feed, kept, _ = new_feed()
    feed.take(data[:-cut])
    feed.ended()
    feed.connected()
    feed.take(data[-cut:] + data)  # the rest of the cut frame is junk; the same seconds again are late
    feed.ended()
    assert kept.data.endswith(data) and len(kept.epochs) >= 7
