"""One sample (band) of a TIFF image out of its strips or tiles.

Decides: no compression, deflate and LZW; predictors 1, 2 (horizontal differences) and 3 (floating point), so that no
codec package is needed; either byte order, samples together or in planes.
Refuses: other compressions, segments that are short or beyond the file, and images that declare far more than such a
file can hold (`_RATIO`), before anything is allocated.
Source: TIFF 6.0; Adobe's Technical Note 3 for predictor 3.
"""

from __future__ import annotations

import math
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoid.errors import GridFormatError

_RATIO, _SLACK = 100, 1 << 21
"""Bytes of image that a byte of file may stand for, and what a small file may have on top (tiles are padded)."""
_NONE, _LZW, _DEFLATE, _OLD_DEFLATE = 1, 5, 8, 32946


class Layout(NamedTuple):
    """How an image lies in its file."""

    rows: int
    columns: int
    samples: int
    dtype: np.dtype[np.generic]
    """Of one sample, with the file's byte order."""
    separate: bool
    """Samples in planes of their own."""
    segment_rows: int
    segment_columns: int
    tiled: bool
    """A tile at the edge is padded to its full size, a strip is cut."""
    compression: int
    predictor: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]


def read_sample(data: bytes, layout: Layout, sample: int, name: str) -> NDArray[np.generic]:
    """Values [rows, columns] of one sample as stored, row 0 first. Raises GridFormatError."""
    _check(data, layout, name)
    down = math.ceil(layout.rows / layout.segment_rows)
    across = math.ceil(layout.columns / layout.segment_columns)
    first = sample * down * across if layout.separate else 0
    if first + down * across > min(len(layout.offsets), len(layout.counts)):
        found = f"{len(layout.offsets)} offsets and {len(layout.counts)} byte counts"
        raise GridFormatError(name, "its strips or tiles", found, f"{first + down * across} of each")
    image = np.empty((layout.rows, layout.columns), layout.dtype.newbyteorder("="))
    for k in range(down * across):
        top, left = k // across * layout.segment_rows, k % across * layout.segment_columns
        block = _segment(data, layout, first + k, top, sample, name)
        part = image[top : top + layout.segment_rows, left : left + layout.segment_columns]
        part[:] = block[: part.shape[0], : part.shape[1]]
    return image


def _check(data: bytes, layout: Layout, name: str) -> None:
    """Refuse sizes no such file can hold and encodings not read here."""
    if min(layout.rows, layout.columns, layout.samples, layout.segment_rows, layout.segment_columns) < 1:
        raise GridFormatError(name, "its image size", f"{layout.rows} x {layout.columns}", "positive sizes")
    together = 1 if layout.separate else layout.samples
    largest = max(layout.rows * layout.columns, layout.segment_rows * layout.segment_columns)
    if largest * together * layout.dtype.itemsize > _RATIO * len(data) + _SLACK:
        found = f"{layout.rows} x {layout.columns} x {together} samples in segments of {layout.segment_rows} x "
        found += f"{layout.segment_columns} in a file of {len(data)} bytes"
        raise GridFormatError(name, "its image size", found, "what such a file can hold")
    if layout.compression not in (_NONE, _LZW, _DEFLATE, _OLD_DEFLATE):
        raise GridFormatError(name, "tag 259 (compression)", layout.compression, "1 none, 5 LZW or 8 deflate")
    if layout.predictor not in (1, 2, 3) or (layout.predictor == 3 and layout.dtype.kind != "f"):
        raise GridFormatError(name, "tag 317 (predictor)", layout.predictor, "1, 2, or 3 with floating point")


def _segment(data: bytes, layout: Layout, index: int, top: int, sample: int, name: str) -> NDArray[np.generic]:
    """One strip or tile [its rows, its columns] of one sample."""
    rows = layout.segment_rows if layout.tiled else min(layout.segment_rows, layout.rows - top)
    together = 1 if layout.separate else layout.samples
    width = layout.segment_columns * together
    size = rows * width * layout.dtype.itemsize
    offset, count = layout.offsets[index], layout.counts[index]
    if offset <= 0 or count <= 0 or offset + count > len(data):
        found = f"bytes {offset} to {offset + count} of {len(data)}"
        raise GridFormatError(name, f"strip or tile {index}", found, "bytes within the file")
    raw = _decompressed(data[offset : offset + count], layout.compression, size)
    if len(raw) < size:
        raise GridFormatError(name, f"strip or tile {index}", f"{len(raw)} bytes", f"{size} after decompression")
    pixels = _unpredicted(raw[:size], layout, rows, width, together)
    return pixels.reshape(rows, layout.segment_columns, together)[:, :, 0 if layout.separate else sample]


def _decompressed(raw: bytes, compression: int, size: int) -> bytes:
    """At most `size` bytes; fewer where the stream is damaged or short."""
    if compression == _NONE:
        return raw
    if compression == _LZW:
        from geoid.formats import _kernels

        target = np.empty(size, np.uint8)
        return target[: _kernels.lzw(np.frombuffer(raw, np.uint8), target)].tobytes()
    try:
        return zlib.decompressobj().decompress(raw, size)
    except zlib.error:
        return b""


def _unpredicted(raw: bytes, layout: Layout, rows: int, width: int, together: int) -> NDArray[np.generic]:
    """Samples [rows, width] in native byte order with the predictor undone."""
    kind, size = layout.dtype, layout.dtype.itemsize
    if layout.predictor == 3:
        steps = np.frombuffer(raw, np.uint8).reshape(rows, width * size // together, together)
        planes = np.cumsum(steps, axis=1, dtype=np.uint8).reshape(rows, size, width)
        joined = np.ascontiguousarray(planes.transpose(0, 2, 1))
        return joined.view(kind.newbyteorder(">")).reshape(rows, width).astype(kind.newbyteorder("="))
    pixels = np.frombuffer(raw, kind).reshape(rows, width).astype(kind.newbyteorder("="))
    if layout.predictor == 2:
        whole = np.dtype(f"u{size}")
        steps = pixels.view(whole).reshape(rows, width // together, together)
        pixels = np.cumsum(steps, axis=1, dtype=whole).reshape(rows, width).view(kind.newbyteorder("="))
    return pixels
