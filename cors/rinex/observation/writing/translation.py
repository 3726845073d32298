"""Fields of one version laid out as another's: codes renamed, RINEX 2's shared phases given to a signal and back.

From RINEX 2 the signal of L1 and L2 follows from the pseudoranges a satellite has in that epoch (`codes`), to RINEX 2
the best code of each kind is taken (P2 with its own phase, else that of the C2 code).
Source: RINEX 3.05 table A23, 2.11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import LETTERS
from cors.gnss.signals import signal_code
from cors.rinex.observation.codes import KINDS, NONE, CodePlan, Slot
from cors.rinex.observation.header import ObservationHeader
from cors.rinex.observation.layout import code_plans
from cors.rinex.observation.records import ABSENT, PrintedEpoch

Cells = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]
"""Thousandths, LLI and SSI characters, each [n, fields]."""


@dataclass(frozen=True, slots=True)
class SystemTranslation:
    """How the fields of one constellation's satellites become others."""

    codes: tuple[str, ...]
    """Target codes."""
    source: NDArray[np.int64]
    """[codes] source field of each."""
    factors: NDArray[np.int64]
    """[codes] scale factor of the source field."""
    slots: tuple[tuple[Slot, NDArray[np.int64]], ...]
    """RINEX 2 slots that share a phase, with the target columns of their L, D and S."""


def to_modern(header: ObservationHeader) -> dict[str, SystemTranslation]:
    """Translation of a header's fields to RINEX 3 and 4 codes, by system letter."""
    return {
        letter: _modern(letter, header, plan)
        for letter, plan in zip(LETTERS, code_plans(header), strict=True)
        if plan.slots or (header.major > 2 and plan.codes)
    }


def _modern(letter: str, header: ObservationHeader, plan: CodePlan) -> SystemTranslation:
    targets: dict[str, int] = {}
    slots: list[tuple[Slot, list[str]]] = []
    for slot in plan.slots:
        named = [(KINDS[kind] + signal_code(slot.signal), f) for kind, f in enumerate(slot.fields) if f != NONE]
        targets |= dict(named)
        if slot.rule:
            slots.append((slot, [code for code, _ in named if code[0] != "C"]))
    if header.major > 2:
        targets |= {code: plan.codes.index(code) for code in plan.unknown if len(code) == 3}
    codes = tuple(sorted(targets, key=code_order))
    factors = [header.scale_factors.get((letter, plan.codes[targets[code]]), 1) for code in codes]
    ruled = tuple((slot, np.array([codes.index(c) for c in names], np.int64)) for slot, names in slots)
    return SystemTranslation(codes, np.array([targets[c] for c in codes], np.int64), np.array(factors, np.int64), ruled)


def code_order(code: str) -> tuple[str, str, int]:
    """Sorts codes by band and attribute, then C L D S."""
    return code[1:2], code[2:3], KINDS.find(code[0]) % 4


def translated(printed: PrintedEpoch, rows: NDArray[np.intp], translation: SystemTranslation) -> Cells:
    """Cells [rows, codes] of one constellation's satellites."""
    at = np.ix_(rows, translation.source)
    milli, lli, ssi = printed.milli[at], printed.lli[at], printed.ssi[at]
    for slot, columns in translation.slots:
        first_blank = _blank(printed.milli[rows, slot.a])
        second_there = True if slot.b == NONE else ~_blank(printed.milli[rows, slot.b])
        takes = (first_blank & second_there) == (slot.rule == 2)
        clear = np.ix_(~takes, columns)
        milli[clear], lli[clear], ssi[clear] = ABSENT, 0, 0
    return milli, lli, ssi


def _blank(milli: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray((milli == ABSENT) | (milli == 0))


# RINEX 3 attributes for each RINEX 2 code, best first: 2.11 has GPS, GLONASS, Galileo and SBAS only.
_CODES_2: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "G": (("C1", "1", "C"), ("P1", "1", "WPY"), ("C2", "2", "LXSC"), ("P2", "2", "WPYD"), ("C5", "5", "XQI")),
    "R": (("C1", "1", "C"), ("P1", "1", "P"), ("C2", "2", "C"), ("P2", "2", "P")),
    "E": (("C1", "1", "CXBAZ"), ("C5", "5", "QXI"), ("C7", "7", "QXI"), ("C8", "8", "QXI"), ("C6", "6", "CXBAZ")),
    "S": (("C1", "1", "C"), ("C5", "5", "XQI")),
}
ORDER_2 = tuple(
    kind + band
    for band, kinds in (("1", "CPLDS"), ("2", "CPLDS"), ("5", "CLDS"), ("6", "CLDS"), ("7", "CLDS"), ("8", "CLDS"))
    for kind in kinds
)
"""All codes of RINEX 2.11, in the order they are written."""
_PHASES_1 = {"G": "CWPYSLXMN", "R": "CP", "E": "CXBAZ", "S": "C"}


