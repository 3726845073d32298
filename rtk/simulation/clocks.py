"""Receiver clocks: how far a receiver's time is off, and what its kind makes of that in tag, code and phase.

True reception time = tag - clock. A free-running oscillator's offset x (.5 ppm) is shown in one of three ways: code and
phase follow x less whole milliseconds; the code alone does and the phase runs on; or epochs drift off the second by x
and the tag follows in whole milliseconds (algorithms F.5, A.10). Steered and OCXO clocks show x itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.time import NS
from rtk.simulation import _kernels
from rtk.simulation.faults import ClockJump, Fault, JumpOf
from rtk.simulation.receivers import ReceiverClock
from rtk.simulation.sites import Site

_MS = 1e-3
_KNOTS_S = np.array([1.0, 4.0, 16.0, 64.0, 256.0, 1024.0])
# ns on each scale: white frequency noise of 1e-9 at 1 s, held by steering; 1e-11 of an oven; an unheld crystal.
_STEERED = np.array([0.7, 1.5, 3.0, 7.0, 14.0, 20.0]) * 1e-9
_OVEN = np.array([0.02, 0.04, 0.08, 0.2, 0.6, 2.0]) * 1e-9
_FREE = np.array([0.7, 1.5, 3.0, 7.0, 20.0, 60.0]) * 1e-9
_FREE_KINDS = (ReceiverClock.RESETS_BOTH, ReceiverClock.RESETS_CODE, ReceiverClock.MOVES_TAG)


class ClockReadings(NamedTuple):
    """Receivers' clocks at one nominal epoch; arrays [s]."""

    tag: NDArray[np.int64]
    """Tag minus nominal epoch, ns, whole milliseconds."""
    code: NDArray[np.float64]
    """Receiver clock in the code, s; also the error of the tag."""
    phase: NDArray[np.float64]
    """Receiver clock in the phase, s."""
    drift: NDArray[np.float64]
    """s/s."""

    @property
    def reception(self) -> NDArray[np.float64]:
        """True reception time minus nominal epoch, s."""
        return self.tag / NS - self.code


class ReceiverClocks:
    """The clocks of all receivers at any time."""

    def __init__(self, sites: tuple[Site, ...], seed: int, running: bool, faults: tuple[Fault, ...]) -> None:
        kinds = [site.clock for site in sites]
        self._kind = {kind: np.array([k is kind for k in kinds]) for kind in ReceiverClock}
        own = _kernels.mix(seed & 0xFFFFFFFF)
        self._keys = np.array([_kernels.key2(_kernels.key2(own, site.key), 7001) for site in sites], np.int64)
        draw = np.array([np.random.default_rng((seed, 203, site.key)).uniform(-1.0, 1.0, 2) for site in sites])
        draw = draw.reshape(-1, 2)
        free = np.array([kind in _FREE_KINDS for kind in kinds])
        oven = self._kind[ReceiverClock.OCXO]
        scale = float(running)
        self._offset = scale * draw[:, 0] * np.where(free, 0.4e-3, np.where(oven, 1e-4, 0.0))
        self._drift = scale * draw[:, 1] * np.where(free, 0.5e-6, np.where(oven, 2e-10, 0.0))
        self._amplitude = scale * np.array(
            [_FREE if f else _OVEN if o else _STEERED for f, o in zip(free, oven, strict=True)]
        )
        names = {site.name: row for row, site in enumerate(sites)}
        self._jumps = tuple((names[f.station], f) for f in faults if isinstance(f, ClockJump))

    def _oscillator(self, t: float) -> NDArray[np.float64]:
        out = np.empty(self._keys.size)
        _kernels.oscillator(t, self._keys, self._offset, self._drift, self._amplitude, _KNOTS_S, out)
        return out

    def at(self, elapsed_s: float) -> ClockReadings:
        """Readings at the nominal epoch `elapsed_s` after the start."""
        x = self._oscillator(elapsed_s)
        drift = self._oscillator(elapsed_s + 0.5) - self._oscillator(elapsed_s - 0.5)
        whole = np.floor(x / _MS + 0.5)
        resets = self._kind[ReceiverClock.RESETS_BOTH] | self._kind[ReceiverClock.RESETS_CODE]
        moves = self._kind[ReceiverClock.MOVES_TAG]
        # Epochs are allowed to drift 1.5 ms off the second, then are set right by 3 ms.
        wrapped = x - 3.0 * _MS * np.floor(x / (3.0 * _MS) + 0.5)
        tag_ms = np.where(moves, -np.floor(wrapped / _MS + 0.5), 0.0)
        code = np.where(resets, x - whole * _MS, np.where(moves, wrapped + tag_ms * _MS, x))
        phase = np.where(self._kind[ReceiverClock.RESETS_CODE], x, code)
        for row, fault in self._jumps:
            if fault.acts(elapsed_s):
                jump = fault.milliseconds * _MS
                code[row] += jump * (fault.of is not JumpOf.PHASE)
                phase[row] += jump * (fault.of is not JumpOf.CODE)
                tag_ms[row] += round(fault.milliseconds) * (fault.of is JumpOf.TAG)
        return ClockReadings((tag_ms * 1_000_000).astype(np.int64), code, phase, drift)
