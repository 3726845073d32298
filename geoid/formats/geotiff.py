"""GeoTIFF as PROJ's geodetic grids (GTG): tags, units, bands and sub-grids of a vertical grid.

Decides: pixel-is-area moves nodes by half a cell; a negative scale or a matrix may run rows from the south; no data is
compared with the stored number, then SCALE and OFFSET apply; the band is the one described as a height offset, else the
first; overviews are left out, further directories are sub-grids. Metadata items named as in `geoid.metadata` are taken.
Refuses: projected coordinates, rotation, bands and units that are not heights in metres or feet, bytes as samples.
The container is read by tifffile, which may raise anything on a hostile file: that is the one broad `except` here.
Source: GeoTIFF 1.1 (OGC 19-008r4), PROJ's GeodeticTIFFGrids specification.
"""

from __future__ import annotations

import html
import io
import logging
import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoid.errors import GridFormatError, shown
from geoid.formats.tiff_samples import Layout, read_sample
from geoid.grid import Grid, impossible
from geoid.metadata import Kind, Metadata, parse_items

NAME = "geotiff"
SUFFIXES: tuple[str, ...] = (".tif", ".tiff")
_MOST_DIRECTORIES = 256
_HEIGHTS = ("geoid_undulation", "height_anomaly", "hydroid_height", "vertical_offset", "ellipsoidal_height_offset")
_TYPES = {
    "VERTICAL_OFFSET_GEOGRAPHIC_TO_VERTICAL": None,
    "VERTICAL_OFFSET_VERTICAL_TO_VERTICAL": Kind.SHIFT,
    "ELLIPSOIDAL_HEIGHT_OFFSET": Kind.SHIFT,
}
_UNITS = {"": 1.0, "metre": 1.0, "meter": 1.0, "m": 1.0, "foot": 0.3048, "us survey foot": 1200.0 / 3937.0}
_FRAMES = {4490: "CGCS2000", 4480: "CGCS2000", 4326: "WGS84", 4979: "WGS84"}
_USER_DEFINED = 32767
_ITEM = re.compile(r"<Item\s+([^<>]*)>([^<>]*)</Item>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_SAMPLE_TYPES = {(1, 16): "u2", (1, 32): "u4", (2, 16): "i2", (2, 32): "i4", (3, 32): "f4", (3, 64): "f8"}

logging.getLogger("tifffile").addHandler(
    logging.NullHandler()
)  # damaged files are reported by exceptions, not on stderr


class _Items(NamedTuple):
    """GDAL's metadata: of the file, and by (role or name, sample) of its bands."""

    of_file: dict[str, str]
    of_band: dict[tuple[str, int], str]


def sniff(data: bytes) -> bool:
    """Whether the file is a classic or big TIFF of either byte order."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def parse(data: bytes, name: str) -> Grid:
    """The grid of a GeoTIFF file's bytes, sub-grids included. Raises GridFormatError."""
    directories = _directories(data, name)
    main = _Directory(data, directories[0], name, None)
    grids = [main.grid()]
    for tags in directories[1:]:
        further = _Directory(data, tags, name, main)
        if further.is_grid():
            grids.append(further.grid())
    return Grid(
        grids[0].values, grids[0].south, grids[0].west, grids[0].dlat, grids[0].dlon, grids[0].metadata,
        format=NAME, subgrids=tuple(grids[1:]),
    )  # fmt: skip


def _directories(data: bytes, name: str) -> list[dict[int, object]]:
    """Tags by code of each image; whatever tifffile raises on the way becomes a format error."""
    import tifffile

    found: list[dict[int, object]] = []
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            for index in range(_MOST_DIRECTORIES):
                try:
                    page = tiff.pages[index]
                except IndexError:
                    break
                found.append({tag.code: tag.value for tag in page.aspage().tags.values()})
    except Exception as error:
        raise GridFormatError(
            name, "its TIFF structure", f"{type(error).__name__}: {error}", "a readable TIFF"
        ) from None
    if not found:
        raise GridFormatError(name, "its TIFF structure", data[:8], "at least one image")
    return found


class _Directory:
    """One image of the file and what its tags say; a further image inherits from the main one."""

    def __init__(self, data: bytes, tags: dict[int, object], name: str, main: _Directory | None) -> None:
        self.data, self.tags, self.name = data, tags, name
        self.items = _items(tags.get(42112))
        self.keys: dict[int, int] = {**(main.keys if main else {}), **_geo_keys(self._wholes(34735))}

    def is_grid(self) -> bool:
        """Whether a further image is a sub-grid: not an overview or mask, not of another type."""
        reduced = self._whole(254, 0) & 0b101
        kind = self.items.of_file.get("TYPE")
        return not reduced and (kind is None or kind in _TYPES) and (33550 in self.tags or 34264 in self.tags)

    def grid(self) -> Grid:
        """The image as a grid."""
        self._check_coordinates()
        sample = self._height_sample()
        layout = self._layout()
        x, dx, y, dy = self._registration()
        if not (dx > 0.0 and dy != 0.0):
            raise self._error("its registration", f"steps {dx} and {dy}", "a positive step in longitude")
        south = y if dy > 0.0 else y + (layout.rows - 1) * dy
        wrong = impossible(south, x, abs(dy), dx, layout.rows, layout.columns)
        if wrong is not None:
            raise self._error("its registration", f"first node {x} {y}, steps {dx} {dy}", wrong)
        if not 0 <= sample < layout.samples:
            raise self._error("its metadata", f"sample {sample}", f"one of {layout.samples} samples")
        values = self._scaled(read_sample(self.data, layout, sample, self.name), sample)
        return Grid(values if dy > 0.0 else values[::-1], south, x, abs(dy), dx, self._metadata(sample))

    def _error(self, where: str, found: object, expected: str) -> GridFormatError:
        return GridFormatError(self.name, where, found, expected)

    def _wholes(self, code: int) -> tuple[int, ...]:
        """Integers of a tag; empty where it is absent or something else."""
        value = self.tags.get(code)
        values = value if isinstance(value, tuple) else (value,)
        return tuple(int(v) for v in values) if all(isinstance(v, int) for v in values) else ()

    def _whole(self, code: int, default: int) -> int:
        values = self._wholes(code)
        return values[0] if values else default

    def _reals(self, code: int, at_least: int) -> tuple[float, ...]:
        """Finite numbers of a tag; empty where it is absent, short or something else."""
        value = self.tags.get(code)
        values = value if isinstance(value, tuple) else (value,)
        good = len(values) >= at_least and all(isinstance(v, (int, float)) and math.isfinite(v) for v in values)
        return tuple(float(v) for v in values) if good else ()

    def _check_coordinates(self) -> None:
        """Geographic, in degrees, of a type that is heights."""
        if self.keys.get(1024, 2) != 2:
            raise self._error("GeoKey 1024 (model type)", self.keys[1024], "2, geographic")
        if self.keys.get(2054, 9102) not in (9102, 9122):
            raise self._error("GeoKey 2054 (angular unit)", self.keys[2054], "9102, degree")
        kind = self.items.of_file.get("TYPE")
        if kind is not None and kind not in _TYPES:
            raise self._error("metadata item TYPE", shown(kind), " | ".join(_TYPES))

    def _registration(self) -> tuple[float, float, float, float]:
        """Longitude of the first node and step, latitude of the first node and step (negative: rows from the north)."""
        matrix, scale, tie = self._reals(34264, 16), self._reals(33550, 2), self._reals(33922, 6)
        if matrix:
            dx, dy, x, y = matrix[0], matrix[5], matrix[3], matrix[7]
            if matrix[1] != 0.0 or matrix[4] != 0.0:
                raise self._error("tag 34264 (matrix)", matrix[:8], "no rotation")
        elif scale and tie:
            dx, dy = scale[0], -scale[1]
            x, y = tie[3] - tie[0] * dx, tie[4] - tie[1] * dy
        else:
            raise self._error("its registration", "no usable tags 33550 and 33922 or 34264", "a georeferenced grid")
        if self.keys.get(1025, 1) != 2:  # pixel is area: the tie point is the corner of a cell
            x, y = x + 0.5 * dx, y + 0.5 * dy
        return x, dx, y, dy

    def _height_sample(self) -> int:
        """The band that holds heights."""
        described = {sample: text for (role, sample), text in self.items.of_band.items() if role == "description"}
        heights = sorted(sample for sample, text in described.items() if text in _HEIGHTS)
        if described and not heights:
            raise self._error("band descriptions", shown(", ".join(described.values())), " | ".join(_HEIGHTS))
        if not heights and self._whole(277, 1) > 1:
            raise self._error(
                "its metadata", f"{self._whole(277, 1)} bands without descriptions", "one that is described as heights"
            )
        return heights[0] if heights else 0

    def _layout(self) -> Layout:
        rows, columns = self._whole(257, 0), self._whole(256, 0)
        bits, form = self._wholes(258) or (1,), self._wholes(339) or (1,)
        kind = _SAMPLE_TYPES.get((form[0], bits[0]))
        if kind is None or len(set(bits)) > 1 or len(set(form)) > 1:
            raise self._error("tags 258 and 339 (samples)", f"{bits} bits of format {form}", "16, 32 or 64-bit numbers")
        tiled = 322 in self.tags
        return Layout(
            rows, columns, self._whole(277, 1), np.dtype(("<" if self.data[:1] == b"I" else ">") + kind),
            self._whole(284, 1) == 2,
            self._whole(323, 0) if tiled else min(self._whole(278, rows), rows),
            self._whole(322, 0) if tiled else columns,
            tiled, self._whole(259, 1), self._whole(317, 1),
            self._wholes(324 if tiled else 273), self._wholes(325 if tiled else 279),
        )  # fmt: skip

    def _scaled(self, raw: NDArray[np.generic], sample: int) -> NDArray[np.float64]:
        """Stored numbers as metres with NaN for no data."""
        unit = self.items.of_band.get(("unittype", sample), "")
        if unit.lower() not in _UNITS:
            raise self._error("UNITTYPE", shown(unit), "metre or foot")
        factor = self._band_number("scale", sample, 1.0) * _UNITS[unit.lower()]
        shift = self._band_number("offset", sample, 0.0) * _UNITS[unit.lower()]
        no_data = str(self.tags.get(42113, "")).strip(" \0")
        with np.errstate(all="ignore"):
            values = raw.astype(np.float64)
            if no_data:
                values[_equal(raw, self._no_data(no_data))] = np.nan
            values = values * factor + shift
        values[np.isinf(values)] = np.nan
        return values

    def _band_number(self, role: str, sample: int, default: float) -> float:
        text = self.items.of_band.get((role, sample))
        if text is None:
            return default
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self._error(f"metadata item {role.upper()}", shown(text), "a number")
        return number

    def _no_data(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise self._error("tag 42113 (no data)", shown(text), "a number") from None

    def _metadata(self, sample: int) -> Metadata:
        items = self.items.of_file
        kind = _TYPES.get(items.get("TYPE", ""))
        if self.items.of_band.get(("description", sample)) in ("vertical_offset", "ellipsoidal_height_offset"):
            kind = Kind.SHIFT
        code = self.keys.get(2048)
        target, copyright_ = items.get("target_crs_epsg_code"), self.tags.get(33432)
        stated = Metadata(
            name=items.get("grid_name"),
            kind=kind,
            frame=_FRAMES.get(code, f"EPSG:{code}") if code and code != _USER_DEFINED else None,
            height_datum=f"EPSG:{target}" if target else None,
            interpolation=items.get("interpolation_method"),
            licence=copyright_ if isinstance(copyright_, str) else None,
        )
        return parse_items(dict(items), self.name).over(stated)


def _equal(raw: NDArray[np.generic], no_data: float) -> NDArray[np.bool_]:
    """Where stored numbers are the no-data number, compared in their own type."""
    if raw.dtype.kind != "f":
        return np.asarray(raw.astype(np.int64) == no_data)
    if math.isnan(no_data):
        return np.isnan(raw.astype(np.float64))
    return np.asarray(raw == raw.dtype.type(no_data))


def _geo_keys(directory: tuple[int, ...]) -> dict[int, int]:
    """GeoKeys that are plain numbers, by id."""
    entries = (directory[k : k + 4] for k in range(4, len(directory) - 3, 4))
    return {key: value for key, where, _, value in entries if where == 0}


def _items(text: object) -> _Items:
    """GDAL's metadata XML, read item by item; no XML parser, so no entities to expand."""
    of_file: dict[str, str] = {}
    of_band: dict[tuple[str, int], str] = {}
    for attributes, value in _ITEM.findall(text if isinstance(text, str) else ""):
        said: dict[str, str] = dict(_ATTRIBUTE.findall(attributes))
        sample, name = said.get("sample", ""), said.get("name", "")
        if sample.isdecimal():
            of_band[said.get("role", name).lower(), int(sample[:6])] = html.unescape(value).strip()
        else:
            of_file[name] = html.unescape(value).strip()
    return _Items(of_file, of_band)
