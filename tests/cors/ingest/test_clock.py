"""The clocks: the machine's against Python's, the data's against tags that are set by hand."""

from __future__ import annotations

import datetime as dt

from cors.gnss.time import NS, calendar, gpst_from_week, leap_seconds
from cors.ingest.clock import Clock, DataClock, MachineClock

START = gpst_from_week(2010, 604_700)  # 100 s before a week change


class Hand:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_the_machines_clock_is_utc_plus_leap_seconds() -> None:
    clock: Clock = MachineClock()
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    gpst = clock.now()
    after = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    year, month, day, hour, minute, second_ns = calendar(gpst - leap_seconds(gpst) * NS)
    told = dt.datetime(year, month, day, hour, minute) + dt.timedelta(microseconds=second_ns // 1000)
    assert before <= told + dt.timedelta(microseconds=1) and told <= after


def test_the_data_clock_runs_on_from_the_newest_tag() -> None:
    hand = Hand()
    clock: Clock = DataClock(START, hand)
    hand.s += 5
    assert clock.now() == START + 5 * NS
    clock.saw(START + 3 * 86_400 * NS, "A")  # the first tag sets it, START was a guess
    hand.s += 0.25
    assert clock.now() == START + 3 * 86_400 * NS + NS // 4
    clock.saw(START + 3 * 86_400 * NS - NS, "B")  # older: no step back
    assert clock.now() == START + 3 * 86_400 * NS + NS // 4


def test_at_ten_times_the_speed_it_keeps_up_and_passes_the_week() -> None:
    hand = Hand()
    clock = DataClock(START, hand)
    for k in range(200):
        hand.s += 0.1
        clock.saw(START + k * NS, "A")
        assert clock.now() == START + k * NS


def test_one_wrong_receiver_does_not_move_it_two_that_agree_do() -> None:
    hand = Hand()
    clock = DataClock(START, hand)
    clock.saw(START, "A")
    for k in range(1, 50):
        hand.s += 1
        clock.saw(START + 7200 * NS + k * NS, "wrong")
        clock.saw(START + k * NS, "A")
        assert clock.now() == START + k * NS
    clock.saw(START + 7200 * NS, "A")  # a gap of two hours in the recording
    clock.saw(START + 7200 * NS, "B")
    assert clock.now() == START + 7200 * NS


def test_a_single_station_moves_it_with_its_third_tag_also_back() -> None:
    clock = DataClock(START, Hand())
    clock.saw(START, "A")
    for k in range(3):
        assert clock.now() == START
        clock.saw(START - 3600 * NS + k * NS, "A")
    assert clock.now() == START - 3598 * NS
