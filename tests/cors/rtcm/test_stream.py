"""A station's stream: what comes out in which order, and senders' habits that must not lose an epoch.

Habits are those of public bug reports and of recorded streams (u-blox, Trimble, Septentrio, Piksi); the streams here
are made by our own encoders.
"""

from __future__ import annotations

import numpy as np
import pytest

from cors.gnss.ephemeris import KeplerEphemeris
from cors.gnss.observations import Observations, take
from cors.gnss.satellites import LETTERS, parse_satellite, satellite_name
from cors.gnss.time import DAY_NS, NS, WEEK_NS, gpst_from_week, parse_time
from cors.rtcm.diagnostics import HEX_BYTES, KEPT_PER_CODE, Code
from cors.rtcm.field_values import decode_values, encode_values
from cors.rtcm.frames import Frame, encode_frame, read_frames
from cors.rtcm.msm import MsmEncoder, MsmHeader, MsmType
from cors.rtcm.observables import ObservablesEncoder
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import StationPosition, encode_station_message
from cors.rtcm.stream import Event, StreamDecoder, decode_stream
from tests.cors.rtcm.samples import CHANNELS, FRAME_1005, FRAME_1019, FRAME_1029, FRAME_1127, NOW, observations

ROWS = observations(1, "GRESC", 4)


def msm(k: int = 0, rows: Observations = ROWS, kind: int = 7, station: int = 5, start: int = NOW) -> bytes:
    return MsmEncoder(MsmType(kind)).encode(start + k * NS, station, rows, CHANNELS, MsmHeader(iods=1))


def old(k: int = 0, rows: Observations = ROWS) -> bytes:
    return ObservablesEncoder().encode(NOW + k * NS, 5, rows, CHANNELS)


def changed(data: bytes, number: int | None = None, **fields: int | None) -> bytes:
    """The same messages with fields changed in all of them, or in those of one number."""
    out = b""
    for frame in read_frames(data):
        values = decode_values(frame.payload)
        wanted = number in (None, frame.number)
        out += encode_frame(encode_values(values | {k: v for k, v in fields.items() if wanted and k in values}))
    return out


def epochs(events: list[Event]) -> list[StationEpoch]:
    return [event for event in events if isinstance(event, StationEpoch)]


def run(*parts: bytes, now: int | None = NOW) -> tuple[list[StationEpoch], StreamDecoder]:
    decoder = StreamDecoder(NOW)
    events = [event for part in parts for event in decoder.feed(part, now)]
    return epochs(events + decoder.close(now)), decoder


def systems(epoch: StationEpoch) -> str:
    return "".join(LETTERS[s] for s in np.unique(epoch.observations.satellite >> 6).tolist())


def test_an_epoch_comes_out_when_its_last_message_is_in() -> None:
    decoder, data = StreamDecoder(), msm()
    frames = read_frames(data)
    for frame in frames[:-1]:
        assert decoder.feed(frame.data, NOW) == [frame._replace(offset=frame.offset)]
    last, epoch = decoder.feed(frames[-1].data, NOW)
    assert isinstance(last, Frame) and isinstance(epoch, StationEpoch)
    assert (epoch.gpst, epoch.station_id, epoch.complete, epoch.supplement) == (NOW, 5, True, False)
    assert epoch.messages == tuple(f.number for f in frames) and epoch.header.iods == 1
    np.testing.assert_array_equal(epoch.observations.satellite, ROWS.satellite)
    np.testing.assert_array_equal(epoch.observations.signal, ROWS.signal)
    np.testing.assert_allclose(epoch.observations.pseudorange, ROWS.pseudorange, atol=3e-4)
    assert decoder.feed(msm(1), NOW + NS)[-1].gpst == NOW + NS  # type: ignore[union-attr]
    assert decoder.diagnostics == [] and dict(decoder.counts) == {f.number: 2 for f in frames}


def test_cutting_the_bytes_changes_nothing() -> None:
    data = b"".join(msm(k) + FRAME_1005 + old(k + 20) for k in range(3))
    whole, _ = decode_stream(data, NOW)
    decoder = StreamDecoder(NOW)
    pieces = [e for at in range(0, len(data), 7) for e in decoder.feed(data[at : at + 7])] + decoder.close()
    assert [type(e) for e in pieces] == [type(e) for e in whole]
    for a, b in zip(epochs(pieces), epochs(whole), strict=True):
        assert a.gpst == b.gpst
        for x, y in zip(a.observations, b.observations, strict=True):
            np.testing.assert_array_equal(x, y)


