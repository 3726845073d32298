"""What is known about a model beside its numbers. Absent knowledge is None, in JSON null; nothing is guessed.

The names are the public contract of model metadata (`cors geoid info --json`, the sidecar `GRID.json`).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from geoid.errors import GridFormatError, shown


class Kind(StrEnum):
    """What the numbers of a grid are."""

    QUASIGEOID = "quasigeoid"
    """Height anomalies: ellipsoidal minus normal height."""
    GEOID = "geoid"
    """Undulations: ellipsoidal minus orthometric height."""
    HYBRID = "hybrid"
    """Fitted to levelled heights, of the type those have."""
    UNCERTAINTY = "uncertainty"
    """Standard deviations of another grid's values."""
    SHIFT = "shift"
    """Differences between two height systems."""


class Scope(StrEnum):
    """Who may have the grid itself; heights computed with it are another matter."""

    OPEN = "open"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Statements of a grid's maker; None where nothing was stated."""

    name: str | None = None
    version: str | None = None
    kind: Kind | None = None
    units: str | None = "m"
    """Of the values in memory, whatever the file's own unit was."""
    ellipsoid: str | None = None
    frame: str | None = None
    epoch: float | None = None
    """Of the frame, decimal year."""
    tide_system: str | None = None
    zero_degree: str | None = None
    height_datum: str | None = None
    interpolation: str | None = None
    """The method the maker wants used; None leaves it to the reader."""
    accuracy_m: float | None = None
    """One standard deviation of the values, m, for the whole area."""
    licence: str | None = None
    scope: Scope | None = None

    def over(self, other: Metadata) -> Metadata:
        """These statements, completed by those of `other` where this one is silent."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(other, **{name: value for name, value in known.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar as read: the statements, and what it says of the file it belongs to."""

    metadata: Metadata
    sha256: str | None
    rows: int | None
    columns: int | None


_E = TypeVar("_E", bound=StrEnum)
_TEXTS = (
    "name",
    "version",
    "ellipsoid",
    "frame",
    "tide_system",
    "zero_degree",
    "height_datum",
    "interpolation",
    "licence",
)


def parse_sidecar(text: str, name: str) -> Sidecar:
    """The statements of a sidecar's JSON text. Raises GridFormatError; unknown keys are another program's and pass."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GridFormatError(name, "the whole file", shown(text), f"one JSON object ({error})") from None
    if not isinstance(document, dict):
        raise GridFormatError(name, "the whole file", shown(text), "one JSON object")
    units = _text(document, "units", name)
    if units not in (None, "m"):
        raise GridFormatError(name, "units", shown(units), '"m"')
    rows, columns = _number(document, "rows", name), _number(document, "columns", name)
    return Sidecar(
        parse_items(document, name),
        _text(document, "sha256", name),
        None if rows is None else int(rows),
        None if columns is None else int(columns),
    )


def parse_items(document: dict[str, Any], name: str) -> Metadata:
    """The statements among named items of a sidecar or of tags. Raises GridFormatError on a wrong type or word."""
    known: dict[str, Any] = {key: _text(document, key, name) for key in _TEXTS}
    accuracy = _number(document, "accuracy_m", name)
    if accuracy is not None and accuracy < 0.0:
        raise GridFormatError(name, "accuracy_m", shown(accuracy), "metres, not negative")
    return Metadata(
        **known,
        kind=_member(document, "kind", Kind, name),
        scope=_member(document, "scope", Scope, name),
        epoch=_number(document, "epoch", name),
        accuracy_m=accuracy,
    )


def _text(document: dict[str, Any], key: str, name: str) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise GridFormatError(name, key, shown(value), "text or null")
    return value


def _number(document: dict[str, Any], key: str, name: str) -> float | None:
    value = document.get(key)
    if value is None:
        return None
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise GridFormatError(name, key, shown(value), "a number or null")


def _member(document: dict[str, Any], key: str, members: type[_E], name: str) -> _E | None:
    value = _text(document, key, name)
    if value is None:
        return None
    try:
        return members(value)
    except ValueError:
        raise GridFormatError(name, key, shown(value), " | ".join(members)) from None
