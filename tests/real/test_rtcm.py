"""Frames and streams of real receivers and networks, against the values of independent programs.

The collection's vectors were read alike by pyrtcm, RTKLIB or rtcm-rs (each says by which); its streams were counted by
a scan of their own. RTKLIB and pyrtcm also judge whole streams here.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.observations import Observations
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.signals import UNKNOWN_CHANNEL, carrier_frequency, signal_code
from cors.gnss.time import NS, WEEK_NS, gps_week, iso_gpst, parse_time
from cors.rtcm import _decode_kernels as columns
from cors.rtcm import field_values
from cors.rtcm.diagnostics import Code
from cors.rtcm.ephemerides import EPHEMERIS_MESSAGES, decode_ephemeris, encode_ephemeris
from cors.rtcm.errors import DamagedMessageError, RtcmError, UnknownMessageError
from cors.rtcm.field_values import Values, decode_values, encode_values
from cors.rtcm.frames import FrameReader, read_frames
from cors.rtcm.lock_times import Slip, lock_table, slips
from cors.rtcm.recording import decode_recording
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import (
    STATION_MESSAGES,
    PhysicalReference,
    StationDescriptors,
    StationPosition,
    decode_station_message,
    encode_station_message,
)
from cors.rtcm.stream import StreamDecoder, decode_stream
from cors.rtcm.summary import summarize
from tests.cors.rtcm.peers import Key, Value, pyrtcm_messages, rtklib_observations
from tests.cors.rtcm.samples import decode_rows
from tests.real.conftest import data_path

VECTORS = ("real", "generated", "made", "quirks", "unconfirmed")


@functools.cache
def vectors(name: str) -> list[dict]:
    return [json.loads(line) for line in data_path("rtcm", "vectors", f"{name}.jsonl").read_text().splitlines()]


@functools.cache
def stream(name: str) -> bytes:
    return gzip.decompress(data_path("rtcm", "streams", f"{name}.gz").read_bytes())


def payload(vector: dict) -> bytes:
    return bytes.fromhex(vector["hex"])[3:-3]


def difference(found: object, told: object, path: str = "") -> str:
    """Where two values differ beyond the twelve digits the vectors have; "" where they do not."""
    if isinstance(told, dict):
        if not isinstance(found, dict) or list(found) != list(told):
            return f"{path}: {list(found)} for {list(told)}"  # type: ignore[call-overload]
        return next((d for k in told if (d := difference(found[k], told[k], f"{path}.{k}"))), "")
    if isinstance(told, list):
        if not isinstance(found, list) or len(found) != len(told):
            return f"{path}: another length"
        pairs = enumerate(zip(found, told, strict=True))
        return next((d for n, (a, b) in pairs if (d := difference(a, b, f"{path}[{n}]"))), "")
    if isinstance(told, float) and isinstance(found, int | float):
        step = 6e-5 if path.endswith(("_m", "_mps")) else 6e-12 * abs(told)
        return "" if abs(found - told) <= step else f"{path}: {found} for {told}"
    return "" if found == told else f"{path}: {found!r} for {told!r}"


def reserved_bits(values: Values, monkeypatch: pytest.MonkeyPatch) -> int:
    """Mask of the bits no field of a message owns."""
    zeros = int.from_bytes(encode_values(values), "big")
    monkeypatch.setattr(field_values, "_RESERVED", -1)
    ones = int.from_bytes(encode_values(values), "big")
    monkeypatch.undo()
    return zeros ^ ones


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_by_its_fields_and_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    minus_zeros = 0
    for vector in vectors(name):
        data = payload(vector)
        if "decoded" not in vector:
            with pytest.raises((UnknownMessageError, DamagedMessageError)):
                decode_values(data)
            continue
        values = decode_values(data)
        assert difference(values, vector["decoded"]) == "", vector["message"]
        again = encode_values(values)
        spare = reserved_bits(values, monkeypatch)
        same = int.from_bytes(again, "big") == int.from_bytes(data[: len(again)], "big") & ~spare
        minus_zeros += not same and vector["message"] == 1020
        assert same or vector["message"] == 1020, vector["message"]
        assert not any(data[len(again) :]) or "expect" in vector
    assert minus_zeros <= 3  # sign-magnitude fields that hold minus zero are sent as plus zero


def test_kernels_give_every_observation_vector_its_ranges() -> None:
    checked = 0
    for name in VECTORS:
        for vector in vectors(name):
            number, told = vector["message"], vector.get("decoded")
            if told is None or not (1071 <= number <= 1137):
                continue
            rows, table, _ = decode_rows(bytes.fromhex(vector["hex"]))
            tow = max(told.get(f"DF{n:03d}", 0) for n in (4, 248, 428, 427, 546))
            negative = number // 10 == 112 and tow >= (1 << 30) - 14_000  # a habit, see rtcm.beidou.negative_epoch
            if (tow >= 604_800_000 and not negative) or told.get("DF034", 0) >= 86_401_000:
                assert table[0][columns.STATUS] == columns.TIME
                continue
            assert table[0][columns.STATUS] == columns.DECODED and table[0][columns.STATION] == told["DF003"]
            assert table[0][columns.MORE] == told["DF393"]
            assert [(s & 63) + 1 for s in rows.satellite.tolist()] == [c["id"] for c in told["cells"]]
            assert [(s & 63) + 1 for s in rows.signal.tolist()] == [c["signal"] for c in told["cells"]]
            for key, column in (("pseudorange_m", rows.pseudorange), ("phaserange_m", rows.phaserange),
                                ("phaserange_rate_mps", rows.phaserange_rate)):  # fmt: skip
                if told["cells"] and key in told["cells"][0]:
                    expected = [np.nan if c[key] is None else c[key] for c in told["cells"]]
                    np.testing.assert_allclose(column, expected, rtol=0, atol=6e-5)
                    checked += len(expected)
            strength = "DF408" if number % 10 > 5 else "DF403"
            if number % 10 > 3:
                expected = [np.nan if not c[strength] else c[strength] for c in told["cells"]]
                np.testing.assert_array_equal(rows.cn0, np.array(expected, np.float32))
    assert checked > 6000


def test_typed_values_of_every_vector_go_round(monkeypatch: pytest.MonkeyPatch) -> None:
    now = parse_time("2024-04-20")
    counted = Counter[str]()
    for name in VECTORS:
        for vector in vectors(name):
            if vector["message"] not in STATION_MESSAGES | EPHEMERIS_MESSAGES or "decoded" not in vector:
                continue
            data = payload(vector)
            try:
                if vector["message"] in STATION_MESSAGES:
                    again = encode_station_message(decode_station_message(data))
                else:
                    again = encode_ephemeris(decode_ephemeris(data, now))
            except RtcmError:
                assert name == "generated", vector["message"]  # satellite 0, toe beyond the week, day 65536 ...
                counted["refused"] += 1
                continue
            spare = reserved_bits(vector["decoded"], monkeypatch)
            same = int.from_bytes(again, "big") == int.from_bytes(data[: len(again)], "big") & ~spare
            counted["same" if same else f"{name} {vector['message']}"] += 1
    assert counted["same"] >= 100 and counted["real 1020"] <= 2  # minus zero
    assert set(counted) <= {"same", "refused", "real 1020", "generated 1020", "generated 1013", "generated 1029"}


def test_framing_cases() -> None:
    for line in data_path("rtcm", "vectors", "stream.jsonl").read_text().splitlines():
        case = json.loads(line)
        data = bytes.fromhex(case["hex"])
        told = [(offset, size, -1 if number is None else number) for offset, size, number in case["frames"]]
        for step in (1, 11, len(data)):
            reader = FrameReader()
            found = [f for at in range(0, len(data), step) for f in reader.feed(data[at : at + step])] + reader.close()
            assert [(f.offset, len(f.data), f.number) for f in found] == told, case["case"]


@functools.cache
def counted_streams() -> dict[str, tuple[int, int, Counter[int]]]:
    """Frames, junk and messages by the collection's own count, by stream."""
    text = data_path("rtcm", "streams", "README.md").read_text()
    table = {}
    for line in re.findall(r"^\| (\w+/.*) \|$", text, re.MULTILINE):
        name, _, frames, junk, messages, _ = (part.strip() for part in line.split("|"))
        counts = Counter({int(n): int(k) for n, k in (item.split("x") for item in messages.split())})
        table[name] = (int(frames), int(junk), counts)
    return table


