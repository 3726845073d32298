"""ISG 1.0 and 2.0, the text format of the International Service for the Geoid; grids and sparse lists.

Decides: whether the limits are nodes or outer edges of cells is found from limits, steps and counts (both occur in both
versions, whatever the specification says), and steps are recomputed from limits and counts because printed ones are
rounded. Angles may be decimal or dms. Feet become metres (0.3048). A sparse list becomes a grid with holes if its
points lie on one.
Refuses: projected grids, other row orders, counts that disagree with the limits or with the numbers that follow.
Source: ISG format specifications 1.0 and 2.0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geoid.angles import decimal, sexagesimal
from geoid.errors import GridFormatError, shown
from geoid.formats.lattice import from_points
from geoid.grid import Grid, impossible
from geoid.metadata import Kind, Metadata

NAME = "isg"
SUFFIXES: tuple[str, ...] = (".isg",)
_LONGEST_HEADER = 1 << 20
_LONGEST_LINE = 1 << 20
_BEGIN = re.compile(rb"^begin_of_head\b.*$", re.MULTILINE | re.IGNORECASE)
_END = re.compile(rb"^end_of_head\b.*$", re.MULTILINE | re.IGNORECASE)
_ENTRY = re.compile(r"\s*([A-Za-z][\w ]*?)\s*[:=]\s*(.*?)\s*")
_UNITS = {"meters": 1.0, "metres": 1.0, "m": 1.0, "feet": 0.3048}
_KINDS = {"geoid": Kind.GEOID, "quasi-geoid": Kind.QUASIGEOID, "quasigeoid": Kind.QUASIGEOID}


class _Header:
    """The header's entries by lower-case key, and errors that name them."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        found = (_ENTRY.fullmatch(line) for line in text.splitlines())
        self.entries = {entry[1].lower(): entry[2] for entry in found if entry}

    def text(self, *keys: str) -> str | None:
        """The first of these entries that says something; `---` says nothing."""
        said = (self.entries.get(key, "") for key in keys)
        return next((text for text in said if text.strip("-")), None)

    def error(self, key: str, expected: str) -> GridFormatError:
        """What is wrong with an entry, to be raised."""
        return GridFormatError(self.name, f"header entry '{key}'", shown(self.entries.get(key)), expected)

    def number(self, key: str) -> float:
        """A finite number."""
        text = self.entries.get(key, "")
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or "_" in text:
            raise self.error(key, "a number")
        return number

    def count(self, key: str) -> int:
        """A number of rows, columns or points."""
        text = self.entries.get(key, "")
        if not re.fullmatch(r"\d{1,9}", text):
            raise self.error(key, "a count")
        return int(text)

    def angle(self, key: str) -> float:
        """Degrees, from decimal or dms."""
        angle = _degrees(self.entries.get(key, ""))
        if angle is None:
            raise self.error(key, "degrees, as 27.5 or 27°30'00\"")
        return angle


def _degrees(text: str) -> float | None:
    """Degrees of a decimal or dms angle; None for anything else."""
    try:
        return decimal(text) if "°" not in text else sexagesimal(text, "latitude")
    except ValueError:
        return None


def sniff(data: bytes) -> bool:
    """Whether the text has an ISG header (ICGEM's files have the same first line but other entries)."""
    begin = _BEGIN.search(data, 0, _LONGEST_HEADER)
    return (
        begin is not None
        and re.search(rb"^\s*(lat|north) min\s*[:=]", data[begin.end() :][:8192], re.M | re.I) is not None
    )


def parse(data: bytes, name: str) -> Grid:
    """The grid of an ISG file's bytes. Raises GridFormatError."""
    begin = _BEGIN.search(data, 0, _LONGEST_HEADER)
    end = _END.search(data, begin.end(), begin.end() + _LONGEST_HEADER) if begin else None
    if begin is None or end is None:
        raise GridFormatError(name, "its header", data[:60], "lines begin_of_head and end_of_head")
    header = _Header(name, _decoded(data[begin.end() : end.start()]))
    _check_supported(header)
    body, first_line = data[end.end() :], data.count(b"\n", 0, end.end()) + 1
    if (header.text("data format") or "grid").lower() == "sparse":
        return _sparse(header, body, first_line)
    return _grid(header, body, first_line)


