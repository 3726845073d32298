"""MSM against worked examples, the steps of its fields, the table-driven decoder, and the definition of its times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cors.gnss.observations import Observations, concatenate, from_rows, take
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.signals import pack_signal, parse_signal, signal_code
from cors.gnss.time import DAY_NS, NS, WEEK_NS, gps_week, leap_seconds, parse_time
from cors.rtcm import _decode_kernels as columns
from cors.rtcm import _encode_kernels as encode_kernels
from cors.rtcm.encoder_rows import fresh_memory, kernel_rows
from cors.rtcm.errors import UnencodableError
from cors.rtcm.field_values import decode_values, encode_values
from cors.rtcm.frames import encode_frame, read_frames
from cors.rtcm.lock_times import MSM_EXTENDED_LOCK_MS, MSM_LOCK_MS
from cors.rtcm.msm import ClockSteering, ExternalClock, MsmEncoder, MsmHeader, MsmType, encode_epochs, unpack_header
from cors.rtcm.observables import ObservablesEncoder
from cors.rtcm.observation_rows import RowDecoder
from cors.rtcm.scanner import FrameScanner
from tests.cors.rtcm.samples import CHANNELS, FRAME_1127, NOW, decode_rows, observations

C_MS = 299_792.458
# Half a step of the fine fields: metres of code and phase, dB-Hz, by type.
HALF_STEPS = {1: (2**-25, 0, 0), 2: (0, 2**-30, 0), 3: (2**-25, 2**-30, 0), 4: (2**-25, 2**-30, 0.5),
              5: (2**-25, 2**-30, 0.5), 6: (2**-30, 2**-32, 1 / 32), 7: (2**-30, 2**-32, 1 / 32)}  # fmt: skip


def encode(kind: int, rows: Observations, gpst: int = NOW, **extra: object) -> bytes:
    return MsmEncoder(MsmType(kind)).encode(gpst, 4, rows, CHANNELS, **extra)  # type: ignore[arg-type]


def one_row(satellite: str = "G05", signal: str = "1C", **values: float) -> Observations:
    v = {"code": 2.2e7, "phase": 2.2e7, "rate": 100.0, "cn0": 45.0, "lock": 5000.0, "flags": 0} | values
    return from_rows(
        [(parse_satellite(satellite), parse_signal(satellite[0] + signal), v["code"], v["phase"], v["rate"], v["cn0"],
          v["lock"], int(v["flags"]))]
    )  # fmt: skip


@pytest.mark.kernel
def test_the_worked_example_of_a_real_receiver() -> None:
    rows, table, _ = decode_rows(FRAME_1127, parse_time("2026-11-25T12:00:00"))
    assert [satellite_name(s) for s in rows.satellite.tolist()] == ["C27", "C30", "C37"]
    assert [signal_code(s) for s in rows.signal.tolist()] == ["2I"] * 3
    np.testing.assert_allclose(rows.pseudorange, [22069153.4545, 23941159.3730, 24384477.4763], atol=6e-5)
    np.testing.assert_allclose(rows.phaserange, [22069158.7230, 23941160.1598, 24384481.0332], atol=6e-5)
    np.testing.assert_allclose(rows.phaserange_rate, [111.4650, 601.1792, -467.6849], atol=6e-5)
    assert rows.cn0.tolist() == [52.0, 47.0, 47.0]
    assert rows.lock_time.tolist() == [MSM_EXTENDED_LOCK_MS[raw] for raw in (611, 573, 648)]
    assert gps_week(table[0][columns.TAG])[1] == 375_227.001  # 375 213.001 s of BDT
    assert unpack_header(table[0][columns.HEADER]) == MsmHeader(0, ClockSteering(0), ExternalClock(0), True, 7)


def expected_ranges(rows: Observations, seed: int) -> dict[int, float]:
    """Ranges known to half a millisecond at most."""
    rng = np.random.default_rng(seed)
    return {s: p + rng.uniform(-149e3, 149e3) for s, p in zip(rows.satellite, rows.pseudorange, strict=True)}


@pytest.mark.kernel
@given(st.integers(0, 2**31), st.integers(1, 7), st.integers(1, 5))
@settings(max_examples=30)
def test_decoding_what_was_encoded_differs_by_half_a_step_at_most(seed: int, kind: int, satellites: int) -> None:
    rows = observations(seed, satellites=satellites)
    encoder = MsmEncoder(MsmType(kind))
    data = encoder.encode(NOW, 77, rows, CHANNELS, MsmHeader(iods=3))
    assert encoder.counts == (0, 0, 0, 0, 0)
    frames = read_frames(data)
    assert b"".join(f.data for f in frames) == data
    # MSM1-3 need a range: decode again once it is given
    _, _, decoder = decode_rows(b"")
    for satellite, value in expected_ranges(rows, seed).items():
        decoder.expected_ranges[satellite] = value
    out = decode_with(decoder, data)
    np.testing.assert_array_equal(out.satellite, rows.satellite)
    np.testing.assert_array_equal(out.signal, rows.signal)
    code, phase, strength = (step * unit for step, unit in zip(HALF_STEPS[kind], (C_MS, C_MS, 1.0), strict=True))
    compare(out.pseudorange, rows.pseudorange, code)
    compare(out.phaserange, rows.phaserange, phase)
    compare(out.phaserange_rate, rows.phaserange_rate, 5e-5 if kind in (5, 7) else 0.0)
    compare(out.cn0, rows.cn0, strength)
    if kind > 1:
        least = MSM_EXTENDED_LOCK_MS if kind > 5 else MSM_LOCK_MS
        index = np.searchsorted(least, rows.lock_time, side="right") - 1
        np.testing.assert_array_equal(out.lock_time, least[index].astype(np.float32))
        np.testing.assert_array_equal(out.flags, rows.flags)


def decode_with(decoder: RowDecoder, data: bytes) -> Observations:
    scanner = FrameScanner(1 << 16, 64)
    decoder.reference.set(NOW)
    used = 0
    for n in scanner.feed(data):
        used = decoder.decode(scanner, n, used)
    return take(decoder.rows, slice(0, used))


def compare(found: np.ndarray, sent: np.ndarray, half_step: float) -> None:
    if half_step == 0.0:
        assert np.all(np.isnan(found))
    else:
        np.testing.assert_allclose(found, sent, rtol=0, atol=half_step * 1.0001 + 1e-8)


@pytest.mark.kernel
@pytest.mark.parametrize("kind", range(1, 8))
def test_kernels_and_tables_read_a_message_alike(kind: int) -> None:
    rows = observations(11, "GREC", 3)
    data = encode(kind, rows)
    out, table, _ = decode_rows(data)
    for frame, row in zip(read_frames(data), table, strict=True):
        values = decode_values(frame.payload)
        assert values["DF003"] == 4 and values["DF393"] == row[columns.MORE]
        part = take(out, slice(row[columns.FIRST], row[columns.FIRST] + row[columns.ROWS]))
        cells = values["cells"]
        assert [c["id"] for c in cells] == ((part.satellite & 63) + 1).tolist()
        assert [c["signal"] for c in cells] == ((part.signal & 63) + 1).tolist()
        for name, column in (("pseudorange_m", part.pseudorange), ("phaserange_m", part.phaserange),
                             ("phaserange_rate_mps", part.phaserange_rate)):  # fmt: skip
            if name in cells[0]:
                told = [math.nan if c[name] is None else c[name] for c in cells]
                np.testing.assert_allclose(column, told, rtol=0, atol=1e-8)
        assert encode_values(values) == frame.payload


INSTANTS = [
    "2026-11-25T12:00:00", "2026-11-22T00:00:00", "2026-11-22T00:00:13.999", "2026-11-22T00:00:14",
    "2026-11-21T23:59:59.999", "2026-11-25T20:59:41.999Z", "2026-11-25T21:00:00Z", "2026-11-28T20:59:59Z",
    "2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z", "2012-06-30T12:00:00", "2015-07-01T00:00:00Z",
]  # fmt: skip


@pytest.mark.kernel
@pytest.mark.parametrize("text", INSTANTS)
@pytest.mark.parametrize("off", [-3 * DAY_NS, 0, 3 * DAY_NS])
def test_every_constellation_tells_the_same_instant(text: str, off: int) -> None:
    """Week, BDT and Moscow days over their boundaries, from a clock up to three days off."""
    gpst = parse_time(text)
    data = encode(7, observations(2, satellites=1), gpst)
    _, table, _ = decode_rows(data, gpst + off)
    assert {row[columns.TAG] for row in table} == {gpst}
    values = {f.number: decode_values(f.payload) for f in read_frames(data)}
    tow_ms = gpst % WEEK_NS // 1_000_000
    assert [values[n]["DF004"] for n in (1077, 1107)] == [tow_ms] * 2
    assert (values[1097]["DF248"], values[1117]["DF428"], values[1137]["DF546"]) == (tow_ms,) * 3
    assert values[1127]["DF427"] == (tow_ms - 14_000) % 604_800_000
    moscow = (tow_ms - 1000 * leap_seconds(gpst) + 10_800_000) % 604_800_000
    assert (values[1087]["DF416"], values[1087]["DF034"]) == divmod(moscow, 86_400_000)


@pytest.mark.kernel
def test_more_than_64_cells_are_split_by_satellite() -> None:
    rows = observations(3, "GC", 10)
    first = take(rows, rows.signal == parse_signal("G1C"))
    extra = [
        first._replace(signal=np.full_like(first.signal, parse_signal("G" + code)))
        for code in ("1W", "1L", "2S", "2X", "5I", "5X", "1S", "1X")
    ]
    rows = concatenate([rows, *extra])
    data = encode(7, rows)
    frames = read_frames(data)
    values = [decode_values(f.payload) for f in frames]
    assert [f.number for f in frames].count(1077) == 2  # 10 satellites x 12 signals, 5 at a time
    for v in values:
        signals = {c["signal"] for c in v["cells"]}
        assert len(v["satellites"]) * len(signals) <= 64
    assert [v["DF393"] for v in values] == [1] * (len(values) - 1) + [0]
    out, _, _ = decode_rows(data)
    assert set(zip(out.satellite, out.signal, strict=True)) == set(zip(rows.satellite, rows.signal, strict=True))
    assert len(out.satellite) == len(rows.satellite)


@pytest.mark.kernel
def test_rows_with_nothing_or_no_place_are_left_out_and_counted() -> None:
    nothing = one_row("G05", code=math.nan, phase=math.nan, rate=math.nan)
    no_place = [one_row("G06", "1M"), one_row("J01", "1E"), one_row("C20", "7P")]
    unknown = one_row("G07")._replace(signal=np.array([pack_signal(0, 13)], np.uint16))
    encoder = MsmEncoder(MsmType.MSM7)
    data = encoder.encode(
        NOW, 1, concatenate([one_row(), nothing._replace(signal=nothing.signal + 7), *no_place, unknown])
    )
    assert [f.number for f in read_frames(data)] == [1077]
    assert encoder.counts[:2] == (1, 4)
    assert encoder.encode(NOW, 1, nothing) == b""


@pytest.mark.kernel
def test_a_signal_a_millisecond_off_the_others_is_dropped_and_spoils_nothing() -> None:
    """Reported of receivers whose signals differ by whole code periods (PocketSDR)."""
    rows = concatenate(
        [one_row(code=2.2e7), one_row(signal="2W", code=2.2e7 + 5.0), one_row(signal="5Q", code=2.2e7 + C_MS)]
    )
    encoder = MsmEncoder(MsmType.MSM7)
    out, _, _ = decode_rows(encoder.encode(NOW, 1, rows))
    assert [signal_code(s) for s in out.signal.tolist()] == ["1C", "2W"] and encoder.counts.left_out == 1
    np.testing.assert_allclose(out.pseudorange, [2.2e7, 2.2e7 + 5.0], atol=3e-4)


@pytest.mark.kernel
@pytest.mark.parametrize(("kind", "satellite"), [(4, "G05"), (7, "G05"), (7, "R03")])
def test_a_phase_out_of_range_is_moved_by_whole_cycles_and_its_lock_restarts(kind: int, satellite: str) -> None:
    encoder = MsmEncoder(MsmType(kind))
    wavelength = 299_792_458.0 / (
        1575.42e6 if satellite[0] == "G" else 1602e6 + CHANNELS[parse_satellite("R03")] * 562.5e3
    )
    sent = []
    for k, ambiguity in enumerate([5e6, 5e6, 5e6, -4e4]):
        rows = one_row(satellite, phase=2.2e7 + ambiguity * wavelength + 0.01 * k, lock=600_000.0 + 1000.0 * k)
        out, _, _ = decode_rows(encoder.encode(NOW + k * NS, 1, rows, CHANNELS), NOW)
        sent.append((float(out.phaserange[0]), float(out.lock_time[0])))
        cycles = (rows.phaserange[0] - out.phaserange[0]) / wavelength
        assert abs(cycles - round(cycles)) < 2e-3 and abs(out.phaserange[0] - 2.2e7) < 1171.0
    assert sent[1][0] - sent[0][0] == pytest.approx(0.01, abs=6e-4)  # moved once, by the same number for good
    assert sent[2][0] - sent[1][0] == pytest.approx(0.01, abs=6e-4)
    least = MSM_EXTENDED_LOCK_MS if kind > 5 else MSM_LOCK_MS
    assert [lock for _, lock in sent] == [
        least[np.searchsorted(least, ms, side="right") - 1] for ms in (0, 1000, 2000, 0)
    ]
    assert encoder.counts.rebased == 2


@pytest.mark.kernel
def test_a_glonass_phase_that_cannot_be_moved_is_invalid_and_counted() -> None:
    encoder = MsmEncoder(MsmType.MSM4)
    out, table, _ = decode_rows(encoder.encode(NOW, 1, one_row("R03", phase=1e6)))
    assert math.isnan(out.phaserange[0]) and out.pseudorange[0] == pytest.approx(2.2e7, abs=0.01)
    assert encoder.counts.phase_lost == 1
    assert table[0][columns.ISSUES] & columns.UNKNOWN_CHANNEL


@pytest.mark.kernel
def test_channels_travel_in_msm5_and_7_only() -> None:
    _, table, decoder = decode_rows(encode(4, one_row("R03")))
    assert decoder.glonass_channels == {} and table[0][columns.ISSUES] == columns.UNKNOWN_CHANNEL
    _, table, decoder = decode_rows(encode(5, one_row("R03")) + encode(4, one_row("R03")))
    assert decoder.glonass_channels == {parse_satellite("R03"): CHANNELS[parse_satellite("R03")]}
    assert [row[columns.ISSUES] for row in table] == [0, 0]


@pytest.mark.kernel
def test_lock_times_unknown_to_the_receiver_are_counted_from_slips() -> None:
    encoder = MsmEncoder(MsmType.MSM7)
    told = []
    for k, flags in enumerate([0, 0, 0, 1, 0]):
        rows = one_row(lock=math.nan, flags=flags)
        told.append(float(decode_rows(encoder.encode(NOW + k * NS, 1, rows), NOW)[0].lock_time[0]))
    assert told == [0.0, 992.0, 1984.0, 0.0, 992.0]  # steps of 16 ms above 512, of 32 above 1024


@pytest.mark.kernel
@pytest.mark.parametrize(("kind", "table"), [(5, MSM_LOCK_MS), (6, MSM_EXTENDED_LOCK_MS)])
def test_every_lock_time_of_the_tables_goes_round(kind: int, table: np.ndarray) -> None:
    assert table[-1] == (524_288.0 if kind == 5 else 67_108_864.0)  # RTCM 10403.x DF402, DF407
    for raw, least in enumerate(table.tolist()):
        assert columns._lock_ms(kind, raw) == least
        assert encode_kernels._lock_code(kind, least) == raw
        if raw:
            assert encode_kernels._lock_code(kind, np.nextafter(least, 0.0)) == raw - 1


@pytest.mark.kernel
def test_invalid_values_decode_to_nan() -> None:
    values = decode_values(read_frames(encode(7, one_row()))[0].payload)
    cell, satellite = values["cells"][0], values["satellites"][0]
    absent = [
        ({"DF405": None}, {}, "pseudorange"), ({"DF406": None}, {}, "phaserange"),
        ({"DF404": None}, {}, "phaserange_rate"), ({"DF408": 0}, {}, "cn0"),
        ({}, {"DF399": None}, "phaserange_rate"), ({"DF407": 705}, {}, "lock_time"),
    ]  # fmt: skip
    for changed_cell, changed_satellite, name in absent:
        changed = values | {"cells": [cell | changed_cell], "satellites": [satellite | changed_satellite]}
        rows, _, _ = decode_rows(encode_frame(encode_values(changed)))
        assert [f for f in rows._fields if f != "flags" and np.isnan(getattr(rows, f)[0])] == [name]
    no_rough = values | {"satellites": [satellite | {"DF397": None}]}
    rows, _, _ = decode_rows(encode_frame(encode_values(no_rough)))
    assert np.isnan(rows.pseudorange[0]) and np.isnan(rows.phaserange[0]) and not np.isnan(rows.phaserange_rate[0])


@pytest.mark.kernel
def test_values_their_fields_cannot_hold_are_sent_as_invalid() -> None:
    encoder = MsmEncoder(MsmType.MSM7)
    rows, _, _ = decode_rows(encoder.encode(NOW, 1, one_row(rate=9000.0, cn0=70.0)))
    assert np.isnan(rows.phaserange_rate[0]) and np.isnan(rows.cn0[0]) and encoder.counts.value_lost == 1
    assert encoder.encode(NOW, 1, one_row(code=9e7, phase=9e7, rate=math.nan)) == b""
    for station_id, header in ((4096, MsmHeader()), (-1, MsmHeader()), (1, MsmHeader(iods=8))):
        with pytest.raises(UnencodableError, match=r"DF003|DF409"):
            encoder.encode(NOW, station_id, one_row(), header=header)


@pytest.mark.kernel
def test_an_unknown_signal_is_kept_under_its_number() -> None:
    values = decode_values(read_frames(encode(7, one_row()))[0].payload)
    values = values | {"cells": [values["cells"][0] | {"signal": 13}]}
    rows, table, _ = decode_rows(encode_frame(encode_values(values)))
    assert signal_code(int(rows.signal[0])) == "#13" and table[0][columns.ISSUES] == columns.UNKNOWN_SIGNAL


@pytest.mark.kernel
def test_payloads_too_long_are_read_and_too_short_ones_refused() -> None:
    payload = read_frames(encode(7, observations(1, "G", 4)))[0].payload
    whole, _, _ = decode_rows(encode_frame(payload))
    padded, table, _ = decode_rows(encode_frame(payload + bytes(30)))  # as u-blox does
    np.testing.assert_array_equal(padded.phaserange, whole.phaserange)
    for size in (2, 15, 21, 25, len(payload) - 1):
        rows, table, _ = decode_rows(encode_frame(payload[:size]))
        assert table[0][columns.STATUS] == columns.TRUNCATED and rows.satellite.size == 0
    values = decode_values(payload)
    wide = bytearray(encode_values(values))
    wide[17:21] = b"\xff\xff\xff\xff"
    assert decode_rows(encode_frame(bytes(wide)))[1][0][columns.STATUS] == columns.CELLS
    late = encode_values(values | {"DF004": 604_800_000})
    assert decode_rows(encode_frame(late))[1][0][columns.STATUS] == columns.TIME


@pytest.mark.kernel
def test_many_epochs_at_once_give_the_bytes_of_each_alone() -> None:
    epochs = [observations(seed, "GRC", 4) for seed in range(5)] + [observations(9, "E", 1)]
    gpst = np.array([NOW + k * NS for k in range(6)])
    ids = np.arange(2000, 2006)
    rows = kernel_rows(concatenate(epochs))
    offsets = np.concatenate([[0], np.cumsum([e.satellite.size for e in epochs])])
    table = np.full((1, 64), -128, np.int8)
    for satellite, channel in CHANNELS.items():
        table[0, satellite & 63] = channel
    out, ends = np.zeros(20_000, np.uint8), np.zeros(7, np.int64)
    done = encode_epochs(
        MsmType.MSM5, gpst, ids, rows, offsets, out, ends, memory=fresh_memory(rows.satellite.size), channels=table
    )
    assert done == 6
    for k, epoch in enumerate(epochs):
        alone = MsmEncoder(MsmType.MSM5).encode(int(gpst[k]), int(ids[k]), epoch, CHANNELS)
        assert out[ends[k] : ends[k + 1]].tobytes() == alone
    few = encode_epochs(
        MsmType.MSM5,
        gpst,
        ids,
        rows,
        offsets,
        out[:2500],
        ends,
        memory=fresh_memory(rows.satellite.size),
        channels=table,
    )
    assert 0 < few < 6  # the rest had no room
    backwards = take(rows, slice(None, None, -1))
    with pytest.raises(UnencodableError, match="in order"):
        encode_epochs(MsmType.MSM5, gpst, ids, kernel_rows(backwards), offsets, out, ends,
                      memory=fresh_memory(rows.satellite.size), channels=table)  # fmt: skip


@pytest.mark.kernel
def test_arrays_that_do_not_belong_together_are_refused_before_a_kernel_sees_them() -> None:
    rows = kernel_rows(observations(1, "G", 2))
    n = rows.satellite.size
    out, ends = np.zeros(5000, np.uint8), np.zeros(2, np.int64)
    good = {"memory": fresh_memory(n), "channels": np.full((1, 64), -128, np.int8)}
    for offsets, memory in (([0, n + 1], n), ([-1, n], n), ([0, n], n - 1), ([n], n), ([n, 0], n)):
        with pytest.raises(ValueError, match=r"rows|lengths"):
            encode_epochs(MsmType.MSM7, np.array([NOW]), np.array([1]), rows, np.array(offsets), out, ends,
                          **good | {"memory": fresh_memory(memory)})  # fmt: skip
    strange = [
        rows._replace(satellite=rows.satellite + np.int16(448)),
        rows._replace(satellite=rows.satellite - np.int16(100)),
        rows._replace(signal=rows.signal + np.uint16(64)),
    ]
    for bad in strange:
        with pytest.raises(UnencodableError):
            MsmEncoder(MsmType.MSM7).encode(NOW, 1, bad)
        with pytest.raises(UnencodableError):
            ObservablesEncoder().encode(NOW, 1, bad)


@pytest.mark.kernel
def test_unsorted_and_repeated_rows_are_put_in_order() -> None:
    rows = observations(4, "GR", 3)
    shuffled = take(rows, np.random.default_rng(1).permutation(rows.satellite.size))
    assert encode(7, concatenate([shuffled, take(rows, slice(0, 3))])) == encode(7, rows)
