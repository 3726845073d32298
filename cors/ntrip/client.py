"""Our own side of a request to a caster: what to send, and what the reply means. Sans-I/O.

    client = NtripClient(ClientRequest("caster.example", 2101, "VRS", user="u", password="p"))
    send(client.request_bytes(gga="$GPGGA,..."))
    for event in client.receive(data): ...          # and client.finish() when the peer closed

An empty mountpoint asks for the sourcetable. Events are StreamStarted, then StreamData and StreamEnded; or
TableReceived; or Refused; or NotNtrip. After StreamEnded, TableReceived, Refused and NotNtrip nothing more is taken:
close, and make a new client for a new try. Later positions are lines of their own (`cors.ntrip.gga`, CR LF behind).
Reads no clock: time-outs and back-off are the shell's (ntrip 3.5).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from cors.ntrip.client_events import (
    Event,
    NotNtrip,
    Refusal,
    Refused,
    StreamData,
    StreamEnded,
    StreamStarted,
    TableReceived,
)
from cors.ntrip.errors import shown
from cors.ntrip.reply_reader import ReplyReader

__all__ = [
    "ClientRequest", "Event", "NotNtrip", "NtripClient", "Refusal", "Refused", "StreamData", "StreamEnded",
    "StreamStarted", "TableReceived",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """What to ask of which caster. Raises ValueError for what cannot stand in a head."""

    host: str
    port: int
    mountpoint: str
    """Empty: the sourcetable."""
    user: str = ""
    password: str = field(default="", repr=False)
    version: int = 2
    """What to ask for; the reply decides what is spoken."""
    agent: str = "NTRIP corsnet"
    """Begins with NTRIP, or strict casters refuse."""

    def __post_init__(self) -> None:
        """Refuse control characters (they would write headers of their own) and versions nobody speaks."""
        parts = (self.host, self.mountpoint, self.user, self.password, self.agent)
        if any(ord(c) < 32 or ord(c) == 127 for part in parts for c in part) or " " in self.mountpoint:
            raise ValueError(f"control character or blank in a request for {shown(self.mountpoint)}")
        if self.version not in (1, 2):
            raise ValueError(f"NTRIP version {self.version} (expected 1 or 2)")

    def head(self, gga: str | None = None) -> bytes:
        """The request; version 2 carries a GGA in its head, in version 1 the line follows the head."""
        netloc = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        lines = [
            f"GET /{self.mountpoint} HTTP/1.{self.version - 1}",
            f"Host: {netloc}",
            f"Ntrip-Version: Ntrip/{self.version}.0",
            f"User-Agent: {self.agent}",
        ]
        if self.user or self.password:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
            lines.append(f"Authorization: Basic {token}")
        if gga and self.version == 2:
            lines.append(f"Ntrip-GGA: {gga.strip()}")
        lines += ["Accept: */*", "Connection: close", "", ""]
        head = "\r\n".join(lines).encode("utf-8")
        return head + f"{gga.strip()}\r\n".encode("ascii") if gga and self.version == 1 else head


class NtripClient:
    """One connection: one request and what came of it."""

    def __init__(self, request: ClientRequest) -> None:
        self.request = request
        self._reply = ReplyReader(wants_table=not request.mountpoint)

    def request_bytes(self, gga: str | None = None) -> bytes:
        """What to send once connected, with the position if there is one already."""
        return self.request.head(gga)

    def receive(self, data: bytes) -> list[Event]:
        """What these bytes of the caster mean. Raises nothing."""
        return self._reply.receive(data)

    def finish(self) -> list[Event]:
        """What it means that the caster closed the connection. Raises nothing."""
        return self._reply.finish()

    @property
    def streaming(self) -> bool:
        """True between StreamStarted and the end."""
        return self._reply.streaming