def test_frames_come_untouched_whatever_they_hold() -> None:
    frames = [FRAME_1005, encode_frame(b""), encode_frame(bytes.fromhex("fe8001")), FRAME_1029, FRAME_1019, FRAME_1127]
    events, decoder = decode_stream(b"".join(frames), parse_time("2024-03-13T16:35:00Z"))
    assert [e.data for e in events if isinstance(e, Frame)] == frames
    assert [type(e).__name__ for e in events] == [
        "Frame", "StationPosition", "Frame", "Frame", "Frame", "TextMessage", "Frame", "KeplerEphemeris", "Frame",
        "StationEpoch",
    ]  # fmt: skip
    assert decoder.counts == {1005: 1, -1: 1, 4072: 1, 1029: 1, 1019: 1, 1127: 1}
    assert decoder.diagnostics == []  # a message without a value is no finding


def test_a_sender_that_never_says_the_last() -> None:
    """DF393 never cleared (tomojitakasu/RTKLIB#265): the next epoch, or silence, ends an epoch."""
    decoder = StreamDecoder()
    assert epochs(decoder.feed(changed(msm(0), DF393=1), NOW)) == []
    first = epochs(decoder.feed(changed(msm(1), DF393=1), NOW + NS))
    assert [(e.gpst, e.complete) for e in first] == [(NOW, False)] and systems(first[0]) == "GRESC"
    assert [e.gpst for e in epochs(decoder.flush(NOW + NS))] == [NOW + NS]
    assert decoder.flush() == [] and decoder.diagnostic_counts == {Code.UNFINISHED: 1}


def test_msm_is_preferred_to_the_older_messages() -> None:
    """In one chain, and in two of the same instant; GLONASS of the older kind stays where MSM has none."""
    chained = [changed(old(k), DF005=1) + msm(k) for k in range(4)]
    found, decoder = run(*chained)
    assert [e.gpst for e in found] == [NOW + k * NS for k in range(4)]
    for epoch in found:
        np.testing.assert_array_equal(epoch.observations.satellite, ROWS.satellite)
        assert not np.any(np.isnan(epoch.observations.phaserange_rate))
    assert decoder.diagnostic_counts[Code.BESIDE_MSM] == 8
    apart, _ = run(*[msm(k) + old(k) for k in range(4)])
    assert [(e.gpst, 1077 in e.messages) for e in apart] == [(NOW + k * NS, True) for k in range(4)]
    only_gps = take(ROWS, ROWS.satellite < 64)
    mixed, _ = run(*[changed(old(k), DF005=1) + msm(k, only_gps) for k in range(3)])
    assert {systems(e) for e in mixed} == {"GR"}
    assert all(np.all(np.diff(e.observations.satellite) >= 0) for e in mixed)


def test_a_stream_that_switches_kinds_goes_on() -> None:
    found, decoder = run(*[msm(k) for k in range(3)], *[old(k) for k in range(3, 9)], *[msm(k) for k in range(9, 12)])
    tags = [(e.gpst - NOW) // NS for e in found]
    assert tags == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]  # two epochs of doubt
    assert decoder.diagnostic_counts == {Code.BESIDE_MSM: 4}


def test_the_fuller_of_two_msm_counts() -> None:
    """A burst that repeats an epoch as MSM6 and MSM7 in one chain."""
    found, decoder = run(changed(msm(0, kind=6), DF393=1) + msm(0, kind=7))
    assert len(found) == 1 and not np.any(np.isnan(found[0].observations.phaserange_rate))
    assert len(found[0].observations.satellite) == len(ROWS.satellite)
    assert decoder.diagnostic_counts == {Code.LESSER_MSM: 5, Code.UNKNOWN_CHANNEL: 1}  # MSM6 comes first


def test_repeated_messages_are_dropped_and_late_ones_supplement() -> None:
    parts = [f.data for f in read_frames(msm())]
    found, decoder = run(parts[0] + parts[0] + b"".join(parts[1:]) + parts[2])
    assert [len(e.observations.satellite) for e in found] == [len(ROWS.satellite)]
    assert decoder.diagnostic_counts == {Code.DUPLICATE: 2}
    gps, rest = take(ROWS, ROWS.satellite < 64), take(ROWS, ROWS.satellite >= 64)
    found, decoder = run(msm(0, gps), msm(0, rest), msm(1))
    assert [(e.gpst, e.supplement, systems(e)) for e in found] == [
        (NOW, False, "G"), (NOW, True, "RESC"), (NOW + NS, False, "GRESC"),
    ]  # fmt: skip
    assert decoder.diagnostic_counts == {Code.LATE: 1}