STARTS = {"GMSD7": "2012-10-14", "week-rollover": "2018-07-14T12:00:00", "testglo": "2010-07-22"}


def start_of(name: str) -> int:
    return parse_time(next((text for key, text in STARTS.items() if key in name), "2021-06-01"))


def test_every_stream_has_the_messages_it_was_counted_to_have() -> None:
    assert len(counted_streams()) > 50
    for name, (frames, junk, messages) in counted_streams().items():
        data = stream(name)
        decoder = StreamDecoder(start_of(name))
        if len(data) < 300_000:
            half = len(data) // 2
            decoder.feed(data[:half])
            decoder.feed(data[half:])
            decoder.close()
            counts, bad = Counter(decoder.counts), decoder.junk_bytes
            assert decoder.bytes_read == len(data)
        else:
            recording = decode_recording(data, start_of(name))
            counts, bad = Counter(recording.frames[:, 2].tolist()), recording.junk_bytes
        assert (counts, sum(counts.values()), bad) == (messages, frames, junk), name


def compare(ours: dict[Key, tuple], theirs: dict[Key, Value], channels: dict[int, int]) -> int:
    """Values of a peer against ours; how many signals it told."""
    n = 0
    for (gpst, satellite, signal), (code, phase, doppler, cn0) in theirs.items():
        if not (code or phase or doppler):
            continue
        row = ours[gpst, satellite, signal]
        wavelength = SPEED_OF_LIGHT / carrier_frequency(signal, channels.get(satellite, UNKNOWN_CHANNEL))
        told = [(code, row[2], 1e-7), (phase * wavelength, row[3], 1e-7), (-doppler * wavelength, row[4], 6e-5)]
        for (value, mine, tolerance), raw in zip(told, (code, phase, doppler), strict=True):
            assert not raw or abs(value - mine) <= tolerance, (iso_gpst(gpst), satellite, signal)
        assert not cn0 or abs(cn0 - row[5]) < 1e-6
        n += 1
    return n


