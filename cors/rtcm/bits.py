"""Bits of a payload one field at a time, most significant first, for what is not worth a kernel."""

from __future__ import annotations

from cors.rtcm.errors import DamagedMessageError


class BitReader:
    """Takes fields off the front of a payload."""

    def __init__(self, payload: bytes) -> None:
        """Start at the first bit."""
        self._payload = payload
        self._at = 0

    @property
    def left(self) -> int:
        """Bits not taken yet."""
        return 8 * len(self._payload) - self._at

    def take(self, bits: int) -> int:
        """The next field as an unsigned integer. Raises DamagedMessageError at the end."""
        end = self._at + bits
        if end > 8 * len(self._payload):
            raise DamagedMessageError(f"payload of {len(self._payload)} bytes ends inside a field of {bits} bits")
        last = (end + 7) >> 3
        word = int.from_bytes(self._payload[self._at >> 3 : last], "big") >> (8 * last - end)
        self._at = end
        return word & ((1 << bits) - 1)


class BitWriter:
    """Puts fields one behind the other."""

    def __init__(self) -> None:
        """Empty."""
        self._word = 0
        self._bits = 0

    def put(self, value: int, bits: int) -> None:
        """Append the low `bits` of `value`."""
        self._word = self._word << bits | (value & ((1 << bits) - 1))
        self._bits += bits

    def payload(self) -> bytes:
        """What was put, filled with zero bits to a whole byte."""
        size = (self._bits + 7) >> 3
        return (self._word << (8 * size - self._bits)).to_bytes(size, "big")