def test_messages_split_by_satellite_become_one_epoch() -> None:
    rows = observations(2, "GC", 10)
    frames = read_frames(MsmEncoder(MsmType.MSM4).encode(NOW, 5, rows))
    found, _ = run(b"".join(f.data for f in frames))
    np.testing.assert_array_equal(found[0].observations.satellite, rows.satellite)
    backwards = [f.data for f in sorted(frames, key=lambda f: -f.number)]
    found, _ = run(changed(b"".join(backwards[:-1]), DF393=1) + changed(backwards[-1], DF393=0))
    np.testing.assert_array_equal(found[0].observations.satellite, rows.satellite)


def test_beidou_epochs_in_gps_time_are_recognised() -> None:
    """Trimble NetR9 of 2012: DF427 without the 14 s."""
    tow_ms = NOW % WEEK_NS // 1_000_000
    parts = [changed(msm(k), 1127, DF427=tow_ms + 1000 * k) for k in range(3)]
    found, decoder = run(*parts)
    assert [(e.gpst, systems(e)) for e in found] == [(NOW + k * NS, "GRESC") for k in range(3)]
    assert decoder.diagnostic_counts == {Code.BEIDOU_GPS_TIME: 1}


def test_the_first_seconds_of_a_week() -> None:
    """Septentrio counts DF427 on from minus 14 s; weeks follow the tags without a clock."""
    start = gpst_from_week(2446, 0)
    parts = []
    for k in range(-3, 20):
        part = msm(k, start=start)
        parts.append(changed(part, 1127, DF427=(1 << 30) - 14_000 + 1000 * k) if 0 <= k < 14 else part)
    for now in (None, start):
        decoder = StreamDecoder(start - DAY_NS)
        found = epochs([e for part in parts for e in decoder.feed(part, now)])
        assert [(e.gpst - start) // NS for e in found] == list(range(-3, 20))
        assert {systems(e) for e in found} == {"GRESC"}
        assert decoder.diagnostic_counts == {Code.BEIDOU_NEGATIVE: 14}


@pytest.mark.parametrize(
    ("number", "fields", "code"),
    [(1087, {"DF416": 0}, Code.GLONASS_DAY), (1107, {"DF004": NOW % DAY_NS // 1_000_000}, Code.DAY)],
)
def test_days_some_senders_do_not_tell(number: int, fields: dict[str, int], code: Code) -> None:
    """Piksi leaves DF416 0; others count SBAS by time of day."""
    found, decoder = run(changed(msm(), number, **fields))
    assert [(e.gpst, systems(e)) for e in found] == [(NOW, "GRESC")]
    assert decoder.diagnostic_counts == {code: 1}


def test_glonass_first_and_without_a_day_follows_the_others() -> None:
    """Trimble sends DF416 = 7 and GLONASS first; the start of a recording is known to half a week only."""
    frames = [f.data for f in read_frames(msm(start=NOW + 3 * DAY_NS))]
    data = changed(frames[1], DF416=None) + b"".join([frames[0], *frames[2:]])
    found, decoder = run(data, now=None)
    assert [(e.gpst, systems(e)) for e in found] == [(NOW + 3 * DAY_NS, "GRESC")]
    assert decoder.diagnostic_counts == {Code.DAY: 1}


def test_glonass_epochs_off_by_a_leap_second_are_moved_once_that_is_proven() -> None:
    """Old base programs; or a recording of 2010 read as one of 2026."""
    parts = []
    for k in range(8):
        frames = read_frames(msm(k))
        ms = decode_values(frames[1].payload)["DF034"]
        parts.append(changed(msm(k), 1087, DF034=ms + 1000))
    found, decoder = run(*parts)
    assert decoder.diagnostic_counts[Code.GLONASS_LEAP] == 1
    assert [systems(e) for e in found[-6:]] == ["GRESC"] * 6
    assert [e.gpst for e in found[-6:]] == [NOW + k * NS for k in range(2, 8)]
    late = [changed(msm(k), DF393=1) for k in range(4)]  # GLONASS lost once, DF393 never cleared: nothing is moved
    frames = [f.data for f in read_frames(late[1])]
    late[1] = frames[0] + b"".join(frames[2:])
    found, decoder = run(*late)
    assert Code.GLONASS_LEAP not in decoder.diagnostic_counts
    assert [systems(e) for e in found] == ["GRESC", "GESC", "GRESC", "GRESC"]


def test_glonass_channels_come_from_ephemerides_and_msm7() -> None:
    rows = take(ROWS, ROWS.satellite >> 6 == 1)
    names = " ".join(dict.fromkeys(satellite_name(s) for s in rows.satellite.tolist()))
    decoder = StreamDecoder()
    decoder.feed(msm(0, rows, 4), NOW)
    found = decoder.diagnostics[0]
    assert found.code == Code.UNKNOWN_CHANNEL and found.text.endswith(names) and len(found.hex) == 2 * HEX_BYTES
    decoder.feed(msm(1, rows, 7) + msm(2, rows, 4), NOW)
    assert decoder.diagnostic_counts == {Code.UNKNOWN_CHANNEL: 1}
    assert decoder.glonass_channels == {s: CHANNELS[s] for s in set(rows.satellite.tolist())}
    frame_1020 = bytes.fromhex(
        "d3002d3fc24bb378cfa0f4964cb5d1a00d84ba00211bf2a7f648bf591663802d16f4a5015092c24c0000001a00000800c2b9e5"
    )
    decoder = StreamDecoder()
    decoder.feed(frame_1020, NOW)
    assert decoder.glonass_channels == {parse_satellite("R09"): -2}


def test_a_new_station_id_ends_an_epoch() -> None:
    found, decoder = run(changed(msm(0, station=1), DF393=1), msm(0, station=2), msm(1, station=2))
    assert [(e.station_id, e.complete) for e in found] == [(1, False), (2, True), (2, True)]
    assert decoder.diagnostic_counts == {Code.UNFINISHED: 1, Code.STATION_CHANGED: 1}


def test_an_older_epoch_is_given_out_and_reported() -> None:
    found, decoder = run(msm(5), msm(3), msm(6))
    assert [(e.gpst - NOW) // NS for e in found] == [5, 3, 6]
    assert decoder.diagnostic_counts == {Code.ORDER: 1}


def test_damaged_messages_are_shown_and_stop_nothing() -> None:
    good = read_frames(msm())[0].payload
    short = encode_frame(good[:-3])
    impossible = changed(encode_frame(good), DF004=604_800_000)
    bad_1019 = encode_frame(FRAME_1019[3:-10])
    nowhere = encode_frame(encode_station_message(StationPosition(1, (0.0, 0.0, 0.0))))
    found, decoder = run(b"junk" + short + impossible + bad_1019 + nowhere + FRAME_1005[:-1] + b"\0" + msm())
    assert [(e.gpst, systems(e)) for e in found] == [(NOW, "GRESC")]
    assert decoder.diagnostic_counts == {
        Code.JUNK: 1, Code.DAMAGED: 2, Code.TIME: 1, Code.NO_POSITION: 1, Code.CRC: 1,
    }  # fmt: skip
    by_code = {d.code: d for d in decoder.diagnostics}
    assert by_code[Code.JUNK].hex == b"junk".hex() and by_code[Code.JUNK].offset == 0
    assert by_code[Code.CRC].hex == (FRAME_1005[:-1] + b"\0").hex()
    assert bytes.fromhex(by_code[Code.TIME].hex) == impossible[:HEX_BYTES]


def test_rtcm_2_is_called_by_its_name() -> None:
    words = bytes(0x40 | k % 64 for k in range(3000))
    decoder = StreamDecoder()
    assert decoder.feed(words) + decoder.close() == []
    assert decoder.diagnostic_counts == {Code.VERSION_2: 1} and decoder.junk_bytes == 3000


def test_the_end_inside_a_frame() -> None:
    events, decoder = decode_stream(FRAME_1005 + FRAME_1019[:30], NOW)
    assert [type(e) for e in events] == [Frame, StationPosition]
    assert decoder.diagnostic_counts == {Code.FRAME_TRUNCATED: 1} and decoder.junk_bytes == 30
    assert decoder.bytes_read == 55


def test_ephemerides_are_dated_by_the_clock_or_by_the_tags() -> None:
    then = parse_time("2024-03-13T16:35:00Z")
    for feeds, start in (((FRAME_1019,), then), ((msm(start=then), FRAME_1019), then + 3 * DAY_NS)):
        events, _ = decode_stream(b"".join(feeds), start)
        sets = [e for e in events if isinstance(e, KeplerEphemeris)]
        assert [e.toe for e in sets] == [gpst_from_week(2305, 324_000)]


def test_findings_and_rows_are_bounded() -> None:
    decoder = StreamDecoder()
    open_epoch = changed(msm(), DF393=1)
    for k in range(300):  # more messages of one epoch than any station has, all different, none the last
        decoder.feed(changed(open_epoch, DF003=5, DF418=k % 8, DF409=k // 8 % 8, DF411=k // 64 % 4) + b"x", NOW)
    assert decoder.diagnostic_counts[Code.JUNK] >= 299
    assert len(decoder.diagnostics) <= KEPT_PER_CODE * len(Code)
