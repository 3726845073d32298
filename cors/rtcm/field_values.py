"""Any message by its data fields: {"DF003": 2003, ...}, decoded and encoded from the tables alone.

The values are those of `cors inspect --values` and of the tests' vectors: numbers in the units of the field table,
None for absent, text as text, `repeat` a list of dicts, MSM as `satellites` and `cells` (with ranges in metres where
the message carries whole ones). Refused: numbers without a layout, payloads that end inside a field, and SSR payloads
longer than their layout (drafts of another shape). Everything else too long is read as far as the layout goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeAlias

from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.signals import signal_code
from cors.rtcm.bits import BitReader, BitWriter
from cors.rtcm.errors import DamagedMessageError, UnencodableError, UnknownMessageError
from cors.rtcm.tables import Field, Item, MsmLayout, fields, layouts, msm_layout

Value: TypeAlias = "int | float | str | list[dict[str, Value]] | list[float | None] | None"
Values: TypeAlias = dict[str, Value]

_METRES_PER_MS = SPEED_OF_LIGHT / 1000.0
_IGS_SSR = 4076
_RESERVED = 0  # reserved bits are sent as zeros and read as anything


def _is_ssr(number: int) -> bool:
    return 1057 <= number <= 1068 or 1240 <= number <= 1270 or number == _IGS_SSR


@cache
def _field(name: str) -> Field:
    return fields()[name]


def from_raw(field: Field, raw: int) -> int | float | None:
    """Value of the unsigned integer on the wire."""
    if field.kind == "i":
        raw -= raw >> (field.bits - 1) << field.bits
    elif field.kind == "s":
        magnitude = raw & ((1 << (field.bits - 1)) - 1)
        raw = -magnitude if raw >> (field.bits - 1) else magnitude
    if raw == field.invalid:
        return None
    if field.scale is None:
        return raw + field.offset
    numerator, denominator = field.scale.numerator, field.scale.denominator
    whole = raw * numerator + field.offset * denominator
    return whole if denominator == 1 else whole / denominator


def to_raw(name: str, value: object) -> int:
    """Integer on the wire of a field's value. Raises UnencodableError."""
    field = _field(name)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        if field.invalid is None:
            raise UnencodableError(f"{name} ({field.label}) cannot be absent")
        return field.invalid & ((1 << field.bits) - 1)
    if not isinstance(value, int | float):
        raise UnencodableError(f"{name} ({field.label}) is not a number: {value!r}")
    number: float = value - field.offset
    if field.scale is not None:
        number = number * field.scale.denominator / field.scale.numerator
    raw = number if isinstance(number, int) else math.floor(abs(number) + 0.5) * (1 if number >= 0 else -1)
    half = 1 << (field.bits - 1)
    low, high = {"i": (-half, half - 1), "s": (1 - half, half - 1)}.get(field.kind, (0, 2 * half - 1))
    if not low <= raw <= high:
        raise UnencodableError(f"{name} ({field.label}) = {value!r} does not fit its {field.bits} bits")
    return half - raw if field.kind == "s" and raw < 0 else raw & (2 * half - 1)


def _reserved(name: str) -> int:
    """Width of a "reserved:7" item, 0 for fields."""
    return int(name[9:]) if name.startswith("reserved:") else 0


def _count(scope: Mapping[str, Value], key: object) -> int:
    value = key if isinstance(key, int) else scope.get(str(key), 0)
    return value if isinstance(value, int) else 0


def _spherical_sizes(degree: int, order: int) -> tuple[int, int]:
    """Cosine and sine coefficients of degree n >= m and order m <= `order`."""
    cosine = sum(max(degree - m + 1, 0) for m in range(order + 1))
    return cosine, cosine - (degree + 1)


def _take_items(reader: BitReader, items: Iterable[Item], outer: Mapping[str, Value]) -> Values:
    out: Values = {}
    scope = dict(outer)
    for item in items:
        if isinstance(item, str):
            if bits := _reserved(item):
                reader.take(bits)
            else:
                field = _field(item)
                out[item] = scope[item] = from_raw(field, reader.take(field.bits))
        elif "repeat" in item:
            inner = item["of"]
            assert isinstance(inner, list)
            out["repeat"] = [_take_items(reader, inner, scope) for _ in range(_count(scope, item["repeat"]))]
        elif "string" in item:
            name = str(item["string"])
            text = bytes(reader.take(8) for _ in range(_count(scope, item["count"])))
            out[name] = text.decode("utf-8" if _field(name).kind == "utf8" else "latin-1", "replace")
        elif "when" in item:
            flag, inner = item["when"], item["of"]
            assert isinstance(flag, list) and isinstance(inner, list)
            if _count(scope, flag[0]) & int(flag[1]):
                out |= _take_items(reader, inner, scope)
        else:
            degree, order = (_count(scope, name) for name in _names(item["spherical"]))
            for name, size in zip(("cosine", "sine"), _spherical_sizes(degree, order), strict=True):
                field = _field(str(item[name]))
                out[str(item[name])] = [from_raw(field, reader.take(field.bits)) for _ in range(size)]
    return out


