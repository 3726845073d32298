"""What the reply to our own request means, step by step (`cors.ntrip.client`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cors.ntrip.heads import Head


class Refusal(StrEnum):
    """Why there is no stream."""

    UNAUTHORIZED = "UNAUTHORIZED"
    """401, or `ERROR - Bad Password`."""
    FORBIDDEN = "FORBIDDEN"
    NOT_AVAILABLE = "NOT_AVAILABLE"
    """404, or the sourcetable instead of the stream."""
    CONFLICT = "CONFLICT"
    """409: the account is in use."""
    BUSY = "BUSY"
    """429 or 503."""
    OTHER_STATUS = "OTHER_STATUS"


REFUSALS = {
    401: Refusal.UNAUTHORIZED, 403: Refusal.FORBIDDEN, 404: Refusal.NOT_AVAILABLE, 410: Refusal.NOT_AVAILABLE,
    409: Refusal.CONFLICT, 429: Refusal.BUSY, 503: Refusal.BUSY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The caster said yes; stream bytes follow. Now is the time for a GGA, if the mountpoint wants one."""

    version: int
    """1 after ICY, 2 after HTTP."""
    head: Head
    chunked: bool


@dataclass(frozen=True, slots=True)
class StreamData:
    """Bytes of the stream, chunk coding undone; they start and end anywhere."""

    data: bytes


@dataclass(frozen=True, slots=True)
class TableReceived:
    """A whole sourcetable, as asked for; see `cors.ntrip.sourcetable`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The caster said no."""

    refusal: Refusal
    status: int
    """HTTP status; 200 where a sourcetable came instead."""
    text: str
    """What the caster says, escaped and cut."""
    retry_after_s: float | None = None
    table: bytes = b""
    """The sourcetable that came instead of the stream."""


@dataclass(frozen=True, slots=True)
class NotNtrip:
    """What came is no reply we know, or broke off within itself."""

    code: str
    offending: str


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """No more data: `clean` when the caster ended its chunks."""

    clean: bool


Event = StreamStarted | StreamData | TableReceived | Refused | NotNtrip | StreamEnded
