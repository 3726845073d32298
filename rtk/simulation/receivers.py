"""Invented makes of receivers: which signals they track and how each measures, with a make's habits and faults.

Habits that real makes have and networks must bear: different codes of one carrier, a GLONASS code-phase bias (the
real values 0, 19.06 and -71.94 m of message 1230), inter-frequency code biases, half cycles of BDS GEOs (K.4), phases
not aligned by quarter cycles (K.3), clocks that run free and jump by a millisecond in one of three ways (F.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import Constellation, is_beidou_2, is_beidou_geo, satellite_id
from cors.gnss.signals import FREQUENCY, SIGNALS, carrier_frequency, parse_signal, signal_code
from rtk.simulation import antennas
from rtk.simulation.constellations import transmits
from rtk.simulation.layout import SIGNALS_A_SATELLITE, SignalTables
from rtk.simulation.sky import Sky


class ReceiverClock(StrEnum):
    """How a receiver keeps its time."""

    STEERED = "steered"
    """TCXO held to about 30 ns."""
    OCXO = "ocxo"
    """Free, drifting by microseconds a day."""
    RESETS_BOTH = "resets_both"
    """Free by up to .5 ppm; at half a millisecond code and phase jump by one together."""
    RESETS_CODE = "resets_code"
    """The same, but the phase runs on. MSM cannot carry it beyond a millisecond."""
    MOVES_TAG = "moves_tag"
    """Free by up to .5 ppm; epochs drift off the second, and the tag says so in whole milliseconds."""


@dataclass(frozen=True, slots=True)
class Make:
    """One make. Signals are RINEX names by system; a satellite's are those it transmits."""

    name: str
    firmware: str
    signals: tuple[str, ...]
    msm: int = 7
    glonass_bias_m: float = 0.0
    """Code-phase bias of message 1230: aligned phase = phase + bias."""
    glonass_code_m: float = 0.5
    """Standard deviation of the inter-frequency code biases."""
    tells_biases: bool = True
    """False: it sends no 1230."""
    geo_half_cycle: bool = False
    aligned: bool = True
    half_cycle_ratio: float = 0.0
    """Share of locks whose first seconds have the half cycle open."""
    noise: float = 1.0


def _signals(text: str) -> tuple[str, ...]:
    """ "G 1C 2W; E 1C" -> ("G1C", "G2W", "E1C")."""
    return tuple(letter + code for letter, *codes in (group.split() for group in text.split(";")) for code in codes)


MAKES = {make.name: make for make in (
    Make("AQUILA A9", "5.50", _signals("G 1C 2W 5Q; R 1C 2C; E 1C 5Q 7Q; C 2I 6I 7I 1P 5P 7D; J 1C 2L 5Q")),
    Make("BOREAS B10", "6.14", _signals("G 1C 2W 2X 5X; R 1C 2C; E 1X 5X 7X; C 2I 6I 7I 1X 5X 7D; J 1C 2X 5X"),
         glonass_bias_m=19.06, half_cycle_ratio=0.3),
    Make("CORVUS C5", "4.11", _signals("G 1C 2L 5Q; R 1C 2C; E 1C 5Q 7Q; C 2I 6I 7I 1P 5P; J 1C 2L 5Q"),
         msm=5, glonass_bias_m=-71.94, geo_half_cycle=True, noise=1.1),
    Make("DORADO D20", "2.07", _signals("G 1C 2W; R 1C 2P; E 1C 5Q; C 2I 6I 7I; J 1C 2L"), msm=4, glonass_bias_m=19.06,
         glonass_code_m=0.8, tells_biases=False, noise=1.3),
    Make("ERIDANUS E8", "1.30", _signals("G 1C 2W 2L 5Q; R 1C 2C; E 1C 5Q 7Q; C 2I 6I 7I 1P 5P; J 1C 2L 5Q"),
         aligned=False),
    Make("FORNAX F1", "3.00", _signals("G 1C 2W 2L 5Q; R 1C 2C; E 1C 5Q 7Q; C 2I 6I 7I 1P 5P 7D; J 1C 2L 5Q")),
)}  # fmt: skip
"""Makes by receiver name. The rover is a FORNAX: L2, E5b, B2I and B2b beside L5, E5a, B3I, B1C and B2a."""

