"""Faults from TOML, and whether a simulation can have them.

    [[fault]]
    kind = "slip"
    station = "YUEL00CHN"
    satellite = "G07"
    cycles = { "1C" = 9, "2W" = 7 }
    start = 600

Every error names the fault by its number and kind, and what was expected.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import MISSING, fields
from typing import Any

from cors.gnss.satellites import parse_satellite
from rtk.simulation.faults import KINDS, Fault, FaultError, JumpOf


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