@pytest.mark.parametrize(
    ("name", "start", "size", "signals"),
    [("week-rollover-STR24.rtcm3", "2018-07-14T23:50:00", 120_000, 9000),
     ("week-rollover-STR17.rtcm3", "2018-07-14T23:50:00", 120_000, 5000),
     ("20221213-010900.rtcm", "2022-12-13T01:09:00", 153_000, 6900), ("testglo.rtcm3", "2010-07-22", 58_000, 5900),
     ("leica.rtcm", "2020-01-14", 8_000, 850), ("msm7.rtcm", "2019-06-01", 64_000, 2000)],
)  # fmt: skip
def test_rtklib_reads_the_same_observations(name: str, start: str, size: int, signals: int) -> None:
    """MSM4, MSM7, 1004 and 1012 of GPS GLONASS Galileo SBAS QZSS BeiDou; RTKLIB keeps three frequencies of each."""
    data = stream(f"single_station/{name}")[:size]
    events, decoder = decode_stream(data, parse_time(start))
    ours = {}
    for epoch in (e for e in events if isinstance(e, StationEpoch)):
        for row in zip(*(column.tolist() for column in epoch.observations), strict=True):
            ours[epoch.gpst, row[0], row[1]] = row
    assert compare(ours, rtklib_observations(data, parse_time(start)), decoder.glonass_channels) >= signals


def test_pyrtcm_reads_the_same_cells() -> None:
    data = stream("single_station/sept.rtcm")
    frames = [f for f in read_frames(data) if 1071 <= f.number <= 1137]
    whole = b"".join(f.data for f in frames)
    messages = pyrtcm_messages(whole)
    rows, table, _ = decode_rows(whole)
    assert len(messages) == len(frames) == len(table) > 250
    for message, row in zip(messages, table, strict=True):
        first, n = row[columns.FIRST], row[columns.ROWS]
        assert (int(message.identity), message.NCell) == (row[columns.NUMBER], n)
        prns = [getattr(message, f"PRN_{k:02d}") for k in range(1, message.NSat + 1)]
        rough = {
            prn: getattr(message, f"DF397_{k:02d}") + getattr(message, f"DF398_{k:02d}")
            for k, prn in enumerate(prns, 1)
        }
        for k in range(n):
            cell = f"{k + 1:02d}"
            base, fine, phase = (
                rough[getattr(message, f"CELLPRN_{cell}")],
                *(getattr(message, f"{name}_{cell}") for name in ("DF405", "DF406")),
            )
            assert signal_code(int(rows.signal[first + k])) == getattr(message, f"CELLSIG_{cell}")
            if not np.isnan(rows.pseudorange[first + k]):
                assert rows.pseudorange[first + k] == pytest.approx(SPEED_OF_LIGHT / 1e3 * (base + fine), abs=2e-8)
            if not np.isnan(rows.phaserange[first + k]):
                assert rows.phaserange[first + k] == pytest.approx(SPEED_OF_LIGHT / 1e3 * (base + phase), abs=2e-8)


