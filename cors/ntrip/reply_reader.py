"""Reads a caster's reply: a machine whose state is the method that takes the next bytes.

For a stream `ICY 200 OK` is accepted with or without header lines or an empty line, and HTTP/1.0 and 1.1 `200` alike,
cut into any segments, chunked or not, data in the head's own segment. A sourcetable in answer to a stream request
means that the mountpoint is not available (version 1 has no 404). A web page (a captive portal) is no stream. Sources:
ntrip 2.1, 2.2, 2.7, 8.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cors.ntrip.chunks import ChunkDecoder
from cors.ntrip.client_events import (
    REFUSALS,
    Event,
    NotNtrip,
    Refusal,
    Refused,
    StreamData,
    StreamEnded,
    StreamStarted,
    TableReceived,
)
from cors.ntrip.errors import ChunkError, HeadError, shown
from cors.ntrip.heads import Head, parse_head

MAX_HEAD = 8192
MAX_ICY_HEAD = 4096
MAX_TABLE = 4_194_304
"""Centipede's table has 274,702 bytes."""

_HTTP = re.compile(r"HTTP/1\.[01] +(\d{3})(?: |\Z)")
_ICY = re.compile(r"ICY +(\d{3})(?: |\Z)", re.IGNORECASE)
_TABLE = re.compile(r"SOURCETABLE +200\b", re.IGNORECASE)
_TABLE_END = re.compile(rb"(?:\A|[\r\n])ENDSOURCETABLE(?=[\r\n])")
_HEAD_END = re.compile(rb"\n\r?\n")


