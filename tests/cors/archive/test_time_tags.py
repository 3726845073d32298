"""Time tags against the layout RTKLIB reads (struct by struct) and against what a crash leaves."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.archive.places import archived_stations, check_station, hour_path, hour_start
from cors.archive.time_tags import TagError, encode_header, encode_record, parse_tags
from cors.gnss.time import NS, gpst_from_calendar

START = gpst_from_calendar(2026, 11, 25, 12, 30, 0) + NS // 4


def test_a_header_is_rtklibs() -> None:
    header = encode_header(START, 1_800_250)
    title, tick, seconds, fraction = struct.unpack("<60sIId", header)
    assert title.rstrip(b"\0") == b"TIMETAG RTKLIB 2.4.3"
    assert tick == 1_800_250 and fraction == 0.25
    assert seconds == 315_964_800 + START // NS  # GPS seconds counted from 1970


@given(st.lists(st.tuples(st.integers(0, 3_600_000), st.integers(1, 10_000)), max_size=50), st.integers(0, 11))
def test_records_come_back_also_with_the_last_one_cut(steps, cut: int) -> None:
    ms = sorted(m for m, _ in steps)
    ends = np.cumsum([b for _, b in steps]).astype(int).tolist()
    content = encode_header(START, 0) + b"".join(encode_record(m, e) for m, e in zip(ms, ends, strict=True))
    whole = len(ms)
    if cut and whole:
        content, whole = content[:-cut] if cut < 8 else content[:-8], whole - 1
    tags = parse_tags(content)
    assert tags.start == START and tags.ends.tolist() == ends[:whole]
    assert ((tags.times - START) // 1_000_000).tolist() == ms[:whole]


def test_positions_of_eight_bytes_are_read_and_positions_that_go_back_are_not() -> None:
    long = b"".join(struct.pack("<IQ", 1000 * k, 2000 * (k + 1)) for k in range(50))
    assert parse_tags(encode_header(START, 0) + long).ends.tolist() == [2000 * (k + 1) for k in range(50)]
    back = b"".join(encode_record(m, e) for m, e in [(0, 100), (10, 300), (20, 200), (30, 400)])
    tags = parse_tags(encode_header(START, 0) + back)
    assert tags.ends.tolist() == [100, 300, 400]


@pytest.mark.parametrize(
    "content", [b"", b"TIMETAG", bytes(76), b"RTCM" * 30, struct.pack("<60sIId", b"TIMETAG", 0, 5, 0)]
)
def test_what_is_no_tag_file(content: bytes) -> None:
    with pytest.raises(TagError, match="no time tags"):
        parse_tags(content)


def test_hours_are_named_by_day_of_year_in_gps_time(tmp_path) -> None:
    path = hour_path(tmp_path, "CHSH00CHN", gpst_from_calendar(2024, 12, 31, 23, 59, 59 * NS))
    assert path.relative_to(tmp_path).as_posix() == "raw/CHSH00CHN/2024/366/CHSH00CHN_202436623.rtcm3"
    assert hour_start(path) == gpst_from_calendar(2024, 12, 31, 23)
    assert hour_start(path.with_name("x.rtcm3")) is None
    assert archived_stations(tmp_path) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "../../etc", "x" * 65, "a\0", ".hidden", "a b"])
def test_a_name_that_could_leave_the_archive_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a station name"):
        check_station(name)