def _names(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(name) for name in value]


def _take_columns(reader: BitReader, names: Iterable[str], rows: list[Values]) -> None:
    for name in names:
        for row in rows:
            if bits := _reserved(name):
                reader.take(bits)
            else:
                row[name] = from_raw(_field(name), reader.take(_field(name).bits))


def _ranges(cell: Values, satellite: Mapping[str, Value]) -> None:
    """Add the ranges in metres a cell of MSM4-7 stands for."""
    whole, fraction = satellite["DF397"], satellite["DF398"]
    rough = whole + fraction if isinstance(whole, int) and isinstance(fraction, int | float) else math.nan
    for name, fine in (("pseudorange_m", "DF405"), ("phaserange_m", "DF406")):
        value = cell.get(fine, cell.get({"DF405": "DF400", "DF406": "DF401"}[fine]))
        metres = _METRES_PER_MS * (rough + value) if isinstance(value, int | float) else math.nan
        cell[name] = metres if metres == metres else None
    if "DF404" in cell:
        rough_rate, rate = satellite["DF399"], cell["DF404"]
        known = isinstance(rough_rate, int) and isinstance(rate, int | float)
        cell["phaserange_rate_mps"] = rough_rate + rate if known else None  # type: ignore[operator]


def _take_msm(reader: BitReader, number: int, layout: MsmLayout) -> Values:
    out = _take_items(reader, layout.header, {})
    system = (number - 1070) // 10
    satellites = [k + 1 for k, bit in enumerate(f"{reader.take(64):064b}") if bit == "1"]
    signals = [k + 1 for k, bit in enumerate(f"{reader.take(32):032b}") if bit == "1"]
    if len(satellites) * len(signals) > 64:
        raise DamagedMessageError(f"{len(satellites)} satellites x {len(signals)} signals are more than 64 cells")
    places = [(satellite, signal) for satellite in satellites for signal in signals if reader.take(1)]
    rows: list[Values] = [{"id": satellite} for satellite in satellites]
    cells: list[Values] = [{"id": satellite, "signal": signal} for satellite, signal in places]
    _take_columns(reader, layout.satellite_columns, rows)
    _take_columns(reader, layout.cell_columns, cells)
    by_id = {row["id"]: row for row in rows}
    for cell, (satellite, signal) in zip(cells, places, strict=True):
        code = signal_code(system << 6 | signal - 1)
        cell["code"] = None if code.startswith("#") else code
        if number % 10 >= 4:
            _ranges(cell, by_id[satellite])
    return out | {"satellites": rows, "cells": cells}


def decode_values(payload: bytes) -> Values:
    """Every field of a message. Raises UnknownMessageError, DamagedMessageError."""
    reader = BitReader(payload)
    if reader.left < 12:
        raise UnknownMessageError(f"a payload of {len(payload)} bytes holds no message number")
    number = reader.take(12)
    msm = msm_layout(number)
    if msm is not None:
        return {"DF002": number} | _take_msm(reader, number, msm)
    layout = layouts().get(layout_key(payload))
    if layout is None:
        raise UnknownMessageError(f"no layout is known for message {number}")
    values: Values = {"DF002": number} | _take_items(reader, layout.items, {})
    if _is_ssr(number) and reader.left >= 8 and reader.take(reader.left):
        raise DamagedMessageError(f"message {number} has more payload than its layout")
    return values


def layout_key(payload: bytes) -> str:
    """Key of a payload's layout: its number, for IGS SSR with its subtype ("4076_021")."""
    reader = BitReader(payload)
    number = reader.take(12) if reader.left >= 12 else -1
    if number != _IGS_SSR or reader.left < 11:
        return str(number)
    reader.take(3)
    return f"{number}_{reader.take(8):03d}"


