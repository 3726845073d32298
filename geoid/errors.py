"""What this room raises, and whose fault it is.

    GeoidError (a ValueError)
    ├── GridFormatError   a grid file or its sidecar is damaged, hostile or of a kind not read here
    ├── ModelError        the grid is sound but cannot do what was asked (an uncertainty grid as a model, a method)
    └── TableError        a table of points as a whole is unusable (no latitude column, axes swapped)

One bad row of a table is none of these: it is reported in its place. A missing file stays an `OSError`.
"""

from __future__ import annotations

SHOWN = 40
"""Characters or bytes of offending input that a message shows."""


class GeoidError(ValueError):
    """Base of everything this room raises on purpose."""


class GridFormatError(GeoidError):
    """A grid file that cannot be read: `name`, `where` in it, what was `found` and what was `expected`.

    `found` is a statement, or the offending input itself: text by way of `shown`, bytes as they are.
    """

    def __init__(self, name: str, where: str, found: object, expected: str) -> None:
        self.name, self.where, self.expected = name, where, expected
        self.found = found[: 6 * SHOWN] if isinstance(found, str) else shown(found)
        super().__init__(f"{name}, {where}: found {self.found}, expected {expected}")


class ModelError(GeoidError):
    """A sound grid asked for something it cannot give."""


class TableError(GeoidError):
    """A table of points that cannot be converted at all."""


def shown(found: object) -> str:
    """Offending input as one short printable line."""
    if found is None:
        return "nothing"
    if isinstance(found, (bytes, bytearray, memoryview)):
        return repr(bytes(found[:SHOWN])) + ("..." if len(found) > SHOWN else "")
    if isinstance(found, str):
        return repr(found[:SHOWN]) + ("..." if len(found) > SHOWN else "")
    return repr(found)[: 4 * SHOWN]
