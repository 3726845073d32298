"""A receiver with a known truth: ranges, clock, ionosphere, integers and every slip are ours to set."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations
from cors.gnss.satellites import parse_satellite
from cors.gnss.signals import carrier_frequency, parse_signal
from cors.gnss.time import NS
from cors.quality.judgement import Judgement, ModelledRanges
from cors.quality.tracker import StationTracker

START = 1_400_000_000 * NS
C = 299_792_458.0


class Receiver:
    """Rows of all `codes` a satellite; ionosphere rates up to `iono_rate` m/s and a wave of `scintillation` m."""

    def __init__(
        self, satellites: Iterable[str], codes: Iterable[str], seed: int = 1, iono_rate: float = 0.002,
        scintillation: float = 0.0, turn: float = 0.05, phase_noise: float = 0.003, code_noise: float = 0.3,
    ) -> None:  # fmt: skip
        rng = np.random.default_rng(seed)
        names = sorted(satellites, key=parse_satellite)
        rows = sorted(
            (parse_satellite(name), parse_signal(code)) for name in names for code in codes if code[0] == name[0]
        )
        self.satellite = np.array([row[0] for row in rows], np.int16)
        self.signal = np.array([row[1] for row in rows], np.uint16)
        self.satellites, self.inverse = np.unique(self.satellite, return_inverse=True)
        frequency = np.array([carrier_frequency(int(signal), 0) for signal in self.signal])
        self.wavelength, self.mu = C / frequency, (1575.42e6 / frequency) ** 2
        n = len(self.satellites)
        self._distance, self._rate, self._bend = rng.uniform(2e7, 2.5e7, n), rng.uniform(-700, 700, n), rng.uniform(
            -0.1, 0.1, n
        )  # fmt: skip
        self._iono, self._iono_rate = rng.uniform(1, 20, n), rng.uniform(-iono_rate, iono_rate, n)
        self._scintillation, self._turn = scintillation, turn
        self._phase_noise, self._code_noise = phase_noise, code_noise
        self.integers = rng.integers(-(10**6), 10**6, len(rows)).astype(float)
        self.code_clock = self.phase_clock = 0.0
        self.model_offset = np.zeros(n)
        self.issue = np.zeros(n, np.int64)
        self._rng = rng

    def rows(self, satellite: str, code: str | None = None) -> NDArray[np.intp]:
        """Rows of a satellite, or of one of its signals."""
        mask = self.satellite == parse_satellite(satellite)
        return np.flatnonzero(mask if code is None else mask & (self.signal == parse_signal(code)))

    def epoch(self, seconds: float) -> tuple[int, Observations, ModelledRanges]:
        """Tag, rows and modelled ranges at `seconds` after the start."""
        t, n = seconds, len(self.satellite)
        rho = self._distance + self._rate * t + 0.5 * self._bend * t * t
        clock = 3e4 + 37.0 * t + 0.3 * np.sin(t)
        iono = self._iono + self._iono_rate * t + self._scintillation * np.sin(self._turn * t + np.arange(len(rho)))
        noise = self._rng.normal(0.0, 1.0, (2, n))
        pseudorange = rho[self.inverse] + clock + self.code_clock + self.mu * iono[self.inverse]
        phase = rho[self.inverse] + clock + self.phase_clock - self.mu * iono[self.inverse]
        rate = (self._rate + self._bend * t)[self.inverse] + 37.0 + 0.3 * np.cos(t)
        observations = Observations(
            self.satellite, self.signal, pseudorange + self._code_noise * noise[0],
            phase + self.wavelength * self.integers + self._phase_noise * noise[1], rate, np.full(n, 45, np.float32),
            np.full(n, np.nan, np.float32), np.zeros(n, np.uint8),
        )  # fmt: skip
        ranges = ModelledRanges(
            (rho + self.model_offset)[self.inverse], np.full(n, np.radians(45.0)), self.issue[self.inverse]
        )
        return START + round(t * NS), observations, ranges


def run(
    tracker: StationTracker, receiver: Receiver, begin: int, end: int, ranges: bool = True, step: float = 1.0
) -> list[Judgement]:
    """Judge epochs `begin` to `end` - 1, `step` seconds apart."""
    judged = []
    for k in range(begin, end):
        tag, observations, modelled = receiver.epoch(k * step)
        judged.append(tracker.step(tag, observations, modelled if ranges else None))
    return judged
