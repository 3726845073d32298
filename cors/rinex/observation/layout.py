"""Tables for the reading kernels: which field of a satellite's line is what, in metres a cycle.

Made once for every set of observation types a file has. Wavelengths of GLONASS FDMA need the channels; a satellite
without one has NaN, so its phases come out absent and are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.satellites import CONSTELLATIONS, LETTERS, Constellation
from cors.gnss.signals import CHANNEL_STEP, FREQUENCY, UNKNOWN_CHANNEL
from cors.rinex.observation.codes import NONE, CodePlan, plan_2, plan_3
from cors.rinex.observation.header import ObservationHeader
from cors.rinex.observation.tables import Layout

_SATELLITES = CONSTELLATIONS << 6
CHANNELS = range(-7, 14)
"""Channels that satellites have had (8..13 until 2005)."""


def code_plans(header: ObservationHeader) -> tuple[CodePlan, ...]:
    """Plan of each constellation, in their order; without codes where it has none."""
    if header.major == 2:
        return tuple(plan_2(header.version, letter, header.codes(letter)) for letter in LETTERS)
    return tuple(plan_3(header.version, letter, header.codes(letter)) for letter in LETTERS)


def build_layout(header: ObservationHeader, channels: Mapping[int, int]) -> Layout:
    """Kernel tables of a header, not to be written to; `channels` are GLONASS frequency channels by slot number."""
    factors = tuple(sorted(header.scale_factors.items()))
    return _layout(code_plans(header), factors, tuple(sorted(channels.items())))


@lru_cache(maxsize=64)
def _layout(
    plans: tuple[CodePlan, ...], factors: tuple[tuple[tuple[str, str], int], ...], channels: tuple[tuple[int, int], ...]
) -> Layout:
    width = max(1, *(len(plan.codes) for plan in plans))
    depth = max(1, *(len(plan.slots) for plan in plans))
    layout = Layout(
        fields=np.array([len(plan.codes) for plan in plans], np.int64),
        slots=np.array([len(plan.slots) for plan in plans], np.int64),
        kind=np.zeros((CONSTELLATIONS, width), np.uint8),
        divisor=np.full((CONSTELLATIONS, width), 1000.0),
        table=np.full((CONSTELLATIONS, depth, 7), NONE, np.int64),
        signal=np.zeros((CONSTELLATIONS, depth), np.uint16),
        wavelength=np.full((_SATELLITES, depth), np.nan),
    )
    for system, plan in enumerate(plans):
        _fill(layout, system, plan)
        for (letter, code), factor in factors:
            if letter == LETTERS[system] and code in plan.codes:
                layout.divisor[system, plan.codes.index(code)] *= factor
    by_slot = channels_by_slot(dict(channels))
    for system, plan in enumerate(plans):
        signals = np.array([slot.signal for slot in plan.slots], np.intp)
        layout.wavelength[system << 6 : (system + 1) << 6, : signals.size] = wavelengths(system, signals, by_slot)
    return layout


def _fill(layout: Layout, system: int, plan: CodePlan) -> None:
    for s, slot in enumerate(plan.slots):
        layout.table[system, s] = (*slot.fields, slot.rule, slot.a, slot.b)
        layout.signal[system, s] = slot.signal
        for kind, index in enumerate(slot.fields, 1):
            if index != NONE:
                layout.kind[system, index] = kind


def channels_by_slot(channels: Mapping[int, int]) -> NDArray[np.float64]:
    """[64] channel of slots 1..64, NaN where unknown."""
    by_slot = np.full(64, np.nan)
    for slot, channel in channels.items():
        if 1 <= slot <= 64 and channel != UNKNOWN_CHANNEL and channel in CHANNELS:
            by_slot[slot - 1] = channel
    return by_slot


def wavelengths(system: int, signals: NDArray[np.intp], by_slot: NDArray[np.float64]) -> NDArray[np.float64]:
    """[64, signals] m, of the satellites of a constellation."""
    frequency = np.broadcast_to(FREQUENCY[signals], (64, signals.size)).copy()
    if system == Constellation.GLONASS:
        step = CHANNEL_STEP[signals]
        fdma = step != 0.0
        frequency[:, fdma] += by_slot[:, None] * step[fdma]
    return SPEED_OF_LIGHT / frequency
