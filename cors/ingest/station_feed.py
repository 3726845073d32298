"""One station's bytes turned into what the service works with: frames to keep and pass on, epochs to judge.

Sits between a source and the rest: asks the clock what time it is, decodes, and hands everything to a sink at once, in
the loop; nothing is queued here. An epoch goes out when its sender says it is whole, when the next one begins, or when
the stream has been silent for a moment. Senders that say so after every message are noticed by the supplements they
cause and from then on waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.observations import concatenate, sort_order, take
from cors.gnss.time import NS
from cors.ingest.clock import Clock
from cors.rtcm.diagnostics import Code
from cors.rtcm.frames import Frame
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import StationMessage
from cors.rtcm.stream import Event, StreamDecoder

SILENCE_S = 0.2
"""After so long without bytes an open epoch is taken as whole: a burst has ended."""
PATIENCE = 60
"""Epochs for which a sender of supplements is waited for after its last one."""


class Sink(Protocol):
    """Takes what stations send; called in the loop, must not wait."""

    def frames(self, station: str, data: bytes, received: int) -> None:
        """Whole good frames as they came, back to back, received at a time (gpst ns)."""

    def value(self, station: str, value: Ephemeris | StationMessage) -> None:
        """An ephemeris, or what the station says of itself."""

    def epoch(self, station: str, epoch: StationEpoch, arrived: float) -> None:
        """An epoch of observations, come at a monotonic time (s)."""


class FeedStatistics(NamedTuple):
    """What a station's bytes held since the start."""

    frames: int
    junk_bytes: int
    crc_errors: int
    """Stretches of bytes with the header of a frame whose CRC failed."""
    epochs: int
    supplements: int
    """Rows that came after their epoch had been given out."""
    newest: int | None
    """Newest tag, gpst ns."""
    latency_s: float
    """Time of the last epoch's arrival less its tag; NaN before the first."""
    latency_mean_s: float
    """Smoothed over about 30 epochs."""
    messages: dict[int, int]
    """Good frames by message number."""
    findings: dict[str, int]
    """The decoder's findings by code."""


class StationFeed:
    """The taker of one station's source (`station_source.Taker`)."""

    def __init__(
        self,
        station: str,
        clock: Clock,
        sink: Sink,
        monotonic: Callable[[], float] = time.monotonic,
        call_later: Callable[[float, Callable[[], None]], asyncio.TimerHandle] | None = None,
    ) -> None:
        """`call_later` defaults to the running loop's."""
        self.station = station
        self._clock = clock
        self._sink = sink
        self._monotonic = monotonic
        self._call_later = call_later
        self._decoder = StreamDecoder()
        self._timer: asyncio.TimerHandle | None = None
        self._held: StationEpoch | None = None
        self._patience = 0
        self._frames = self._epochs = self._supplements = 0
        self._newest: int | None = None
        self._latency_s = self._latency_mean_s = float("nan")

    @property
    def decoder(self) -> StreamDecoder:
        """The stream's decoder: findings, channels, and ranges for messages that need them."""
        return self._decoder

    def statistics(self) -> FeedStatistics:
        """Counts so far."""
        counts = self._decoder.diagnostic_counts
        return FeedStatistics(
            self._frames, self._decoder.junk_bytes, counts[Code.CRC], self._epochs, self._supplements, self._newest,
            self._latency_s, self._latency_mean_s, dict(self._decoder.counts), dict(counts),
        )  # fmt: skip

    def connected(self) -> None:
        """A new connection: nothing is left open from the one before."""
        self.ended()

    def take(self, data: bytes) -> int:
        """Bytes that came; returns how many whole frames they completed."""
        now = self._clock.now()
        frames = self._hand_on(self._decoder.feed(data, now), now)
        self._await_silence()
        return frames

    def ended(self) -> None:
        """The connection has ended: what is open goes out, what is cut is junk."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.now()
        self._hand_on(self._decoder.close(now), now)
        self._release(now)

    def _await_silence(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        later = self._call_later or asyncio.get_running_loop().call_later
        self._timer = later(SILENCE_S, self._fell_silent)

    def _fell_silent(self) -> None:
        self._timer = None
        now = self._clock.now()
        self._hand_on(self._decoder.flush(now), now)
        self._release(now)

    def _hand_on(self, events: list[Event], now: int) -> int:
        frames = [event.data for event in events if isinstance(event, Frame)]
        if frames:
            self._frames += len(frames)
            self._sink.frames(self.station, b"".join(frames), now)
        for event in events:
            if isinstance(event, StationEpoch):
                self._take_epoch(event, now)
            elif not isinstance(event, Frame):
                self._sink.value(self.station, event)
        return len(frames)

    def _take_epoch(self, epoch: StationEpoch, now: int) -> None:
        if epoch.supplement:
            self._supplements += 1
            self._patience = PATIENCE
        if self._held is not None:
            if self._held.gpst == epoch.gpst and self._held.station_id == epoch.station_id:
                self._held = _together(self._held, epoch)
                return
            self._release(now)
        if self._patience:
            self._held = epoch
        else:
            self._give_out(epoch, now)

    def _release(self, now: int) -> None:
        if self._held is not None:
            epoch, self._held = self._held, None
            self._patience -= 1
            self._give_out(epoch, now)

    def _give_out(self, epoch: StationEpoch, now: int) -> None:
        self._epochs += 1
        self._newest = epoch.gpst if self._newest is None else max(self._newest, epoch.gpst)
        self._clock.saw(epoch.gpst, self.station)
        self._latency_s = (now - epoch.gpst) / NS
        is_first = self._latency_mean_s != self._latency_mean_s
        self._latency_mean_s = (
            self._latency_s if is_first else self._latency_mean_s + (self._latency_s - self._latency_mean_s) / 30.0
        )
        self._sink.epoch(self.station, epoch, self._monotonic())


def _together(first: StationEpoch, second: StationEpoch) -> StationEpoch:
    """One epoch of two parts, rows sorted."""
    rows = concatenate([first.observations, second.observations])
    return first._replace(
        observations=take(rows, sort_order(rows)),
        messages=first.messages + second.messages,
        complete=second.complete,
        supplement=first.supplement,
    )
