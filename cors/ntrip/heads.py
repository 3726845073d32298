"""Heads of requests and replies: collected from any pieces, bounded, split into first line and headers.

Lines end with CR LF or LF. Refused: a head over its limits (431), control characters and a CR inside a line, folded
lines, blanks before a header's colon (400; RFC 9112 2.2, 5.1, 5.2: all of them tools of request smuggling). A line
without a colon is skipped and counted: old clients send such lines. Source: ntrip 2.1-2.5, 7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cors.ntrip.errors import HeadError

MAX_BYTES = 8192
MAX_LINES = 100

_END = re.compile(rb"\n\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


@dataclass(frozen=True, slots=True)
class Head:
    """A first line and the headers below it, names in lower case, values trimmed, in order."""

    first_line: str
    headers: tuple[tuple[str, str], ...] = ()
    skipped_lines: int = 0

    def get(self, name: str) -> str | None:
        """The first value of a header (its name in lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order."""
        return tuple(value for key, value in self.headers if key == name)


def parse_head(raw: bytes) -> Head:
    """First line and headers of a head (its empty line may be missing). Raises HeadError."""
    if match := _CONTROL.search(raw):
        raise HeadError("control_character", offending=raw[max(0, match.start() - 40) :])
    lines = [line.removesuffix(b"\r") for line in raw.split(b"\n")]
    if any(b"\r" in line for line in lines):
        raise HeadError("bare_cr", offending=next(line for line in lines if b"\r" in line))
    headers: list[tuple[str, str]] = []
    skipped = 0
    for line in lines[1:]:
        if not line:
            continue
        if line[:1] in b" \t":
            raise HeadError("folded_line", offending=line)
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and name != name.rstrip():
            raise HeadError("blank_before_colon", offending=line)
        if colon and _NAME.match(name):
            headers.append((name.lower(), value.strip()))
        else:
            skipped += 1
    return Head(lines[0].decode("latin-1"), tuple(headers), skipped)


class HeadReader:
    """Collects one head; `rest` is what followed it."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_lines: int = MAX_LINES) -> None:
        self._max_bytes = max_bytes
        self._max_lines = max_lines
        self._buffer = bytearray()
        self._searched = 0

    @property
    def rest(self) -> bytes:
        """Bytes after the head, or all bytes of a head that is not complete."""
        return bytes(self._buffer)

    def receive(self, data: bytes) -> Head | None:
        """The head once its empty line is in, else None. Raises HeadError; then nothing more may be received."""
        self._buffer += data
        if self._searched == 0:
            self._drop_leading_line_ends()
        match = _END.search(self._buffer, max(0, self._searched - 2))
        end = match.end() if match else len(self._buffer)
        if end > self._max_bytes:
            raise HeadError("head_too_long", 431, bytes(self._buffer[:80]))
        if self._buffer.count(b"\n", 0, end) - (2 if match else 1) > self._max_lines:  # first and empty line
            raise HeadError("too_many_lines", 431, bytes(self._buffer[:80]))
        if match is None:
            self._searched = len(self._buffer)
            return None
        raw = bytes(self._buffer[: match.start()])
        del self._buffer[:end]
        return parse_head(raw.removesuffix(b"\r"))

    def _drop_leading_line_ends(self) -> None:
        """Empty lines before a request are no request (RFC 9112 2.2)."""
        self._buffer[:] = self._buffer.lstrip(b"\r\n")
