"""What is broken on purpose, when and where: a typed list, also as TOML.

    [[fault]]
    kind = "slip"
    station = "YUEL00CHN"
    satellite = "G07"
    cycles = { "1C" = 9, "2W" = 7 }
    start = 600

Times are seconds after the simulation's start; a fault without `end` lasts. Stations are names, satellites RINEX
names, signals RINEX band and attribute. Faults of a receiver act on its observations, those of messages and links
where streams and batches are made.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar

from cors.gnss.satellites import parse_satellite


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


def _number(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise FaultError(f"{where}: {value!r} is no number")
    return float(value)


def _value(where: str, name: str, value: object) -> Any:
    """The value of one key, of the type the fault wants."""
    if name in ("station", "source", "satellite", "signal", "antenna", "of"):
        if not isinstance(value, str):
            raise FaultError(f"{where}: {name} = {value!r} (expected a text)")
        return JumpOf(value) if name == "of" else value
    if name in ("announced", "time_runs"):
        if not isinstance(value, bool):
            raise FaultError(f"{where}: {name} = {value!r} (expected true or false)")
        return value
    if name == "offset":
        if not isinstance(value, list) or len(value) != 3:
            raise FaultError(f"{where}: offset = {value!r} (expected [east, north, up] in m)")
        return tuple(_number(f"{where}: offset", v) for v in value)
    if name == "cycles":
        if not isinstance(value, dict) or not value:
            raise FaultError(f'{where}: cycles = {value!r} (expected for example {{ "1C" = 9, "2W" = 7 }})')
        return {signal: _number(f"{where}: cycles of {signal}", v) for signal, v in value.items()}
    return _number(f"{where}: {name}", value)


def _fault(number: int, table: object) -> Fault:
    where = f"fault {number}"
    if not isinstance(table, dict):
        raise FaultError(f"{where}: {table!r} is no table")
    kind = table.get("kind")
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise FaultError(f"{where}: kind = {kind!r} (expected one of {', '.join(KINDS)})")
    where = f"{where} ({kind})"
    known = {f.name: f for f in fields(cls)}
    for name in table:
        if name != "kind" and name not in known:
            raise FaultError(f"{where}: unknown key {name!r} (expected one of {', '.join(known)})")
    for name, f in known.items():
        if f.default is MISSING and f.default_factory is MISSING and name not in table:
            raise FaultError(f"{where}: {name} is missing")
    try:
        return cls(**{name: _value(where, name, value) for name, value in table.items() if name != "kind"})
    except ValueError as error:
        raise error if isinstance(error, FaultError) else FaultError(f"{where}: {error}") from error


def read_faults(text: str) -> tuple[Fault, ...]:
    """Faults of a TOML document with `[[fault]]` tables. Raises FaultError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FaultError(f"not TOML: {error}") from error
    unknown = set(document) - {"fault"}
    if unknown:
        raise FaultError(f"unknown key {sorted(unknown)[0]!r} (expected [[fault]] tables)")
    tables = document.get("fault", [])
    if not isinstance(tables, list):
        raise FaultError("fault is no list of tables (write [[fault]])")
    return tuple(_fault(k + 1, table) for k, table in enumerate(tables))


def check_names(faults: tuple[Fault, ...], stations: set[str], satellites: set[int]) -> None:
    """Raises FaultError where a fault names a station or satellite the simulation does not have, or times cross."""
    for k, fault in enumerate(faults):
        where = f"fault {k + 1} ({fault.kind})"
        for name in ("station", "source"):
            station = getattr(fault, name, None)
            if station is not None and station not in stations:
                raise FaultError(f"{where}: no station {station!r} (expected one of {', '.join(sorted(stations))})")
        satellite = getattr(fault, "satellite", None)
        if satellite is not None:
            try:
                packed = parse_satellite(satellite)
            except ValueError as error:
                raise FaultError(f"{where}: {error}") from error
            if packed not in satellites:
                raise FaultError(f"{where}: no satellite {satellite!r} in this sky")
        _check_values(where, fault)


def _check_values(where: str, fault: Fault) -> None:
    """Raises FaultError for values no fault can have."""
    if fault.end <= fault.start:
        raise FaultError(f"{where}: end {fault.end} is not after start {fault.start}")
    ratio, delay = getattr(fault, "ratio", 0.0), getattr(fault, "delay", 0.0)
    if not 0.0 <= ratio <= 1.0:
        raise FaultError(f"{where}: ratio {ratio} (expected 0..1)")
    if not 0.0 <= delay < math.inf:
        raise FaultError(f"{where}: delay {delay} (expected 0 s or more)")
    codes = {*getattr(fault, "cycles", ()), getattr(fault, "signal", None)} - {None, "*"}
    for code in codes:
        if not re.fullmatch(r"[1-9][A-Z]", str(code)):
            raise FaultError(f"{where}: signal {code!r} (expected for example 1C)")
