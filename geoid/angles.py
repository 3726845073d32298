"""Angles as people write them: decimal, sexagesimal with any usual signs, and packed dd.mmss.

Decides: full-width digits and signs are those of ASCII; a hemisphere letter (N S E W 北 南 东 西) before or after may
replace the sign; `-0°30'` is negative. Only the last of degrees, minutes and seconds may have a fraction.
Refuses (ValueError, with what was expected): minutes or seconds of 60 and more, sign and hemisphere together, a
hemisphere of the other axis. Packed cannot be told from decimal by looking, so it is never guessed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from enum import StrEnum

_LONGEST = 64
_SIGNS = str.maketrans(
    {"′": "'", "’": "'", "‘": "'", "`": "'", "´": "'", "″": '"', "”": '"', "“": '"', "º": "°", "˚": "°", "−": "-"}
)
_HEMISPHERES = {
    "N": ("latitude", 1), "S": ("latitude", -1), "E": ("longitude", 1), "W": ("longitude", -1),
    "北": ("latitude", 1), "南": ("latitude", -1), "东": ("longitude", 1), "西": ("longitude", -1),
}  # fmt: skip
_NUMBER = r"\d{1,3}(?:\.\d*)?"
_FIELDS = re.compile(
    rf"([-+]?) ?({_NUMBER})(?: ?[°度d: -] ?(?:({_NUMBER})(?: ?['分m: -] ?(?:({_NUMBER}) ?(?:\"|''|[秒s])?)?)?)?)?"
)
_PACKED = re.compile(r"([-+]?)(\d{1,3})(?:\.(\d{0,20}))?")


class Angles(StrEnum):
    """How the angles of a table are written."""

    DECIMAL = "deg"
    """Decimal degrees; a cell with minutes or signs, which cannot be mistaken, is read too."""
    SEXAGESIMAL = "dms"
    """Degrees, minutes and seconds; a lone decimal number, which could be packed, is refused."""
    PACKED = "packed"
    """ddd.mmss; cannot be told from decimal by looking, so only where it was said."""


def decimal(text: str) -> float:
    """Degrees of a decimal number. Raises ValueError."""
    try:
        degrees = float(text)
    except ValueError:
        degrees = math.nan
    if not math.isfinite(degrees) or "_" in text:
        raise ValueError("expected decimal degrees, such as 28.2055")
    return degrees


def sexagesimal(text: str, axis: str) -> float:
    """Degrees of an angle with minutes and seconds, such as 28°12'34.5"N, on the axis "latitude" or "longitude".

    Raises ValueError saying what was expected.
    """
    if len(text) > _LONGEST:
        raise ValueError("expected an angle, such as 28°12'34.5\"")
    plain = " ".join(unicodedata.normalize("NFKC", text.translate(_SIGNS)).split())
    plain, hemisphere = _without_hemisphere(plain, axis)
    found = _FIELDS.fullmatch(plain)
    if found is None or (hemisphere and found[1]):
        raise ValueError("expected an angle, such as 28°12'34.5\" or 28 12 34.5 or 28:12:34.5")
    fields = [field for field in found.groups()[1:] if field is not None]
    if any("." in field for field in fields[:-1]) or any(float(field) >= 60.0 for field in fields[1:]):
        raise ValueError("expected whole degrees and minutes, and minutes and seconds below 60")
    degrees = sum(float(field) / 60.0**power for power, field in enumerate(fields))
    return math.copysign(degrees, hemisphere or (-1.0 if found[1] == "-" else 1.0))


def only_sexagesimal(text: str, axis: str) -> float:
    """As `sexagesimal`, but not for a lone decimal number. Raises ValueError."""
    if re.fullmatch(r"[-+]?\d+\.\d*", text.strip()):
        raise ValueError(
            "expected degrees, minutes and seconds, such as 28°12'34.5\" (decimal and packed are other options)"
        )
    return sexagesimal(text, axis)


def _without_hemisphere(text: str, axis: str) -> tuple[str, int]:
    """The text without its hemisphere letter or word (北纬), and that letter's sign; 0 where there is none."""
    for letter, (of_axis, sign) in _HEMISPHERES.items():
        for word in (letter + ("纬" if of_axis == "latitude" else "经"), letter):
            rest = text.removeprefix(word) if text.startswith(word) else text.removesuffix(word)
            if rest != text:
                if of_axis != axis:
                    raise ValueError(f"expected a {axis}, not one of hemisphere {letter}")
                return rest.strip(), sign
    return text, 0


def packed(text: str) -> float:
    """Degrees of ddd.mmss, further digits being decimals of seconds: 28.123456 is 28°12'34.56". Raises ValueError."""
    found = _PACKED.fullmatch(unicodedata.normalize("NFKC", text.strip()[:_LONGEST]))
    if found is None:
        raise ValueError("expected packed degrees ddd.mmss")
    sign, degrees, digits = found[1], found[2], (found[3] or "").ljust(5, "0")
    minutes, seconds = int(digits[:2]), float(f"{digits[2:4]}.{digits[4:]}")
    if minutes >= 60 or seconds >= 60.0:
        raise ValueError("expected packed degrees ddd.mmss with minutes and seconds below 60")
    return math.copysign(int(degrees) + minutes / 60.0 + seconds / 3600.0, -1.0 if sign == "-" else 1.0)
