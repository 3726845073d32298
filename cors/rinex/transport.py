"""From a path or bytes to text: compression by content, never by suffix, Compact RINEX restored.

gzip (all members), Unix compress, bzip2 and zip are recognised by their first bytes. A truncated archive gives what
could be unpacked and a finding; one that unpacks to more than `MAX_TEXT_BYTES` is refused (decompression bombs).
"""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cors.rinex.compact.compressing import compress
from cors.rinex.compact.restoring import is_compact, restore
from cors.rinex.diagnostics import Code, DiagnosticLog
from cors.rinex.errors import UnreadableArchiveError
from cors.rinex.names import looks_like_rinex
from cors.rinex.text import PAD, Text

MAX_TEXT_BYTES = 1 << 30
"""Largest text accepted, bytes; a quarter of an hour at 50 Hz with five constellations is about 5e8."""
_MAX_LAYERS = 3
_CHUNK = 1 << 20
_EXPECTED = "a complete archive"

Source = str | Path | bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's text as the readers take it."""

    text: Text
    name: str
    """File name, empty for bytes."""
    compact: bool
    """True where the content was Compact RINEX."""


def load(source: Source, log: DiagnosticLog) -> Loaded:
    """Text of a file or of bytes, unpacked. Raises OSError, UnreadableArchiveError, CompactRinexError."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        name, text = "", None
        data = bytes(source)
    else:
        path = Path(source)
        name, text, data = path.name, *_read(path)
    if text is None:
        data = unpack(data, log)
        compact = is_compact(data)
        text = restore(data, log, MAX_TEXT_BYTES) if compact else Text.from_bytes(_plain(data))
        return Loaded(text, name, compact)
    return Loaded(text, name, False)


def unpack(data: bytes, log: DiagnosticLog) -> bytes:
    """Bytes without their compression, up to three layers of it. Raises UnreadableArchiveError."""
    for _ in range(_MAX_LAYERS):
        for magic, unpacker in _UNPACKERS.items():
            if data.startswith(magic):
                data = unpacker(data, log)
                break
        else:
            break
    return data


def pack(text: bytes, name: str) -> bytes:
    """Text as a file of this name holds it: Compact RINEX for `.crx` and `.YYd`, gzip for `.gz`; the same bytes always.

    Raises UnwritableError where Compact RINEX cannot hold the text.
    """
    stem = name.lower().removesuffix(".gz")
    if stem.endswith(".crx") or (stem[-1:] == "d" and stem[-3:-1].isdigit() and stem[-4:-3] == "."):
        text = compress(text)
    return gzip.compress(text, mtime=0) if stem != name.lower() else text


def _read(path: Path) -> tuple[Text | None, bytes]:
    """Plain text straight into a padded array (no second copy), anything else as bytes."""
    with path.open("rb") as file:
        head = file.read(64)
        plain = not head.startswith((*_UNPACKERS, b"\xef\xbb\xbf")) and not is_compact(head)
        size = path.stat().st_size
        if size > MAX_TEXT_BYTES:
            raise UnreadableArchiveError(f"{path.name}: {size} bytes (at most {MAX_TEXT_BYTES} are read)")
        if not plain or size < len(head):
            return None, head + file.read()
        buffer = np.empty(size + PAD, np.uint8)
        file.seek(0)
        size = file.readinto(buffer.data[:size])
    tail = bytes(buffer[max(size - 8, 0) : size])
    size -= len(tail) - len(tail.rstrip(b"\x1a"))
    first = bytes(buffer[: min(size, 4096)])
    if b"\n" not in first and b"\r" in first:
        return None, bytes(buffer[:size])
    return Text(buffer, size), b""


def _plain(data: bytes) -> bytes:
    """Without byte order mark and end-of-file characters; old Macintosh line ends made usual ones."""
    data = data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\x1a")
    if b"\n" not in data[:4096] and b"\r" in data[:4096]:
        data = data.replace(b"\r", b"\n")
    return data


class _Gathered:
    """Chunks of unpacked text up to the limit."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0

    def write(self, chunk: bytes) -> int:
        """Take a chunk; a file-like method, so that foreign code can write here."""
        self.size += len(chunk)
        if self.size > MAX_TEXT_BYTES:
            raise UnreadableArchiveError(f"unpacks to more than {MAX_TEXT_BYTES} bytes")
        self.chunks.append(bytes(chunk))
        return len(chunk)

    def all(self) -> bytes:
        """Everything taken so far."""
        return b"".join(self.chunks)


def _truncated(log: DiagnosticLog, what: str, got: int) -> None:
    log.note(Code.COMPRESSION_TRUNCATED, None, f"{what}: stops after {got} bytes of text", _EXPECTED)


def _gunzip(data: bytes, log: DiagnosticLog) -> bytes:
    out = _Gathered()
    while data.startswith(b"\x1f\x8b"):
        inflater = zlib.decompressobj(wbits=31)
        try:
            out.write(inflater.decompress(data, _CHUNK))
            while not inflater.eof and (rest := inflater.unconsumed_tail):
                out.write(inflater.decompress(rest, 4 * _CHUNK))
        except zlib.error:
            _truncated(log, "gzip", out.size)
            break
        if not inflater.eof:
            _truncated(log, "gzip", out.size)
            break
        data = inflater.unused_data
    return out.all()


def _bunzip(data: bytes, log: DiagnosticLog) -> bytes:
    out = _Gathered()
    while data.startswith(b"BZh"):
        inflater = bz2.BZ2Decompressor()
        try:
            out.write(inflater.decompress(data, _CHUNK))
            while not inflater.eof and not inflater.needs_input:
                out.write(inflater.decompress(b"", _CHUNK))
        except OSError:
            _truncated(log, "bzip2", out.size)
            break
        if not inflater.eof:
            _truncated(log, "bzip2", out.size)
            break
        data = inflater.unused_data
    return out.all()


def _uncompress(data: bytes, log: DiagnosticLog) -> bytes:
    import ncompress  # only .Z files need it

    out = _Gathered()
    try:
        ncompress.decompress(data, out)
    except (ValueError, RuntimeError) as error:
        if out.size > MAX_TEXT_BYTES:
            raise UnreadableArchiveError(f"unpacks to more than {MAX_TEXT_BYTES} bytes") from error
        _truncated(log, "compress", out.size)
    return out.all()


def _unzip(data: bytes, log: DiagnosticLog) -> bytes:
    out = _Gathered()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            chosen = next((m for m in members if looks_like_rinex(m.filename)), members[0] if members else None)
            if chosen is None:
                raise UnreadableArchiveError("zip archive without a file in it")
            with archive.open(chosen) as member:
                while chunk := member.read(_CHUNK):
                    out.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        if not out.size:
            raise UnreadableArchiveError(f"zip archive cannot be read: {error}") from error
        _truncated(log, "zip", out.size)
    return out.all()


_UNPACKERS = {b"\x1f\x8b": _gunzip, b"\x1f\x9d": _uncompress, b"BZh": _bunzip, b"PK\x03\x04": _unzip}
