"""Angles as people write them; expected values are worked out by hand from degrees, minutes and seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoid.angles import decimal, packed, sexagesimal

ANGLE = 28.0 + 12.0 / 60.0 + 34.5678 / 3600.0


@pytest.mark.parametrize(
    "text",
    [
        "28°12'34.5678\"N", "28°12'34.5678\"", "28 12 34.5678", "28:12:34.5678", "28-12-34.5678", "28°12′34.5678″",
        "28d12m34.5678s", "28度12分34.5678秒", "北纬28°12′34.5678″", "N28°12'34.5678\"", "N 28 12 34.5678",
        "２８°１２′３４．５６７８″", "28° 12' 34.5678''", "  28 12   34.5678 ", "+28:12:34.5678", "28º12’34.5678”",
    ],
)  # fmt: skip
def test_sexagesimal_forms(text: str) -> None:
    assert sexagesimal(text, "latitude") == pytest.approx(ANGLE, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "axis", "degrees"),
    [
        ("-0°30'", "latitude", -0.5),
        ("0°30'S", "latitude", -0.5),
        ("119°30'W", "longitude", -119.5),
        ("东经112°30′", "longitude", 112.5),
        ("28.5°", "latitude", 28.5),
        ("28.5", "latitude", 28.5),
        ("28", "latitude", 28.0),
        ("28 30.5", "latitude", 28 + 30.5 / 60),
        ("28°59'59.99999\"", "latitude", 28 + 59 / 60 + 59.99999 / 3600),
    ],
)
def test_signs_and_short_forms(text: str, axis: str, degrees: float) -> None:
    assert sexagesimal(text, axis) == pytest.approx(degrees, abs=1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "28°60'0\"",
        "28°12'60\"",
        "28.5°12'",
        "28°12.5'30\"",
        "-28°12'N",
        "112°E",
        "28°12'34.5\"E",
        "",
        "N",
        "x",
        "28°12'34\"5",
        "28 12 34 56",
        "1" * 100,
        "28'12°34",
        "NaN",
        "28,5",
        "28D12M34S",
    ],
)
def test_what_is_no_latitude(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        sexagesimal(text, "latitude")


def test_packed() -> None:
    assert packed("28.12345678") == pytest.approx(ANGLE, abs=1e-12)
    assert packed("-0.3") == -0.5, "digits that are not written are noughts"
    assert packed("112.59595999") == pytest.approx(112 + 59 / 60 + 59.5999 / 3600, abs=1e-12)
    for text in ("28.60", "28.5960", "28,12", "28.12.34", "", "1e2", "inf"):
        with pytest.raises(ValueError, match="packed"):
            packed(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "", "28°", "0x10"])
def test_decimal_is_only_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="decimal degrees"):
        decimal(text)


@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 59_999_999), st.sampled_from(["", "-"]))
def test_all_forms_agree(degrees: int, minutes: int, micro: int, sign: str) -> None:
    seconds = f"{micro // 1_000_000:02d}.{micro % 1_000_000:06d}"
    expected = (degrees + minutes / 60 + float(seconds) / 3600) * (-1 if sign else 1)
    assert sexagesimal(f"{sign}{degrees}°{minutes}'{seconds}\"", "longitude") == pytest.approx(expected, abs=1e-12)
    assert packed(f"{sign}{degrees}.{minutes:02d}{seconds.replace('.', '')}") == pytest.approx(expected, abs=1e-12)


@given(st.text(max_size=80))
def test_any_text_is_an_angle_or_a_complaint(text: str) -> None:
    for parse in (lambda t: sexagesimal(t, "latitude"), packed, decimal):
        try:
            assert abs(parse(text)) < float("inf")
        except ValueError as error:
            assert "expected" in str(error)
