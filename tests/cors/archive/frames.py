"""RTCM frames for archive tests: a 1005 of a public example and made-up ones of any size, with right CRCs."""

from __future__ import annotations

STATION_1005 = bytes.fromhex("d300133ed7d30202980edeef34b4bd62ac0941986f33360b98")
"""Message 1005 of station 2003: the worked example of the RTCM 10403 standard."""


def crc24q(data: bytes) -> int:
    """CRC-24Q bit by bit: polynomial 0x1864CFB, initial 0."""
    crc = 0
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc


def frame(number: int, payload: bytes) -> bytes:
    """A frame of message `number` with any payload behind the number."""
    content = (number << 4).to_bytes(2, "big") + payload
    body = b"\xd3" + len(content).to_bytes(2, "big") + content
    return body + crc24q(body).to_bytes(3, "big")


def test_the_crc_is_rtcms() -> None:
    assert crc24q(STATION_1005) == 0 and crc24q(bytes.fromhex("d30000")) == 0x47EA4B
