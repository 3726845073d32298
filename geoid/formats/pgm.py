"""GeographicLib's geoid format: a binary grey-map of 16-bit pixels over the whole Earth.

Decides: value = Offset + Scale x pixel from the two required comment lines; the first row is 90 N, the first column
0 E, the columns do not repeat 360.
Refuses: other grey-maps (8 bits, no Offset or Scale, odd width, even height, wrong length).
Source: GeographicLib documentation, "The format of the geoid files".
"""

from __future__ import annotations

import math
import re

import numpy as np

from geoid.errors import GridFormatError, shown
from geoid.grid import Grid, impossible
from geoid.metadata import Metadata

NAME = "pgm"
SUFFIXES: tuple[str, ...] = (".pgm",)
_LONGEST_HEADER = 1 << 16
_SIZE = re.compile(rb"\s*(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s")


def sniff(data: bytes) -> bool:
    """Whether the file is a binary grey-map."""
    return data[:2] == b"P5" and data[2:3].isspace()


def parse(data: bytes, name: str) -> Grid:
    """The grid of a PGM file's bytes. Raises GridFormatError."""
    comments, start = _comments(data, name)
    found = _SIZE.match(data, start, start + 64)
    if found is None:
        raise GridFormatError(name, f"byte {start}", data[start : start + 40], "width, height and 65535")
    columns, rows, largest = map(int, found.groups())
    where = f"byte {found.start(1)}"
    if largest != 65535 or columns % 2 or not rows % 2 or rows < 3 or columns < 4:
        raise GridFormatError(name, where, found.group().strip(), "an even width, an odd height and 65535")
    size = found.end() + 2 * rows * columns
    if len(data) != size:
        raise GridFormatError(name, "its length", f"{len(data)} bytes", f"{size} bytes for {columns} x {rows} pixels")
    offset, scale = _required(comments, "offset", name), _required(comments, "scale", name)
    dlat, dlon = 180.0 / (rows - 1), 360.0 / columns
    wrong = impossible(-90.0, 0.0, dlat, dlon, rows, columns)
    if wrong is not None or not scale > 0.0 or not math.isfinite(offset + scale * 65535.0):
        raise GridFormatError(name, where, f"Offset {offset} Scale {scale}", wrong or "a positive scale")
    pixels = np.frombuffer(data, ">u2", rows * columns, found.end()).reshape(rows, columns)
    values = offset + scale * pixels[::-1].astype(np.float64)
    return Grid(values, -90.0, 0.0, dlat, dlon, Metadata(name=comments.get("description")), format=NAME)


def _comments(data: bytes, name: str) -> tuple[dict[str, str], int]:
    """Comment lines as lower-case key and text, and where the numbers begin."""
    comments: dict[str, str] = {}
    at = 3
    while data[at : at + 1] == b"#":
        end = data.find(b"\n", at, _LONGEST_HEADER)
        if end < 0:
            raise GridFormatError(
                name, f"byte {at}", data[at : at + 60], f"a comment that ends within {_LONGEST_HEADER} bytes"
            )
        key, _, text = data[at + 1 : end].decode("utf-8", "replace").strip().partition(" ")
        comments[key.lower()] = text.strip()
        at = end + 1
    return comments, at


def _required(comments: dict[str, str], key: str, name: str) -> float:
    """A number that must stand in the comments."""
    text = comments.get(key)
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise GridFormatError(name, "its comments", shown(text), f"a line '# {key.capitalize()} number'")
    return number
