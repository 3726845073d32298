"""Waits between tries: the rules of ntrip 3.5."""

from __future__ import annotations

import pytest

from cors.ingest.backoff import Backoff, End


def test_doubles_to_256_s_with_a_fifth_of_jitter() -> None:
    low, middle, high = (Backoff(lambda u=u: u) for u in (0.0, 0.5, 1.0))
    waits = [middle.wait(End.CLOSED, 0.0) for _ in range(12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256, 256]
    assert (low.wait(End.SILENT, 0.0), high.wait(End.SILENT, 0.0)) == (pytest.approx(0.8), pytest.approx(1.2))


def test_a_minute_of_data_starts_from_the_beginning() -> None:
    backoff = Backoff(lambda: 0.5)
    for _ in range(5):
        backoff.wait(End.CLOSED, 59.0)
    assert backoff.wait(End.CLOSED, 60.0) == 1.0


def test_refusals_wait_30_s_and_end_after_five_in_a_row() -> None:
    backoff = Backoff(lambda: 0.0)
    assert [backoff.wait(End.REFUSED, 0.0) for _ in range(4)] == [30.0] * 4
    assert backoff.wait(End.CLOSED, 0.0) == pytest.approx(12.8)
    assert [backoff.wait(End.REFUSED, 0.0) is None for _ in range(5)] == [False] * 4 + [True]


def test_a_file_that_ended_is_not_read_again() -> None:
    assert Backoff().wait(End.FINISHED, 3600.0) is None
