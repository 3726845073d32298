"""RTKLIB's `.tag` files: when each byte of a recording came, so that it replays with its true cadence.

Layout (RTKLIB 2.4.3 `stream.c`, little-endian): 60 bytes of title, uint32 tick in ms (recordings of one scene count it
from one origin), uint32 seconds since 1970 counted in GPS time with a float64 fraction: the start; then records of
uint32 ms since the start and the file position after the bytes due (uint32, or uint64 with RTKLIB's `::P=8`).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.time import NS

SUFFIX = ".tag"
TITLE = b"TIMETAG RTKLIB 2.4.3"
_TITLE_BYTES = 60
_HEADER = struct.Struct("<60sIId")
HEADER_BYTES = _HEADER.size
_RECORD = struct.Struct("<II")
RECORD_BYTES = _RECORD.size
_GPS_EPOCH_UNIX_S = 315_964_800
MS = NS // 1000
_LONG = np.dtype([("ms", "<u4"), ("end", "<u8")])
_SHORT = np.dtype([("ms", "<u4"), ("end", "<u4")])


class TagError(ValueError):
    """A file that is no time-tag file."""


class TimeTags(NamedTuple):
    """A recording's arrival times; record k says that bytes up to `ends[k]` had come at `times[k]`."""

    start: int
    """gpst ns, of the first byte."""
    tick_ms: int
    """The start against the scene's origin."""
    times: NDArray[np.int64]
    """[n] gpst ns, growing or equal."""
    ends: NDArray[np.int64]
    """[n] bytes, growing."""


def tag_path(data: Path) -> Path:
    """The `.tag` beside a recording."""
    return data.with_name(data.name + SUFFIX)


def encode_header(start: int, tick_ms: int) -> bytes:
    """Header of a recording that starts at `start` (gpst ns)."""
    seconds, ns = divmod(start, NS)
    return _HEADER.pack(TITLE, tick_ms & 0xFFFFFFFF, seconds + _GPS_EPOCH_UNIX_S, ns / NS)


def encode_record(ms: int, end: int) -> bytes:
    """One record: `ms` since the start, position after the bytes that are due then."""
    return _RECORD.pack(ms, end)


def parse_tags(content: bytes) -> TimeTags:
    """Tags of a file's content; a cut record at the end is left out, as are positions that go back. Raises TagError."""
    if len(content) < HEADER_BYTES or not content.startswith(b"TIMETAG"):
        raise TagError(f"no time tags: starts {content[:20].hex()}, {len(content)} bytes")
    _, tick_ms, seconds, fraction = _HEADER.unpack_from(content)
    if not 0.0 <= fraction < 1.0 or seconds < _GPS_EPOCH_UNIX_S:
        raise TagError(f"no time tags: start {seconds} s + {fraction}")
    start = (seconds - _GPS_EPOCH_UNIX_S) * NS + round(fraction * NS)
    records = _records(content[HEADER_BYTES:])
    ms, ends = records["ms"].astype(np.int64), records["end"].astype(np.int64)
    newest = np.maximum.accumulate(ends) if ends.size else ends
    keep = np.concatenate([[True], ends[1:] > newest[:-1]]) if ends.size else np.zeros(0, np.bool_)
    return TimeTags(start, tick_ms, start + np.maximum.accumulate(ms[keep]) * MS, ends[keep])


def read_tags(path: Path) -> TimeTags:
    """Tags of a file. Raises TagError and OSError."""
    return parse_tags(path.read_bytes())


def _records(content: bytes) -> NDArray[np.void]:
    """Records with positions of 4 bytes, or of 8 (below 4 GB) where only those make sense."""
    short = np.frombuffer(content, _SHORT, len(content) // _SHORT.itemsize)
    if _plausible(short):
        return short
    long = np.frombuffer(content, _LONG, len(content) // _LONG.itemsize)
    return long if _plausible(long) and bool((long["end"] < 1 << 32).all()) else short


def _plausible(records: NDArray[np.void]) -> bool:
    return bool((np.diff(records["ms"].astype(np.int64)) >= 0).all()) and bool(
        (np.diff(records["end"].astype(np.int64)) >= 0).all()
    )
