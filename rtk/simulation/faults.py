"""What is broken on purpose, when and where: one type a kind of fault (`fault_reader` reads them from TOML).

Times are seconds after the simulation's start; a fault without `end` lasts. Stations are names, satellites RINEX
names, signals RINEX band and attribute. Faults of a receiver act on its observations, those of messages and links
where streams and batches are made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class FaultError(ValueError):
    """A fault that cannot be: unknown kind, key or name, or a value of the wrong type. Says which."""


class JumpOf(StrEnum):
    """What a clock jump moves (F.5)."""

    BOTH = "both"
    CODE = "code"
    PHASE = "phase"
    TAG = "tag"
    """Tag, code and phase together: time stays right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Acts from `start` until before `end`, s after the start of the simulation."""

    kind: ClassVar[str] = ""
    start: float = 0.0
    end: float = math.inf

    def acts(self, elapsed_s: float) -> bool:
        """True while the fault lasts."""
        return self.start <= elapsed_s < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed(Fault):
    """The station is silent and its receiver off; it locks anew afterwards."""

    kind = "killed"
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage(Fault):
    """A satellite, all of a station's signals of it, or one signal, is not tracked."""

    kind = "outage"
    station: str | None = None
    satellite: str | None = None
    signal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip(Fault):
    """Cycles by signal (band and attribute) are added to the phase at `start`; `*` stands for every signal.

    Halves are cycles too. `announced`: the receiver restarts its lock time.
    """

    kind = "slip"
    station: str
    satellite: str
    cycles: Mapping[str, float] = field(default_factory=lambda: {"*": 1.0})
    announced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump(Fault):
    """The receiver's clock jumps by `milliseconds` and stays there until `end`."""

    kind = "clock_jump"
    station: str
    milliseconds: float = 1.0
    of: JumpOf = JumpOf.BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference(Fault):
    """C/N0 of all signals of a station falls by `loss_db`, noise rises with it."""

    kind = "interference"
    station: str
    loss_db: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCoordinate(Fault):
    """The station describes itself `offset` = east, north, up (m) from where it stands."""

    kind = "wrong_coordinate"
    station: str
    offset: tuple[float, float, float] = (0.1, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Fault):
    """The antenna itself moves by `offset` = east, north, up (m); its description stays."""

    kind = "moved"
    station: str
    offset: tuple[float, float, float] = (0.05, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongAntenna(Fault):
    """The station describes another antenna than it has."""

    kind = "wrong_antenna"
    station: str
    antenna: str = "SIMGEOD2"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongEphemeris(Fault):
    """Sets that begin to be sent now put the satellite `metres` ahead of where it is."""

    kind = "wrong_ephemeris"
    satellite: str
    metres: float = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhealthy(Fault):
    """The satellite's messages say it is unhealthy."""

    kind = "unhealthy"
    satellite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen(Fault):
    """The stream repeats the epoch it sent last; with `time_runs` its time tags go on all the same."""

    kind = "frozen"
    station: str
    time_runs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped(Fault):
    """The stream carries the data of station `source`."""

    kind = "swapped"
    station: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Late(Fault):
    """Epochs arrive `delay` seconds later than they should."""

    kind = "late"
    station: str
    delay: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicated(Fault):
    """Every epoch arrives twice, `delay` seconds apart."""

    kind = "duplicated"
    station: str
    delay: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped(Fault):
    """A share of the epochs never arrives."""

    kind = "dropped"
    station: str
    ratio: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled(Fault):
    """A share of the epochs arrives with bytes changed or cut."""

    kind = "garbled"
    station: str
    ratio: float = 0.1


KINDS: dict[str, type[Fault]] = {
    cls.kind: cls
    for cls in (
        Killed, Outage, Slip, ClockJump, Interference, WrongCoordinate, Moved, WrongAntenna, WrongEphemeris, Unhealthy,
        Frozen, Swapped, Late, Duplicated, Dropped, Garbled,
    )
}  # fmt: skip
"""Fault types by the name TOML gives them."""