class ReplyReader:
    """The reply to one request; see `cors.ntrip.client`."""

    def __init__(self, wants_table: bool) -> None:
        self.streaming = False
        self._wants_table = wants_table
        self._buffer = bytearray()
        self._body = bytearray()
        self._events: list[Event] = []
        self._take: Callable[[], bool] = self._first_line
        self._done = False
        self._head = Head("")
        self._chunks: ChunkDecoder | None = None

    def receive(self, data: bytes) -> list[Event]:
        """Events of these bytes."""
        if not self._done:
            self._buffer += data
            self._advance()
        return self._collected()

    def finish(self) -> list[Event]:
        """Events of the connection's end."""
        if not self._done and self._take == self._first_line and self._buffer:
            self._buffer += b"\n"  # RTKLIB's caster sends `HTTP/1.0 401 Unauthorized` and closes
            self._advance()
        if not self._done and self._take == self._http_head:
            self._interpret(bytes(self._buffer))
        if not self._done:
            if self._take == self._table:
                self._finish_table(self._body)
            elif self.streaming:
                self._end(StreamEnded(clean=False))
            else:
                self._end(NotNtrip("closed_without_reply", ""))
        return self._collected()

    def _advance(self) -> None:
        while not self._done and self._take():
            pass

    def _collected(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _end(self, event: Event) -> None:
        """The last event; a second one is not added."""
        if not self._done:
            self._events.append(event)
        self._done = True
        self.streaming = False
        self._buffer.clear()

    # Each state takes what it can from the buffer; True: the next state may go on at once.

    def _first_line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > MAX_ICY_HEAD or not all(9 <= byte < 127 for byte in self._buffer[:4]):
                self._end(NotNtrip("no_reply_line", shown(bytes(self._buffer))))
            return False
        line = bytes(self._buffer[:end]).rstrip(b"\r").decode("latin-1")
        if match := _ICY.match(line):
            del self._buffer[: end + 1]
            self._icy_status(int(match.group(1)), line)
        elif _TABLE.match(line) or _HTTP.match(line):
            self._take = self._http_head
        elif line.upper().startswith("ERROR"):
            refusal = Refusal.UNAUTHORIZED if "password" in line.lower() else Refusal.NOT_AVAILABLE
            self._end(Refused(refusal, 0, shown(line)))
        elif line:
            self._end(NotNtrip("unknown_reply", shown(line)))
        else:
            del self._buffer[: end + 1]
        return True

    def _icy_status(self, status: int, line: str) -> None:
        if status != 200:
            self._end(Refused(REFUSALS.get(status, Refusal.OTHER_STATUS), status, shown(line)))
            return
        self._events.append(StreamStarted(1, Head(line), chunked=False))
        self.streaming = True
        self._take = self._icy_head

    def _icy_head(self) -> bool:
        """What may stand between status line and data: header lines up to an empty line, or an empty line, or nothing.

        A letter begins a header line; where no empty line follows, or not ASCII alone, it was data after all.
        """
        buffer = self._buffer
        if not buffer or buffer == b"\r":
            return False
        if buffer.startswith((b"\r\n", b"\n")):
            del buffer[: buffer.index(b"\n") + 1]
        elif bytes(buffer[:1]).isalpha():
            end = _HEAD_END.search(buffer)
            length = end.end() if end else len(buffer)
            if length <= MAX_ICY_HEAD and buffer[:length].isascii():
                if end is None:
                    return False
                del buffer[:length]
        self._take = self._stream
        return True

    def _http_head(self) -> bool:
        end = _HEAD_END.search(self._buffer)
        if end is None and len(self._buffer) <= MAX_HEAD:
            return False
        if end is None or end.end() > MAX_HEAD:
            self._end(NotNtrip("head_too_long", shown(bytes(self._buffer))))
            return False
        raw = bytes(self._buffer[: end.start()])
        del self._buffer[: end.end()]
        self._interpret(raw)
        return True

    def _interpret(self, raw: bytes) -> None:
        """Decide by the head, or by what there was of it, what follows."""
        try:
            head = parse_head(raw.rstrip(b"\r\n"))
        except HeadError as error:
            self._end(NotNtrip(error.code, error.offending))
            return
        match = _HTTP.match(head.first_line)
        status = int(match.group(1)) if match else 200
        if 100 <= status < 200:
            self._take = self._first_line
        elif status != 200:
            self._end(_refused(status, head))
        else:
            self._begin_body(head, is_table=match is None)

    def _begin_body(self, head: Head, is_table: bool) -> None:
        kind = (head.get("content-type") or "").lower()
        if "chunked" in ",".join(head.all("transfer-encoding")).lower():
            self._chunks = ChunkDecoder()
        self._head = head
        if self._wants_table or is_table or kind.startswith("gnss/sourcetable"):
            self._take = self._table
        elif kind.startswith("text/html"):
            self._end(NotNtrip("web_page", shown(head.first_line)))
        else:
            self._take = self._stream
            self.streaming = True
            self._events.append(StreamStarted(2, head, self._chunks is not None))

    def _payload(self) -> bytes:
        """What the buffer holds, chunk coding undone; a fault in it is the end."""
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._chunks is None:
            return data
        try:
            return self._chunks.receive(data)
        except ChunkError as error:
            self._end(NotNtrip(error.code, error.offending))
            return b""

    @property
    def _chunks_ended(self) -> bool:
        return self._chunks is not None and self._chunks.ended

    def _stream(self) -> bool:
        if payload := self._payload():
            self._events.append(StreamData(payload))
        if self._chunks_ended:
            self._end(StreamEnded(clean=True))
        return False

    def _table(self) -> bool:
        """Read to ENDSOURCETABLE or the connection's end; a stated length is not believed (BKG 0.1.5 gets it wrong)."""
        searched = max(0, len(self._body) - 32)
        self._body += self._payload()
        end = _TABLE_END.search(self._body, searched)
        if end is not None:
            self._finish_table(self._body[: end.end()] + b"\r\n")
        elif self._chunks_ended:
            self._finish_table(self._body)
        elif len(self._body) > MAX_TABLE:
            self._end(NotNtrip("table_too_long", shown(bytes(self._body[-80:]))))
        return False

    def _finish_table(self, table: bytes | bytearray) -> None:
        if self._wants_table:
            self._end(TableReceived(bytes(table)))
        else:
            text = shown(self._head.first_line)
            self._end(Refused(Refusal.NOT_AVAILABLE, 200, text, table=bytes(table)))


def _refused(status: int, head: Head) -> Refused:
    wait = head.get("retry-after") or ""
    seconds = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 9 else None
    return Refused(REFUSALS.get(status, Refusal.OTHER_STATUS), status, shown(head.first_line), seconds)