def to_old(system: str, codes: Sequence[str], cells: Cells) -> Cells:
    """Cells [n, ORDER_2] in RINEX 2.11's codes of one constellation's satellites [n, codes] in RINEX 3 codes."""
    n = cells[0].shape[0]
    blank = np.zeros((n, 1), np.uint8)
    padded: Cells = (
        np.concatenate((cells[0], np.full((n, 1), ABSENT)), axis=1),
        np.concatenate((cells[1], blank), axis=1),
        np.concatenate((cells[2], blank), axis=1),
    )
    old = _Old(n, {code: index for index, code in enumerate(codes)}, padded)
    chosen: dict[str, NDArray[np.int64]] = {}
    for name, band, attributes in _CODES_2.get(system, ()):
        chosen[name] = old.put(name, [f"C{band}{a}" for a in attributes])
    for band in "125678":
        _phase_2(old, system, band, chosen)
    return old.cells


def _phase_2(old: _Old, system: str, band: str, chosen: Mapping[str, NDArray[np.int64]]) -> None:
    """L, D and S of a band: P2's own where P2 is written, else those of the best phase (band 1) or of the code's."""
    ways = {name: attributes for name, b, attributes in _CODES_2.get(system, ()) if b == band}
    if not ways:
        return
    if band == "1":
        attributes = _PHASES_1[system]
        names = list(attributes)
        signal = old.first_signal("LCDS", band, names)
    else:
        names, offsets = [], {}
        for name, attributes in ways.items():
            offsets[name] = len(names)
            names += list(attributes)
        signal = np.full(old.n, -1, np.int64)
        for name in sorted(ways):  # P2 comes after C2 and goes before it
            signal = np.where(chosen[name] >= 0, chosen[name] + offsets[name], signal)
        signal = np.where(signal < 0, old.first_signal("LDS", band, names), signal)
    for kind in "LDS":
        old.put_signal(kind + band, [f"{kind}{band}{a}" for a in names], signal)


class _Old:
    """Cells of RINEX 2 being filled from those of RINEX 3."""

    def __init__(self, n: int, at: Mapping[str, int], source: Cells) -> None:
        self.n, self._at, self._source = n, at, source
        self.cells: Cells = (
            np.full((n, len(ORDER_2)), ABSENT, np.int64), np.zeros((n, len(ORDER_2)), np.uint8),
            np.zeros((n, len(ORDER_2)), np.uint8),
        )  # fmt: skip

    def first(self, codes: list[str]) -> NDArray[np.int64]:
        """[n] index of the first of these codes that has a value, else -1."""
        found = np.full(self.n, -1, np.int64)
        for index in range(len(codes) - 1, -1, -1):
            column = self._at.get(codes[index])
            if column is not None:
                found = np.where(_blank(self._source[0][:, column]), found, index)
        return found

    def first_signal(self, kinds: str, band: str, attributes: Sequence[str]) -> NDArray[np.int64]:
        """[n] index of the first attribute that has a value of the first kind that has any, else -1."""
        found = self.first([kind + band + a for kind in kinds for a in attributes])
        return np.where(found < 0, -1, found % len(attributes))

    def put(self, name: str, codes: list[str]) -> NDArray[np.int64]:
        """Write the first of these codes that has a value under a RINEX 2 name; which it was."""
        which = self.first(codes)
        self.put_signal(name, codes, which)
        return which

    def put_signal(self, name: str, codes: list[str], which: NDArray[np.int64]) -> None:
        """Write for each satellite the code it has chosen (-1: none) under a RINEX 2 name."""
        columns = np.array([self._at.get(code, -1) for code in codes] + [-1], np.int64)[which]
        target, rows = ORDER_2.index(name), np.arange(self.n)
        for part in range(3):
            self.cells[part][:, target] = self._source[part][rows, columns]
