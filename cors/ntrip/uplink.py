"""What a rover writes on its connection: lines, and the GGA among them. Bounded, and nothing in it is an error.

CR LF, LF or CR end a line; a GGA begins at the last `$` of its line, so binary in front of it does no harm. A line
over 1024 bytes is dropped up to its end and counted. Everything that is no GGA is counted and ignored: receivers
forward all they print. Sources: ntrip 5.3, 6; conformance C22-C35.
"""

from __future__ import annotations

import re
from collections import Counter

from cors.ntrip.errors import GgaError
from cors.ntrip.gga import Gga, parse_gga

MAX_LINE = 1024

_LINE_ENDS = re.compile(rb"[\r\n]+")
_SENTENCE = re.compile(rb"\$[A-Za-z]{2}GGA,", re.IGNORECASE)


class UplinkReader:
    """Finds the GGA sentences in a rover's bytes; `counts` tells what else came, by code."""

    def __init__(self, counts: Counter[str] | None = None) -> None:
        self._line = bytearray()
        self._skipping = False
        self.counts: Counter[str] = Counter() if counts is None else counts
        """`gga`, `no_position`, `gga_without_checksum`, `gga_checksum` and other codes of GgaError, `other_line`,
        `line_too_long`."""
        self.last_bad = ""
        """The last GGA that was refused, escaped."""

    def receive(self, data: bytes) -> list[Gga]:
        """The sentences completed by these bytes, in order. Raises nothing."""
        found: list[Gga] = []
        start = 0
        for end in _LINE_ENDS.finditer(data):
            self._extend(data[start : end.start()])
            start = end.end()
            if self._skipping:
                self._skipping = False
            elif self._line and (gga := self.parse_line(bytes(self._line))) is not None:
                found.append(gga)
            self._line.clear()
        self._extend(data[start:])
        return found

    def _extend(self, piece: bytes) -> None:
        """Add to the line; of one that is too long only a sentence at its end is kept."""
        if self._skipping and b"$" not in piece:
            return
        self._line += piece
        if len(self._line) > MAX_LINE:
            begin = self._line.rfind(b"$")
            self.counts["line_too_long"] += not self._skipping
            if begin < 0 or len(self._line) - begin > MAX_LINE:
                self._line.clear()
                self._skipping = True
                return
            del self._line[:begin]
        self._skipping = False

    def parse_line(self, line: bytes) -> Gga | None:
        """One whole line, counted; also that of an `Ntrip-GGA` header."""
        begin = line.rfind(b"$")
        if begin < 0 or not _SENTENCE.match(line, begin):
            self.counts["other_line"] += 1
            return None
        try:
            gga = parse_gga(line[begin:])
        except GgaError as error:
            self.counts[error.code] += 1
            self.last_bad = error.offending
            return None
        self.counts["gga"] += 1
        self.counts["no_position"] += not gga.has_position
        self.counts["gga_without_checksum"] += not gga.has_checksum
        return gga