def epochs_of(name: str, start: str) -> tuple[list[StationEpoch], StreamDecoder]:
    events, decoder = decode_stream(stream(name), parse_time(start))
    return [e for e in events if isinstance(e, StationEpoch)], decoder


def test_all_epochs_over_a_week_change() -> None:
    """Both receivers at Mount Stromlo, a whole epoch each second; RTKLIB loses the weeks of one."""
    for name, first, count in (
        ("STR17.rtcm3", "2018-07-14T23:50:18", 1126),
        ("STR24.rtcm3", "2018-07-14T23:50:09", 1134),
    ):
        epochs, decoder = epochs_of(f"single_station/week-rollover-{name}", "2018-07-12")
        assert [e.gpst for e in epochs] == [parse_time(first) + k * NS for k in range(count)]
        assert all(e.complete and not e.supplement for e in epochs)
        assert {np.unique(e.observations.satellite >> 6).size for e in epochs[1:]} == {5}
        allowed = {Code.JUNK, Code.BEIDOU_NEGATIVE, Code.UNKNOWN_CHANNEL, Code.DAY}
        assert set(decoder.diagnostic_counts) <= allowed
        assert all(np.all(np.diff(e.observations.satellite.astype(int)) >= 0) for e in epochs)


def test_a_receiver_whose_beidou_counts_gps_time() -> None:
    epochs, decoder = epochs_of("single_station/GMSD7_20121014.rtcm3", "2012-10-14")
    assert len(epochs) == 257 and all(len(e.messages) == 4 for e in epochs)
    assert {b.gpst - a.gpst for a, b in pairwise(epochs)} == {NS}
    assert decoder.diagnostic_counts[Code.BEIDOU_GPS_TIME] == 1


@pytest.mark.parametrize(
    ("name", "count", "messages", "code"),
    [("piksi-5Hz.rtcm3", 38, 4, Code.GLONASS_DAY), ("missing-gps.rtcm", 50, 4, Code.DAY),
     ("mixed-msm-legacy.rtcm", 34, 2, Code.BESIDE_MSM), ("hemi.rtcm", 7, 1, Code.BESIDE_MSM),
     ("glo_day_rollover.rtcm", 7, 2, Code.JUNK)],
)  # fmt: skip
def test_streams_that_broke_other_decoders(name: str, count: int, messages: int, code: Code) -> None:
    epochs, decoder = epochs_of(f"single_station/{name}", "2021-06-01")
    whole = [e for e in epochs if e.complete]
    assert len(epochs) == len(whole) == count and code in decoder.diagnostic_counts
    assert Counter(len(e.messages) for e in whole).most_common(1)[0][0] == messages
    assert len({e.gpst for e in epochs}) == count


def test_a_commercial_network_as_a_rover_gets_it() -> None:
    """Geo++ GNSMART: null antenna, a physical reference behind the computed one, residuals passed on."""
    name = "network_vrs/swift_vrs_1004_1012_1030_1031_1032.rtcm"
    events, decoder = decode_stream(stream(name), parse_time("2020-01-01"))
    descriptors = [e for e in events if isinstance(e, StationDescriptors)]
    assert {d.antenna.split()[0] for d in descriptors} == {"ADVNULLANTENNA"}
    station = next(e for e in events if isinstance(e, StationPosition))
    physical = next(e for e in events if isinstance(e, PhysicalReference))
    assert station.station_id == physical.station_id == 55 and station.usable
    assert np.linalg.norm(np.subtract(station.position_ecef, physical.position_ecef)) < 100e3
    assert decoder.counts[1030] > 0 and decoder.counts[1031] > 0