def _put_field(writer: BitWriter, name: str, values: Mapping[str, object]) -> None:
    if bits := _reserved(name):
        writer.put(_RESERVED, bits)
    elif name not in values:
        raise UnencodableError(f"{name} ({_field(name).label}) is missing")
    else:
        writer.put(to_raw(name, values[name]), _field(name).bits)


def _text(name: str, values: Mapping[str, object]) -> bytes:
    text = str(values.get(name, ""))
    try:
        return text.encode("utf-8" if _field(name).kind == "utf8" else "latin-1")
    except UnicodeEncodeError as error:
        raise UnencodableError(f"{name} ({_field(name).label}) = {text!r} is not ISO 8859-1") from error


def _rows(values: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    rows = values.get(key, [])
    if not isinstance(rows, list):
        raise UnencodableError(f"{key} is not a list")
    return rows


def _put_items(writer: BitWriter, items: Iterable[Item], outer: Mapping[str, object]) -> None:
    values = dict(outer)
    for item in items:  # counts follow what they count
        if isinstance(item, dict) and "string" in item:
            values[str(item["count"])] = len(_text(str(item["string"]), values))
        elif isinstance(item, dict) and isinstance(item.get("repeat"), str):
            values[str(item["repeat"])] = len(_rows(values, "repeat"))
    for item in items:
        if isinstance(item, str):
            _put_field(writer, item, values)
        elif "repeat" in item:
            inner, rows = item["of"], _rows(values, "repeat")
            assert isinstance(inner, list)
            if isinstance(item["repeat"], int) and len(rows) != item["repeat"]:
                raise UnencodableError(f"{len(rows)} repeats where the layout has {item['repeat']}")
            for row in rows:
                _put_items(writer, inner, row)
        elif "string" in item:
            for byte in _text(str(item["string"]), values):
                writer.put(byte, 8)
        elif "when" in item:
            flag, inner = item["when"], item["of"]
            assert isinstance(flag, list) and isinstance(inner, list)
            if int(str(values[flag[0]])) & int(flag[1]):
                _put_items(writer, inner, values)
        else:
            for name in (str(item["cosine"]), str(item["sine"])):
                coefficients = values.get(name, [])
                assert isinstance(coefficients, list)
                for value in coefficients:
                    writer.put(to_raw(name, value), _field(name).bits)


def _mask_id(row: Mapping[str, object], key: str, most: int) -> int:
    value = row.get(key)
    if not isinstance(value, int) or not 1 <= value <= most:
        raise UnencodableError(f"{key} = {value!r} (expected 1..{most})")
    return value


def _put_msm(writer: BitWriter, layout: MsmLayout, values: Mapping[str, object]) -> None:
    for name in layout.header:
        _put_field(writer, name, values)
    satellites, cells = _rows(values, "satellites"), _rows(values, "cells")
    ids = [_mask_id(row, "id", 64) for row in satellites]
    present = {(_mask_id(cell, "id", 64), _mask_id(cell, "signal", 32)) for cell in cells}
    signals = sorted({signal for _, signal in present})
    if ids != sorted(set(ids)) or len(present) != len(cells) or not {n for n, _ in present} <= set(ids):
        raise UnencodableError("satellites and cells do not ascend, or do not belong together")
    writer.put(sum(1 << (64 - number) for number in ids), 64)
    writer.put(sum(1 << (32 - number) for number in signals), 32)
    for satellite in ids:
        for signal in signals:
            writer.put((satellite, signal) in present, 1)
    for names, rows in ((layout.satellite_columns, satellites), (layout.cell_columns, cells)):
        for name in names:
            for row in rows:
                _put_field(writer, name, row)


def encode_values(values: Mapping[str, object]) -> bytes:
    """Payload of a message given by its fields (`decode_values` backwards). Raises UnencodableError.

    Counters of strings and repeats follow what they count; MSM rows stand in ascending order.
    """
    number = values.get("DF002")
    if not isinstance(number, int):
        raise UnencodableError("DF002 (message_number) is missing")
    writer = BitWriter()
    writer.put(number, 12)
    msm = msm_layout(number)
    if msm is not None:
        _put_msm(writer, msm, values)
        return writer.payload()
    key = f"{number}_{values.get('IDF002', 0):03d}" if number == _IGS_SSR else str(number)
    layout = layouts().get(key)
    if layout is None:
        raise UnencodableError(f"no layout is known for message {key}")
    _put_items(writer, layout.items, values)
    return writer.payload()