# RINEX 3.05 table A23 tells what an aligning receiver adds; one that does not differs by minus that (cycles).
_QUARTERS = {
    "G2S": 0.25, "G2L": 0.25, "G2X": 0.25, "G5Q": 0.25, "E5Q": 0.25, "E7Q": 0.25, "J5Q": 0.25, "G1L": -0.25,
    "G1P": -0.25, "G1W": -0.25,
}  # fmt: skip

# White code noise at 45 dB-Hz (m), scale of code multipath, C/N0 against L1 C/A (dB), by system and band (attribute).
_TRAITS = {
    "G1C": (0.16, 1.0, 0.0), "G2W": (0.16, 0.9, -7.0), "G2": (0.18, 1.0, -2.0), "G5": (0.04, 0.4, 1.5),
    "R1": (0.30, 1.3, -1.0), "R2": (0.30, 1.3, -3.0), "E1": (0.13, 0.7, 0.0), "E5": (0.04, 0.4, 1.0),
    "E7": (0.05, 0.4, 0.5), "C2": (0.12, 1.1, -0.5), "C6": (0.05, 0.7, 0.5), "C7I": (0.10, 1.0, 0.0),
    "C7": (0.05, 0.4, 0.5), "C1": (0.12, 0.7, 0.0), "C5": (0.04, 0.4, 1.0), "J1": (0.16, 1.0, -0.5),
    "J2": (0.18, 1.0, -2.0), "J5": (0.04, 0.4, 1.0),
}  # fmt: skip
_BEIDOU2_BAND = {"2": 0, "7": 1, "6": 2}

BEIDOU2_CODE = np.array([
    [[-0.55, -0.40, -0.34, -0.23, -0.15, -0.04, 0.09, 0.19, 0.27, 0.35],
     [-0.71, -0.36, -0.33, -0.19, -0.14, -0.03, 0.08, 0.17, 0.24, 0.33],
     [-0.27, -0.23, -0.21, -0.15, -0.11, -0.04, 0.05, 0.14, 0.19, 0.32]],
    [[-0.47, -0.38, -0.32, -0.23, -0.11, 0.06, 0.34, 0.69, 0.97, 1.05],
     [-0.40, -0.31, -0.26, -0.18, -0.06, 0.09, 0.28, 0.48, 0.64, 0.69],
     [-0.22, -0.15, -0.13, -0.10, -0.04, 0.05, 0.14, 0.27, 0.36, 0.47]],
])  # fmt: skip
"""Corrections (m) of Wanninger & Beer 2015, table 1 (CC BY 4.0): IGSO and MEO; B1I, B2I, B3I; 0, 10, ... 90 degrees."""


def beidou2_group(satellite: int) -> int:
    """Row of `BEIDOU2_CODE`, or -1 (GEO, BDS-3, other systems)."""
    if not is_beidou_2(satellite) or is_beidou_geo(satellite):
        return -1
    return 1 if satellite_id(satellite) in (11, 12, 14) else 0


def traits(name: str) -> tuple[float, float, float]:
    """Code noise at 45 dB-Hz (m), scale of code multipath, C/N0 offset (dB) of a signal name."""
    return _TRAITS.get(name) or _TRAITS[name[:2]]


def tracked(make: Make, satellite: int) -> list[int]:
    """Packed signals of a satellite that a receiver of this make tracks, ascending."""
    letter = "GRESJCI"[satellite >> 6]
    names = [name for name in make.signals if name[0] == letter and transmits(satellite, name[1:])]
    return sorted(parse_signal(name) for name in names)


