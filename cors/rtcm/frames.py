"""RTCM 3 frames: whole ones out of a byte stream, and a frame around a payload.

Source: RTCM 10403.x section 4: preamble 0xD3, six reserved bits (a frame with any set is not accepted), ten bits of
length, payload, CRC-24Q.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cors.rtcm import _frame_kernels as kernels
from cors.rtcm.errors import UnencodableError
from cors.rtcm.scanner import Damage, FrameScanner

MAX_PAYLOAD = 1023


class Frame(NamedTuple):
    """A whole good frame as it came."""

    offset: int
    """Bytes from the start of the stream."""
    number: int
    """DF002; -1 where the payload is too short to hold one."""
    data: bytes
    """All of it, header and CRC included."""

    @property
    def payload(self) -> bytes:
        """What stands between header and CRC."""
        return self.data[3:-3]


class FrameReader:
    """Whole good frames of one stream, however its bytes are cut. Finds every one, also behind false headers."""

    def __init__(self) -> None:
        """At the start of a stream."""
        self._scanner = FrameScanner()

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """Frames completed by these bytes."""
        scanner = self._scanner
        return [frame for n in scanner.feed(data) for frame in frames_of(scanner, n)]

    def flush(self) -> list[Frame]:
        """Frames held back by an unfinished header, to be asked for when the stream falls silent; nothing is lost."""
        scanner = self._scanner
        return [frame for n in scanner.silence() for frame in frames_of(scanner, n)]

    def close(self) -> list[Frame]:
        """Frames held back at the end of the input; bytes that are no frame count as junk."""
        scanner = self._scanner
        return [frame for n in scanner.finish() for frame in frames_of(scanner, n)]

    def take_damage(self) -> list[Damage]:
        """Stretches of bad bytes since the last call, newest 64."""
        return self._scanner.take_damage()

    @property
    def frame_count(self) -> int:
        """Good frames so far."""
        return self._scanner.frames

    @property
    def junk_bytes(self) -> int:
        """Bytes outside good frames so far."""
        return self._scanner.junk_bytes

    @property
    def failed_headers(self) -> int:
        """Frames of known message numbers whose CRC failed."""
        return self._scanner.failed_headers


def frames_of(scanner: FrameScanner, n: int) -> list[Frame]:
    """Copies of the first n frames of a scanner's table."""
    memory, origin = scanner.memory, scanner.origin
    return [
        Frame(origin + first, number, bytes(memory[first : first + size]))
        for first, size, number in scanner.table[:n, :3].tolist()
    ]


def read_frames(data: bytes | bytearray | memoryview) -> list[Frame]:
    """All whole good frames of a piece of input that is complete."""
    reader = FrameReader()
    return reader.feed(data) + reader.close()


def encode_frame(payload: bytes) -> bytes:
    """Frame around a payload of at most 1023 bytes. Raises UnencodableError."""
    if len(payload) > MAX_PAYLOAD:
        raise UnencodableError(f"a payload of {len(payload)} bytes (a frame holds {MAX_PAYLOAD})")
    out = np.zeros(len(payload) + 6, np.uint8)
    out[3:-3] = np.frombuffer(payload, np.uint8)
    kernels.seal(out, 0, len(payload) + 3)
    return out.tobytes()


def crc24q(data: bytes) -> int:
    """CRC-24Q of bytes; 0 over a whole good frame."""
    padded = np.zeros(len(data) + kernels.PAD, np.uint8)
    padded[: len(data)] = np.frombuffer(data, np.uint8)
    return int(kernels.crc24q(padded, 0, len(data)))
