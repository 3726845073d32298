"""An observation file as a value: rows to compute with, and all that is needed to write it back.

The rows are sorted by satellite and signal within an epoch, epochs stand in the order of the file. What is printed
(values, indicators, order, comments, events) stays in the text itself; `records` reads it from there on demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations, take
from cors.gnss.time import NS
from cors.rinex.diagnostics import Diagnostic
from cors.rinex.labels import HeaderRecord
from cors.rinex.observation.header import ObservationHeader
from cors.rinex.text import Text
from cors.rinex.timescale import TimeSystem


@dataclass(frozen=True, slots=True)
class Event:
    """A record of flags 2 to 6 between epochs."""

    flag: int
    """2 antenna moves, 3 new site, 4 header information, 5 external event, 6 cycle slips."""
    after_epoch: int
    """Index of the observation epoch before it, -1 at the start."""
    calendar: int | None
    """ns in the file's time system; None where the date is blank."""
    line: int
    records: tuple[HeaderRecord, ...] = ()
    header: ObservationHeader | None = None
    """What holds from here on, where the records change anything."""
    slips: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Flag 6: cycles by satellite and code."""


@dataclass(frozen=True, slots=True)
class PlacedComment:
    """A comment that stands between the data without an event record."""

    after_epoch: int
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class EpochTimes:
    """Arrays of n epochs, in file order."""

    tags: NDArray[np.int64]
    """gpst ns; whole nanoseconds."""
    remainders_s: NDArray[np.float64]
    """What RINEX 4.02's picoseconds add to the tags below a nanosecond, s."""
    calendar: NDArray[np.int64]
    """ns as printed, in the file's time system."""
    flags: NDArray[np.uint8]
    """0, or 1 after a power failure (every row of that epoch is flagged SLIP)."""
    clock_offsets_s: NDArray[np.float64]
    """Receiver clock offsets as printed; NaN blank."""
    picoseconds: NDArray[np.int32]
    """As printed, -1 blank."""
    satellites: NDArray[np.int16]
    """Satellite lines kept."""
    header_index: NDArray[np.int32]
    """Which of the file's `headers` holds."""


@dataclass(frozen=True, slots=True)
class ObservationFile:
    """What `read_observations` gives."""

    name: str
    headers: tuple[ObservationHeader, ...]
    """The file's header and those that events put in its place."""
    epochs: EpochTimes
    offsets: NDArray[np.int64]
    """[n + 1] first row of each epoch."""
    observations: Observations
    events: tuple[Event, ...]
    comments: tuple[PlacedComment, ...]
    withheld_phases: Mapping[int, int]
    """Phases that could not be turned into metres because nobody told the GLONASS channel: by packed satellite."""
    diagnostics: tuple[Diagnostic, ...]
    diagnostic_counts: Mapping[str, int]
    text: Text
    spans: NDArray[np.int64]
    """[n, 2] offsets of each epoch in the text."""
    compact: bool = False

    @property
    def header(self) -> ObservationHeader:
        """The header at the top."""
        return self.headers[0]

    @property
    def time_system(self) -> TimeSystem:
        """System of all times printed in the file."""
        return self.header.time_system

    @property
    def interval_s(self) -> float | None:
        """INTERVAL, or the most common step between epochs where the header has none; None for less than two."""
        if self.header.interval_s is not None:
            return self.header.interval_s
        steps = np.diff(self.epochs.tags)
        steps = steps[steps > 0]
        if not steps.size:
            return None
        values, counts = np.unique(steps, return_counts=True)
        return float(values[np.argmax(counts)]) / NS

    def epoch(self, index: int) -> Observations:
        """Rows of one epoch (views)."""
        return take(self.observations, slice(int(self.offsets[index]), int(self.offsets[index + 1])))

    def in_time_order(self) -> ObservationFile:
        """The same with epochs sorted by tag (those of one instant in file order)."""
        order = np.argsort(self.epochs.tags, kind="stable")
        return self if np.array_equal(order, np.arange(order.size)) else reordered(self, order)


def reordered(file: ObservationFile, order: NDArray[np.intp]) -> ObservationFile:
    """A file of the epochs `order` names, in that order; events and comments follow the epoch they stood behind."""
    lengths = np.diff(file.offsets)[order]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    rows = np.repeat(file.offsets[:-1][order] - offsets[:-1], lengths) + np.arange(offsets[-1])
    place = {int(old): new for new, old in enumerate(order)} | {-1: -1}
    times = file.epochs
    epochs = EpochTimes(*(getattr(times, name)[order] for name in EpochTimes.__slots__))
    return replace(
        file, epochs=epochs, offsets=offsets, observations=take(file.observations, rows), spans=file.spans[order],
        events=tuple(replace(e, after_epoch=_nearest(place, e.after_epoch)) for e in file.events),
        comments=tuple(replace(c, after_epoch=_nearest(place, c.after_epoch)) for c in file.comments),
    )  # fmt: skip


def _nearest(place: Mapping[int, int], epoch: int) -> int:
    """New index of an epoch, or of the last one before it that is still there."""
    while epoch not in place:
        epoch -= 1
    return place[epoch]
