"""Grid files made for tests, as bytes, by programs and packings that share no code with the readers."""

from __future__ import annotations

import io
import struct

import numpy as np
import tifffile
from numpy.typing import NDArray

VALUES = np.round(np.random.default_rng(1985).normal(-17.0, 1.5, (7, 11)), 3)
"""Rows from the south, columns from the west; not square, so that a transposition or a flip shows."""
SOUTH, WEST, DLAT, DLON = 27.0, 111.0, 0.25, 0.125


def gtx(values: NDArray[np.float64] = VALUES, south: float = SOUTH, west: float = WEST) -> bytes:
    """NOAA VDatum's layout, packed by hand."""
    rows, columns = values.shape
    body = b"".join(struct.pack(f">{columns}f", *row) for row in values)
    return struct.pack(">ddddii", south, west, DLAT, DLON, rows, columns) + body


def pgm(rows: int = 19, columns: int = 36) -> tuple[bytes, NDArray[np.float64]]:
    """A world grid in GeographicLib's layout, and its values from the south."""
    pixels = np.random.default_rng(7).integers(0, 65536, (rows, columns)).astype(">u2")
    header = b"P5\n# Geoid file in PGM format\n# Description a world for tests\n# Offset -108\n# Scale 0.003\n"
    data = header + f"{columns}  {rows}\n65535\n".encode() + pixels.tobytes()
    return data, (-108.0 + 0.003 * pixels.astype(float))[::-1]


ISG_HEADER = """A comment before the header.
begin_of_head ================================================
model name     : TEST
model type     : hybrid
data type      : quasi-geoid
data units     : {units}
data format    : grid
data ordering  : N-to-S, W-to-E
ref ellipsoid  : GRS80
ref frame      : ITRF2014
height datum   : ---
tide system    : mean-tide
coord type     : geodetic
coord units    : deg
lat min        =   {lat_min}
lat max        =   {lat_max}
lon min        =   {lon_min}
lon max        =   {lon_max}
delta lat      =    0.25
delta lon      =    0.125
nrows          =           7
ncols          =          11
nodata         =  -9999.0000
ISG format     =         2.0
end_of_head ==================================================
"""


def isg(**entries: str) -> str:
    """An ISG grid of `VALUES`; entries replace limits and units."""
    said = {"units": "meters", "lat_min": "27.0", "lat_max": "28.5", "lon_min": "111.0", "lon_max": "112.25", **entries}
    rows = ["".join(f"{value:10.4f}" for value in row) for row in VALUES[::-1]]
    return ISG_HEADER.format(**said) + "\n".join(rows) + "\n"


SPARSE = """begin_of_head
data type      : geoid
data format    : sparse
data ordering  : lon, lat, N
coord units    : deg
lat min        =   40.0
lat max        =   41.0
lon min        =  120.0
lon max        =  121.0
nrows          =   5
ncols          =   3
nodata         =  -9999.0000
ISG format     =  2.0
end_of_head
120.0 40.0 1.0
120.5 40.0 2.0
121.0 40.0 3.0
120.0 41.0 4.0
121.0 41.0 6.0
"""
"""A list of points on a grid of 2 x 3 nodes, one of which it does not name."""

GDAL_METADATA = """<GDALMetadata>
  <Item name="TYPE">VERTICAL_OFFSET_GEOGRAPHIC_TO_VERTICAL</Item>
  <Item name="area_of_use">Test &amp; nowhere</Item>
  <Item name="UNITTYPE" sample="0" role="unittype">metre</Item>
  <Item name="DESCRIPTION" sample="0" role="description">geoid_undulation</Item>
</GDALMetadata>"""


def geotiff(
    values: NDArray[np.generic] | None = None,
    *,
    area: bool = False,
    metadata: str = GDAL_METADATA,
    no_data: str | None = None,
    model_type: int = 2,
    byteorder: str = "<",
    tile: tuple[int, int] | None = None,
    compression: str | None = None,
) -> bytes:
    """A GeoTIFF written by tifffile, rows from the north."""
    image = VALUES.astype(np.float32) if values is None else values
    half = 0.5 if area else 0.0
    north, corner = SOUTH + DLAT * (image.shape[0] - 1) + half * DLAT, WEST - half * DLON
    keys = (1, 1, 0, 4, 1024, 0, 1, model_type, 1025, 0, 1, 1 if area else 2, 2048, 0, 1, 4490, 2054, 0, 1, 9102)
    tags: list[tuple[int, str, int, object, bool]] = [
        (33550, "d", 3, (DLON, DLAT, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, corner, north, 0.0), True),
        (34735, "H", len(keys), keys, True), (42112, "s", 0, metadata, True),
    ]  # fmt: skip
    if no_data is not None:
        tags.append((42113, "s", 0, no_data, True))
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, image[::-1], byteorder=byteorder, extratags=tags, tile=tile, compression=compression,
        metadata=None, photometric="minisblack",
    )  # fmt: skip
    return stream.getvalue()


def lzw(data: bytes) -> bytes:
    """TIFF's LZW (TIFF 6.0, section 13) the slow and plain way: strings in a dictionary, codes as text of bits."""
    bits, width = f"{256:09b}", 9
    table = {bytes([k]): k for k in range(256)}
    held, following = b"", 258
    for k in range(len(data)):
        one = data[k : k + 1]
        if held + one in table:
            held += one
            continue
        bits += f"{table[held]:0{width}b}"
        table[held + one], following, held = following, following + 1, one
        if following == 4094:
            bits += f"{256:0{width}b}"
            table, following, width = {bytes([k]): k for k in range(256)}, 258, 9
        elif following + 1 > 1 << width:
            width += 1
    bits += (f"{table[held]:0{width}b}" if held else "") + f"{257:0{width}b}"
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