def _decoded(raw: bytes) -> str:
    """The header as text: UTF-8, else Latin-1 (where the degree sign is 0xB0)."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _check_supported(header: _Header) -> None:
    """Refuse what cannot become a grid on geographic nodes."""
    if (header.text("coord type") or "geodetic").lower() != "geodetic":
        raise header.error("coord type", "geodetic (reproject a projected grid first)")
    if (header.text("coord units") or "deg").lower() not in ("deg", "dms"):
        raise header.error("coord units", "deg or dms")
    if (header.text("data units", "units") or "meters").lower() not in _UNITS:
        raise header.error("data units" if "data units" in header.entries else "units", "meters or feet")
    if (header.text("data format") or "grid").lower() not in ("grid", "sparse"):
        raise header.error("data format", "grid or sparse")


def _metadata(header: _Header) -> Metadata:
    kind = _KINDS.get((header.text("data type") or "").lower())
    if kind is None and (header.text("model type") or "").lower() == "hybrid":
        kind = Kind.HYBRID
    return Metadata(
        name=header.text("model name"),
        version=header.text("model year"),
        kind=kind,
        ellipsoid=header.text("ref ellipsoid", "reference"),
        frame=header.text("ref frame"),
        tide_system=header.text("tide system"),
        height_datum=header.text("height datum"),
    )


def _grid(header: _Header, body: bytes, first_line: int) -> Grid:
    """A complete grid, rows from the north."""
    ordering = (header.text("data ordering") or "n-to-s, w-to-e").lower().replace(" ", "")
    if ordering != "n-to-s,w-to-e":
        raise header.error("data ordering", "N-to-S, W-to-E")
    rows, columns = header.count("nrows"), header.count("ncols")
    if 2 * rows * columns > len(body) + 2:
        found = f"{rows} x {columns} values in {len(body)} bytes"
        raise GridFormatError(
            header.name, "header entries nrows and ncols", found, "no more values than the file can hold"
        )
    south, dlat, kind_of_limits = _axis(header, "lat", rows)
    west, dlon, kind_of_others = _axis(header, "lon", columns)
    if kind_of_limits != kind_of_others:
        found = f"latitudes limited by {kind_of_limits}, longitudes by {kind_of_others}"
        raise GridFormatError(header.name, "its header", found, "limits of one kind")
    wrong = impossible(south, west, dlat, dlon, rows, columns)
    if wrong is not None:
        raise GridFormatError(header.name, "its header", f"lat min {south} lon min {west}", wrong)
    values = np.empty(rows * columns)
    filled = 0
    for line, row in _number_lines(body, first_line, header.name):
        if filled + len(row) > values.size:
            found = f"{filled + len(row)} values"
            raise GridFormatError(
                header.name, f"line {line}", found, f"{values.size} = {rows} x {columns} in the whole file"
            )
        values[filled : filled + len(row)] = row
        filled += len(row)
    if filled != values.size:
        found = f"{filled} values"
        raise GridFormatError(header.name, "the end of the file", found, f"{values.size} = {rows} x {columns}")
    _finish(header, values)
    return Grid(values.reshape(rows, columns)[::-1], south, west, dlat, dlon, _metadata(header), format=NAME)


def _axis(header: _Header, axis: str, count: int) -> tuple[float, float, str]:
    """First node and step of an axis, and what its limits are: nodes or cell edges."""
    low, high, step = (header.angle(f"{key}") for key in (f"{axis} min", f"{axis} max", f"delta {axis}"))
    if axis == "lon" and high <= low:
        high += 360.0
    if step > 0.0 and high > low and count >= 2:
        steps = (high - low) / step
        if abs(steps - (count - 1)) < 0.3:
            return low, (high - low) / (count - 1), "nodes"
        if abs(steps - count) < 0.3:
            step = (high - low) / count
            return low + 0.5 * step, step, "cell edges"
    found = f"{axis} min {low} max {high} delta {step} and {count} rows or columns"
    raise GridFormatError(
        header.name, "its header", found, f"(max - min)/delta = {count - 1} (nodes) or {count} (cell edges)"
    )


def _number_lines(body: bytes, first_line: int, name: str) -> Iterator[tuple[int, list[float]]]:
    """Line numbers and the numbers of each line that has any."""
    for line, text in enumerate(body.split(b"\n"), first_line):
        if len(text) > _LONGEST_LINE:
            raise GridFormatError(name, f"line {line}", f"a line of {len(text)} bytes", f"at most {_LONGEST_LINE}")
        tokens = text.split()
        try:
            row = list(map(float, tokens))
        except ValueError:
            row = [math.nan]
        if not all(map(math.isfinite, row)) or b"_" in text:
            raise GridFormatError(name, f"line {line}", text.strip(), "numbers")
        if row:
            yield line, row


def _sparse(header: _Header, body: bytes, first_line: int) -> Grid:
    """A list of points `lat, lon, N` or `lon, lat, zeta`, if they lie on a grid."""
    order = [word.strip().lower() for word in (header.text("data ordering") or "").split(",")]
    if len(order) < 3 or set(order[:2]) != {"lat", "lon"}:
        raise header.error("data ordering", "lat, lon, N or lon, lat, N")
    count = header.count("nrows")
    if 6 * count > len(body) + 2:
        raise header.error("nrows", f"no more points than {len(body)} bytes can hold")
    points = np.empty((count, 3))
    filled = 0
    for line, text in enumerate(body.split(b"\n"), first_line):
        tokens = _decoded(text[:200]).split()
        if not tokens:
            continue
        row = [_degrees(token) for token in tokens[:3]]
        if len(row) < 3 or None in row or filled == count:
            raise GridFormatError(
                header.name, f"line {line}", text.strip(), f"{', '.join(order)} of one of {count} points"
            )
        points[filled] = row
        filled += 1
    if filled != count:
        raise GridFormatError(header.name, "the end of the file", f"{filled} points", f"{count}")
    values = points[:, 2].copy()
    _finish(header, values)
    latitude, longitude = points[:, order.index("lat")], points[:, order.index("lon")]
    lattice = from_points(latitude, longitude, values, header.name)
    return Grid(lattice.values, lattice.south, lattice.west, lattice.dlat, lattice.dlon, _metadata(header), format=NAME)


def _finish(header: _Header, values: NDArray[np.float64]) -> None:
    """No data to NaN and feet to metres, in place."""
    if header.text("nodata") is not None:
        no_data = header.number("nodata")
        values[np.abs(values - no_data) <= 1e-7 * abs(no_data)] = np.nan
    values *= _UNITS[(header.text("data units", "units") or "meters").lower()]
