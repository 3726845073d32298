"""Compact RINEX 1.0 and 3.0 to RINEX: epochs by the kernel, header and events here.

A text that stops in the middle keeps its complete epochs (a finding); one that is damaged before is refused, with the
line: everything behind the damage would hang on it. Source: Y. Hatanaka, Compact RINEX format 1.0 and 3.0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import LETTERS
from cors.rinex.compact import _kernels as k
from cors.rinex.diagnostics import Code, DiagnosticLog
from cors.rinex.errors import CompactRinexError, UnreadableArchiveError
from cors.rinex.text import PAD, Text

MAX_TYPES = 400
"""Observation types a constellation may have."""
_GROWTH = 4
_MARGIN = 1 << 16

_Ints = NDArray[np.int64]
_Memories = tuple[_Ints, _Ints, _Ints, _Ints, NDArray[np.uint8]]


def is_compact(data: bytes) -> bool:
    """True where the first line says Compact RINEX."""
    return data[20:40] == b"COMPACT RINEX FORMAT"


def restore(data: bytes, log: DiagnosticLog, most: int) -> Text:
    """RINEX of a Compact RINEX text, of at most `most` bytes or so.

    Raises CompactRinexError where it is damaged before its end, UnreadableArchiveError where it is longer.
    """
    return _Restorer(data, log, most).run()


class _Restorer:
    """One text being restored."""

    def __init__(self, data: bytes, log: DiagnosticLog, most: int) -> None:
        self.source, self.log, self.most = Text.from_bytes(data), log, most
        self.modern = data[:20].strip()[:1] == b"3"
        self.out = np.empty(min(_GROWTH * len(data), most) + _MARGIN, np.uint8)
        self.state = np.zeros(k.STATE_SIZE, np.int64)
        self.state[k.EPOCH] = 1
        self.text = np.full(k.LINE_ROOM, 32, np.uint8)
        self.fields = np.zeros(len(LETTERS), np.int64)
        self.blank_system = 0
        self._header()
        self.memories = self._memories()

    def run(self) -> Text:
        """To the end."""
        source, state = self.source, self.state
        while True:
            reason = k.restore(
                source.buffer, source.size, self.modern, self.blank_system, self.fields, self.text, state,
                self.memories, self.out,
            )  # fmt: skip
            if reason == k.EVENT:
                reason = self._event()
            if reason == k.OUT_FULL:
                self._grow(self._epoch_room())
            elif reason == k.DAMAGED:
                raise CompactRinexError(f"Compact RINEX: damaged at line {self._line_number()}: {self._line()[:60]!r}")
            elif reason == k.TRUNCATED:
                expected = "a complete last epoch"
                self.log.note(Code.COMPACT_TRUNCATED, self._line_number(), self._line(), expected)
                break
            elif reason == k.AT_END:
                break
        size = int(state[k.OUT])
        self.out.resize(size + PAD, refcheck=False)
        return Text(self.out, size)

    def _line_number(self) -> int:
        return self.source.line_number(int(self.state[k.WHERE]))

    def _line(self) -> str:
        return self.source.line(int(self.state[k.WHERE]))[0]

    def _epoch_room(self) -> int:
        return (k.MAX_SATELLITES + 4) * (24 + 17 * self._width()) + 2 * k.LINE_ROOM

    def _width(self) -> int:
        return int(self.memories[1].shape[1])

    def _memories(self) -> _Memories:
        width, rows = max(1, int(self.fields.max())), k.SATELLITES + 1
        return (
            np.full(k.SATELLITES, -2, np.int64), np.full((rows, width), -1, np.int64),
            np.zeros((rows, width), np.int64), np.zeros((rows, width, k.ORDERS), np.int64),
            np.full((rows, 2 * width), 32, np.uint8),
        )  # fmt: skip

    def _grow(self, room: int) -> None:
        if self.out.size > self.most:
            raise UnreadableArchiveError(f"Compact RINEX gives more than {self.most} bytes")
        self.out.resize(self.out.size * 3 // 2 + room, refcheck=False)

    def _emit(self, raw: bytes) -> None:
        """Plain bytes to the output."""
        start = int(self.state[k.OUT])
        if start + len(raw) + PAD > self.out.size:
            self._grow(len(raw) + PAD)
        self.out[start : start + len(raw)] = np.frombuffer(raw, np.uint8)
        self.state[k.OUT] = start + len(raw)

    # --- header and events ----------------------------------------------------------------------------------------

    def _header(self) -> None:
        offset = self.source.line_end(self.source.line_end(0) + 1) + 1
        ended = False
        while offset < self.source.size and not ended:
            end = self.source.line_end(offset)
            raw = self.source.raw(offset, end)
            self._emit(raw + b"\n")
            self._declare(raw)
            ended = raw[60:].startswith(b"END OF HEADER")
            offset = end + 1
        self.state[k.POS] = min(offset, self.source.size)
        if not ended:
            raise CompactRinexError("Compact RINEX: no END OF HEADER")

    def _declare(self, raw: bytes) -> None:
        """Take what a header line says of types and of the file's constellation."""
        label = b" ".join(raw[60:].split())
        if label == b"RINEX VERSION / TYPE":
            self.blank_system = max(LETTERS.find(raw[40:41].decode("latin-1")), 0) if raw[40:41].strip() else 0
        elif label == b"# / TYPES OF OBSERV" and raw[:6].strip():
            self.fields[:] = self._count(raw[:6])
        elif label == b"SYS / # / OBS TYPES" and raw[:1].strip():
            system = LETTERS.find(raw[:1].decode("latin-1"))
            if system >= 0:
                self.fields[system] = self._count(raw[3:6])

    def _count(self, field: bytes) -> int:
        if not field.strip().isdigit() or not 0 < int(field) <= MAX_TYPES:
            raise CompactRinexError(f"Compact RINEX: {field!r} observation types (expected 1 to {MAX_TYPES})")
        return int(field)

    def _event(self) -> int:
        """Copy an event record; its lines may declare other types. The epoch behind it starts afresh."""
        source, fixed = self.source, 35 if self.modern else 32
        count = int(self.text[32 if self.modern else 29 :][:3].tobytes())
        lines = [self.text[:fixed].tobytes().rstrip()]
        offset = source.line_end(int(self.state[k.POS])) + 1
        for _ in range(count):
            end = source.line_end(offset)
            if end >= source.size:
                return k.TRUNCATED
            lines.append(source.raw(offset, end))
            self._declare(lines[-1])
            offset = end + 1
        self._emit(b"\n".join([*lines, b""]))
        self.state[k.POS] = offset
        self.state[k.EPOCH] += 2
        if self.fields.max() > self._width():
            self.memories = self._memories()
        return -1
