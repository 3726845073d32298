"""Chunked transfer coding (RFC 9112 7.1) as NTRIP 2 uses it: whole frames a chunk, lower-case hex, no extension.

The decoder takes what the field sends: either case, extensions (ignored), bare LF, a size line in a segment of its own,
a trailer after the last chunk. Refused: a size line over 32 bytes, a chunk over 65,536, what is no hexadecimal number,
a chunk not followed by its line end. Nothing is allocated from a size that was only announced.
"""

from __future__ import annotations

import re

from cors.ntrip.errors import ChunkError

MAX_SIZE_LINE = 32
MAX_CHUNK = 65_536
MAX_TRAILER = 4096

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,24})[ \t]*(?:;.*)?\Z", re.DOTALL)


def encode_chunk(payload: bytes) -> bytes:
    """One chunk: to be written in one call. An empty payload would end the body and gives nothing."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


LAST_CHUNK = b"0\r\n\r\n"


class ChunkDecoder:
    """Takes a chunked body in any pieces; `ended` after its last chunk, then `rest` is what followed."""

    def __init__(self, max_chunk: int = MAX_CHUNK) -> None:
        self._max_chunk = max_chunk
        self._line = bytearray()
        self._remaining = 0
        self._awaits_line_end = False
        self._in_trailer = False
        self._trailer_bytes = 0
        self.ended = False
        self.rest = b""

    def receive(self, data: bytes) -> bytes:
        """The payload in these bytes. Raises ChunkError; then nothing more may be received."""
        payload = bytearray()
        position = 0
        while position < len(data) and not self.ended:
            if self._remaining:
                piece = data[position : position + self._remaining]
                payload += piece
                position += len(piece)
                self._remaining -= len(piece)
                self._awaits_line_end = self._remaining == 0
            else:
                position = self._read_line(data, position)
        if self.ended:
            self.rest += data[position:]
        return bytes(payload)

    def _read_line(self, data: bytes, position: int) -> int:
        """Collect a line that may end in these bytes and act on it; the position behind what was used."""
        end = data.find(b"\n", position)
        piece = data[position : end + 1] if end >= 0 else data[position:]
        self._line += piece
        limit = MAX_TRAILER if self._in_trailer else 2 if self._awaits_line_end else MAX_SIZE_LINE + 2
        if len(self._line) > limit:
            raise ChunkError("chunk_line_too_long", bytes(self._line))
        if end >= 0:
            line = bytes(self._line).rstrip(b"\r\n")
            self._line.clear()
            self._take_line(line)
        return position + len(piece)

    def _take_line(self, line: bytes) -> None:
        if self._in_trailer:
            self._trailer_bytes += len(line)
            if self._trailer_bytes > MAX_TRAILER:
                raise ChunkError("chunk_line_too_long", line)
            self.ended = not line
        elif self._awaits_line_end:
            if line:
                raise ChunkError("chunk_without_line_end", line)
            self._awaits_line_end = False
        else:
            self._begin_chunk(line)

    def _begin_chunk(self, line: bytes) -> None:
        match = _SIZE.match(line)
        if match is None:
            raise ChunkError("chunk_bad_size", line)
        size = int(match.group(1), 16)
        if size > self._max_chunk:
            raise ChunkError("chunk_too_large", line)
        self._remaining = size
        self._in_trailer = size == 0
