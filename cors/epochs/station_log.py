"""What the assembler knows of one station: what became of its epochs, and when they came."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from cors.epochs.carried_slips import CarriedSlips


class Arrival(StrEnum):
    """What became of a station's epoch."""

    ON_TIME = "ON_TIME"
    LATE = "LATE"
    """Its epoch was closed already."""
    DUPLICATE = "DUPLICATE"
    """The station is in that epoch already; the first stays."""
    FUTURE = "FUTURE"
    """Far ahead of what most stations say; dropped, it must not close anything."""
    OFF_INTERVAL = "OFF_INTERVAL"
    """Between two epochs of the network (a faster station)."""
    EMPTY = "EMPTY"
    """No rows."""
    REFUSED = "REFUSED"
    """One station too many."""


class StationTiming(NamedTuple):
    """Counts of one station and its lag behind the first station of each epoch."""

    arrivals: dict[Arrival, int]
    out_of_order: int
    """Epochs older than one that the station had sent before (also counted under what became of them)."""
    missed: int
    """Epochs that were closed without the station while it was expected."""
    lag_mean_s: float
    """Smoothed over about 30 epochs; NaN before the first."""
    lag_worst_s: float
    newest: int | None
    """Newest nominal epoch, gpst ns."""


@dataclass(slots=True)
class StationLog:
    """Running record behind `StationTiming`."""

    arrivals: dict[Arrival, int] = field(default_factory=lambda: dict.fromkeys(Arrival, 0))
    out_of_order: int = 0
    missed: int = 0
    lag_mean_s: float = float("nan")
    lag_worst_s: float = 0.0
    newest: int | None = None
    arrived: float = float("-inf")
    """Monotonic time of the last arrival, s."""
    offset_s: float = 0.0
    """Nominal epoch less arrival, s: what the station thinks the time is."""
    behind: int = 0
    """Arrivals in a row far behind the closed epochs."""
    slips: CarriedSlips = field(default_factory=CarriedSlips)

    def note_lag(self, lag_s: float) -> None:
        """Lag of an arrival behind the first of its epoch."""
        gain = 1.0 if self.lag_mean_s != self.lag_mean_s else 1.0 / 30.0
        before = 0.0 if gain == 1.0 else self.lag_mean_s
        self.lag_mean_s = before + gain * (lag_s - before)
        self.lag_worst_s = max(self.lag_worst_s, lag_s)

    def timing(self) -> StationTiming:
        """A value of the record."""
        return StationTiming(
            dict(self.arrivals), self.out_of_order, self.missed, self.lag_mean_s, self.lag_worst_s, self.newest
        )
