"""Many stations to one EpochBatch: an epoch is closed when all expected stations are in, or at its deadline.

Pure: arrival times (any monotonic seconds) are arguments. The deadline runs from the first row of the epoch that came,
so a wrong PC clock closes nothing early; where that station is far ahead of the median of all, from when the median's
row is due, so neither does a receiver that counts its seconds wrong. Batches leave in order of time, each station at
most once in each; what is late, twice, between epochs or far in the future is counted and never blocks. A station that
went on to a later epoch is not waited for in an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import numpy as np

from cors.epochs.batch import EpochBatch
from cors.epochs.carried_slips import row_keys
from cors.epochs.ephemerides import EphemerisCollection
from cors.epochs.expected import ExpectedStations
from cors.epochs.station_log import Arrival, StationLog, StationTiming
from cors.gnss.ephemeris import Ephemeris
from cors.gnss.observations import Observations, concatenate, sort_order, take
from cors.gnss.time import NS

DEADLINE_S = 1.0
"""Longest wait after the first row of an epoch."""
TOLERANCE_S = 0.05
"""A tag so far from its nominal epoch still belongs to it (free-running clocks: 1 ms, some receivers several)."""
FUTURE_S = 5.0
"""Ahead of the median of the stations: not believed."""
LEAD_S = 0.5
"""Ahead of the median of the stations: believed, but its rows do not start the deadline before the median's are due."""
USUAL_AGE_S = 0.1
"""How long the median is used before it is taken anew."""
BACK_S = 10.0
"""Behind the closed epochs: when most stations are, time itself went back (a replay that starts anew)."""
BACK_ARRIVALS = 3
"""Arrivals in a row that far behind before a station counts as gone back."""
MOST_PENDING = 16
"""Open epochs; one more closes the oldest."""
MOST_STATIONS = 4096
RECENT_EPOCHS = 64
"""Closed epochs whose first arrival is remembered, to tell how late the late were."""


@dataclass(slots=True)
class _Open:
    """An epoch that is filling up."""

    first_arrived: float
    may_close_early: bool
    """False where nobody was expected yet when it was opened: only the deadline closes it."""
    waiting: set[str]
    """Expected stations that may still come."""
    rows: dict[str, tuple[int, Observations]] = field(default_factory=dict)


class _Usual(NamedTuple):
    """Medians over the stations heard of lately, None below three."""

    nominal: int
    taken: float
    offset_s: float | None
    """What they think the time is, less the monotonic clock."""
    newest: float | None
    """Their newest epochs, gpst ns."""


