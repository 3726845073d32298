"""Whether a point's reference frame is the model's. Decides sameness only; bringing one to the other is not done here.

A frame is written NAME or NAME@EPOCH (decimal year). CGCS2000 is ITRF97 at epoch 2000.0 by definition; EPSG codes of
CGCS2000 and WGS 84 are taken for their names. An epoch that one side does not state is no contradiction.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from geoid.errors import ModelError

_NAMES = {
    "EPSG4490": "CGCS2000", "EPSG4480": "CGCS2000", "EPSG4479": "CGCS2000",
    "CHINAGEODETICCOORDINATESYSTEM2000": "CGCS2000", "2000国家大地坐标系": "CGCS2000", "国家大地坐标系2000": "CGCS2000",
    "EPSG4326": "WGS84", "EPSG4979": "WGS84", "EPSG4978": "WGS84",
}  # fmt: skip
_SAME_EPOCH = 0.01


class Frame(NamedTuple):
    """A reference frame; epoch in decimal years, None where it was not stated."""

    name: str
    epoch: float | None


def parse_frame(text: str) -> Frame:
    """A frame written NAME or NAME@EPOCH. Raises ModelError on an epoch that is no year."""
    name, at, year = text.partition("@")
    plain = re.sub(r"[\s_:/.-]", "", name).upper()
    if not plain:
        raise ModelError(f"{text!r} names no reference frame; write CGCS2000 or ITRF2014@2026.9")
    return _frame(_NAMES.get(plain, plain), _year(year, text) if at else None)


def stated_frame(name: str | None, epoch: float | None) -> Frame | None:
    """The frame a model's metadata state, None where they do not."""
    if name is None or not name.strip(" -"):
        return None
    stated = parse_frame(name)
    return stated if epoch is None else _frame(stated.name, epoch)


def same(one: Frame, other: Frame) -> bool:
    """Whether two frames are one, as far as both say."""
    epochs = (one.epoch, other.epoch)
    return one.name == other.name and (
        one.epoch is None or other.epoch is None or math.isclose(*epochs, rel_tol=0.0, abs_tol=_SAME_EPOCH)  # type: ignore[arg-type]
    )


def _frame(name: str, epoch: float | None) -> Frame:
    """A frame under its one name."""
    if name == "ITRF97" and epoch is not None and abs(epoch - 2000.0) < _SAME_EPOCH:
        name = "CGCS2000"
    return Frame(name, 2000.0 if name == "CGCS2000" and epoch is None else epoch)


def _year(text: str, frame: str) -> float:
    try:
        year = float(text)
    except ValueError:
        year = math.nan
    if not 1900.0 <= year <= 2200.0:
        raise ModelError(f"{frame!r}: the epoch after @ must be a decimal year, such as 2026.9")
    return year