def test_rtcm_2_is_named_and_not_waited_for() -> None:
    data = stream("rtcm2/testglo.rtcm2")
    events, decoder = decode_stream(data, parse_time("2010-07-22"))
    assert events == [] and decoder.diagnostic_counts[Code.VERSION_2] == 1 and decoder.junk_bytes == len(data)


def rinex_case(name: str) -> tuple[dict, bytes]:
    case = json.loads(data_path("rinex", f"{name}.json").read_text())
    return case, data_path("rinex", case["file"]).read_bytes()


def check_cells(observations: Observations, cells: list[dict]) -> None:
    table = zip(*(column.tolist() for column in observations), strict=True)
    rows = {(satellite_name(row[0]), signal_code(row[1])): row for row in table}
    for cell in cells:
        row = rows[cell["sat"], cell["sig"]]
        assert row[2] == pytest.approx(cell["pseudorange_m"], abs=6e-5)
        assert row[3] == pytest.approx(cell["phaserange_m"], abs=6e-6)
        assert row[5] == cell["cn0"]
        if cell["rate_ms"] is not None:
            assert row[4] == pytest.approx(cell["rate_ms"], abs=1e-4)


def test_a_ragged_cell_mask_and_signals_short_tables_drop() -> None:
    case, data = rinex_case("rtcm-bds-ragged")
    events, decoder = decode_stream(data, parse_time("2026-03-12"))
    epoch = next(e for e in events if isinstance(e, StationEpoch))
    assert len(epoch.observations.satellite) == len(case["expect"]["cells"]) == 17
    check_cells(epoch.observations, case["expect"]["cells"])
    assert gps_week(epoch.gpst)[1] == case["expect"]["tow_gpst_s"] and decoder.diagnostics == []


def test_channels_that_nobody_tells() -> None:
    case, data = rinex_case("rtcm-glonass-fcn")
    expect = case["expect"]
    events, decoder = decode_stream(data, parse_time("2026-03-09"))
    epochs = [e for e in events if isinstance(e, StationEpoch)]
    check_cells(epochs[0].observations, expect["cells"])
    told = {name: decoder.glonass_channels.get(parse_satellite(name)) for name in expect["fcn"]}
    assert told == expect["fcn"]
    found = [d for d in decoder.diagnostics if d.code == expect["diagnostics"][0]["code"]]
    assert found and all("R02" in d.text for d in found)
    moscow = gps_week(epochs[0].gpst)[1] % 86_400 - 18 + 10_800
    assert moscow % 86_400 == expect["tod_moscow_s"]


def test_half_cycles_are_no_slips() -> None:
    """LLI 2 alone in the second epoch, a slip in the fourth, whose lock time falls.

    The fifth says a lock of 272 ms one second later: by the rule of the lock times that is a slip too.
    """
    case, data = rinex_case("rtcm-half-cycle")
    events, _ = decode_stream(data, parse_time("2026-03-12"))
    epochs = [e for e in events if isinstance(e, StationEpoch)]
    assert len(epochs) == 5
    for epoch, told in zip(epochs, case["expect"]["epochs"], strict=True):
        check_cells(epoch.observations, told["cells"])
        assert epoch.gpst % WEEK_NS / NS == told["tow"]
        assert epoch.observations.flags.tolist() == [told["lli"]["L1C"] & 2, told["lli"]["L2L"] & 2]
    verdicts = [
        slips(a.observations.lock_time, b.observations.lock_time, np.full(2, 1000.0), lock_table(1077)).tolist()
        for a, b in pairwise(epochs)
    ]
    assert verdicts[:3] == [[Slip.NONE] * 2, [Slip.NONE] * 2, [Slip.CERTAIN, Slip.NONE]]


def test_a_summary_of_an_hour_glass() -> None:
    """What a person would ask of a file: who, what, how often, what is wrong."""
    s = summarize(stream("single_station/sept.rtcm"), parse_time("2019-06-01"))
    assert s.epochs == 56 and s.interval_s == 1.0 and s.messages[1077] == 56
    station = next(iter(s.stations.values()))
    assert station.receiver.startswith("SEPT") and station.position_ecef is not None
    assert {name[0] for name in s.signals} == set("GREJC") and s.junk_bytes == 230
    assert sum(s.ephemerides.values()) == 4
