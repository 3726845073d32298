"""The assembler's promises: order, each station once, nothing lost uncounted, nobody blocks anybody."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.epochs.assembler import MOST_PENDING, MOST_STATIONS, EpochAssembler
from cors.epochs.batch import EpochBatch
from cors.epochs.carried_slips import row_keys
from cors.epochs.expected import JOIN_AFTER, LEAVE_AFTER
from cors.epochs.station_log import Arrival
from cors.gnss.observations import ObservationFlag, Observations, empty_observations, from_rows
from cors.gnss.satellites import parse_satellite
from cors.gnss.signals import parse_signal
from cors.gnss.time import NS, WEEK_NS, gpst_from_week

START = gpst_from_week(2437, 259_200)
NAN = float("nan")


def rows(station: int, epoch: int, flags: int = 0, signals: tuple[str, ...] = ("1C", "2W")) -> Observations:
    """Rows whose pseudoranges name station and epoch."""
    return from_rows(
        (parse_satellite(f"G{n:02d}"), parse_signal("G" + code), station * 1e6 + epoch, NAN, NAN, NAN, NAN, flags)
        for n in (3, 7)
        for code in signals
    )


def feed(assembler: EpochAssembler, names: list[str], epochs: range, start: float = 0.0) -> list[EpochBatch]:
    """All stations, 10 ms apart, epochs a second apart."""
    batches: list[EpochBatch] = []
    for k in epochs:
        for n, name in enumerate(names):
            now = start + k + 0.01 * n
            assembler.add(name, START + k * NS, rows(n, k), (), now)
            batches += assembler.ready(now)
    return batches


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 9), st.floats(-0.06, 0.06), st.floats(0, 3.0), st.booleans()),
        min_size=1, max_size=60,
    ),
    st.booleans(),
)  # fmt: skip
def test_whatever_the_order_of_arrival(arrivals, steady: bool) -> None:
    assembler = EpochAssembler()
    if steady:
        feed(assembler, ["S0", "S1", "S2"], range(-20, 0))
    batches, sent = [], Counter()
    before = {name: timing.arrivals for name, timing in assembler.timing().items()}
    for station, epoch, off, delay, _ in sorted(arrivals, key=lambda a: a[1] + a[3]):
        now = epoch + delay
        tag = START + epoch * NS + round(off * NS)
        arrival = assembler.add(f"S{station}", tag, rows(station, epoch), (), now)
        sent[arrival] += 1
        batches += assembler.ready(now)
    batches += assembler.ready(1e9)
    assert assembler.next_deadline is None
    times = [batch.gpst for batch in batches]
    assert times == sorted(set(times)) or assembler.restarts
    for batch in batches:
        assert list(batch.stations) == sorted(set(batch.stations))
        assert batch.offsets[0] == 0 and batch.offsets[-1] == len(batch.observations.satellite)
        for n, name in enumerate(batch.stations):
            part = batch.station(n)
            assert (np.diff(row_keys(part)) > 0).all()
            assert part.pseudorange[0] == int(name[1]) * 1e6 + (batch.gpst - START) // NS
            assert abs(int(batch.tags[n]) - batch.gpst) <= 50_000_000
    counted = sum(sum(t.arrivals.values()) for t in assembler.timing().values())
    assert counted - sum(sum(b.values()) for b in before.values()) == len(arrivals)  # every one has a verdict
    if not assembler.restarts and not assembler.implausible:
        delivered = sum(len(batch.stations) for batch in batches if batch.gpst >= START)
        assert delivered == sent[Arrival.ON_TIME]


def test_closes_when_all_expected_are_in_and_at_the_deadline_otherwise() -> None:
    assembler, names = EpochAssembler(), ["A", "B", "C"]
    feed(assembler, names, range(JOIN_AFTER + 1))
    assert assembler.expected == set(names)
    k = JOIN_AFTER + 1
    for name in ("A", "B"):
        assembler.add(name, START + k * NS, rows(0, k), (), k + 0.1)
        assert not assembler.ready(k + 0.1)
    assert assembler.next_deadline == pytest.approx(k + 1.1)
    assert not assembler.ready(k + 1.09)
    (batch,) = assembler.ready(k + 1.1)
    assert (batch.stations, batch.late) == (("A", "B"), ("C",))
    assert assembler.add("C", START + k * NS, rows(2, k), (), k + 1.2) is Arrival.LATE
    assert assembler.timing()["C"].missed == 1
    assert assembler.timing()["C"].lag_worst_s == pytest.approx(1.1)


def test_a_station_that_went_on_is_not_waited_for() -> None:
    assembler, names = EpochAssembler(), ["A", "B", "C"]
    feed(assembler, names, range(10))
    for name in ("A", "B"):
        assembler.add(name, START + 10 * NS, rows(0, 10), (), 10.0)
    assembler.add("C", START + 11 * NS, rows(2, 11), (), 10.2)
    (batch,) = assembler.ready(10.2)
    assert (batch.gpst, batch.late) == (START + 10 * NS, ("C",))


def test_a_slow_station_leaves_the_expected_and_must_show_itself_to_come_back() -> None:
    assembler, names = EpochAssembler(), ["A", "B", "C"]
    feed(assembler, names, range(10))
    for k in range(10, 10 + LEAVE_AFTER):
        feed(assembler, ["A", "B"], range(k, k + 1))
        assembler.ready(k + 1.0)
    assert assembler.expected == {"A", "B"}
    waits = []
    for k in range(20, 40):
        batches = feed(assembler, ["A", "B"], range(k, k + 1))
        waits.append(bool(batches))
        # too late for a batch that no longer waits for it, but within the deadline: it counts for coming back
        verdict = assembler.add("C", START + k * NS, rows(2, k), (), k + 0.4)
        assembler.ready(k + 0.4)
        if "C" in assembler.expected and verdict is Arrival.ON_TIME:
            break
    assert waits.count(True) == 2 * JOIN_AFTER  # twice as long as the first time
    assert "C" in assembler.expected


def test_a_station_in_the_future_blocks_nobody() -> None:
    assembler, names = EpochAssembler(), ["A", "B", "C"]
    feed(assembler, names, range(10))
    for k in range(10, 20):
        assert assembler.add("D", START + (k + 3600) * NS, rows(3, k), (), k + 0.001) is Arrival.FUTURE
        batches = feed(assembler, names, range(k, k + 1))
        assert [b.stations for b in batches] == [("A", "B", "C")]


def test_a_first_station_in_the_future_is_dropped_when_the_others_come() -> None:
    assembler = EpochAssembler()
    assembler.add("D", START + 3600 * NS, rows(3, 0), (), 0.0)
    batches = feed(assembler, ["A", "B", "C"], range(5))
    assert [b.gpst for b in batches] == [START + k * NS for k in range(5)]
    assert assembler.implausible == 1


def test_a_receiver_one_second_ahead_does_not_close_epochs_before_the_others_come() -> None:
    assembler, names = EpochAssembler(), ["A", "B", "C"]
    feed(assembler, names, range(10))
    for k in range(10, 40):
        assembler.add("D", START + (k + 1) * NS, rows(3, k), (), k - 0.05)
        assembler.ready(k - 0.05)
        batches = feed(assembler, names, range(k, k + 1))
        assert not assembler.ready(k + 0.9) and all({"A", "B", "C"} <= set(b.stations) for b in batches)
    assert {assembler.timing()[name].arrivals[Arrival.LATE] for name in names} == {0}


def test_time_that_goes_back_for_most_starts_anew() -> None:
    assembler, names = EpochAssembler(), ["A", "B", "C"]
    feed(assembler, names, range(100, 120))
    batches = feed(assembler, names, range(20), start=200.0)  # the replay begins again
    assert assembler.restarts == 1
    assert [b.gpst for b in batches][-5:] == [START + k * NS for k in range(15, 20)]


def test_slips_of_dropped_rows_reach_the_next_batch() -> None:
    assembler, names = EpochAssembler(), ["A", "B"]
    feed(assembler, names, range(10))
    slip = int(ObservationFlag.SLIP)
    between = START + 9 * NS + NS // 2
    assert assembler.add("A", between, rows(0, 9, slip, ("1C",)), (), 9.5) is Arrival.OFF_INTERVAL
    assert assembler.add("A", START + 9 * NS, rows(0, 9), (), 9.6) is Arrival.LATE
    first, second = (feed(assembler, names, range(k, k + 1))[0] for k in (10, 11))
    assert (first.station(0).flags & slip).tolist() == [slip, 0, slip, 0]
    assert not (first.station(1).flags & slip).any() and not (second.observations.flags & slip).any()


def test_rows_of_a_station_are_sorted_and_single() -> None:
    assembler = EpochAssembler()
    good = rows(0, 0)
    order = np.array([3, 1, 0, 2, 2])
    assembler.add("A", START, Observations._make(column[order] for column in good), (), 0.0)
    (batch,) = assembler.ready(1.0)
    assert batch.observations.satellite.tolist() == good.satellite.tolist()
    assert batch.observations.signal.tolist() == good.signal.tolist()
    assert assembler.duplicate_rows == 1
    assert assembler.add("A", START + NS, empty_observations(), (), 1.0) is Arrival.EMPTY


def test_open_epochs_and_stations_are_bounded() -> None:
    assembler = EpochAssembler()
    feed(assembler, ["A", "B"], range(5))
    for k in range(5, 5 + 3 * MOST_PENDING):
        assembler.add("A", START + k * NS, rows(0, k), (), 5.0)
        assembler.ready(5.0)
        assert len(assembler._open) <= MOST_PENDING
    assert assembler.overflows > 0
    verdicts = [assembler.add(f"X{n}", START, rows(0, 0), (), 0.0) for n in range(MOST_STATIONS)]
    assert verdicts[-1] is Arrival.REFUSED and len(assembler.timing()) == MOST_STATIONS


@pytest.mark.parametrize("speed", [10.0, 100.0])
def test_a_replay_at_speed_loses_no_epoch_to_a_station_that_is_missing(speed: float) -> None:
    assembler, batches = EpochAssembler(), []
    for k in range(400):
        for n, name in enumerate("ABCD"):
            if name != "D" or k < 200:
                now = (k + 0.01 * n) / speed
                assert assembler.add(name, START + k * NS, rows(n, k), (), now) is Arrival.ON_TIME
                batches += assembler.ready(now)
    batches += assembler.ready(1e9)
    assert [b.gpst for b in batches] == [START + k * NS for k in range(400)]
    assert assembler.implausible == 0 and batches[-1].stations == ("A", "B", "C")


def test_a_forgotten_station_is_waited_for_no_more() -> None:
    assembler, names = EpochAssembler(), ["A", "B", "C"]
    feed(assembler, names, range(10))
    assembler.forget("C")
    assert [b.stations for b in feed(assembler, ["A", "B"], range(10, 12))] == [("A", "B")] * 2


@pytest.mark.parametrize("interval_s", [0.2, 1, 30])
def test_epochs_run_through_the_week_change(interval_s: float) -> None:
    interval = round(interval_s * NS)
    assembler = EpochAssembler(interval)
    first = gpst_from_week(2010, 604_800) - 5 * interval
    times = []
    for k in range(10):
        for name, off in (("A", 900_000), ("B", -900_000)):  # free-running clocks, 0.9 ms each way
            assembler.add(name, first + k * interval + off, rows(0, k), (), k * interval_s)
        times += [b.gpst for b in assembler.ready(k * interval_s + 1.0)]
    times += [b.gpst for b in assembler.ready(1e6)]
    assert times == [first + k * interval for k in range(10)]
    assert {t // WEEK_NS for t in times} == {2010, 2011}


def test_a_deadline_or_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        EpochAssembler(0)
