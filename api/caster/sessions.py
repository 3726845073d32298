"""A rover's session: who, what, from where, what was sent; and how whole epochs get onto its connection.

An epoch is one `transport.write` of prepared bytes: no queue, no task, no copy a client (speed.md 7). The transport's
own buffer is the queue. Once it holds more than `backlog_bytes` it says so (`pause_writing`), and from then on whole
epochs wait here, few and young ones only: the oldest go first, counted. Nothing is ever cut: a subscriber gets an
epoch or does not. A session may outlive its connection for some seconds: BNC states a new position by reconnecting.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from api.accounts.account import Account
from api.caster.mountpoints import Mountpoint
from api.caster.positions import PositionTrack, RoverPosition
from api.caster.reasons import EndReason, Waiting
from api.caster.settings import LimitSettings
from cors.ntrip.chunks import encode_chunk
from cors.ntrip.requests import Dialect

if TYPE_CHECKING:
    from api.caster.channel import Channel
    from api.caster.seen import StreamWatch


class SessionEnder(Protocol):
    """What can end a session: the hub."""

    def end(self, session: Session, reason: EndReason) -> None:
        """Close its connection and tell the service."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the other end of a connection. Texts are the peer's own, escaped and cut."""

    address: str
    port: int
    agent: str
    dialect: Dialect
    chunked: bool
    tls: bool
    frame: str
    """Of the listener; empty: the network's."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as it is now, or was at its end: for `/v1/rovers`, logs and settlement."""

    id: str
    account: str
    level: str
    mountpoint: str
    address: str
    port: int
    agent: str
    dialect: str
    tls: bool
    frame: str
    opened: datetime
    seconds: float
    state: str
    """`streaming`, `waiting` for a position, `slow`, `between` two connections."""
    serving: str
    """What the service says it serves, else the channel it follows."""
    first_position: RoverPosition | None
    position: RoverPosition | None
    qualities: dict[int, int]
    """Sentences by their quality."""
    first_fixed_s: float | None
    """From the opening to the first sentence of quality 4."""
    uplink: dict[str, int]
    """Sentences by kind, and what was no sentence."""
    positions_implausible: int
    epochs_sent: int
    epochs_dropped: int
    bytes_sent: int
    reconnects: int
    end_reason: EndReason | None = None


