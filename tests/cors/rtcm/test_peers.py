"""What we send is read by RTKLIB (demo5, pyrtklib5) and pyrtcm, with the values we sent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cors.gnss.constants import GPS_PI
from cors.gnss.observations import Observations
from cors.gnss.signals import carrier_frequency, signal_code
from cors.gnss.time import NS
from cors.rtcm.ephemerides import decode_ephemeris, encode_ephemeris
from cors.rtcm.field_values import decode_values
from cors.rtcm.frames import encode_frame, read_frames
from cors.rtcm.msm import MsmEncoder, MsmType
from cors.rtcm.observables import GlonassObservables, GpsObservables, ObservablesEncoder
from cors.rtcm.station_messages import (
    AntennaDescriptor,
    GlonassBiases,
    PhysicalReference,
    StationDescriptors,
    StationPosition,
    encode_station_message,
)
from tests.cors.rtcm.peers import Rtklib, pyrtcm_messages, rtklib_observations
from tests.cors.rtcm.samples import CHANNELS, NOW, decode_rows, observations
from tests.cors.rtcm.test_ephemerides import SETS, TOE, glonass

C = 299_792_458.0
NOON_UTC = NOW + 18 * NS
STEPS = {4: (0.009, 3e-4), 5: (0.009, 3e-4), 6: (3e-4, 8e-5), 7: (3e-4, 8e-5)}  # half a step of code and phase, m


@pytest.mark.parametrize("kind", [1, 3, 4, 5, 6, 7])
def test_pyrtcm_reads_our_msm(kind: int) -> None:
    rows = observations(kind, "GRESJCI", 5)
    data = MsmEncoder(MsmType(kind)).encode(NOW, 12, rows, CHANNELS)
    messages, frames = pyrtcm_messages(data), read_frames(data)
    assert [int(m.identity) for m in messages] == [f.number for f in frames]
    k = 0
    for message, frame in zip(messages, frames, strict=True):
        values = decode_values(frame.payload)
        ids = {row["id"]: n for n, row in enumerate(values["satellites"], 1)}
        assert message.NSat == len(ids) and message.NCell == len(values["cells"])
        for cell, n in zip(values["cells"], range(1, message.NCell + 1), strict=True):
            for name in set(cell) & {
                "DF400",
                "DF401",
                "DF402",
                "DF405",
                "DF406",
                "DF407",
                "DF403",
                "DF408",
                "DF404",
                "DF420",
            }:
                assert getattr(message, f"{name}_{n:02d}") == pytest.approx(cell[name] or 0, abs=1e-13), name
            row = ids[cell["id"]]
            fraction = getattr(message, f"DF398_{row:02d}")
            assert getattr(message, f"CELLSIG_{n:02d}") == signal_code(int(rows.signal[k]))
            if kind in STEPS:
                whole = getattr(message, f"DF397_{row:02d}") + fraction
                fine = "DF405" if kind > 5 else "DF400", "DF406" if kind > 5 else "DF401"
                code, phase = (C / 1000.0 * (whole + getattr(message, f"{name}_{n:02d}")) for name in fine)
                assert code == pytest.approx(rows.pseudorange[k], abs=STEPS[kind][0])
                assert phase == pytest.approx(rows.phaserange[k], abs=STEPS[kind][1])
            k += 1
    assert k == len(rows.satellite)


def check_against_rtklib(data: bytes, least: int) -> None:
    """Every value RTKLIB reads equals what our own decoder reads, and it reads at least so many signals."""
    ours, _, _ = decode_rows(data)
    read = rtklib_observations(data, NOW)
    assert len(read) >= least
    mine = {(s, g): k for k, (s, g) in enumerate(zip(ours.satellite.tolist(), ours.signal.tolist(), strict=True))}
    for (gpst, satellite, signal), (code, phase, doppler, cn0) in read.items():
        k = mine[satellite, signal]
        wavelength = C / carrier_frequency(signal, CHANNELS.get(satellite, 0))
        assert gpst == NOW
        assert code == pytest.approx(ours.pseudorange[k], abs=1e-7)
        assert phase * wavelength == pytest.approx(ours.phaserange[k], abs=1e-7)
        assert cn0 == pytest.approx(ours.cn0[k], abs=1e-6)
        if not math.isnan(ours.phaserange_rate[k]):
            assert doppler * -wavelength == pytest.approx(ours.phaserange_rate[k], abs=1e-4)


def glonass_known() -> bytes:
    """1020 of every slot, from which RTKLIB takes the channels that MSM4 and 6 do not carry."""
    sets = [glonass(NOON_UTC, satellite=s, channel=k) for s, k in CHANNELS.items()]
    return b"".join(encode_frame(encode_ephemeris(e)) for e in sets)


@pytest.mark.parametrize("kind", [4, 5, 6, 7])
def test_rtklib_reads_our_msm(kind: int) -> None:
    rows = observations(20 + kind, "GRESJC", 6)
    data = MsmEncoder(MsmType(kind)).encode(NOW, 12, rows, CHANNELS)
    check_against_rtklib(glonass_known() + data, 6 * 3 * 4)


def test_both_read_messages_split_at_64_cells() -> None:
    rows = observations(3, "GC", 10)
    extra = [rows, *(rows._replace(signal=rows.signal + d) for d in (1, 6, 7))]  # 1P.., 2P.., whatever has a place
    columns = zip(*extra, strict=True)
    rows = Observations._make(np.concatenate(column) for column in columns)
    data = MsmEncoder(MsmType.MSM7).encode(NOW, 12, rows, CHANNELS)
    numbers = [f.number for f in read_frames(data)]
    assert numbers.count(1077) > 1 and [int(m.identity) for m in pyrtcm_messages(data)] == numbers
    assert sum(m.NCell for m in pyrtcm_messages(data)) == len(decode_rows(data)[0].satellite)
    check_against_rtklib(data, 40)


@pytest.mark.parametrize("k", range(4))
def test_both_read_our_observables(k: int) -> None:
    kinds = list(GpsObservables)[k + 1], list(GlonassObservables)[k + 1]
    data = ObservablesEncoder(*kinds).encode(NOW, 12, observations(31, "GR", 8), CHANNELS)
    for message, frame in zip(pyrtcm_messages(data), read_frames(data), strict=True):
        values = decode_values(frame.payload)
        for n, row in enumerate(values["repeat"], 1):
            for name, value in row.items():
                offset = {"DF040": 7}.get(name, 0)  # pyrtcm shows the raw channel and whole milliseconds
                if name in ("DF014", "DF044"):
                    value = round(value / C * (1000.0 if name == "DF014" else 500.0))
                assert getattr(message, f"{name}_{n:02d}") == pytest.approx(value + offset, abs=1e-9), name
    if kinds[0] in (1002, 1004):
        check_against_rtklib(data, 16 if kinds[0] == 1002 else 32)


def test_both_read_our_station_messages() -> None:
    place = (-2267750.0744, 5009154.1821, 3221290.5515)
    texts = StationDescriptors(7, "TRM59800.00     NONE", 3, "1234", "TRIMBLE ALLOY", "6.1", "55")
    data = b"".join(
        encode_frame(encode_station_message(m))
        for m in (StationPosition(7, place, 1.5), AntennaDescriptor(7, texts.antenna, 3, "1234"), texts,
                  PhysicalReference(2001, 7, place), GlonassBiases(7, True, 19.06, 19.06, -71.94, 0.0))
    )  # fmt: skip
    decoder = Rtklib(NOW)
    assert list(decoder.feed(data)).count(5) >= 3
    read = decoder.station()
    decoder.close()
    assert read["position"] == pytest.approx(place, abs=1e-9) and read["height"] == pytest.approx(1.5)
    assert [read[n] for n in ("antdes", "antsno", "rectype", "recver", "recsno", "setup")] == [
        texts.antenna, "1234", texts.receiver, texts.firmware, "55", 3,
    ]  # fmt: skip
    p1006, p1008, _, p1032, p1230 = pyrtcm_messages(data)
    for message in (p1006, p1032):
        assert pytest.approx(place, abs=1e-9) == (message.DF025, message.DF026, message.DF027)
    assert p1008.DF031 == 3 and pytest.approx((19.06, -71.94)) == (p1230.DF423, p1230.DF425)


def test_rtklib_reads_our_ephemerides() -> None:
    for sent in SETS:
        decoder = Rtklib(TOE)
        assert list(decoder.feed(encode_frame(encode_ephemeris(sent)))) == [2]
        read = decoder.ephemeris()
        decoder.close()
        mine = decode_ephemeris(encode_ephemeris(sent), TOE)
        for name, value in read.items():
            if name.startswith("delay") or (name, sent.satellite >> 6) in (("iode", 5), ("health", 6)):
                continue  # RTKLIB numbers BeiDou sets by toc, and has NavIC's two health bits the other way round
            scale = math.pi / GPS_PI if name in ("m0", "omega0", "i0", "omega", "delta_n", "omega_dot", "idot") else 1.0
            assert value == pytest.approx(getattr(mine, name) * scale, rel=1e-12, abs=0), name
        delays = [v for v in (read["delay_0"], read["delay_1"]) if v]
        assert delays == pytest.approx([v for v in mine.group_delays.values() if v], rel=1e-9)


def test_rtklib_reads_our_glonass_sets() -> None:
    sent = glonass(NOON_UTC, channel=-4, health=1)
    decoder = Rtklib(NOW)
    assert list(decoder.feed(encode_frame(encode_ephemeris(sent)))) == [2]
    read = decoder.glonass(sent.satellite)
    decoder.close()
    for name in ("position", "velocity", "acceleration"):
        assert read[name] == pytest.approx(getattr(sent, name), abs=1e-6)
    assert (read["taun"], read["gamn"]) == pytest.approx((-sent.clock_bias, sent.clock_rate), rel=1e-12)
    assert (read["toe"], read["channel"], read["health"]) == (NOON_UTC, -4, 1)
