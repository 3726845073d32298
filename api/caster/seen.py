"""What a stream carries, learnt from the epochs that pass, so that the sourcetable is true: types, rates, place.

Walks whole RTCM 3 frames by their length and looks at the type only; 1005 and 1006 also give the place, rounded as the
table rounds it. What is no frame ends the look at that epoch: judging frames is `cors.rtcm`'s. Sources: RTCM 10403.3
(frame, DF002, DF025-DF027), message numbers as in rtcm.md.
"""

from __future__ import annotations

import math

from api.caster.mountpoints import SYSTEM_NAMES
from cors.gnss.coordinates import geodetic_from_ecef
from cors.gnss.satellites import Constellation

FORGOTTEN_S = 300.0
"""A type not seen for so long (or three intervals) is no longer told."""
MOST_TYPES = 128
_GAIN = 0.2

_MSM = {
    107: Constellation.GPS, 108: Constellation.GLONASS, 109: Constellation.GALILEO, 110: Constellation.SBAS,
    111: Constellation.QZSS, 112: Constellation.BEIDOU, 113: Constellation.NAVIC,
}  # fmt: skip
"""Constellation of MSM numbers by their first three digits."""
_LEGACY = {
    **dict.fromkeys((1001, 1002, 1003, 1004, 1015, 1016, 1017, 1034), Constellation.GPS),
    **dict.fromkeys((1009, 1010, 1011, 1012, 1035, 1037, 1038, 1039), Constellation.GLONASS),
}  # fmt: skip


def constellation_of_type(number: int) -> Constellation | None:
    """The system whose observations a message type carries."""
    return _MSM.get(number // 10) if 1 <= number % 10 <= 7 and number // 10 in _MSM else _LEGACY.get(number)


class _Seen:
    __slots__ = ("interval", "last")

    def __init__(self, now: float) -> None:
        self.last = now
        self.interval = math.nan

    def again(self, now: float) -> None:
        gap = now - self.last
        if gap < 0.02:
            return  # the same epoch: one of several frames of a type
        known = not math.isnan(self.interval)
        self.interval = self.interval + _GAIN * (gap - self.interval) if known else gap
        self.last = now


class StreamWatch:
    """What one stream was seen to carry."""

    __slots__ = ("_bytes", "_since", "_types", "bitrate", "place")

    def __init__(self) -> None:
        self._types: dict[int, _Seen] = {}
        self._bytes = 0
        self._since: float | None = None
        self.bitrate: int | None = None
        """bit/s over the last ten seconds or more."""
        self.place: tuple[float, float] | None = None
        """Latitude and longitude, degrees, of the last 1005 or 1006."""

    def saw(self, epoch: bytes, now: float) -> None:
        """Look at one epoch: whole frames. Raises nothing."""
        self._measure(len(epoch), now)
        position = 0
        while position + 8 <= len(epoch) and epoch[position] == 0xD3:
            length = (epoch[position + 1] & 0x03) << 8 | epoch[position + 2]
            number = epoch[position + 3] << 4 | epoch[position + 4] >> 4
            seen = self._types.get(number)
            if seen is not None:
                seen.again(now)
            elif len(self._types) < MOST_TYPES:
                self._types[number] = _Seen(now)
            if number in (1005, 1006) and 19 <= length <= len(epoch) - position - 6:
                self.place = _place(epoch[position + 3 : position + 22])
            position += length + 6

    def details(self, now: float) -> str:
        """Format details of the sourcetable: `1005(10),1077(1)`."""
        return ",".join(
            f"{number}({_rounded(seen.interval)})" if not math.isnan(seen.interval) else str(number)
            for number, seen in sorted(self._types.items())
            if now - seen.last < max(FORGOTTEN_S, 3.0 * seen.interval if seen.interval == seen.interval else 0.0)
        )

    def systems(self) -> str:
        """Nav-system of the sourcetable: `GPS+GLO+GAL+BDS`."""
        found = {constellation_of_type(number) for number in self._types}
        return "+".join(name for name, system in SYSTEM_NAMES.items() if system in found)

    def _measure(self, length: int, now: float) -> None:
        if self._since is None:
            self._since, self._bytes = now, 0
        self._bytes += length
        if now - self._since >= 10.0:
            self.bitrate = round((self._bytes - length) * 8.0 / (now - self._since))
            self._since, self._bytes = now, length


def _rounded(interval: float) -> str:
    return f"{interval:.1f}".removesuffix(".0") if interval < 0.95 else str(round(interval))


def _place(payload: bytes) -> tuple[float, float] | None:
    """Latitude and longitude of the first 19 bytes of 1005 or 1006; None at the Earth's centre."""
    bits = int.from_bytes(payload)
    xyz = [_signed(bits >> shift & (1 << 38) - 1) * 1e-4 for shift in (80, 40, 0)]
    if math.hypot(*xyz) < 6_000_000.0:
        return None
    latitude, longitude, _ = geodetic_from_ecef(xyz)
    return math.degrees(float(latitude)), math.degrees(float(longitude))


def _signed(value: int) -> int:
    return value - (1 << 38) if value >> 37 else value
