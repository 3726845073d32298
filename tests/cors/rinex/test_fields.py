"""Number fields against Python's own reading of the same text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.rinex.fields import integer, real, whole
from cors.rinex.navigation import _kernels as nav
from cors.rinex.observation import _kernels as obs

pytestmark = pytest.mark.kernel


def _field(text: str) -> tuple[int, int]:
    """Status and thousandths of a 14-column field, both ways the kernel reads it."""
    array = np.frombuffer(text.encode().ljust(80, b"\n"), np.uint8).copy()
    slow = obs._slow_field(array, 0, 14)
    status, value = obs._quick_field(obs._load(array, 0), obs._load(array, 6))
    if status != obs._ODD:
        assert (status, value) == slow, text
    return slow


@given(st.integers(-999_999_999_999, 9_999_999_999_999))
def test_f14_3_is_an_integer_of_thousandths(milli: int) -> None:
    sign = "-" if milli < 0 else ""
    whole_part, rest = divmod(abs(milli), 1000)
    for text in (f"{sign}{whole_part}.{rest:03d}", f"{sign}{whole_part or ''}.{rest:03d}"):
        if len(text) <= 14:
            assert _field(f"{text:>14}") == (obs._OK, milli)
            assert milli / 1000.0 == float(f"{sign}{whole_part}.{rest:03d}")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (" " * 14, obs._ABSENT), ("*" * 14, obs._OVERFLOW), ("         1. 50", obs._BAD),
        ("       1 5.000", obs._BAD), ("        1 .500", obs._BAD), ("      - 12.500", obs._BAD),
        ("      1-12.500", obs._BAD), ("      --12.500", obs._BAD), (" 21223008.248 ", obs._POINT),
        ("       12.5000", obs._POINT), ("      12345678", obs._BAD), ("       1\x002.500", obs._NUL),
        ("         1.2x4", obs._BAD), ("          .   ", obs._BAD), ("         ,.500", obs._BAD),
        ("         -.-12", obs._BAD),
    ],
)  # fmt: skip
def test_what_is_no_f14_3(text: str, status: int) -> None:
    assert _field(f"{text:<14}")[0] == status


@pytest.mark.parametrize(
    ("text", "milli"),
    [("         -.555", -555), ("        +1.500", 1500), ("        -0.000", 0), ("         1.5  ", 1500)],
)
def test_legal_oddities(text: str, milli: int) -> None:
    assert _field(text) == (obs._OK, milli)


def _printed(sign: str, digits: int, letter: str, exponent: int) -> str:
    return f"{sign}{digits // 10**12}.{digits % 10**12:012d}{letter}{exponent:+03d}"


NUMBERS = st.builds(
    _printed, st.sampled_from([" ", "-"]), st.integers(0, 10**13 - 1), st.sampled_from("DEde"), st.integers(-60, 40)
)


@given(NUMBERS)
def test_d19_12_is_what_float_makes_of_it(text: str) -> None:
    array = np.frombuffer(text.encode().ljust(100, b"\n"), np.uint8).copy()
    expected = float(text.upper().replace("D", "E"))
    for status, value in (nav._number(array, 0, 19), nav._quick_number(array, 0)):
        assert status in (0, 3, 5), text
        if status == 0:
            assert (value, math.copysign(1.0, value)) == (expected, math.copysign(1.0, expected))
    assert real(text) == expected


@pytest.mark.parametrize("text", ["1. 5", "1E", "--1", "E5", "nan", "inf", "1e5e5", "٣", "0x1", "1_0"])
def test_what_is_no_number(text: str) -> None:
    array = np.frombuffer(text.encode().ljust(100, b"\n"), np.uint8).copy()
    assert nav._number(array, 0, 19)[0] == 2
    with pytest.raises(ValueError, match="not a number"):
        real(text)


def test_blanks_are_absent_and_integers_may_have_decimals() -> None:
    assert math.isnan(real("   ")) and integer("  ") is None and whole("") is None
    assert (integer(" -7"), whole("30.000"), real(" -.123D-04")) == (-7, 30, -1.23e-5)
    with pytest.raises(ValueError, match="whole"):
        whole("30.5")
    with pytest.raises(ValueError, match="integer"):
        integer("1.0")
