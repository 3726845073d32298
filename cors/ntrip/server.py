"""The caster's side of one connection, sans-I/O: a head, a decision, then a rover's positions or a source's bytes.

    HEAD -> RequestReceived -> DECIDING -> begin_stream() -> STREAM: PositionReceived ...
                                        -> begin_upload() -> UPLOAD: UploadData ... UploadEnded
         -> BadRequest      -> CLOSED

A connection carries one request: replies say `Connection: close`, and what follows the request is never a second one.
While DECIDING what comes is kept, at most `MAX_HELD` bytes: the shell stops reading there. Reads no clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto

from cors.ntrip.chunks import ChunkDecoder
from cors.ntrip.errors import ChunkError, HeadError
from cors.ntrip.gga import Gga
from cors.ntrip.heads import HeadReader
from cors.ntrip.requests import Request, parse_request
from cors.ntrip.uplink import UplinkReader

MAX_HELD = 262_144
TLS_HANDSHAKE = 0x16


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """Decide, then `begin_stream`, `begin_upload` or `close`."""

    request: Request


@dataclass(frozen=True, slots=True)
class BadRequest:
    """No request that can be answered with yes. `status` None: close without a word (it would not be understood)."""

    code: str
    status: int | None
    offending: str


@dataclass(frozen=True, slots=True)
class PositionReceived:
    """A GGA sentence, with or without a position in it."""

    gga: Gga


@dataclass(frozen=True, slots=True)
class UploadData:
    """Bytes of the source's stream."""

    data: bytes


@dataclass(frozen=True, slots=True)
class UploadEnded:
    """The body is complete (`code` empty) or broken."""

    code: str = ""


ServerEvent = RequestReceived | BadRequest | PositionReceived | UploadData | UploadEnded


class _State(Enum):
    HEAD = auto()
    DECIDING = auto()
    STREAM = auto()
    UPLOAD = auto()
    CLOSED = auto()


class ServerConnection:
    """One accepted connection."""

    __slots__ = ("_chunks", "_head", "_held", "_remaining", "_request", "_state", "uplink")

    def __init__(self) -> None:
        self._state = _State.HEAD
        self._head: HeadReader | None = HeadReader()
        self._request: Request | None = None
        self._held = b""
        self._chunks: ChunkDecoder | None = None
        self._remaining: int | None = None
        self.uplink: UplinkReader | None = None
        """Once streaming: counts of what the rover sends."""

    @property
    def awaits_head(self) -> bool:
        """No complete request yet."""
        return self._state is _State.HEAD

    @property
    def awaits_decision(self) -> bool:
        """A request waits for `begin_stream`, `begin_upload` or `close`."""
        return self._state is _State.DECIDING

    def receive(self, data: bytes) -> list[ServerEvent]:
        """What these bytes mean. Raises nothing; after BadRequest and UploadEnded nothing more is taken."""
        if self._state is _State.HEAD:
            return self._receive_head(data)
        if self._state is _State.STREAM:
            assert self.uplink is not None
            return [PositionReceived(gga) for gga in self.uplink.receive(data)]
        if self._state is _State.UPLOAD:
            return self._receive_upload(data)
        if self._state is _State.DECIDING:
            self._held += data[: MAX_HELD - len(self._held)]
        return []

    def begin_stream(self, counts: Counter[str] | None = None) -> list[ServerEvent]:
        """The rover is accepted: its header's position and whatever came behind the head, counted in `counts`."""
        assert self._state is _State.DECIDING and self._request is not None
        self._state = _State.STREAM
        self.uplink = UplinkReader(counts)
        first = self.uplink.parse_line(self._request.gga.encode("latin-1")) if self._request.gga else None
        held, self._held = self._held, b""
        return [*([PositionReceived(first)] if first else []), *self.receive(held)]

    def begin_upload(self) -> list[ServerEvent]:
        """The source is accepted: whatever of its body came already."""
        assert self._state is _State.DECIDING and self._request is not None
        self._state = _State.UPLOAD
        self._remaining = self._request.content_length
        self._chunks = ChunkDecoder() if self._request.chunked else None
        held, self._held = self._held, b""
        return self._receive_upload(held)

    def close(self) -> None:
        """Take nothing more."""
        self._state = _State.CLOSED
        self._held = b""

    def _receive_head(self, data: bytes) -> list[ServerEvent]:
        assert self._head is not None
        if not self._head.rest and data[:1] == bytes([TLS_HANDSHAKE]):
            self.close()
            return [BadRequest("tls_on_plain", None, "")]
        try:
            head = self._head.receive(data)
            if head is None:
                return []
            self._request = parse_request(head)
        except HeadError as error:
            self.close()
            return [BadRequest(error.code, error.status, error.offending)]
        self._held = self._head.rest[:MAX_HELD]
        self._head = None
        self._state = _State.DECIDING
        return [RequestReceived(self._request)]

    def _receive_upload(self, data: bytes) -> list[ServerEvent]:
        try:
            payload = self._chunks.receive(data) if self._chunks is not None else data
        except ChunkError as error:
            self.close()
            return [UploadEnded(error.code)]
        if self._remaining is not None:
            payload = payload[: self._remaining]
            self._remaining -= len(payload)
        events: list[ServerEvent] = [UploadData(payload)] if payload else []
        if self._remaining == 0 or (self._chunks is not None and self._chunks.ended):
            self.close()
            events.append(UploadEnded())
        return events
