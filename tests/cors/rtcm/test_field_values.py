"""Messages by data field against real frames whose values two programs gave, and every layout against itself."""

from __future__ import annotations

import numpy as np
import pytest

from cors.rtcm.bits import BitReader, BitWriter
from cors.rtcm.errors import DamagedMessageError, UnencodableError, UnknownMessageError
from cors.rtcm.field_values import decode_values, encode_values, from_raw, layout_key, to_raw
from cors.rtcm.tables import Field, Item, fields, layouts, message_name, msm_layout
from tests.cors.rtcm.samples import FRAME_1005, FRAME_1019, FRAME_1029, FRAME_1127, FRAME_1230


def test_a_station_position_field_by_field() -> None:
    assert decode_values(FRAME_1005[3:-3]) == {
        "DF002": 1005, "DF003": 2003, "DF021": 0, "DF022": 1, "DF023": 0, "DF024": 0, "DF141": 0,
        "DF025": 1114104.5999, "DF142": 0, "DF026": -4850729.7108, "DF364": 0, "DF027": 3975521.4643,
    }  # fmt: skip


def test_texts_masks_and_an_ephemeris() -> None:
    assert decode_values(FRAME_1029[3:-3])["DF140"] == "Unknown"
    assert decode_values(FRAME_1230[3:-3]) == {"DF002": 1230, "DF003": 0, "DF421": 0, "DF422": 15, "DF423": 0,
                                               "DF424": 0, "DF425": 0, "DF426": 0}  # fmt: skip
    v = decode_values(FRAME_1019[3:-3])
    assert (v["DF009"], v["DF076"], v["DF071"], v["DF081"], v["DF085"]) == (2, 257, 185, 324000, 185)
    assert v["DF092"] == pytest.approx(5153.71386147, abs=1e-8)
    assert v["DF088"] == pytest.approx(0.688356438186, abs=1e-12)


FIELDS = {name: f for name, f in fields().items() if f.kind in "uibs"}


