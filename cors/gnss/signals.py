"""Signals as uint16: constellation << 6 | id - 1. Ids 1..32 are RTCM MSM's, 33..64 RINEX signals MSM cannot carry.

An MSM id without a name here stays under its number ("G#13") and is passed on. Frequencies are nominal; GLONASS
FDMA bands need the satellite's channel. Sources: RTCM 10403.x MSM tables (DF395), RINEX 3.05/4.02 table of codes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import CONSTELLATIONS, LETTERS, Constellation, constellation_of

_G, _R, _E, _S, _J, _C, _I = Constellation

# MSM signal id -> RINEX band and attribute.
_MSM = {
    _G: {2: "1C", 3: "1P", 4: "1W", 8: "2C", 9: "2P", 10: "2W", 15: "2S", 16: "2L", 17: "2X",
         22: "5I", 23: "5Q", 24: "5X", 30: "1S", 31: "1L", 32: "1X"},
    _R: {2: "1C", 3: "1P", 8: "2C", 9: "2P"},
    _E: {2: "1C", 3: "1A", 4: "1B", 5: "1X", 6: "1Z", 8: "6C", 9: "6A", 10: "6B", 11: "6X", 12: "6Z",
         14: "7I", 15: "7Q", 16: "7X", 18: "8I", 19: "8Q", 20: "8X", 22: "5I", 23: "5Q", 24: "5X"},
    _S: {2: "1C", 22: "5I", 23: "5Q", 24: "5X"},
    _J: {2: "1C", 3: "1E", 9: "6S", 10: "6L", 11: "6X", 15: "2S", 16: "2L", 17: "2X",
         22: "5I", 23: "5Q", 24: "5X", 30: "1S", 31: "1L", 32: "1X"},
    _C: {2: "2I", 3: "2Q", 4: "2X", 8: "6I", 9: "6Q", 10: "6X", 14: "7I", 15: "7Q", 16: "7X",
         22: "5D", 23: "5P", 24: "5X", 25: "7D", 26: "7P", 27: "7Z", 30: "1D", 31: "1P", 32: "1X"},
    _I: {8: "9A", 22: "5A"},
}  # fmt: skip

# Accepted on input, never sent: not in 10403.3 (J1E) or by a report of an amendment only (C7P, C7Z).
_INPUT_ONLY = {(_J, 3), (_C, 26), (_C, 27)}

# RINEX codes without an MSM id, numbered from 33 in this order; append only.
_RINEX_ONLY = {
    _G: ("1M", "1N", "1Y", "2D", "2M", "2N", "2Y"),
    _R: ("3I", "3Q", "3X", "4A", "4B", "4X", "6A", "6B", "6X"),
    _E: (),
    _S: (),
    _J: ("1B", "1Z", "5D", "5P", "5Z", "6E", "6Z"),
    _C: ("1A", "1N", "6A", "1S", "1L", "1Z", "6D", "6P", "6Z", "8D", "8P", "8X"),
    _I: ("5B", "5C", "5X", "9B", "9C", "9X", "1D", "1P", "1X"),
}

_BANDS_MHZ = {
    _G: {"1": 1575.42, "2": 1227.60, "5": 1176.45},
    _R: {"1": 1602.0, "2": 1246.0, "3": 1202.025, "4": 1600.995, "6": 1248.06},
    _E: {"1": 1575.42, "5": 1176.45, "7": 1207.14, "8": 1191.795, "6": 1278.75},
    _S: {"1": 1575.42, "5": 1176.45},
    _J: {"1": 1575.42, "2": 1227.60, "5": 1176.45, "6": 1278.75},
    _C: {"2": 1561.098, "1": 1575.42, "5": 1176.45, "7": 1207.14, "8": 1191.795, "6": 1268.52},
    _I: {"5": 1176.45, "9": 2492.028, "1": 1575.42},
}

SIGNALS = CONSTELLATIONS << 6
"""Length of tables indexed by a packed signal."""
GLONASS_G1_STEP = 562_500.0
GLONASS_G2_STEP = 437_500.0
UNKNOWN_CHANNEL = -128
"""Stands for a GLONASS frequency channel nobody has told."""


def _tables() -> tuple[dict[int, str], dict[tuple[int, str], int], NDArray[np.float64], NDArray[np.float64]]:
    codes: dict[int, str] = {}
    for system in Constellation:
        numbered = _MSM[system] | {33 + i: code for i, code in enumerate(_RINEX_ONLY[system])}
        codes |= {system << 6 | number - 1: code for number, code in numbered.items()}
    frequency = np.full(SIGNALS, np.nan)
    step = np.zeros(SIGNALS)
    for signal, code in codes.items():
        system = Constellation(signal >> 6)
        frequency[signal] = _BANDS_MHZ[system][code[0]] * 1e6
        if system is _R and code[0] in "12":
            step[signal] = GLONASS_G1_STEP if code[0] == "1" else GLONASS_G2_STEP
    frequency.flags.writeable = step.flags.writeable = False
    return codes, {(signal >> 6, code): signal for signal, code in codes.items()}, frequency, step


_CODES, _SIGNALS, FREQUENCY, CHANNEL_STEP = _tables()
"""FREQUENCY [448] Hz by packed signal, NaN where unknown; CHANNEL_STEP [448] Hz a GLONASS channel, else 0."""


def pack_signal(constellation: int, signal_id: int) -> int:
    """Packed signal of a constellation and an id 1..64. Raises ValueError."""
    if not 1 <= signal_id <= 64:
        raise ValueError(f"signal id {signal_id} (expected 1..64)")
    return constellation << 6 | signal_id - 1


def signal_id(signal: int) -> int:
    """Id 1..64; up to 32 it is the MSM id."""
    return (signal & 63) + 1


def signal_code(signal: int) -> str:
    """RINEX band and attribute ("1C"), or "#13" for an MSM id without a name."""
    return _CODES.get(signal, f"#{signal_id(signal)}")


def signal_name(signal: int) -> str:
    """System letter and code: "G1C", "C5P", "G#13"."""
    return LETTERS[signal >> 6] + signal_code(signal)


def find_signal(constellation: int, code: str) -> int | None:
    """Packed signal of a RINEX code ("1C"), or None where the constellation has no such signal."""
    return _SIGNALS.get((constellation, code))


def parse_signal(name: str) -> int:
    """Packed signal of "G1C"-like names. Raises ValueError."""
    signal = find_signal(constellation_of(name[:1]), name[1:])
    if signal is None:
        raise ValueError(f"not a signal: {name!r} (expected for example G1C or C5P)")
    return signal


def is_encodable(signal: int) -> bool:
    """True where MSM has a place for the signal that may be sent."""
    return (
        signal in _CODES and (signal & 63) < 32 and (Constellation(signal >> 6), signal_id(signal)) not in _INPUT_ONLY
    )


def carrier_frequency(signal: int, channel: int = UNKNOWN_CHANNEL) -> float:
    """Carrier in Hz; NaN for an unknown signal, or a GLONASS FDMA signal whose channel is unknown."""
    step = float(CHANNEL_STEP[signal])
    if step and channel == UNKNOWN_CHANNEL:
        return float("nan")
    return float(FREQUENCY[signal]) + (channel * step if step else 0.0)