def signal_tables(makes: list[Make], sky: Sky, seed: int, biased: bool, quarter_cycles: bool) -> SignalTables:
    """Tables [make, satellite, signal] of all makes in use."""
    m, n, k = len(makes), sky.satellites.size, SIGNALS_A_SATELLITE
    count, band, second = np.zeros((m, n), np.int64), np.zeros((m, n, k), np.int64), np.zeros((m, n, k), np.int64)
    signal = np.zeros((m, n, k), np.uint16)
    frequency, chip, multipath, cn0, delay, phase = (np.zeros((m, n, k)) for _ in range(6))
    cycles = np.zeros((m, n))
    for i, make in enumerate(makes):
        for j, satellite in enumerate(int(s) for s in sky.satellites):
            signals = tracked(make, satellite)
            count[i, j] = len(signals)
            cycles[i, j] = 0.5 * (
                make.geo_half_cycle and quarter_cycles and is_beidou_geo(satellite) and is_beidou_2(satellite)
            )
            for row, packed in enumerate(signals):
                code = signal_code(packed)
                signal[i, j, row] = packed
                frequency[i, j, row] = carrier_frequency(packed, int(sky.channels[j]))
                chip[i, j, row], multipath[i, j, row], cn0[i, j, row] = traits("GRESJCI"[satellite >> 6] + code)
                band[i, j, row] = antennas.band_row(satellite >> 6, packed)
                second[i, j, row] = _BEIDOU2_BAND.get(code[0], 0)
                delay[i, j, row] = 299_792_458.0 * sky.delay(j, code)
                carrier = round(frequency[i, j, row] / 1e3)  # signals of one carrier leave the satellite aligned
                phase[i, j, row] = biased * np.random.default_rng((seed, 106, satellite, carrier)).uniform()
    return SignalTables(count, signal, frequency, chip, multipath, cn0, band, second, delay, phase, cycles)


@dataclass(frozen=True, slots=True)
class Hardware:
    """Biases of one receiver (m): code, phase and its drift by packed signal, GLONASS code by satellite."""

    code: NDArray[np.float64]
    phase: NDArray[np.float64]
    drift: NDArray[np.float64]
    """Amplitude (m) of a swing of `period_s` in each signal's phase, about 1 mm an hour at its steepest."""
    period_s: float
    glonass_code: NDArray[np.float64]


def hardware(make: Make, seed: int, key: int, sky: Sky, biased: bool, glonass: bool, quarters: bool) -> Hardware:
    """The biases of one receiver: 4 ns RMS by make, 1 ns by receiver; phases anything within a metre."""
    brand = np.random.default_rng((seed, 201, *make.name.encode()))
    own = np.random.default_rng((seed, 202, key))
    code = 1.2 * brand.standard_normal(SIGNALS) + 0.3 * own.standard_normal(SIGNALS)
    phase = own.uniform(-1.0, 1.0, SIGNALS)
    period = own.uniform(3.0, 8.0) * 3600.0
    drift = own.uniform(-1.0, 1.0, SIGNALS) * 1e-3 * period / 3600.0 / (2.0 * np.pi)
    fdma = np.arange(SIGNALS) >> 6 == Constellation.GLONASS
    phase[fdma] *= 0.02  # what 1230 does not tell; more would be a slope over the channels
    if not biased:
        code[:], phase[:], drift[:] = 0.0, 0.0, 0.0
    channel_code = make.glonass_code_m * brand.standard_normal(14) + 0.1 * own.standard_normal(14)
    is_glonass = sky.satellites >> 6 == Constellation.GLONASS
    by_satellite = np.where(is_glonass, channel_code[np.clip(sky.channels + 7, 0, 13)], 0.0) * glonass
    phase[fdma] -= make.glonass_bias_m * glonass
    if quarters and not make.aligned:
        for name, cycles in _QUARTERS.items():
            packed = parse_signal(name)
            phase[packed] += cycles * 299_792_458.0 / FREQUENCY[packed]
    return Hardware(code, phase, drift, period, by_satellite)
