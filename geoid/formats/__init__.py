"""Grid file formats, one module each: `sniff(bytes)`, `parse(bytes, name)` and, where we write it, `encode(grid)`.

A format is known by its content. The suffix only decides whose complaint is shown when no format knows the content.
Plain modules with these functions; a new one is added to `_FORMATS`, before GTX, which has no signature.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Protocol

from geoid.errors import GridFormatError
from geoid.formats import geotiff, gtx, isg, pgm
from geoid.grid import Grid


class _Format(Protocol):
    NAME: str
    SUFFIXES: tuple[str, ...]

    def sniff(self, data: bytes) -> bool: ...

    def parse(self, data: bytes, name: str) -> Grid: ...


_FORMATS: tuple[_Format, ...] = (geotiff, pgm, isg, gtx)


def parse(data: bytes, name: str) -> Grid:
    """The grid in a file's bytes; `name` is for messages, its suffix a hint. Raises GridFormatError."""
    for candidate in _FORMATS:
        if candidate.sniff(data):
            return candidate.parse(data, name)
    suffix = PurePath(name).suffix.lower()
    for candidate in _FORMATS:
        if suffix in candidate.SUFFIXES:
            return candidate.parse(data, name)
    known = ", ".join(candidate.NAME for candidate in _FORMATS)
    raise GridFormatError(name, "its content", data[:60], f"a grid in one of the formats {known}")
