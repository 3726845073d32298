"""What is in a stream: messages and their rates, stations, satellites and signals, gaps, slips, findings.

Fed with the events of a `StreamDecoder`; bounded but for the slips and gaps counted. Rates are medians of the steps
between epochs; a gap is a step of more than one and a half of them. Slips are those the lock times tell for certain.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cors.gnss.ephemeris import KeplerEphemeris, StateEphemeris
from cors.gnss.satellites import satellite_name
from cors.gnss.signals import SIGNALS, signal_name
from cors.gnss.time import NS, iso_gpst
from cors.rtcm.diagnostics import Diagnostic
from cors.rtcm.frames import Frame
from cors.rtcm.lock_times import Slip, lock_table, slips
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import AntennaDescriptor, StationDescriptors, StationPosition
from cors.rtcm.stream import Event, StreamDecoder, decode_stream
from cors.rtcm.tables import message_name

_MAX_STEPS = 100_000
_KEPT_GAPS = 100
Json = dict[str, object]


@dataclass
class StationSummary:
    """One station id of a stream."""

    position_ecef: tuple[float, float, float] | None = None
    antenna_height: float = math.nan
    antenna: str = ""
    receiver: str = ""
    firmware: str = ""
    epochs: int = 0


@dataclass
class StreamSummary:
    """The summary itself; `as_json` is what `cors inspect --json` prints."""

    size: int = 0
    frames: int = 0
    junk_bytes: int = 0
    messages: Counter[int] = field(default_factory=Counter)
    message_bytes: Counter[int] = field(default_factory=Counter)
    stations: dict[int, StationSummary] = field(default_factory=dict)
    epochs: int = 0
    incomplete_epochs: int = 0
    first: int | None = None
    last: int | None = None
    interval_s: float = math.nan
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Tags (gpst ns) between which epochs are missing; the first hundred."""
    missing_epochs: int = 0
    signals: dict[str, Counter[str]] = field(default_factory=dict)
    """Rows by satellite and signal."""
    slips: Counter[str] = field(default_factory=Counter)
    """By satellite."""
    half_cycles: int = 0
    ephemerides: Counter[str] = field(default_factory=Counter)
    """Sets by satellite and message kind ("G05 LNAV")."""
    diagnostic_counts: dict[str, int] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def as_json(self) -> Json:
        """Plain values; times ISO 8601 in GPST, absent as null."""
        span = (self.last - self.first) / NS if self.first is not None and self.last is not None else 0.0
        return {
            "format": "RTCM 3", "bytes": self.size, "frames": self.frames, "junk_bytes": self.junk_bytes,
            "messages": {str(n): self._message(n, span) for n in sorted(self.messages)},
            "stations": {str(i): _station(s) for i, s in sorted(self.stations.items())},
            "epochs": self.epochs, "incomplete_epochs": self.incomplete_epochs,
            "first": None if self.first is None else iso_gpst(self.first),
            "last": None if self.last is None else iso_gpst(self.last), "interval_s": _known(self.interval_s),
            "gaps": [[iso_gpst(a), iso_gpst(b)] for a, b in self.gaps], "missing_epochs": self.missing_epochs,
            "satellites": {name: dict(sorted(c.items())) for name, c in sorted(self.signals.items())},
            "slips": dict(sorted(self.slips.items())), "half_cycles": self.half_cycles,
            "ephemerides": dict(sorted(self.ephemerides.items())), "diagnostics": dict(self.diagnostic_counts),
        }  # fmt: skip

    def _message(self, number: int, span: float) -> Json:
        count = self.messages[number]
        interval = round(span / (count - 1), 3) if count > 1 and span > 0.0 else None
        return {"name": message_name(number), "count": count, "bytes": self.message_bytes[number],
                "interval_s": interval}  # fmt: skip


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _station(station: StationSummary) -> Json:
    return {
        "position_ecef": station.position_ecef, "antenna_height": _known(station.antenna_height),
        "antenna": station.antenna, "receiver": station.receiver, "firmware": station.firmware,
        "epochs": station.epochs,
    }  # fmt: skip


