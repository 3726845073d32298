"""The text of a file as bytes in one padded array: what kernels scan and what is written back.

The array is `PAD` bytes longer than the text and ends it with newlines, so that kernels may load eight bytes anywhere.
Lines are found on demand; RINEX is read by column, never by splitting on blanks.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

PAD = 64
"""Bytes behind the text, all newlines."""
_NEWLINE = 10
_CONTENT = re.compile(rb"[^ \t\r\n\x1a]")
_CHUNK, _OVERLAP, _BLOCK = 1 << 20, 256, 1 << 16


class Text:
    """Bytes of a text with its lines; immutable by agreement."""

    def __init__(self, buffer: NDArray[np.uint8], size: int) -> None:
        """`buffer` [size + PAD], writable and contiguous; its padding is set here."""
        self.buffer = buffer
        self.size = size
        self.buffer[size:] = _NEWLINE
        self._lines_before = [0]
        """Newlines before each block, as far as anybody asked."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Text:
        """Copy bytes into a padded array."""
        buffer = np.empty(len(data) + PAD, np.uint8)
        buffer[: len(data)] = np.frombuffer(data, np.uint8)
        return cls(buffer, len(data))

    def line_end(self, offset: int) -> int:
        """Offset of the newline that ends the line at `offset` (the text's size on the last line)."""
        step = 512
        while offset < self.size:
            found = self.raw(offset, offset + step).find(b"\n")
            if found >= 0:
                return offset + found
            offset, step = offset + step, step * 4
        return self.size

    def raw(self, start: int, stop: int) -> bytes:
        """Raw bytes, cut at the text's end."""
        return self.buffer[start : min(stop, self.size)].tobytes()

    def line(self, offset: int) -> tuple[str, int]:
        """The line at `offset` without its ending, and the offset of the next."""
        end = self.line_end(offset)
        return decode_line(self.raw(offset, end)), min(end + 1, self.size)

    def line_number(self, offset: int) -> int:
        """1-based number of the line that holds `offset`."""
        block = offset // _BLOCK
        while len(self._lines_before) <= block:
            start = (len(self._lines_before) - 1) * _BLOCK
            count = int(np.count_nonzero(self.buffer[start : start + _BLOCK] == _NEWLINE))
            self._lines_before.append(self._lines_before[-1] + count)
        return self._lines_before[block] + self.raw(block * _BLOCK, offset).count(b"\n") + 1

    def search(self, pattern: re.Pattern[bytes], offset: int) -> int:
        """Offset of the first match of a pattern of at most `_OVERLAP` bytes at or behind `offset`; else the size."""
        while offset < self.size:
            chunk = self.raw(offset, offset + _CHUNK)
            if match := pattern.search(chunk):
                return offset + match.start()
            if offset + len(chunk) >= self.size:
                break
            offset += _CHUNK - _OVERLAP
        return self.size

    def skip_blank_lines(self, offset: int) -> int:
        """Start of the next line with anything but blanks in it; the text's size where there is none."""
        found = self.search(_CONTENT, offset)
        while offset < self.size:
            end = self.line_end(offset)
            if end >= found:
                return offset if found < self.size else self.size
            offset = max(end, self._line_start(found) - 1) + 1
        return self.size

    def _line_start(self, offset: int) -> int:
        """Start of the line that holds an offset, looked for up to a chunk back."""
        before = self.raw(max(offset - _CHUNK, 0), offset)
        return offset - len(before) + before.rfind(b"\n") + 1

    def first_line_with_content(self) -> int:
        """Offset of the first line that is not blank (the text's size if there is none)."""
        return self.skip_blank_lines(0)


def decode_line(raw: bytes) -> str:
    """Characters of a line: ASCII, else UTF-8, else Latin-1; a carriage return at the end is dropped."""
    raw = raw.rstrip(b"\r")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