def test_every_raw_value_at_the_edges_of_a_field_goes_round() -> None:
    for name, field in FIELDS.items():
        top = (1 << field.bits) - 1
        for raw in {0, min(1, top), top // 2, top // 2 + 1, max(top - 1, 0), top}:
            value = from_raw(field, raw)
            if field.kind == "s" and raw == top // 2 + 1:
                assert value == 0 and to_raw(name, value) == 0  # minus zero is read as zero
            else:
                assert to_raw(name, value) == raw, name
        if field.invalid is None:
            with pytest.raises(UnencodableError, match=name):
                to_raw(name, None)
        with pytest.raises(UnencodableError, match="does not fit"):
            to_raw(name, -1e30)


def random_values(items: tuple[Item, ...] | list[Item], rng: np.random.Generator) -> dict:
    """A value for every field of a layout, counts small."""
    out: dict = {}
    for item in items:
        if isinstance(item, str):
            if not item.startswith("reserved"):
                out[item] = random_value(FIELDS[item], rng)
        elif "repeat" in item:
            size = item["repeat"] if isinstance(item["repeat"], int) else 2
            out["repeat"] = [random_values(item["of"], rng) for _ in range(size)]
            if isinstance(item["repeat"], str):
                out[item["repeat"]] = size
        elif "string" in item:
            out[item["string"]], out[item["count"]] = "ab", 2
        elif "when" in item:
            if out[item["when"][0]] & item["when"][1]:
                out |= random_values(item["of"], rng)
        else:
            out[item["spherical"][0]], out[item["spherical"][1]] = 2, 1
            for key, size in (("cosine", 5), ("sine", 2)):
                out[item[key]] = [random_value(FIELDS[item[key]], rng) for _ in range(size)]
    return out


def random_value(field: Field, rng: np.random.Generator) -> float | int | None:
    return from_raw(field, int(rng.integers(0, 2 ** min(field.bits, 62))) & ((1 << field.bits) - 1))


def test_every_layout_goes_round() -> None:
    rng = np.random.default_rng(3)
    for key in layouts():
        number, _, subtype = key.partition("_")
        for _ in range(5):
            values = {"DF002": int(number)} | random_values(layouts()[key].items, rng)
            if subtype:
                values["IDF002"] = int(subtype)
            payload = encode_values(values)
            assert layout_key(payload) == key
            assert decode_values(payload) == values
            assert encode_values(decode_values(payload)) == payload


# Bits a message as published with the layouts: fixed part alone, or with one repeat of the group.
BITS = {"1001": 64 + 2 * 58, "1004": 64 + 2 * 125, "1012": 61 + 2 * 130, "1005": 152, "1006": 168, "1015": 76 + 2 * 28,
        "1019": 488, "1020": 360, "1023": 578, "1024": 590, "1025": 196, "1026": 234, "1027": 258, "1030": 56 + 2 * 49,
        "1032": 156, "1034": 49 + 2 * 66, "1041": 482, "1042": 511, "1044": 485, "1045": 496, "1046": 504,
        "1060": 68 + 2 * 205, "1305": 56 + 2 * 47}  # fmt: skip


@pytest.mark.parametrize("key", BITS)
def test_messages_have_their_published_length(key: str) -> None:
    values = {"DF002": int(key)} | random_values(layouts()[key].items, np.random.default_rng(1))
    assert len(encode_values(values)) == (BITS[key] + 7) // 8


def test_refusals_say_what_is_wrong() -> None:
    payload = FRAME_1005[3:-3]
    with pytest.raises(DamagedMessageError, match="ends inside a field"):
        decode_values(payload[:-1])
    for nothing in (b"", b"\x3e"):
        with pytest.raises(UnknownMessageError):
            decode_values(nothing)
    with pytest.raises(UnknownMessageError, match="4072"):
        decode_values(bytes.fromhex("fe8001"))
    assert decode_values(payload + b"\xff\xff")["DF003"] == 2003  # longer than the layout: the rest is not ours
    values = decode_values(payload)
    with pytest.raises(UnencodableError, match="DF003"):
        encode_values(values | {"DF003": 5000})
    with pytest.raises(UnencodableError, match=r"DF026.*missing"):
        encode_values({k: v for k, v in values.items() if k != "DF026"})
    with pytest.raises(UnencodableError, match="no layout"):
        encode_values({"DF002": 3999})
    msm = decode_values(FRAME_1127[3:-3])
    cell = msm["cells"][0]
    for cells in ([{**cell, "signal": 33}], [{**cell, "id": 1}], [cell, cell], [{}], None):
        with pytest.raises(UnencodableError):
            encode_values(msm | {"cells": cells})


def test_ssr_of_another_shape_is_refused() -> None:
    """Drafts of 2009 sent 1059 with other fields: more payload than the layout, not zero."""
    values = {"DF002": 1059} | random_values(layouts()["1059"].items, np.random.default_rng(1))
    payload = encode_values(values)
    assert decode_values(payload + b"\0\0") == values
    with pytest.raises(DamagedMessageError, match="more payload"):
        decode_values(payload + b"\0\1")


def test_names() -> None:
    assert message_name(1127) == "BeiDou MSM7" and message_name(1006).startswith("Stationary")
    assert message_name(4072) == "proprietary" and message_name(999) == ""
    assert msm_layout(1078) is None and msm_layout(1140) is None
    assert len(layouts()) == 134 and len(fields()) == 516


def test_bits_are_read_and_written_big_endian_across_bytes() -> None:
    writer = BitWriter()
    for value, bits in ((5, 3), (0x123456789, 38), (1, 1), (-1, 7)):
        writer.put(value, bits)
    reader = BitReader(writer.payload())
    assert [reader.take(bits) for bits in (3, 38, 1, 7)] == [5, 0x123456789, 1, 127]
    assert reader.left == 7
    with pytest.raises(DamagedMessageError):
        reader.take(8)