class Summarizer:
    """Makes a summary of the events of one stream."""

    def __init__(self) -> None:
        """Nothing seen."""
        self.summary = StreamSummary()
        self._steps: list[int] = []
        self._lock: NDArray[np.float32] = np.full((SIGNALS, 64), np.nan, np.float32)
        self._seen: NDArray[np.int64] = np.zeros((SIGNALS, 64), np.int64)
        self._counts: NDArray[np.int64] = np.zeros((SIGNALS, 64), np.int64)

    def add(self, events: Iterable[Event]) -> None:
        """Take events in."""
        for event in events:
            match event:
                case Frame():
                    self.summary.messages[event.number] += 1
                    self.summary.message_bytes[event.number] += len(event.data)
                case StationEpoch():
                    self._epoch(event)
                case StationPosition() | AntennaDescriptor() | StationDescriptors():
                    self._describe(event)
                case KeplerEphemeris() | StateEphemeris():
                    self.summary.ephemerides[f"{satellite_name(event.satellite)} {event.message}"] += 1

    def _describe(self, event: StationPosition | AntennaDescriptor | StationDescriptors) -> None:
        """Empty texts mean unknown and replace nothing."""
        station = self._station(event.station_id)
        match event:
            case StationPosition():
                station.position_ecef, station.antenna_height = event.position_ecef, event.antenna_height
            case AntennaDescriptor():
                station.antenna = event.descriptor or station.antenna
            case StationDescriptors():
                station.antenna, station.receiver = event.antenna or station.antenna, event.receiver or station.receiver
                station.firmware = event.firmware or station.firmware

    def _station(self, station_id: int) -> StationSummary:
        return self.summary.stations.setdefault(station_id, StationSummary())

    def _epoch(self, epoch: StationEpoch) -> None:
        s = self.summary
        self._rows(epoch)
        if epoch.supplement:
            return
        s.epochs += 1
        s.incomplete_epochs += not epoch.complete
        self._station(epoch.station_id).epochs += 1
        if s.last is not None and epoch.gpst > s.last and len(self._steps) < _MAX_STEPS:
            self._steps.append(epoch.gpst - s.last)
            step = int(np.median(self._steps[-1000:]))
            if self._steps[-1] > 1.5 * step:
                s.missing_epochs += round(self._steps[-1] / step) - 1
                if len(s.gaps) < _KEPT_GAPS:
                    s.gaps.append((s.last, epoch.gpst))
        s.first = epoch.gpst if s.first is None else min(s.first, epoch.gpst)
        s.last = epoch.gpst if s.last is None else max(s.last, epoch.gpst)

    def _rows(self, epoch: StationEpoch) -> None:
        o = epoch.observations
        place = (o.satellite.astype(np.intp), (o.signal & 63).astype(np.intp))
        tracked = ~np.isnan(o.phaserange)
        elapsed = (epoch.gpst - self._seen[place]) / 1e6
        table = lock_table(min(epoch.messages, key=lambda n: n % 10, default=1077))
        slipped = slips(self._lock[place], o.lock_time, elapsed, table) == Slip.CERTAIN
        for satellite in o.satellite[slipped & tracked & (self._seen[place] > 0)].tolist():
            self.summary.slips[satellite_name(satellite)] += 1
        self.summary.half_cycles += int(np.count_nonzero(o.flags & 2))
        self._counts[place] += 1
        place = (place[0][tracked], place[1][tracked])
        self._lock[place], self._seen[place] = o.lock_time[tracked], epoch.gpst

    def finish(self, decoder: StreamDecoder) -> StreamSummary:
        """The summary, with what the decoder counted."""
        s = self.summary
        s.size, s.junk_bytes = decoder.bytes_read, decoder.junk_bytes
        s.frames = sum(s.messages.values())
        s.diagnostic_counts, s.diagnostics = dict(sorted(decoder.diagnostic_counts.items())), decoder.diagnostics
        if self._steps:
            s.interval_s = float(np.median(self._steps)) / NS
        for satellite, index in np.argwhere(self._counts).tolist():
            name = signal_name((satellite & -64) | index)
            s.signals.setdefault(satellite_name(satellite), Counter())[name] = int(self._counts[satellite, index])
        return s


def summarize(data: bytes | bytearray | memoryview, start: int) -> StreamSummary:
    """Summary of a recording in memory; `start` (gpst ns) within half a week of its first epoch."""
    summarizer = Summarizer()
    events, decoder = decode_stream(data, start)
    summarizer.add(events)
    return summarizer.finish(decoder)
