"""Whatever bytes come: nothing is raised, nothing grows, and good frames around bad ones survive.

Some 130,000 inputs: payloads with bits flipped, cut or drawn at random, sealed with a right CRC so that the decoders
see them; what survives is decoded by kernels, a sample of it by everything else.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cors.gnss.signals import SIGNALS
from cors.rtcm import _decode_kernels as columns
from cors.rtcm._frame_kernels import PAD, seal_all
from cors.rtcm.diagnostics import KEPT_PER_CODE, Code
from cors.rtcm.ephemerides import EPHEMERIS_MESSAGES, decode_ephemeris, encode_ephemeris
from cors.rtcm.errors import RtcmError
from cors.rtcm.field_values import decode_values, encode_values
from cors.rtcm.frames import encode_frame, read_frames
from cors.rtcm.msm import MsmEncoder, MsmType
from cors.rtcm.observables import ObservablesEncoder
from cors.rtcm.recording import Recording, decode_padded
from cors.rtcm.records import epoch_record, message_record
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import STATION_MESSAGES, decode_station_message, encode_station_message
from cors.rtcm.stream import StreamDecoder
from cors.rtcm.summary import Summarizer
from cors.rtcm.tables import layouts
from tests.cors.rtcm.samples import CHANNELS, FRAME_1005, FRAME_1019, NOW, observations


def good_payloads() -> list[bytes]:
    """One of each observation message."""
    rows = observations(1, "GRESJCI", 4)
    data = b"".join(MsmEncoder(kind).encode(NOW, 1, rows, CHANNELS) for kind in MsmType)
    for gps, glonass in ((1001, 1009), (1002, 1010), (1003, 1011), (1004, 1012)):
        data += ObservablesEncoder(gps, glonass).encode(NOW, 1, rows, CHANNELS)  # type: ignore[arg-type]
    return [frame.payload for frame in read_frames(data)]


def spoiled(payload: bytes, rng: np.random.Generator) -> bytes:
    """Cut, lengthened, or with bits flipped, most of them near the front where lengths and masks are."""
    data = np.frombuffer(payload, np.uint8).copy()
    how = rng.integers(0, 4)
    if how == 0:
        return payload[: rng.integers(2, len(payload) + 1)]
    at = rng.integers(0, min(len(data), 40) if how == 1 else len(data), rng.integers(1, 12))
    data[at] ^= rng.integers(1, 256, at.size, dtype=np.uint8)
    data[0], data[1] = payload[0], (data[1] & 15) | (payload[1] & 240)  # still the same message
    return data.tobytes()


def random_payload(number: int, size: int, rng: np.random.Generator) -> bytes:
    data = rng.bytes(size)
    return bytes([number >> 4, (number & 15) << 4 | data[0] & 15]) + data[1:]


def sealed(payloads: list[bytes]) -> np.ndarray:
    """Good frames around them, with the slack kernels want."""
    sizes = np.array([len(p) for p in payloads])
    buffer = np.zeros(int(sizes.sum()) + 6 * len(payloads) + PAD, np.uint8)
    at = 0
    for payload in payloads:
        buffer[at : at + 3] = 0xD3, len(payload) >> 8, len(payload) & 255
        buffer[at + 3 : at + 3 + len(payload)] = np.frombuffer(payload, np.uint8)
        at += len(payload) + 6
    seal_all(buffer, 0, at)
    return buffer


def check(recording: Recording, frames: int) -> None:
    assert len(recording.frames) == frames and recording.junk_bytes == 0
    rows = recording.observations
    assert np.all((rows.satellite >= 0) & (rows.satellite < SIGNALS))
    assert np.all((rows.signal >> 6) == (rows.satellite >> 6))
    assert not np.any(np.isinf(rows.pseudorange)) and not np.any(np.abs(rows.pseudorange) > 1e8)
    assert not np.any(np.abs(rows.phaserange_rate) > 8194.0) and not np.any(np.abs(rows.cn0) > 64.0)
    assert np.all(np.abs(recording.messages.gpst - NOW) <= 400 * 86_400 * 10**9)


def test_a_hundred_thousand_spoiled_observation_messages() -> None:
    rng = np.random.default_rng(11)
    good = good_payloads()
    payloads = [spoiled(good[n % len(good)], rng) for n in range(60_000)]
    check(decode_padded(sealed(payloads), NOW), len(payloads))
    numbers = [1070 + 10 * s + k for s in range(7) for k in range(1, 8)] + [
        1001,
        1002,
        1003,
        1004,
        1009,
        1010,
        1011,
        1012,
    ]
    payloads = [random_payload(numbers[n % len(numbers)], int(rng.integers(2, 300)), rng) for n in range(40_000)]
    check(decode_padded(sealed(payloads), NOW), len(payloads))


@pytest.mark.kernel
def test_spoiled_messages_stay_inside_the_arrays() -> None:
    """A small sample for the run with bounds checks, the buffer ending with the last frame."""
    rng = np.random.default_rng(12)
    good = good_payloads()
    for n in range(150):
        payloads = [spoiled(good[n % len(good)], rng) for _ in range(2)]
        check(decode_padded(sealed(payloads), NOW), 2)


def test_spoiled_payloads_of_every_layout() -> None:
    """20,000: decoders raise their own errors or give values that encode again."""
    rng = np.random.default_rng(13)
    refused = 0
    keys = [*layouts(), *(str(1070 + 10 * s + k) for s in range(7) for k in range(1, 8))]
    for n in range(20_000):
        number, _, subtype = keys[n % len(keys)].partition("_")
        payload = random_payload(int(number), int(rng.integers(2, 120)), rng)
        if subtype:
            head = bytes([payload[1] & 254 | int(subtype) >> 7, int(subtype) << 1 & 255])
            payload = payload[:1] + head + payload[2:]
        for decode in decoders(int(number)):
            try:
                decode(payload)
            except RtcmError:
                refused += 1
    assert 5_000 < refused < 25_000


def decoders(number: int) -> list:
    chosen: list = [lambda p: encode_values(decode_values(p))]
    if number in STATION_MESSAGES:
        chosen.append(lambda p: encode_station_message(decode_station_message(p)))
    if number in EPHEMERIS_MESSAGES:
        chosen.append(lambda p: encode_ephemeris(decode_ephemeris(p, NOW)))
    return chosen


def test_a_stream_of_rubbish_and_good_frames() -> None:
    """10,000 frames of every kind, half of them spoiled, with noise between: the good ones come out, nothing grows."""
    rng = np.random.default_rng(14)
    good = [*good_payloads(), FRAME_1005[3:-3], FRAME_1019[3:-3]]
    parts, kept = [], 0
    for n in range(10_000):
        payload = good[n % len(good)]
        frame = encode_frame(payload if n % 2 else spoiled(payload, rng))
        if n % 7 == 0:
            frame = frame[: rng.integers(1, len(frame))]
        else:
            kept += 1
        parts.append(frame if n % 5 else frame + rng.bytes(int(rng.integers(0, 30))))
    data = b"".join(parts)
    decoder, summarizer, found = StreamDecoder(NOW), Summarizer(), 0
    for at in range(0, len(data), 5_000):
        events = decoder.feed(data[at : at + 5_000], NOW)
        summarizer.add(events)
        found += sum(len(record) > 0 for record in records(events[:20]))
    summarizer.add(decoder.close(NOW))
    assert kept <= sum(decoder.counts.values()) <= kept + 20
    assert summarizer.finish(decoder).frames == sum(decoder.counts.values()) and found
    assert len(decoder.diagnostics) <= KEPT_PER_CODE * len(Code)


def records(events: list) -> list[dict]:
    shown = [e for e in events if isinstance(e, tuple)]
    return [epoch_record(e, {}) if isinstance(e, StationEpoch) else message_record(e) for e in shown]


@given(st.binary(max_size=400), st.integers(0, 4095))
@settings(max_examples=150)
def test_any_payload_any_number(data: bytes, number: int) -> None:
    payload = bytes([number >> 4, (number & 15) << 4]) + data
    decoder = StreamDecoder(NOW)
    events = decoder.feed(encode_frame(payload), NOW) + decoder.close(NOW)
    assert events[0][1:] == (number, encode_frame(payload))  # type: ignore[index]
    assert decoder.counts == {number: 1}


def test_impossible_epochs_in_a_recording_do_not_spoil_its_weeks() -> None:
    """One false epoch of another day of the week, between good ones."""
    rows = observations(1, "G", 4)
    encoder = MsmEncoder(MsmType.MSM7)
    frames = [encoder.encode(NOW + k * 10**9, 1, rows) for k in range(9)]
    values = decode_values(read_frames(frames[4])[0].payload)
    frames[4] = encode_frame(encode_values(values | {"DF004": (values["DF004"] + 260_000_000) % 604_800_000}))
    recording = decode_padded(sealed([f[3:-3] for f in frames]), NOW)
    good = [k for k in range(9) if k != 4]
    assert recording.messages.gpst[good].tolist() == [NOW + k * 10**9 for k in good]
    assert recording.messages.rows.tolist() == [rows.satellite.size] * 9
    assert np.count_nonzero(recording.frames[:, columns.NUMBER] == 1077) == 9
