"""Whole recordings, summaries and records against the stream decoder and against what was put in."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.observations import concatenate, take
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.signals import parse_signal
from cors.gnss.time import NS, iso_gpst
from cors.rtcm._decode_kernels import DECODED, STATUS
from cors.rtcm.field_values import decode_values
from cors.rtcm.frames import encode_frame, read_frames
from cors.rtcm.lock_times import MSM_EXTENDED_LOCK_MS, MSM_LOCK_MS, OBSERVABLE_LOCK_MS, Slip, lock_table, slips
from cors.rtcm.msm import MsmEncoder, MsmType
from cors.rtcm.observables import ObservablesEncoder
from cors.rtcm.observation_rows import decode_blocks
from cors.rtcm.recording import decode_recording, epoch_bounds, read_recording
from cors.rtcm.records import diagnostic_record, epoch_record, message_record
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import StationDescriptors, StationPosition, encode_station_message
from cors.rtcm.stream import decode_stream
from cors.rtcm.summary import summarize
from tests.cors.rtcm.samples import CHANNELS, FRAME_1005, FRAME_1019, NOW, observations

ROWS = observations(1, "GRESC", 4)
SKIPPED = (7, 8)


def recording(epochs: int = 20) -> bytes:
    """Eighteen epochs of MSM7 with a gap and a slip, then four of 1004 and 1012."""
    msm, old = MsmEncoder(MsmType.MSM7), ObservablesEncoder()
    position = StationPosition(3, (-2267750.0, 5009154.0, 3221290.0), 1.5)
    descriptors = StationDescriptors(3, "TRM59800.00     NONE", 0, "", "MAKER")
    parts = [b"noise", *(encode_frame(encode_station_message(m)) for m in (position, descriptors)), FRAME_1019]
    for k in range(epochs):
        if k not in SKIPPED:
            rows = ROWS._replace(lock_time=np.full_like(ROWS.lock_time, 5000.0 + 1000.0 * k))
            rows.lock_time[0] = 5000.0 + 1000.0 * k if k != 12 else 0.0
            parts.append(msm.encode(NOW + k * NS, 3, rows, CHANNELS))
    return b"".join(parts + [old.encode(NOW + (epochs + k) * NS, 3, ROWS, CHANNELS) for k in range(4)])


DATA = recording()


@pytest.mark.kernel
def test_a_recording_has_the_rows_of_its_stream(tmp_path: Path) -> None:
    whole = decode_recording(DATA, NOW)
    path = tmp_path / "a.rtcm3"
    path.write_bytes(DATA)
    again = read_recording(path, NOW)
    for a, b in zip(whole.observations, again.observations, strict=True):
        np.testing.assert_array_equal(a, b)
    events, decoder = decode_stream(DATA, NOW)
    epochs = [e for e in events if isinstance(e, StationEpoch)]
    msm = [e for e in epochs if 1077 in e.messages]
    rows = sum(len(e.observations.satellite) for e in msm)
    streamed = concatenate([e.observations for e in msm])
    for a, b in zip(take(whole.observations, slice(0, rows)), streamed, strict=True):
        np.testing.assert_array_equal(a, b)
    bounds = epoch_bounds(whole.messages)
    tags = whole.messages.gpst[bounds[:-1]]
    assert tags[whole.messages.number[bounds[:-1]] > 1070].tolist() == [e.gpst for e in msm]
    assert len(tags) == len(epochs) + 2  # the stream waits two epochs for MSM to come again
    assert len(whole.frames) == len(read_frames(DATA)) and whole.junk_bytes == decoder.junk_bytes == 5
    assert {n + 64: c for n, c in enumerate(whole.glonass_channels.tolist()) if c != -128} == decoder.glonass_channels


@pytest.mark.kernel
def test_blocks_give_the_same_rows_in_arrays_used_again() -> None:
    whole = decode_recording(DATA, NOW)
    for size, capacity in ((1000, 4096), (3, 2048), (len(DATA), 1 << 16)):
        pieces = iter([DATA[at : at + size] for at in range(0, len(DATA), size)])
        blocks = [(b.observations.phaserange.copy(), b.table.copy()) for b in decode_blocks(pieces, NOW, capacity)]
        phases = np.concatenate([p for p, _ in blocks])
        assert sorted(phases.tolist()) == sorted(whole.observations.phaserange.tolist())
        assert sum(np.count_nonzero(t[:, STATUS] == DECODED) for _, t in blocks) == len(whole.messages.number)


@pytest.mark.kernel
def test_an_empty_recording_and_one_of_noise() -> None:
    for data in (b"", b"\xd3", b"\xd3\x00\x13" * 300):
        r = decode_recording(data, NOW)
        assert (len(r.frames), r.observations.satellite.size, r.junk_bytes) == (0, 0, len(data))
        assert epoch_bounds(r.messages).tolist() == [0]


def test_a_summary_counts_what_was_put_in() -> None:
    s = summarize(DATA, NOW)
    assert s.epochs == 20 and s.incomplete_epochs == 0 and s.interval_s == 1.0
    assert s.gaps == [(NOW + 6 * NS, NOW + 9 * NS), (NOW + 19 * NS, NOW + 22 * NS)] and s.missing_epochs == 4
    assert s.messages[1077] == 18 and s.messages[1004] == 4
    first = satellite_name(int(ROWS.satellite[0]))
    assert s.slips == {first: 1}
    assert s.signals[first]["G1C"] == 20
    assert s.stations[3].antenna == "TRM59800.00     NONE" and s.stations[3].antenna_height == 1.5
    told = json.loads(json.dumps(s.as_json()))
    assert told["messages"]["1077"]["name"] == "GPS MSM7" and told["messages"]["1077"]["interval_s"] == 1.353
    assert told["first"] == iso_gpst(NOW) and told["bytes"] == len(DATA) and told["junk_bytes"] == 5
    assert told["ephemerides"] == {"G02 LNAV": 1} and told["diagnostics"]["rtcm.frame.junk"] == 1


def test_records_speak_rinex() -> None:
    events, decoder = decode_stream(DATA, NOW)
    epoch = next(e for e in events if isinstance(e, StationEpoch))
    record = json.loads(json.dumps(epoch_record(epoch, decoder.glonass_channels)))
    assert (record["kind"], record["time"], record["station"]) == ("epoch", iso_gpst(NOW), 3)
    row = 0
    name = satellite_name(int(ROWS.satellite[row]))
    values = record["values"][name]
    assert values["C1C"][0] == pytest.approx(ROWS.pseudorange[row], abs=3e-4)
    wavelength = SPEED_OF_LIGHT / 1575.42e6
    assert values["L1C"][0] * wavelength == pytest.approx(ROWS.phaserange[row], abs=1e-4)
    assert values["D1C"][0] == pytest.approx(-ROWS.phaserange_rate[row] / wavelength, abs=3e-4)
    assert record["lock_time_s"][name]["1C"] == 4.992
    assert ("1C" in record["half_cycle"].get(name, [])) == bool(ROWS.flags[0])
    glonass = next(n for n in record["values"] if n[0] == "R")
    assert "L1C" in record["values"][glonass]
    assert set(epoch_record(epoch, {})["values"][glonass]) == {"C1C", "S1C", "C2P", "S2P"}  # type: ignore[index]


def test_messages_and_findings_as_records() -> None:
    frames = read_frames(FRAME_1005 + encode_frame(bytes.fromhex("fe8001")))
    known, strange = (json.loads(json.dumps(message_record(f))) for f in frames)
    assert known["fields"] == decode_values(FRAME_1005[3:-3]) and known["station"] == 2003 and known["type"] == 1005
    assert strange["fields"] is None and strange["hex"] == frames[1].data.hex()
    _, decoder = decode_stream(b"noise" + FRAME_1005, NOW)
    record = diagnostic_record(decoder.diagnostics[0])
    assert (record["code"], record["offset"], record["severity"], record["hex"]) == (
        "rtcm.frame.junk", 0, "error", b"noise".hex(),
    )  # fmt: skip


def test_slips_by_lock_time() -> None:
    """Falling, or unable to reach back: certain; least value below the time between: possible."""
    cases = [
        (1077, 4096.0, 2048.0, 1000.0, Slip.CERTAIN), (1077, 128.0, 272.0, 1000.0, Slip.CERTAIN),
        (1077, 5000.0, 5984.0, 1000.0, Slip.NONE), (1077, 100.0, 992.0, 1000.0, Slip.POSSIBLE),
        (1074, 512.0, 512.0, 1000.0, Slip.POSSIBLE), (1074, 512.0, 1024.0, 1000.0, Slip.NONE),
        (1074, 0.0, 256.0, 1000.0, Slip.CERTAIN), (1074, math.nan, 512.0, 1000.0, Slip.POSSIBLE),
        (1074, 512.0, math.nan, 1000.0, Slip.NONE), (1004, 937e3, 937e3, 3.6e6, Slip.POSSIBLE),
        (1004, 23e3, 24e3, 30e3, Slip.CERTAIN), (1004, 23e3, 24e3, 1e3, Slip.NONE),
    ]  # fmt: skip
    for number, before, after, elapsed, verdict in cases:
        args = (np.array([before]), np.array([after]), np.array([elapsed]), lock_table(number))
        assert slips(*args).tolist() == [verdict], (number, before, after)
    assert (len(MSM_LOCK_MS), len(MSM_EXTENDED_LOCK_MS), len(OBSERVABLE_LOCK_MS)) == (16, 705, 128)
    assert lock_table(1127) is MSM_EXTENDED_LOCK_MS and lock_table(1012) is OBSERVABLE_LOCK_MS
    assert parse_satellite("G05") == 4 and parse_signal("G1C") == 1
