"""The cadence of replays, with a clock moved by hand."""

from __future__ import annotations

import math

import pytest

from cors.gnss.time import NS
from cors.ingest.pacing import Pacer


class Hand:
    """Monotonic time that only sleeping moves."""

    def __init__(self) -> None:
        self.s = 50.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.s += seconds


@pytest.mark.parametrize("speed", [1.0, 10.0])
async def test_instants_are_due_at_their_distance_over_the_speed(speed: float) -> None:
    hand = Hand()
    pacer = Pacer(speed, monotonic=hand, sleep=hand.sleep)
    due = []
    for seconds in (0, 1, 2.5, 2.5, 10):
        await pacer.until(10**18 + round(seconds * NS))
        due.append(hand.s - 50.0)
    assert due == pytest.approx([0, 1 / speed, 2.5 / speed, 2.5 / speed, 10 / speed])


async def test_as_fast_as_it_goes_never_waits_but_lets_others_run() -> None:
    hand = Hand()
    pacer = Pacer(math.inf, monotonic=hand, sleep=hand.sleep)
    for seconds in (0, 3600, 7200):
        await pacer.until(seconds * NS)
    assert hand.slept == [0.0, 0.0, 0.0]


async def test_recordings_that_begin_apart_stay_in_step() -> None:
    hand = Hand()
    pacer = Pacer(1.0, origin=100 * NS, monotonic=hand, sleep=hand.sleep)
    await pacer.until(109 * NS)  # this one begins 9 s after the scene
    assert hand.s == 59.0
    await pacer.until(108 * NS)  # behind: at once
    assert hand.s == 59.0
    await pacer.until(110 * NS)
    assert hand.s == 60.0
