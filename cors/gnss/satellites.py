"""Satellites as int16: constellation << 6 | id - 1, in the order of RTCM MSM.

Ids are those of the MSM satellite masks (rtcm DF394), not PRNs: S20 is PRN 120 = id 1, J01 is PRN 193 = id 1.
Names ("G07", "S20", "J01", as RINEX writes them) exist at the edges only.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache


class Constellation(IntEnum):
    """In RTCM MSM's order; the value is the high part of packed satellites and signals."""

    GPS = 0
    GLONASS = 1
    GALILEO = 2
    SBAS = 3
    QZSS = 4
    BEIDOU = 5
    NAVIC = 6

    @property
    def letter(self) -> str:
        """RINEX system letter."""
        return "GRESJCI"[self]


CONSTELLATIONS = 7
LETTERS = "GRESJCI"
MAX_ID = 64


def constellation_of(letter: str) -> Constellation:
    """Constellation of a RINEX system letter. Raises ValueError."""
    index = LETTERS.find(letter) if len(letter) == 1 else -1
    if index < 0:
        raise ValueError(f"not a constellation letter: {letter!r} (expected one of {', '.join(LETTERS)})")
    return Constellation(index)


def pack_satellite(constellation: int, satellite_id: int) -> int:
    """Packed satellite of a constellation and an MSM id 1..64. Raises ValueError."""
    if not 1 <= satellite_id <= MAX_ID:
        raise ValueError(f"satellite id {satellite_id} of {Constellation(constellation).name} (expected 1..64)")
    return constellation << 6 | satellite_id - 1


def satellite_id(satellite: int) -> int:
    """MSM id 1..64."""
    return (satellite & 63) + 1


def constellation(satellite: int) -> Constellation:
    """Constellation of a packed satellite (or signal)."""
    return Constellation(satellite >> 6)


@cache
def satellite_name(satellite: int) -> str:
    """RINEX name of a packed satellite: "G07", "R24", "S20" (PRN 120), "J01" (PRN 193)."""
    number = satellite_id(satellite)
    return f"{constellation(satellite).letter}{number + 19 if satellite >> 6 == Constellation.SBAS else number:02d}"


@cache
def parse_satellite(name: str) -> int:
    """Packed satellite of a RINEX name; "G 7" and "G7" are read too. Raises ValueError."""
    try:
        system = constellation_of(name[:1])
        number = int(name[1:])
        return pack_satellite(system, number - 19 if system is Constellation.SBAS else number)
    except ValueError as error:
        raise ValueError(f"not a satellite: {name!r} (expected for example G07)") from error


def is_beidou_geo(satellite: int) -> bool:
    """True for the ids reserved for BDS GEOs, C01-C05 and C59-C63 (D2 message, 5 degree frame of the ICD)."""
    return satellite >> 6 == Constellation.BEIDOU and ((satellite & 63) < 5 or 58 <= (satellite & 63) < 63)


def is_beidou_2(satellite: int) -> bool:
    """True for the BDS-2 ids C01-C16 (regional system), False for BDS-3 and other constellations."""
    return satellite >> 6 == Constellation.BEIDOU and (satellite & 63) < 16