class EpochAssembler:
    """Collects stations' epochs; `add` what came, take what is `ready`, call again at `next_deadline`."""

    def __init__(self, interval_ns: int = NS, deadline_s: float = DEADLINE_S) -> None:
        """Epochs at multiples of `interval_ns` of GPS time. Raises ValueError for one that is not positive."""
        if interval_ns <= 0 or deadline_s <= 0.0:
            raise ValueError(f"interval {interval_ns} ns, deadline {deadline_s} s (expected more than 0)")
        self._interval = interval_ns
        self._tolerance = min(round(TOLERANCE_S * NS), interval_ns // 4)
        self._deadline_s = deadline_s
        self._open: dict[int, _Open] = {}
        self._closed: int | None = None
        self._first_arrivals: dict[int, float] = {}
        self._log: dict[str, StationLog] = {}
        self._expected = ExpectedStations()
        self._ephemerides = EphemerisCollection()
        self._usual = _Usual(0, float("-inf"), None, None)
        self.overflows = 0
        """Epochs closed because too many were open."""
        self.implausible = 0
        """Epochs dropped whole because most stations were elsewhere in time."""
        self.restarts = 0
        """Times that time went back."""
        self.duplicate_rows = 0
        """Second rows of a signal in one station's epoch, dropped."""

    @property
    def next_deadline(self) -> float | None:
        """Monotonic time at which the earliest deadline falls, None when nothing is open."""
        return min((epoch.first_arrived + self._deadline_s for epoch in self._open.values()), default=None)

    @property
    def expected(self) -> frozenset[str]:
        """Stations that epochs wait for now."""
        return self._expected.names

    def timing(self) -> dict[str, StationTiming]:
        """Counts and lags of every station met."""
        return {name: log.timing() for name, log in self._log.items()}

    def forget(self, station: str) -> None:
        """A station was taken out of the network; its open rows stay."""
        self._log.pop(station, None)
        self._expected.forget(station)
        for epoch in self._open.values():
            epoch.waiting.discard(station)

    def add_ephemerides(self, station: str, ephemerides: Iterable[Ephemeris]) -> None:
        """Sets that came without an epoch."""
        self._ephemerides.add(station, ephemerides)

    def add(
        self, station: str, tag: int, observations: Observations, ephemerides: Sequence[Ephemeris], arrived: float
    ) -> Arrival:
        """One epoch of a station with the receiver's `tag` (gpst ns), come at `arrived` (monotonic s)."""
        log = self._log.get(station)
        if log is None:
            if len(self._log) >= MOST_STATIONS:
                return Arrival.REFUSED
            log = self._log[station] = StationLog()
        self._ephemerides.add(station, ephemerides)
        nominal = (tag + self._interval // 2) // self._interval * self._interval
        arrival = self._place(station, log, nominal, tag, observations, arrived)
        log.arrivals[arrival] += 1
        if arrival in (Arrival.LATE, Arrival.OFF_INTERVAL, Arrival.FUTURE):
            log.slips.keep(observations)
        return arrival

    def ready(self, now: float) -> tuple[EpochBatch, ...]:
        """Batches that are complete, or whose deadline has passed at `now` (monotonic s), in order of time."""
        last = None
        for gpst, epoch in self._open.items():
            done = (epoch.may_close_early and not epoch.waiting) or now >= epoch.first_arrived + self._deadline_s
            if done and (last is None or gpst > last):
                last = gpst
        over = sorted(self._open)[: max(0, len(self._open) - MOST_PENDING)]
        self.overflows += len(over)
        if over:
            last = max(over[-1], last if last is not None else over[-1])
        if last is None:
            return ()
        batches = (self._close(gpst, now) for gpst in sorted(g for g in self._open if g <= last))
        return tuple(batch for batch in batches if batch is not None)

    def _place(
        self, station: str, log: StationLog, nominal: int, tag: int, observations: Observations, arrived: float
    ) -> Arrival:
        if abs(tag - nominal) > self._tolerance:
            return Arrival.OFF_INTERVAL
        if not len(observations.satellite):
            return Arrival.EMPTY
        if log.newest is not None and nominal < log.newest:
            log.out_of_order += 1
        log.offset_s, log.arrived = nominal / NS - arrived, arrived
        if self._lead(nominal, log.offset_s, arrived) > max(FUTURE_S, 1.5 * self._interval / NS):
            return Arrival.FUTURE
        if self._closed is not None and nominal <= self._closed:
            return self._place_late(station, log, nominal, tag, observations, arrived)
        log.behind = 0
        return self._place_open(station, log, nominal, tag, observations, arrived)

    def _place_open(
        self, station: str, log: StationLog, nominal: int, tag: int, observations: Observations, arrived: float
    ) -> Arrival:
        epoch = self._open.get(nominal)
        if epoch is None:
            expected = self._expected.names
            waiting = {name for name in expected if (self._log[name].newest or 0) < nominal}
            first = arrived + self._lead(nominal, log.offset_s, arrived)
            epoch = self._open[nominal] = _Open(first, bool(expected), waiting)
        if station in epoch.rows:
            return Arrival.DUPLICATE
        epoch.rows[station] = (tag, log.slips.hand_over(self._in_order(observations)))
        log.newest = nominal if log.newest is None else max(log.newest, nominal)
        for gpst, other in self._open.items():
            if gpst <= nominal:
                other.waiting.discard(station)
        self._note_lag(station, log, arrived - epoch.first_arrived)
        return Arrival.ON_TIME

    def _place_late(
        self, station: str, log: StationLog, nominal: int, tag: int, observations: Observations, arrived: float
    ) -> Arrival:
        """Count a row of a closed epoch; learn how late it was, and whether time went back for most stations."""
        if self._closed is not None and self._closed - nominal > BACK_S * NS:
            log.behind += 1
            if log.behind >= BACK_ARRIVALS and self._went_back(arrived):
                self._restart()
                return self._place_open(station, log, nominal, tag, observations, arrived)
        first = self._first_arrivals.get(nominal)
        if first is not None and (log.newest is None or nominal > log.newest):
            log.newest = nominal
            self._note_lag(station, log, arrived - first)
        return Arrival.LATE

    def _note_lag(self, station: str, log: StationLog, lag_s: float) -> None:
        log.note_lag(max(lag_s, 0.0))
        if lag_s <= self._deadline_s:
            self._expected.in_time(station)

    def _usually(self, nominal: int, now: float) -> _Usual:
        """What most stations say of the time; taken anew for each new epoch and each tenth of a second."""
        usual = self._usual
        if usual.nominal != nominal or not 0.0 <= now - usual.taken < USUAL_AGE_S or usual.offset_s is None:
            active = self._active(now)
            newest = [log.newest for log in active if log.newest is not None]
            usual = self._usual = _Usual(
                nominal,
                now,
                median(log.offset_s for log in active) if len(active) >= 3 else None,
                median(newest) if len(newest) >= 3 else None,
            )
        return usual

    def _lead(self, nominal: int, offset_s: float, now: float) -> float:
        """Seconds by which a station is ahead of most, by the clock and by their tags (a replay outruns the clock).

        0 where it is no more than a quick link could make it, or where there are too few to compare with.
        """
        usual = self._usually(nominal, now)
        if usual.offset_s is None:
            return 0.0
        lead = offset_s - usual.offset_s
        if usual.newest is not None:
            lead = min(lead, (nominal - usual.newest) / NS)
        return lead if lead > LEAD_S else 0.0

    def _active(self, now: float) -> list[StationLog]:
        """Stations heard of lately."""
        recent = max(10.0, 3.0 * self._interval / NS)
        return [log for log in self._log.values() if now - log.arrived <= recent]

    def _is_implausible(self, gpst: int, now: float) -> bool:
        """True for an epoch far ahead of what most stations have sent by its deadline (at any replay's speed)."""
        newest = self._usually(gpst, now).newest
        return newest is not None and gpst - newest > max(FUTURE_S * NS, 1.5 * self._interval)

    def _went_back(self, now: float) -> bool:
        active = self._active(now)
        return 2 * sum(log.behind >= BACK_ARRIVALS for log in active) > len(active)

    def _restart(self) -> None:
        self.restarts += 1
        self._closed = None
        self._open.clear()
        self._first_arrivals.clear()
        for log in self._log.values():
            log.newest, log.behind = None, 0

    def _close(self, gpst: int, now: float) -> EpochBatch | None:
        epoch = self._open.pop(gpst)
        if self._is_implausible(gpst, now):
            self.implausible += 1
            for station, (_, observations) in epoch.rows.items():
                if station in self._log:
                    self._log[station].slips.keep(observations)
            return None
        self._closed = gpst
        self._first_arrivals[gpst] = epoch.first_arrived
        while len(self._first_arrivals) > RECENT_EPOCHS:
            del self._first_arrivals[next(iter(self._first_arrivals))]
        late = sorted(self._expected.names - epoch.rows.keys())
        for station in late:
            self._log[station].missed += 1
            if self._expected.missed(station):
                for other in self._open.values():
                    other.waiting.discard(station)
        return self._batch(gpst, epoch, tuple(late))

    def _batch(self, gpst: int, epoch: _Open, late: tuple[str, ...]) -> EpochBatch:
        names = tuple(sorted(epoch.rows))
        parts = [epoch.rows[name][1] for name in names]
        lengths = [len(part.satellite) for part in parts]
        return EpochBatch(
            gpst,
            names,
            np.array([epoch.rows[name][0] for name in names], np.int64),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            concatenate(parts),
            self._ephemerides.current(gpst),
            late,
        )

    def _in_order(self, observations: Observations) -> Observations:
        """Rows sorted by satellite and signal, the first of each signal."""
        if (np.diff(row_keys(observations)) > 0).all():
            return observations
        ordered = take(observations, sort_order(observations))
        first = np.concatenate([[True], np.diff(row_keys(ordered)) > 0])
        self.duplicate_rows += int((~first).sum())
        return take(ordered, first)