class Session:
    """One rover. Made by the hub; the service sends by `send` and ends by `end`."""

    __slots__ = (  # one a rover: thousands of them
        "_congested", "_ender", "_greeting", "_limits", "_monotonic", "_settled", "_transport", "_waiting",
        "_waiting_bytes", "account", "bytes_sent", "channel", "chunked", "client", "detached", "epochs_dropped",
        "epochs_sent", "id", "mountpoint", "opened", "opened_utc", "out_of_area_since", "ready", "reconnects",
        "serving", "stalled_since", "stalled_size", "told", "track", "uplink", "watch", "write",
    )  # fmt: skip

    def __init__(
        self,
        session_id: str,
        mountpoint: Mountpoint,
        account: Account | None,
        ender: SessionEnder,
        limits: LimitSettings,
        monotonic: Callable[[], float],
        utc: datetime,
    ) -> None:
        self.id = session_id
        self.mountpoint = mountpoint
        self.account = account
        """None on an anonymous mountpoint."""
        self.opened = monotonic()
        self.opened_utc = utc
        self.client: Client | None = None
        self.track = PositionTrack()
        self.uplink: Counter[str] = Counter()
        """Sentences by kind, and what was no sentence (`cors.ntrip.uplink`)."""
        self.serving = ""
        """Free text of the service: station or virtual station served."""
        self.channel: Channel | None = None
        """Whose epochs it gets beside its own."""
        self.watch: StreamWatch | None = None
        """Set on the one session of a mountpoint whose epochs show what it carries."""
        self.chunked = False
        self.ready = False
        """`write` may be called now."""
        self.write: Callable[[bytes], None] = _nowhere
        self.epochs_sent = 0
        self.epochs_dropped = 0
        self.bytes_sent = 0
        self.reconnects = 0
        self.told: frozenset[Waiting] = frozenset()
        """What the service was told to wait for."""
        self.out_of_area_since: float | None = None
        self.detached: float | None = None
        """When its connection closed, while it may still come back."""
        self.stalled_since = 0.0
        self.stalled_size = 0
        self._ender = ender
        self._limits = limits
        self._monotonic = monotonic
        self._transport: asyncio.Transport | None = None
        self._settled = False
        self._congested = False
        self._greeting = b""
        self._waiting: deque[tuple[float, bytes]] | None = None
        self._waiting_bytes = 0

    # For the service

    @property
    def account_name(self) -> str:
        """Empty on an anonymous mountpoint."""
        return self.account.name if self.account is not None else ""

    @property
    def frame(self) -> str:
        """Reference frame to serve in: the listener's, else the mountpoint's; empty: the network's."""
        return (self.client.frame if self.client is not None else "") or self.mountpoint.frame

    @property
    def position(self) -> RoverPosition | None:
        """The newest believed position."""
        return self.track.last

    def send(self, epoch: bytes) -> None:
        """Send whole frames: at once, or once the connection can take them, or (too slow) never; counted."""
        if self.watch is not None:
            self.watch.saw(epoch, self._monotonic())
        self.send_prepared(encode_chunk(epoch) if self.chunked else epoch)

    def send_prepared(self, data: bytes) -> None:
        """As `send`, for bytes already in the session's framing."""
        if self.ready:
            self.write(data)
            self.epochs_sent += 1
            self.bytes_sent += len(data)
        elif self._transport is not None:
            self._wait(data)

    def greet(self, greeting: bytes) -> None:
        """Send station, descriptors and ephemerides for what follows: to one who joined, or whose station changed.

        Never dropped for its age. Where a slow session still has epochs waiting they are dropped, and so is an older
        greeting: they belong to what was before.
        """
        if not greeting:
            return
        data = encode_chunk(greeting) if self.chunked else greeting
        if self.ready:
            self.write(data)
            self.bytes_sent += len(data)
        elif self._transport is not None:
            self.forget_waiting()
            self._greeting = data

    def mark_area(self, inside: bool) -> None:
        """Tell with each position whether it can be served; outside for `area_timeout_s` ends the session."""
        if inside:
            self.out_of_area_since = None
        elif self.out_of_area_since is None:
            self.out_of_area_since = self._monotonic()

    def end(self, reason: EndReason) -> None:
        """Close the session."""
        self._ender.end(self, reason)

    def record(self, end_reason: EndReason | None = None) -> SessionRecord:
        """What is known of the session now."""
        client, track = self.client, self.track
        return SessionRecord(
            self.id,
            self.account_name,
            self.account.level.value if self.account else "",
            self.mountpoint.name,
            client.address if client else "",
            client.port if client else 0,
            client.agent if client else "",
            client.dialect.value if client else "",
            client.tls if client else False,
            self.frame,
            self.opened_utc,
            self._monotonic() - self.opened,
            self._state(),
            self.serving or (self.channel.name if self.channel else ""),
            track.first,
            track.last,
            dict(track.qualities),
            track.fixed - self.opened if track.fixed is not None else None,
            dict(self.uplink),
            track.implausible,
            self.epochs_sent,
            self.epochs_dropped,
            self.bytes_sent,
            self.reconnects,
            end_reason,
        )

    def _state(self) -> str:
        if self._transport is None:
            return "between"
        if self._congested:
            return "slow"
        return "waiting" if self.mountpoint.needs_position and self.track.last is None else "streaming"

    # For the connection and the hub

    @property
    def connected(self) -> bool:
        """It has a connection."""
        return self._transport is not None

    @property
    def congested(self) -> bool:
        """The transport's buffer is over its limit."""
        return self._congested

    @property
    def transport(self) -> asyncio.Transport | None:
        """The connection's transport."""
        return self._transport

    def attach(self, transport: asyncio.Transport, client: Client) -> None:
        """Take a connection; data wait until `settle`."""
        self._transport = transport
        self.client = client
        self.chunked = client.chunked
        self.write = transport.write
        self.detached = None
        self._settled = self._congested = self.ready = False
        self.forget_waiting()

    def detach(self) -> None:
        """Its connection is gone."""
        self._transport = None
        self.write = _nowhere
        self.ready = False
        self.forget_waiting()

    def settle_on(self, transport: asyncio.Transport) -> None:
        """The reply's head is out and alone on a connection: data may follow, if it is still this one."""
        if self._transport is transport:
            self._settled = True
            self._flush()

    def congest(self, size: int) -> None:
        """The transport holds more than it should."""
        self._congested = True
        self.ready = False
        self.stalled_since = self._monotonic()
        self.stalled_size = size

    def relieve(self) -> None:
        """The transport's buffer is empty again."""
        self._congested = False
        self._flush()

    def _flush(self) -> None:
        if self._transport is None or not self._settled or self._congested:
            return
        self.ready = True
        greeting, self._greeting = self._greeting, b""
        if greeting:
            self.write(greeting)
            self.bytes_sent += len(greeting)
        oldest = self._monotonic() - self._limits.waiting_s
        while self.ready and self._waiting:
            since, data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            if since < oldest:
                self.epochs_dropped += 1
            else:
                self.write(data)
                self.epochs_sent += 1
                self.bytes_sent += len(data)

    def _wait(self, data: bytes) -> None:
        """Keep an epoch; when full the oldest goes, and the newest is always kept."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((self._monotonic(), data))
        self._waiting_bytes += len(data)
        while self._waiting_bytes > self._limits.waiting_bytes and len(self._waiting) > 1:
            self._waiting_bytes -= len(self._waiting.popleft()[1])
            self.epochs_dropped += 1

    def forget_waiting(self) -> None:
        """Drop what waits, counted."""
        self.epochs_dropped += len(self._waiting) if self._waiting else 0
        self._waiting = None
        self._waiting_bytes = 0
        self._greeting = b""


def _nowhere(_: bytes) -> None:
    """Where an unconnected session writes."""
