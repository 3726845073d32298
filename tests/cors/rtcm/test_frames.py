"""Framing: the check value of CRC-24Q, real frames, and every arrangement in which a careless reader loses some."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cors.rtcm import _decode_kernels, _frame_kernels
from cors.rtcm.errors import UnencodableError
from cors.rtcm.frames import Frame, FrameReader, crc24q, encode_frame, read_frames
from cors.rtcm.scanner import FRAME_BYTES, FrameScanner
from tests.cors.rtcm.samples import FRAME_1005, FRAME_1029, FRAME_1127, FRAME_1230

LONG = encode_frame(b"\x43\x50" + bytes(range(256)) * 3 + bytes(200))  # 1077 by its number, nothing else


def bitwise_crc(data: bytes) -> int:
    """CRC-24Q as its definition has it, polynomial 0x1864CFB."""
    register = 0
    for byte in data:
        register ^= byte << 16
        for _ in range(8):
            register = register << 1 ^ (0x1864CFB if register & 0x800000 else 0)
    return register


@pytest.mark.kernel
def test_crc_is_that_of_the_definition() -> None:
    assert crc24q(bytes.fromhex("d30000")) == 0x47EA4B  # published check value
    for frame in (FRAME_1005, FRAME_1127, FRAME_1230, FRAME_1029):
        assert crc24q(frame) == 0
    data = np.random.default_rng(1).bytes(60)
    for size in (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 60):
        assert crc24q(data[:size]) == bitwise_crc(data[:size])


@pytest.mark.kernel
def test_a_frame_goes_round_its_payload() -> None:
    assert encode_frame(FRAME_1005[3:-3]) == FRAME_1005
    assert read_frames(encode_frame(b"")) == [Frame(0, -1, bytes.fromhex("d3000047ea4b"))]
    with pytest.raises(UnencodableError, match="1024"):
        encode_frame(bytes(1024))


def test_columns_are_those_of_both_kernel_files() -> None:
    assert (_frame_kernels.OFFSET, _frame_kernels.LENGTH, _frame_kernels.NUMBER) == (
        _decode_kernels.OFFSET, _decode_kernels.LENGTH, _decode_kernels.NUMBER,
    )  # fmt: skip


CASES = {
    "back to back": ([FRAME_1005, LONG, FRAME_1230], [0, 1, 2]),
    "other protocols between": ([b"\x00\xff$GPGGA,1*00\r\n", FRAME_1005, b"\xb5\x62\x01", FRAME_1230], [1, 3]),
    "a false header of 1023 bytes": ([b"\xd3\x03\xff", FRAME_1005, FRAME_1230, FRAME_1029], [1, 2, 3]),
    "a false header into the next frame": ([b"\xd3\x00\x04", FRAME_1005, FRAME_1230], [1, 2]),
    "reserved bits set": ([b"\xd3\x04\x13", FRAME_1005], [1]),
    "a bad CRC": ([FRAME_1005[:-1] + b"\x99", FRAME_1230], [1]),
    "a length that lies": ([FRAME_1127[:2] + b"\x50" + FRAME_1127[3:], FRAME_1005, FRAME_1230], [1, 2]),
    "preambles inside a payload": ([encode_frame(b"\x43\x50\x00\xd3\x00\x13\x3e\xd3\xd3\x00\x00"), FRAME_1005], [0, 1]),
    "an empty frame": ([encode_frame(b""), FRAME_1005], [0, 1]),
    "the shortest with a number": ([encode_frame(b"\xff\xf0"), FRAME_1005], [0, 1]),
    "the longest": ([encode_frame(b"\x4c\xe0" + bytes(1021)), FRAME_1005], [0, 1]),
    "a cut end": ([FRAME_1005, LONG[:40]], [0]),
    "two preambles": ([b"\xd3", FRAME_1005], [1]),
}


@pytest.mark.kernel
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", [1, 3, 50, 10_000])
def test_good_frames_are_found_however_the_bytes_are_cut(name: str, step: int) -> None:
    parts, good = CASES[name]
    data = b"".join(parts)
    offsets = np.cumsum([0] + [len(part) for part in parts])
    reader = FrameReader()
    found = [frame for at in range(0, len(data), step) for frame in reader.feed(data[at : at + step])]
    assert reader.flush() == []  # nothing here waits for silence
    assert found + reader.close() == [Frame(int(offsets[k]), found[i].number, parts[k]) for i, k in enumerate(good)]
    assert reader.junk_bytes == len(data) - sum(len(parts[k]) for k in good)
    assert sum(d.size for d in reader.take_damage()) == reader.junk_bytes


def test_a_known_number_holds_the_stream_back_until_it_falls_silent() -> None:
    reader = FrameReader()
    false_header = b"\xd3\x03\xff\x3e\xd0"  # announces a 1005 of 1023 bytes
    assert reader.feed(false_header + FRAME_1230) == []
    assert [f.data for f in reader.flush()] == [FRAME_1230]
    assert reader.feed(LONG[:500]) == [] and reader.flush() == []  # a frame under way is not given up
    assert [f.data for f in reader.feed(LONG[500:])] == [LONG]


def test_failed_frames_are_shown_with_their_bytes() -> None:
    reader = FrameReader()
    broken = FRAME_1127[:20] + bytes([FRAME_1127[20] ^ 4]) + FRAME_1127[21:]
    assert [f.number for f in reader.feed(FRAME_1005 + broken + FRAME_1230)] == [1005, 1230]
    damage = reader.take_damage()
    assert [(d.offset, d.size, d.failed_headers) for d in damage] == [(25, 71, 1)]
    assert damage[0].data == broken[:64]
    assert reader.failed_headers == 1 and reader.take_damage() == []


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([FRAME_1005, FRAME_1127, FRAME_1230, b"\xd3"]))))
@settings(max_examples=100)
def test_cutting_never_changes_what_is_found(parts: list[bytes]) -> None:
    data = b"".join(parts)
    whole = read_frames(data)
    reader = FrameReader()
    assert [f for byte in data for f in reader.feed(bytes([byte]))] + reader.close() == whole
    assert reader.junk_bytes == len(data) - sum(len(f.data) for f in whole)
    for frame in whole:
        assert data[frame.offset : frame.offset + len(frame.data)] == frame.data and bitwise_crc(frame.data) == 0


def test_good_frames_around_rubbish_survive() -> None:
    """50,000 stretches of random bytes, rich in preambles, with a frame behind each."""
    rng = np.random.default_rng(7)
    frames = [FRAME_1005, FRAME_1127, FRAME_1230, FRAME_1029]
    stretches = rng.integers(0, 256, (50_000, 24), dtype=np.uint8)
    stretches[rng.random(stretches.shape) < 0.2] = 0xD3
    stretches[rng.random(stretches.shape) < 0.2] = 0
    data = b"".join(s.tobytes()[: n % 25] + frames[n % 4] for n, s in enumerate(stretches))
    reader = FrameReader()
    found = reader.feed(data) + reader.close()
    assert [f.data for f in found if f.data in frames] == [frames[n % 4] for n in range(50_000)]
    assert reader.junk_bytes + sum(len(f.data) for f in found) == len(data)


def test_memory_is_bounded_whatever_comes() -> None:
    scanner = FrameScanner()
    rubbish = b"\xd3\x03\xff\x3e\xd0" * 20_000  # every fifth byte a header that wants more
    for _ in range(5):
        assert list(scanner.feed(rubbish)) == []
        assert scanner.pending_bytes < FRAME_BYTES
    assert len(scanner.buffer) < 20_000 and len(scanner.take_damage()) <= 64
    assert scanner.junk_bytes + scanner.pending_bytes == 5 * len(rubbish)
