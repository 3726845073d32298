"""Time scales against published instants (IERS Bulletin C, the ICDs' epochs) and Python's calendar."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.gnss import time as t

INSTANTS = st.integers(0, 90 * 366 * t.DAY_NS)


def utc(text: str) -> int:
    return t.parse_time(text)


@pytest.mark.parametrize(
    ("instant", "leap"),
    [("1980-01-06T00:00:00Z", 0), ("1981-07-01T00:00:00Z", 1), ("1999-01-01T00:00:00Z", 13),
     ("2005-12-31T23:59:59Z", 13), ("2006-01-01T00:00:00Z", 14), ("2009-01-01T00:00:00Z", 15),
     ("2012-07-01T00:00:00Z", 16), ("2015-07-01T00:00:00Z", 17), ("2016-12-31T23:59:59Z", 17),
     ("2017-01-01T00:00:00Z", 18), ("2026-11-25T00:00:00Z", 18)],
)  # fmt: skip
def test_leap_seconds_are_those_of_bulletin_c(instant: str, leap: int) -> None:
    assert t.leap_seconds(utc(instant)) == leap


def test_the_epochs_of_the_systems() -> None:
    assert t.gpst_from_calendar(1980, 1, 6) == 0
    assert t.gpst_from_bdt(0, 0) == utc("2006-01-01T00:00:00Z")  # BDS-SIS-ICD 3.3
    assert t.gpst_from_week(t.GST_WEEK_OFFSET, 0) == t.gpst_from_calendar(1999, 8, 22)  # Galileo OS SIS ICD 5.1.2
    assert t.gps_week(utc("2017-01-01T00:00:00Z")) == (1930, 18.0)
    assert t.bdt_week(t.gpst_from_week(1356, 14)) == (0, 0.0)
    assert t.mjd(t.gpst_from_calendar(2000, 1, 1, 12)) == 51544.5  # J2000.0


def test_glonass_day_is_moscows() -> None:
    instant = utc("2018-07-14T21:30:00Z")  # Saturday; in Moscow it is Sunday 00:30
    day, ns = t.glonass_time(instant)
    assert (day % 7, ns) == (0, 30 * 60 * t.NS)
    assert t.gpst_from_glonass(ns, instant + 3600 * t.NS) == instant
    assert t.gpst_from_glonass(ns, instant + 2 * t.DAY_NS, day_of_week=0) == instant


@given(INSTANTS, st.integers(-t.HALF_WEEK_NS + 1, t.HALF_WEEK_NS - 1))
def test_a_time_of_week_is_resolved_within_half_a_week(instant: int, error: int) -> None:
    assert t.nearest_week(instant % t.WEEK_NS, instant + error) == instant


@given(st.integers(0, 5000), st.integers(-500, 500), st.sampled_from([1024, 4096, 8192]))
def test_short_weeks_unroll_to_the_nearest(week: int, error: int, modulus: int) -> None:
    assert t.unroll_week(week % modulus, modulus, (week + error) * t.WEEK_NS) == week


@given(INSTANTS)
def test_calendar_agrees_with_python_and_comes_back(instant: int) -> None:
    fields = t.calendar(instant)
    assert t.gpst_from_calendar(*fields) == instant
    expected = dt.datetime(1980, 1, 6) + dt.timedelta(microseconds=instant // 1000)
    assert (*fields[:5], fields[5] // t.NS) == expected.timetuple()[:6]
    assert t.parse_time(t.iso_gpst(instant, 9)) == instant
    assert t.day_of_year(instant) == expected.timetuple().tm_yday


@given(INSTANTS)
def test_utc_and_back(instant: int) -> None:
    back = t.gpst_from_utc_ns(t.utc_ns(instant))
    assert back - instant in (0, t.NS)  # an inserted second is told as the one after it
    assert t.gpst_from_utc_ns(t.utc_ns(back)) == back


def test_sixty_seconds_carry() -> None:
    assert t.gpst_from_calendar(2026, 3, 9, 0, 0, 60 * t.NS) == t.gpst_from_calendar(2026, 3, 9, 0, 1)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-11-25T25:00:00", "2026-11-25T12:61"])
def test_no_time_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError):
        t.parse_time(text)


def test_zones() -> None:
    assert utc("2026-11-25T12:00:00Z") == t.parse_time("2026-11-25T12:00:18")
    assert utc("2026-11-25T20:00:00+08:00") == utc("2026-11-25T12:00:00Z")
    assert t.iso_utc(utc("2026-11-25T12:00:00Z"), 0) == "2026-11-25T12:00:00Z"


def test_machine_time() -> None:
    unix = dt.datetime(2026, 11, 25, tzinfo=dt.UTC).timestamp()
    assert t.gpst_from_unix(unix) == utc("2026-11-25T00:00:00Z")
    assert t.unix_from_gpst(t.gpst_from_unix(unix)) == unix
