"""Which column of a table is which: by English or Chinese header names, or as told (`lat=3,lon=4,h=5`).

Decides: names are compared without case, blanks, signs and units; a speaking name goes before a bare letter; `h` and
`H` differ only where a table has both (then `h` is ellipsoidal, `H` above the surface). 大地高 is ellipsoidal, 高程 and
正常高 are above the surface: which of the two is the input follows from the direction of the conversion.
Refuses: to choose between two columns of one meaning, to take a levelled height for an ellipsoidal one or the other
way round, heights in other units than metres.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from geoid.errors import TableError, shown

_LATITUDE = {"lat", "latitude", "latdeg", "b", "φ", "phi", "纬度", "北纬", "大地纬度", "纬度b", "b纬度"}
_LONGITUDE = {
    "lon", "lng", "long", "longitude", "londeg", "l", "λ", "lambda",
    "经度", "东经", "大地经度", "经度l", "l经度",
}  # fmt: skip
_ELLIPSOIDAL = {
    "h", "ellh", "hell", "hellm", "height", "ellipsoidalheight", "ellipsoidheight", "ellipsoidalh", "hae",
    "hellipsoidal", "大地高", "大地高h", "h大地高", "椭球高",
}  # fmt: skip
_ABOVE = {
    "h", "height", "hnormal", "hnormalm", "normalheight", "horthometric", "horthometricm", "orthometricheight", "elev",
    "elevation", "levelledheight", "正常高", "正高", "高程", "海拔", "海拔高", "水准高", "水准高程",
    "1985高程", "85高程",
}  # fmt: skip
_SIGMA = {
    "sigmah", "sigmahm", "σh", "sh", "sdh", "stdh", "sigmaheight", "sigmau", "mh",
    "大地高中误差", "高程中误差", "高中误差",
}  # fmt: skip
_BARE = {"b", "l", "h", "φ", "λ", "height"}
_OTHER_UNIT = re.compile(r"[\[(（]\s*(ft|feet|usft|us-ft|mm|cm|km|英尺|毫米|厘米)\s*[\])）]", re.IGNORECASE)
_KEYS = {
    "lat": "latitude", "latitude": "latitude", "lon": "longitude", "lng": "longitude", "longitude": "longitude",
    "h": "height", "height": "height", "sigma_h": "sigma_h", "sigma": "sigma_h",
}  # fmt: skip


class Columns(NamedTuple):
    """Positions from 0 of the columns that are read; sigma_h -1 where there is none."""

    latitude: int
    longitude: int
    height: int
    sigma_h: int = -1


Told = Mapping[str, str]
"""What the user said: latitude, longitude, height, sigma_h -> position from 1, or header name."""


def parse_columns(text: str) -> dict[str, str]:
    """`lat=3,lon=4,h=5` (positions from 1, or header names) by role. Raises TableError."""
    told: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        role = _KEYS.get(key.lower())
        if role is None or not equals or not value or role in told:
            raise TableError(f"--columns {text!r}: {part!r} is not one of lat=3 lon=4 h=5 sigma_h=6")
        told[role] = value
    missing = [role for role in ("latitude", "longitude", "height") if role not in told]
    if missing:
        raise TableError(f"--columns {text!r} does not say which column is the {' nor the '.join(missing)}")
    return told


def find_columns(header: Sequence[str], inverse: bool) -> Columns:
    """The columns of a header by their names. Raises TableError naming what is missing, doubled or in another unit."""
    names = [_plain(cell) for cell in header]
    sigma = [k for k, name in enumerate(names) if name in _SIGMA]
    columns = Columns(
        _only(header, names, _LATITUDE, "latitude (lat, 纬度, B)"),
        _only(header, names, _LONGITUDE, "longitude (lon, 经度, L)"),
        _height(header, names, inverse),
        sigma[0] if len(sigma) == 1 else -1,
    )
    _check_units(header, columns)
    return columns


def told_columns(told: Told, header: Sequence[str]) -> Columns:
    """The columns a user named, by position or by header name. Raises TableError."""
    found = {role: _position(value, header) for role, value in told.items()}
    if len(set(found.values())) < len(found):
        raise TableError(f"one column is named for two things: {dict(told)}")
    columns = Columns(found["latitude"], found["longitude"], found["height"], found.get("sigma_h", -1))
    _check_units(header, columns)
    return columns


def _position(value: str, header: Sequence[str]) -> int:
    if re.fullmatch(r"\d{1,6}", value):
        if not 1 <= int(value) <= len(header):
            raise TableError(f"there is no column {value}: the table has {len(header)}")
        return int(value) - 1
    names = [cell.strip() for cell in header]
    if names.count(value) != 1:
        raise TableError(f"{names.count(value)} columns are named {value!r} in {shown(', '.join(names))}")
    return names.index(value)


def _plain(cell: str) -> str:
    """A header name without case, blanks, units in brackets and signs."""
    text = unicodedata.normalize("NFKC", cell).strip().lower()
    return re.sub(r"[\s_.\-#%*\"']", "", re.sub(r"[\[(][^\])]*[\])]", "", text))


def _only(header: Sequence[str], names: list[str], meaning: set[str], what: str) -> int:
    """The one column of a meaning; a speaking name goes before a bare letter."""
    found = [k for k, name in enumerate(names) if name in meaning]
    speaking = [k for k in found if names[k] not in _BARE]
    found = speaking or found
    if len(found) == 1:
        return found[0]
    listed = shown(", ".join(cell.strip() for cell in header))
    trouble = f"no column is recognised as {what}" if not found else f"{len(found)} columns could be the {what}"
    raise TableError(f"{trouble} in {listed}; say which, e.g. --columns lat=2,lon=3,h=4")


def _height(header: Sequence[str], names: list[str], inverse: bool) -> int:
    """The height column for this direction; bare `h` and `H` are told apart where both are there."""
    wanted, others = (_ABOVE, _ELLIPSOIDAL) if inverse else (_ELLIPSOIDAL, _ABOVE)
    found = [k for k, name in enumerate(names) if name in wanted]
    exact = [k for k in found if header[k].strip() == ("H" if inverse else "h")]
    if len(exact) == 1 and all(names[k] in _BARE for k in found):
        return exact[0]
    contrary = [header[k].strip() for k, name in enumerate(names) if name in others - wanted]
    if not found and contrary:
        need, has = ("above the surface", "ellipsoidal") if inverse else ("ellipsoidal", "above the surface")
        hint = "convert without --inverse" if inverse else "convert with --inverse"
        raise TableError(
            f"the only height, {contrary[0]!r}, is {has}; this direction needs one that is {need} ({hint}?)"
        )
    return _only(header, names, wanted, "height (高程, elev, H)" if inverse else "ellipsoidal height (h, 大地高)")


def _check_units(header: Sequence[str], columns: Columns) -> None:
    for position in (columns.height, columns.sigma_h):
        if position >= 0 and _OTHER_UNIT.search(header[position]):
            raise TableError(f"column {header[position].strip()!r} is not in metres; convert it first")
