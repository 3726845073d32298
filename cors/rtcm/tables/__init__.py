"""The data fields and message layouts of RTCM 3 as data, one line each in `fields.json` and `messages.json`.

fields.json: name, type, bits, then what is special. Types: u unsigned, i two's complement, s sign and magnitude, b bit
field, latin1 and utf8 characters. value = raw x scale + offset; `invalid` is the raw value that means absent.
messages.json: name and the fields after DF002. An item is a field; "reserved:7"; {repeat: field or number, of: [...]};
{string: field, count: field}; {when: [field, bit mask], of: [...]}; {spherical: [degree, order], cosine, sine}.
4076 stands by subtype. MSM, all of one pattern, are put together here. Facts as public programs know RTCM 10403.x
(pyrtcm, RTKLIB, rtcm-rs, BNC and gpsd agree on them, on bytes of real stations where those exist).
"""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import NamedTuple, TypeAlias

Item: TypeAlias = "str | dict[str, object]"


class Field(NamedTuple):
    """One data field."""

    label: str
    kind: str
    bits: int
    scale: Fraction | None
    """Unit a raw step; None where the raw number is the value."""
    unit: str
    offset: int
    invalid: int | None


class Layout(NamedTuple):
    """Name of a message and its fields after DF002."""

    name: str
    items: tuple[Item, ...]


class MsmLayout(NamedTuple):
    """Fields of an MSM: header after DF002, a column for each satellite field, then for each cell field."""

    name: str
    header: tuple[str, ...]
    satellite_columns: tuple[str, ...]
    cell_columns: tuple[str, ...]


_SYSTEMS = ("GPS", "GLONASS", "Galileo", "SBAS", "QZSS", "BeiDou", "NavIC")
_EPOCHS = ("DF004", "DF416 DF034", "DF248", "DF004", "DF428", "DF427", "DF546")
_SATELLITE_COLUMNS = ("DF398",) * 3 + ("DF397 DF398", "DF397 EXT DF398 DF399") * 2
_CELL_COLUMNS = (
    "DF400",
    "DF401 DF402 DF420",
    "DF400 DF401 DF402 DF420",
    "DF400 DF401 DF402 DF420 DF403",
    "DF400 DF401 DF402 DF420 DF403 DF404",
    "DF405 DF406 DF407 DF420 DF408",
    "DF405 DF406 DF407 DF420 DF408 DF404",
)


def _scale(text: str) -> Fraction:
    base, _, exponent = text.partition("^")
    return Fraction(base) ** int(exponent or 1)


def _read(name: str) -> dict[str, list[object]]:
    table: dict[str, list[object]] = json.loads(resources.files(__package__).joinpath(name).read_text("ascii"))
    return table


@cache
def fields() -> dict[str, Field]:
    """All data fields by "DF003"-like names."""
    table = {}
    for name, (label, kind, bits, *rest) in _read("fields.json").items():
        special = rest[0] if rest else {}
        assert isinstance(special, dict) and isinstance(bits, int)
        scale = _scale(special["scale"]) if "scale" in special else None
        table[name] = Field(
            str(label),
            str(kind),
            bits,
            scale,
            special.get("unit", ""),
            special.get("offset", 0),
            special.get("invalid"),
        )
    return table


@cache
def layouts() -> dict[str, Layout]:
    """All layouts but MSM, by message number as text; IGS SSR as "4076_021" by its subtype."""
    table = {}
    for number, (name, items) in _read("messages.json").items():
        assert isinstance(items, list)
        table[number] = Layout(str(name), tuple(items))
    return table


def msm_layout(number: int) -> MsmLayout | None:
    """Layout of an MSM, None for other numbers."""
    system, kind = (number - 1070) // 10, number % 10
    if not (0 <= system < 7 and 1 <= kind <= 7):
        return None
    header = f"DF003 {_EPOCHS[system]} DF393 DF409 reserved:7 DF411 DF412 DF417 DF418"
    columns = _SATELLITE_COLUMNS[kind - 1].replace("EXT", "DF419" if system == 1 else "reserved:4")
    return MsmLayout(
        f"{_SYSTEMS[system]} MSM{kind}", *(tuple(text.split()) for text in (header, columns, _CELL_COLUMNS[kind - 1]))
    )


def message_name(number: int) -> str:
    """What a message number stands for; "" where it is not known."""
    msm = msm_layout(number)
    if msm is not None:
        return msm.name
    layout = layouts().get(str(number))
    if layout is not None:
        return layout.name
    return {4076: "IGS SSR"}.get(number, "proprietary" if 4001 <= number <= 4095 else "")
