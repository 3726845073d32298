"""Numbers in fixed columns, as Fortran writes and reads them (header lines and the awkward paths; kernels do the rest).

A blank field is absent (NaN or None), a field with anything else in it that is no number raises ValueError.
"""

from __future__ import annotations

import math
import re

_REAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([EeDd][+-]?\d{1,3})?")
_INTEGER = re.compile(r"[+-]?\d{1,18}")


def real(field: str) -> float:
    """A real number, with any of the exponent letters D d E e; NaN for blanks."""
    text = field.strip()
    if not text:
        return math.nan
    if not text.isascii() or not _REAL.fullmatch(text):
        raise ValueError(f"not a number: {field!r}")
    return float(text.translate(_EXPONENTS))


def integer(field: str) -> int | None:
    """An integer; None for blanks."""
    text = field.strip()
    if not text:
        return None
    if not text.isascii() or not _INTEGER.fullmatch(text):
        raise ValueError(f"not an integer: {field!r}")
    return int(text)


def whole(field: str) -> int | None:
    """An integer that may be printed with decimals ("30.000"); None for blanks."""
    value = real(field)
    if math.isnan(value):
        return None
    if abs(value) > 1e15 or value != round(value):
        raise ValueError(f"not a whole number: {field!r}")
    return round(value)


_EXPONENTS = str.maketrans("dD", "EE")
