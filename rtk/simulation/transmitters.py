"""What a satellite's hardware does to its signals: clock noise, code delays, and what its message tells of them.

Delays are in seconds against the clock of the satellite's message (Galileo: of I/NAV), so that a code is
`P = ... - c (dt_s - delay)`; the message's group delays follow the interface documents (algorithms C.4) and leave out
what those leave out: the difference of C/A to P, L5, B1C, B2a and B2b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import Constellation, is_beidou_2

_NS = 1e-9
_L1_L2 = (77.0 / 60.0) ** 2
_E1_E5A = (1575.42 / 1176.45) ** 2
_E1_E5B = (1575.42 / 1207.14) ** 2
# White frequency noise at 1 s by system: rubidium, caesium, passive maser (Montenbruck et al., GPS Solutions).
_WHITE_FM = {
    Constellation.GPS: 2e-12, Constellation.GLONASS: 5e-12, Constellation.GALILEO: 1e-12, Constellation.QZSS: 2e-12,
    Constellation.BEIDOU: 2e-12,
}  # fmt: skip
# Half ranges of clock offset s and drift s/s that the messages can hold.
_OFFSET = {Constellation.GLONASS: 1e-4, Constellation.GALILEO: 2e-3}
_DRIFT = {Constellation.GLONASS: 2e-12, Constellation.BEIDOU: 2e-11}
_COMPONENTS = 24


@dataclass(frozen=True, slots=True)
class Transmitter:
    """One satellite's clock at the start and its delays."""

    offset: float
    drift: float
    group_delays: dict[str, float]
    """As the message tells them, by RINEX name, s."""
    delays: dict[str, float]
    """True delay of a code by RINEX band and attribute, or by band where all its codes share it, s."""

    def delay(self, code: str) -> float:
        """True delay of the code of this band and attribute, s."""
        return self.delays.get(code, self.delays.get(code[0], 0.0))


def _rounded(seconds: float, unit: float) -> float:
    return round(seconds / unit) * unit


def _gps(draw: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, float]]:
    tgd = _rounded((-5.5 + 12.5 * draw[2]) * _NS, 2.0**-31)
    true = tgd + 0.3 * _NS * draw[3]
    delays = {
        "1W": true, "2W": _L1_L2 * true, "1C": true + 1.5 * _NS * draw[4], "2": _L1_L2 * true + 1.5 * _NS * draw[5],
        "5": 10.0 * _NS * draw[6], "1": true + 1.5 * _NS * draw[7],
    }  # fmt: skip
    return {"TGD": tgd}, delays


def _galileo(draw: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, float]]:
    a, b = (_rounded((-5.0 + 10.0 * draw[k]) * _NS, 2.0**-32) for k in (2, 3))
    # The F/NAV clock is the I/NAV clock + a - b, each free of group delay in its own pair.
    delays = {"1": b, "7": _E1_E5B * b, "5": _E1_E5A * a - a + b, "8": 0.5 * (_E1_E5A + _E1_E5B) * b}
    delays = {band: delay + 0.2 * _NS * draw[4 + k] for k, (band, delay) in enumerate(delays.items())}
    return {"BGD_E1E5a": a, "BGD_E1E5b": b}, delays


def _beidou(satellite: int, draw: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, float]]:
    one = round(10.0 * (-8.0 + 33.0 * draw[2])) / 1e10  # tenths of ns
    two = round(10.0 * (-8.0 + 20.0 * draw[3])) / 1e10 if is_beidou_2(satellite) else one
    delays = {
        "6": 0.0, "2": one + 0.5 * _NS * draw[4], "7I": two + 0.5 * _NS * draw[5], "1": one + 5.0 * _NS * draw[6],
        "5": 15.0 * _NS * draw[7], "7": 15.0 * _NS * draw[8],
    }  # fmt: skip
    return {"TGD1": one, "TGD2": two}, delays


def _glonass(draw: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, float]]:
    delta = _rounded(6.0 * _NS * draw[2], 2.0**-30)
    return {"DELTA_TAU": delta}, {"1": 0.0, "2": delta + 0.5 * _NS * draw[3]}


def transmitter(seed: int, satellite: int, group_delays: bool) -> Transmitter:
    """The satellite's constants; without `group_delays` message and truth have none."""
    system = Constellation(satellite >> 6)
    draw = np.random.default_rng((seed, 102, satellite)).uniform(-1.0, 1.0, 12)
    offset, drift = _OFFSET.get(system, 3e-4) * draw[0], _DRIFT.get(system, 5e-12) * draw[1]
    told: dict[str, float] = {}
    delays: dict[str, float] = {}
    if system in (Constellation.GPS, Constellation.QZSS):
        told, delays = _gps(draw)
    elif system is Constellation.GALILEO:
        told, delays = _galileo(draw)
    elif system is Constellation.BEIDOU:
        told, delays = _beidou(satellite, draw)
    elif system is Constellation.GLONASS:
        told, delays = _glonass(draw)
    if not group_delays:
        told, delays = dict.fromkeys(told, 0.0), {}
    return Transmitter(offset, drift, told, delays)


class ClockNoise:
    """White frequency noise of satellite clocks as sums of waves, so that any instant can be asked for.

    Phase has the spectrum h^2/pi^2 f^-2, whose structure function is h^2 tau: ADEV h tau^-1/2 (Allan 1987).
    """

    def __init__(self, seed: int, satellites: NDArray[np.int16], scale: float) -> None:
        self._frequency = np.geomspace(1.0 / 86_400.0, 0.5, _COMPONENTS)
        step = math.log(self._frequency[1] / self._frequency[0])
        h = np.array([_WHITE_FM[Constellation(int(s) >> 6)] for s in satellites])[:, None] * scale
        self._amplitude = h / math.pi * np.sqrt(step / self._frequency)[None, :]
        phases = [
            np.random.default_rng((seed, 103, int(s))).uniform(0.0, 2.0 * math.pi, _COMPONENTS) for s in satellites
        ]
        self._phase = np.array(phases).reshape(-1, _COMPONENTS)

    def at(self, elapsed_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Clock errors [satellites, instants] in s."""
        angle = 2.0 * math.pi * self._frequency[:, None] * elapsed_s[None, :]
        sin, cos = np.sin(angle), np.cos(angle)
        return (self._amplitude * np.cos(self._phase)) @ sin + (self._amplitude * np.sin(self._phase)) @ cos
