"""File names against the examples of RINEX 3.05 (section 4, appendix A1) and their own inverse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.gnss.time import NS, iso_gpst, parse_time
from cors.rinex.names import FileKind, long_name, looks_like_rinex, parse_name, short_name


@pytest.mark.parametrize(
    ("name", "kind", "start", "period_s", "rate_s"),
    [
        ("ALGO00CAN_R_20121601000_01H_01S_MO.rnx", FileKind.OBSERVATION, "2012-06-08T10:00:00", 3600.0, 1.0),
        ("ALGO00CAN_R_20121601000_15M_01S_GO.rnx", FileKind.OBSERVATION, "2012-06-08T10:00:00", 900.0, 1.0),
        ("ALGO00CAN_R_20121600000_01D_30S_MO.crx.gz", FileKind.OBSERVATION, "2012-06-08T00:00:00", 86_400.0, 30.0),
        ("ALGO00CAN_R_20121600000_01D_MN.rnx.gz", FileKind.NAVIGATION, "2012-06-08T00:00:00", 86_400.0, None),
        ("ALGO00CAN_R_20121600000_01D_30M_MM.rnx.gz", FileKind.METEOROLOGICAL, "2012-06-08T00:00:00", 86_400.0, 1800.0),
        ("algo1600.12o", FileKind.OBSERVATION, "2012-06-08T00:00:00", 86_400.0, None),
        ("algo160k30.12d.Z", FileKind.OBSERVATION, "2012-06-08T10:30:00", 900.0, None),
        ("igs08874.sp3", FileKind.ORBIT, "1997-01-09T00:00:00", 86_400.0, None),
    ],
)  # fmt: skip
def test_examples_of_the_standard(name: str, kind: FileKind, start: str, period_s: float, rate_s: float) -> None:
    found = parse_name(name)
    assert (found.kind, iso_gpst(found.start, 0), found.period_s, found.rate_s) == (kind, start, period_s, rate_s)
    assert looks_like_rinex(name) == (kind is not FileKind.ORBIT)


@given(
    st.integers(parse_time("1981-01-01"), parse_time("2079-12-31")), st.sampled_from([900.0, 3600.0, 86_400.0]),
    st.sampled_from([0.01, 0.02, 0.1, 1.0, 5.0, 30.0, 60.0, 900.0]), st.sampled_from("GREJCISM"), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_a_long_name_says_what_it_was_built_from(
    instant: int, period: float, rate: float, systems: str, hatanaka: bool, gzip: bool
) -> None:
    start = instant - instant % (60 * NS)
    name = long_name("HNCS00CHN", start, period, rate, systems, source="S", hatanaka=hatanaka, gzip=gzip)
    found = parse_name(name)
    assert (found.station, found.start, found.period_s, found.systems) == ("HNCS00CHN", start, period, systems)
    assert found.rate_s == pytest.approx(rate, abs=1e-12)
    assert (found.source, found.hatanaka, found.compression) == ("S", hatanaka, "gzip" if gzip else None)


@pytest.mark.parametrize(
    ("period", "name"), [(86_400.0, "hncs0680.26o"), (3600.0, "hncs068x.26o"), (900.0, "hncs068x45.26o")]
)
def test_short_names(period: float, name: str) -> None:
    start = parse_time("2026-03-09T23:45:00")
    assert short_name("HNCS00CHN", start, period, "o") == name
    assert parse_name(name).period_s == period


@pytest.mark.parametrize(
    "name", ["", "x", "TEST.obs", "hncs3670.26o", "HNCS00CHN_R_20260682460_01H_01S_MO.rnx", "igs24098.sp3"]
)
def test_what_says_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"day|time|name"):
        parse_name(name)
