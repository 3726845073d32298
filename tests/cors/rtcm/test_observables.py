"""1001-1004 and 1009-1012 against the table-driven decoder, the steps of their fields and the rules of rollover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cors.gnss.observations import Observations, concatenate, from_rows, take
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.signals import parse_signal, signal_name
from cors.gnss.time import NS
from cors.rtcm import _decode_kernels as columns
from cors.rtcm import _encode_kernels as encode_kernels
from cors.rtcm.field_values import decode_values, encode_values
from cors.rtcm.frames import encode_frame, read_frames
from cors.rtcm.lock_times import OBSERVABLE_LOCK_MS
from cors.rtcm.observables import GlonassObservables, GpsObservables, ObservablesEncoder
from cors.rtcm.observation_rows import RowDecoder
from cors.rtcm.scanner import FrameScanner
from tests.cors.rtcm.samples import CHANNELS, NOW, decode_rows, observations

C_MS = 299_792.458
PAIRS = list(zip(list(GpsObservables)[1:], list(GlonassObservables)[1:], strict=True))
L1 = 299_792_458.0 / 1575.42e6


def gps(satellite: str, code: float, phase: float, lock: float = 9e5, signal: str = "1C") -> Observations:
    packed = parse_satellite(satellite)
    return from_rows([(packed, parse_signal(satellite[0] + signal), code, phase, math.nan, 45.0, lock, 0)])


@pytest.mark.kernel
@given(st.integers(0, 2**31), st.integers(0, 3))
@settings(max_examples=25)
def test_decoding_what_was_encoded_differs_by_half_a_step_at_most(seed: int, k: int) -> None:
    rows = observations(seed, "GRS", 5)
    encoder = ObservablesEncoder(*PAIRS[k])
    data = encoder.encode(NOW, 9, rows, CHANNELS, 2)
    assert [f.number for f in read_frames(data)] == [int(n) for n in PAIRS[k]] and encoder.counts == (0, 0, 0, 0, 0)
    _, _, decoder = decode_rows(b"")
    for satellite, code in zip(rows.satellite, rows.pseudorange, strict=True):
        decoder.expected_ranges[satellite] = code + 1e5
    out, table = decode_again(decoder, data)
    assert {row[columns.TAG] for row in table} == {NOW} and [row[columns.MORE] for row in table] == [1, 0]
    sent = sent_rows(rows, two=PAIRS[k][0] >= 1003)
    assert [satellite_name(s) for s in out.satellite.tolist()] == [satellite_name(s) for s in sent.satellite.tolist()]
    assert [signal_name(s) for s in out.signal.tolist()] == [signal_name(s) for s in sent.signal.tolist()]
    np.testing.assert_allclose(out.pseudorange, sent.pseudorange, rtol=0, atol=0.0201)
    np.testing.assert_allclose(out.phaserange, sent.phaserange, rtol=0, atol=0.00026)
    assert np.all(np.isnan(out.phaserange_rate)) and np.all(out.lock_time <= sent.lock_time)
    if PAIRS[k][0] % 2 == 0:
        np.testing.assert_allclose(out.cn0, sent.cn0, rtol=0, atol=0.126)
    else:
        assert np.all(np.isnan(out.cn0))


def decode_again(decoder: RowDecoder, data: bytes) -> tuple[Observations, list[list[int]]]:
    scanner = FrameScanner()
    decoder.reference.set(NOW)
    for n in scanner.feed(data):
        used = decoder.decode(scanner, n)
        return take(decoder.rows, slice(0, used)), scanner.table[:n].tolist()
    raise AssertionError("no frame")


def sent_rows(rows: Observations, two: bool) -> Observations:
    """GPS and SBAS, then GLONASS; of GPS 2W before 2L."""
    names = [signal_name(s) for s in rows.signal.tolist()]
    wanted = {"G1C", "S1C", "R1C", *(("G2W", "R2P") if two else ())}
    kept = take(rows, np.array([name in wanted for name in names]))
    order = np.argsort(kept.satellite >> 6 == 1, kind="stable")
    return take(kept, order)


@pytest.mark.kernel
@pytest.mark.parametrize("k", range(4))
def test_kernels_and_tables_read_a_message_alike(k: int) -> None:
    data = ObservablesEncoder(*PAIRS[k]).encode(NOW, 9, observations(5, "GR", 4), CHANNELS)
    out, _, _ = decode_rows(data)
    for frame in read_frames(data):
        values = decode_values(frame.payload)
        assert encode_values(values) == frame.payload
        glonass, modulus = values["DF002"] > 1005, C_MS * (2 if values["DF002"] > 1005 else 1)
        for row in values["repeat"]:
            number, part, phase = ("DF038", "DF041", "DF042") if glonass else ("DF009", "DF011", "DF012")
            mine = take(out, out.satellite == ((1 << 6 if glonass else 0) | row[number] - 1))
            whole = row.get("DF044" if glonass else "DF014")
            if whole is None:
                continue
            code = row[part] + whole
            assert whole % modulus == pytest.approx(0.0, abs=1e-6) or whole % modulus == pytest.approx(modulus)
            assert mine.pseudorange[0] == pytest.approx(code, abs=1e-7)
            assert mine.phaserange[0] == pytest.approx(code + row[phase], abs=1e-7)
            second = ("DF047", "DF048") if glonass else ("DF017", "DF018")
            if second[0] in row:
                assert mine.pseudorange[1] == pytest.approx(code + row[second[0]], abs=1e-7)
                assert mine.phaserange[1] == pytest.approx(code + row[second[1]], abs=1e-7)


@pytest.mark.kernel
def test_ranges_without_whole_milliseconds_need_a_computed_one() -> None:
    data = ObservablesEncoder(GpsObservables.L1, GlonassObservables.L1).encode(
        NOW, 9, observations(5, "GR", 2), CHANNELS
    )
    out, table, _ = decode_rows(data)
    assert np.all(np.isnan(out.pseudorange)) and np.all(np.isnan(out.phaserange))
    assert [row[columns.ISSUES] for row in table] == [columns.MODULO] * 2


@pytest.mark.kernel
def test_rollovers_of_1500_cycles_are_undone_within_a_lock() -> None:
    encoder, parts, phases = ObservablesEncoder(), [], []
    for k in range(12):  # the phase runs away from the code by 60 m an epoch
        phases.append(2.2e7 + 60.0 * k)
        parts.append(encoder.encode(NOW + k * NS, 1, gps("G05", 2.2e7, phases[-1])))
    raw = [decode_values(read_frames(part)[0].payload)["repeat"][0]["DF012"] for part in parts]
    assert max(abs(value) for value in raw) < 262.2 and min(raw) < -50.0  # they did roll over
    out, _, _ = decode_rows(b"".join(parts))
    np.testing.assert_allclose(out.phaserange, phases, rtol=0, atol=0.00026)


@pytest.mark.kernel
def test_a_new_lock_begins_near_the_code() -> None:
    encoder = ObservablesEncoder()
    runs = [(2.2e7 + 250.0, 9e5), (2.2e7 + 270.0, 9e5), (2.2e7 + 271.0, 1e3)]
    parts = [encoder.encode(NOW + k * NS, 1, gps("G05", 2.2e7, phase, lock)) for k, (phase, lock) in enumerate(runs)]
    out, _, _ = decode_rows(b"".join(parts))
    cycles = (out.phaserange - [phase for phase, _ in runs]) / L1
    assert np.abs(cycles - [0, 0, -1500]).max() < 2e-3


@pytest.mark.kernel
def test_every_lock_time_of_the_table_goes_round() -> None:
    assert OBSERVABLE_LOCK_MS[[23, 24, 47, 48, 72, 96, 120, 126, 127]].tolist() == [
        23e3, 24e3, 70e3, 72e3, 168e3, 360e3, 744e3, 936e3, 937e3,
    ]  # fmt: skip
    for raw, least in enumerate(OBSERVABLE_LOCK_MS.tolist()):
        assert columns._observable_lock_ms(raw) == least
        assert encode_kernels._observable_lock(least) == raw
        if raw:
            assert encode_kernels._observable_lock(least - 1.0) == raw - 1


@pytest.mark.kernel
def test_codes_of_the_signals() -> None:
    """DF010, DF016, DF039, DF046 as BNC reads them: 1C 1W, 2X 2P 2W 2W, 1C 1P, 2C 2P."""
    row = {"DF009": 7, "DF010": 0, "DF011": 100.0, "DF012": 1.0, "DF013": 9, "DF014": 20_985_472.06, "DF015": 45,
           "DF016": 0, "DF017": 1.0, "DF018": 2.0, "DF019": 9, "DF020": 40}  # fmt: skip
    head = {"DF002": 1004, "DF003": 1, "DF004": 0, "DF005": 0, "DF007": 0, "DF008": 0}
    for one, two, names in (
        (0, 0, ["G1C", "G2X"]),
        (1, 1, ["G1W", "G2P"]),
        (1, 2, ["G1W", "G2W"]),
        (0, 3, ["G1C", "G2W"]),
    ):
        payload = encode_values(head | {"repeat": [row | {"DF010": one, "DF016": two}]})
        out, _, _ = decode_rows(encode_frame(payload))
        assert [signal_name(s) for s in out.signal.tolist()] == names
    absent = encode_values(head | {"repeat": [row | {"DF012": None, "DF017": None, "DF018": None}]})
    out, _, _ = decode_rows(encode_frame(absent))
    assert out.satellite.size == 1 and np.isnan(out.phaserange[0]) and not np.isnan(out.pseudorange[0])
    strange = encode_values(head | {"repeat": [row | {"DF009": 0}, row | {"DF009": 36}, row | {"DF009": 40}]})
    out, table, _ = decode_rows(encode_frame(strange))
    assert [satellite_name(s) for s in out.satellite.tolist()] == ["S20"]
    assert table[0][columns.ISSUES] == columns.UNKNOWN_SATELLITE


@pytest.mark.kernel
def test_what_has_no_code_channel_or_room_is_left_out() -> None:
    rows = concatenate([gps(f"G{n:02d}", 2.2e7, 2.2e7) for n in range(1, 33)])
    rows = concatenate([rows, gps("R03", 2e7, 2e7), gps("S20", math.nan, 2e7)])
    encoder = ObservablesEncoder()
    frames = read_frames(encoder.encode(NOW, 1, rows))
    assert [f.number for f in frames] == [1004] and decode_values(frames[0].payload)["DF006"] == 31
    assert encoder.counts.left_out == 3  # G32, R03 without channel, S20 without code
    assert encoder.encode(NOW, 1, gps("E05", 2e7, 2e7)) == b""


@pytest.mark.kernel
def test_truncated_and_impossible_messages_are_refused() -> None:
    payload = read_frames(ObservablesEncoder().encode(NOW, 9, observations(5, "G", 4)))[0].payload
    for size in (2, 7, 8, 20, len(payload) - 1):
        rows, table, _ = decode_rows(encode_frame(payload[:size]))
        assert table[0][columns.STATUS] == columns.TRUNCATED and rows.satellite.size == 0
    late = encode_values(decode_values(payload) | {"DF004": 604_800_000})
    assert decode_rows(encode_frame(late))[1][0][columns.STATUS] == columns.TIME
