"""From observation codes as printed to signals: RINEX 3 codes as they are, RINEX 2 codes by what a satellite sends.

RINEX 2 has one list of two-letter codes for all systems and one L1 and L2 for whatever was tracked; which signal that
was follows from the pseudoranges the satellite has in that epoch. Renames between versions (BDS B1I, B2a) are here too.
Source: RINEX 3.05 tables 4-10 and A23, 2.11 table A1, the 2.12 draft (second letters A-D), 3.02 and 3.04 for BeiDou.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cors.gnss.satellites import LETTERS
from cors.gnss.signals import find_signal

NONE = -1
KINDS = "CLDS"


class Slot(NamedTuple):
    """A signal and the fields (indices into a satellite's codes) that hold its values."""

    signal: int
    fields: tuple[int, int, int, int]
    """Of C, L, D, S; NONE where there is none."""
    rule: int = 0
    """0: L, D and S belong to it always; 1: unless field `a` is blank and `b` is not; 2: only then."""
    a: int = NONE
    b: int = NONE
    """NONE as `b`: never blank."""


class CodePlan(NamedTuple):
    """How the fields of one system's satellites become rows."""

    codes: tuple[str, ...]
    slots: tuple[Slot, ...]
    """By signal."""
    unknown: tuple[str, ...]
    """Codes without a signal of ours: kept as printed, no row."""
    renamed: tuple[str, ...] = ()
    """Codes read as another signal than their letters say."""


@lru_cache(maxsize=512)
def plan_3(version: float, system: str, codes: tuple[str, ...]) -> CodePlan:
    """Plan of a RINEX 3 or 4 satellite system."""
    fields: dict[int, list[int]] = {}
    unknown, renamed = [], []
    for index, code in enumerate(codes):
        kind = KINDS.find(code[:1]) if len(code) == 3 else NONE
        meant = _renamed(version, system, code, codes)
        signal = find_signal(LETTERS.index(system), meant[1:]) if kind >= 0 and system in LETTERS else None
        if signal is None:
            unknown.append(code)
            continue
        if meant != code and meant[1] == "5":
            renamed.append(code)
        slot = fields.setdefault(signal, [NONE] * 4)
        if slot[kind] == NONE:
            slot[kind] = index
    slots = tuple(Slot(signal, (c[0], c[1], c[2], c[3])) for signal, c in sorted(fields.items()))
    return CodePlan(codes, slots, tuple(unknown), tuple(renamed))


def _renamed(version: float, system: str, code: str, codes: tuple[str, ...]) -> str:
    """BDS: B1I was 1I 1Q 1X in 3.02; some converters write B2a as 5I 5Q."""
    if system != "C" or len(code) != 3:
        return code
    if abs(version - 3.02) < 0.005 and code[1] == "1":
        has_b1c = any(c[1:] in ("1D", "1P") for c in codes)
        if code[2] in "IQ" or (code[2] == "X" and not has_b1c):
            return code[0] + "2" + code[2]
    if code[1:] in ("5I", "5Q"):
        return code[0] + "5" + {"I": "D", "Q": "P"}[code[2]]
    return code


# RINEX 2: pseudorange code -> RINEX 3 band and attribute, in order of preference for the phase; by system and band.
# The first whose pseudorange is there takes L, D and S; the last takes them when none is.
_R2: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "G": {"1": (("C1", "1C"), ("P1", "1W")), "2": (("P2", "2W"), ("C2", "2X")), "5": (("C5", "5X"),)},
    "R": {"1": (("C1", "1C"), ("P1", "1P")), "2": (("P2", "2P"), ("C2", "2C"))},
    "E": {"1": (("C1", "1X"),), "5": (("C5", "5X"),), "7": (("C7", "7X"),), "8": (("C8", "8X"),), "6": (("C6", "6X"),)},
    "S": {"1": (("C1", "1C"),), "5": (("C5", "5X"),)},
    "J": {"1": (("C1", "1C"),), "2": (("C2", "2X"),), "5": (("C5", "5X"),), "6": (("C6", "6X"),)},
    "C": {"1": (("C1", "2I"),), "2": (("C2", "7I"),), "7": (("C7", "7I"),), "6": (("C6", "6I"),)},
    "I": {"5": (("C5", "5A"),)},
}
# The 2.12 draft: a letter instead of the band tells the signal outright.
_R212 = {
    "A": {"G": "1C", "R": "1C", "J": "1C", "S": "1C"}, "B": {"G": "1X", "J": "1X"},
    "C": {"G": "2X", "J": "2X"}, "D": {"R": "2C"},
}  # fmt: skip


@lru_cache(maxsize=512)
def plan_2(version: float, system: str, codes: tuple[str, ...]) -> CodePlan:
    """Plan of a RINEX 2 satellite system; `codes` is the file's one list."""
    at = {code: index for index, code in reversed(list(enumerate(codes)))}
    draft = version >= 2.115
    slots: list[Slot] = []
    for band, ways in _R2.get(system, {}).items():
        if draft and system == "C" and band in "12":
            ways = ((f"C{band}", "2I"),)  # the draft counts BDS bands as RINEX 3 does, and both stand for B1
        slots += _band_slots(system, band, ways, at)
    for letter, names in _R212.items() if draft else ():
        fields = _fields(at, letter, f"C{letter}")
        if system in names and any(f != NONE for f in fields):
            slots.append(_slot(system, names[system], fields))
    return CodePlan(codes, _merged(slots), tuple(c for c in codes if len(c) != 2 or c[0] not in "CPLDS"))


def l2_ambiguous(codes: tuple[str, ...]) -> bool:
    """True where a RINEX 2 file has one L2 for P(Y) and L2C: which of them it is, the file does not say."""
    return {"P2", "C2", "L2"} <= set(codes)


def _fields(at: Mapping[str, int], band: str, code: str) -> tuple[int, int, int, int]:
    return at.get(code, NONE), at.get("L" + band, NONE), at.get("D" + band, NONE), at.get("S" + band, NONE)


def _slot(
    system: str, name: str, fields: tuple[int, int, int, int], rule: int = 0, a: int = NONE, b: int = NONE
) -> Slot:
    signal = find_signal(LETTERS.index(system), name)
    assert signal is not None
    return Slot(signal, fields, rule, a, b)


def _band_slots(system: str, band: str, ways: tuple[tuple[str, str], ...], at: Mapping[str, int]) -> list[Slot]:
    """One or two slots of a band: two where both pseudoranges are in the list and share one phase."""
    present = [(code, name) for code, name in ways if code in at]
    fields = [_fields(at, band, code) for code, _ in present]
    if len(present) < 2:
        code, name = present[0] if present else ways[0]
        own = _fields(at, band, code)
        return [_slot(system, name, own)] if any(f != NONE for f in own) else []
    (first, first_name), (second, second_name) = present
    other = NONE if band == "2" else at[second]  # L2 is P(Y)'s only where P2 is there; L1 is C/A's unless only P1 is
    return [
        _slot(system, first_name, fields[0], 1, at[first], other),
        _slot(system, second_name, fields[1], 2, at[first], other),
    ]


def _merged(slots: list[Slot]) -> tuple[Slot, ...]:
    """By signal; a signal two codes stand for (BDS C1 and C2 of the draft) keeps the first."""
    unique: dict[int, Slot] = {}
    for slot in slots:
        unique.setdefault(slot.signal, slot)
    return tuple(unique[signal] for signal in sorted(unique))
