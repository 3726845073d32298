"""One TCP or TLS connection: bytes to the protocol machine, its events to admission, hub or uploads, replies back.

A connection that is refused is closed in two steps (our side first, the rest when the peer has closed or after two
seconds): closing at once with bytes unread would reset it, and the peer would never see the answer. No task belongs
to a connection but the one that decides its request. What has time limits is looked at by `Connections.sweep`.
"""

from __future__ import annotations

import asyncio
from typing import cast

import structlog

from api.caster.admission import Answer, Place, StreamGranted, UploadGranted
from api.caster.connections import Connections
from api.caster.reasons import Denial, EndReason, UploadEnd
from api.caster.sessions import Client, Session
from api.caster.settings import Framing, ListenerSettings
from api.caster.sockets import network_of, plain_address, prepare, vanished
from api.caster.uploads import Source
from cors.ntrip.errors import shown
from cors.ntrip.replies import CONTINUE, refusal, stream_reply, upload_reply, uses_chunks
from cors.ntrip.requests import Request
from cors.ntrip.server import (
    BadRequest,
    PositionReceived,
    RequestReceived,
    ServerConnection,
    ServerEvent,
    UploadData,
    UploadEnded,
)

log = structlog.get_logger("caster")


class Connection(asyncio.Protocol):
    """One of them."""

    __slots__ = (
        "_all", "_client", "_listener", "_listener_port", "_machine", "_place", "_read", "_read_since", "_session",
        "_source", "_transport", "network",
    )  # fmt: skip

    def __init__(self, connections: Connections, listener: ListenerSettings, listener_port: int) -> None:
        self.network = ""
        self._all = connections
        self._listener = listener
        self._listener_port = listener_port
        self._machine = ServerConnection()
        self._transport: asyncio.Transport | None = None
        self._place: Place | None = None
        self._session: Session | None = None
        self._source: Source | None = None
        self._client = False
        self._read = 0
        self._read_since = 0.0

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accepted (and, with TLS, shaken hands)."""
        self._transport = made = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        address, port = (*(transport.get_extra_info("peername") or ("", 0)), 0)[:2]
        self._place = Place(self._listener, self._listener_port, plain_address(address), port)
        self.network = network_of(self._place.address)
        prepare(transport)
        if not self._all.enter(self):
            self._all.counts["unheard"] += 1
            made.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer."""
        self._act(self._machine.receive(data))
        if self._session is not None:
            self._measure(len(data))

    def eof_received(self) -> bool:
        """The peer will send no more; who waits for an answer still gets it."""
        return self._machine.awaits_decision and not self._listener.tls

    def connection_lost(self, error: Exception | None) -> None:
        """The end."""
        gone = vanished(error)
        self._all.leave(self)
        if self._client:
            self._all.clients -= 1
        if self._session is not None and self._transport is not None:
            self._all.hub.lost(self._session, self._transport, EndReason.HALF_OPEN if gone else EndReason.CLIENT_CLOSED)
        if self._source is not None:
            self._source.finish(UploadEnd.HALF_OPEN if gone else UploadEnd.SOURCE_CLOSED)
        self._machine.close()

    def pause_writing(self) -> None:
        """The transport's buffer is over its limit."""
        if self._is_sessions_own and self._session is not None and self._transport is not None:
            self._all.hub.congest(self._session, self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The transport's buffer is empty again."""
        if self._is_sessions_own and self._session is not None:
            self._all.hub.relieve(self._session)

    # `Connections` calls these

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not read yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def give_up(self, why: str) -> None:
        """Close without a word."""
        self._all.counts[why] += 1
        self._all.has_head(self)
        self.abort()

    def abort(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()

    def read_on(self) -> None:
        """Read again after a pause."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # Inside

    @property
    def _is_sessions_own(self) -> bool:
        return self._session is not None and self._session.transport is self._transport

    def _act(self, events: list[ServerEvent]) -> None:
        for event in events:
            if isinstance(event, PositionReceived):
                if self._is_sessions_own and self._session is not None:
                    self._all.hub.heard(self._session, event.gga)
            elif isinstance(event, UploadData):
                if self._source is not None:
                    self._source.receive(event.data)
            elif isinstance(event, UploadEnded):
                if self._source is not None:
                    self._source.finish(UploadEnd.BAD_CHUNKS if event.code else UploadEnd.SOURCE_CLOSED)
                if event.code:
                    self._all.counts[event.code] += 1
            elif isinstance(event, RequestReceived):
                self._begin(event.request)
            else:
                self._bad(event)

    def _bad(self, event: BadRequest) -> None:
        self._all.has_head(self)
        self._all.counts[event.code] += 1
        log.debug("request.bad", address=self._place.address if self._place else "", code=event.code,
                  offending=event.offending)  # fmt: skip
        if event.status is None:
            self.abort()
        else:
            self._answer(refusal(None, self._all.admission.origin, event.status, event.code))

    def _begin(self, request: Request) -> None:
        """Decide in a task of its own; meanwhile nothing is read."""
        self._all.has_head(self)
        if self._transport is not None:
            self._transport.pause_reading()
        task = asyncio.get_running_loop().create_task(self._decide(request))
        self._all.tasks.add(task)
        task.add_done_callback(self._all.tasks.discard)

    async def _decide(self, request: Request) -> None:
        assert self._place is not None and self._transport is not None
        admission = self._all.admission
        try:
            decision = await admission.decide(request, self._place)
        except Exception:
            log.exception("admission.fault", mountpoint=shown(request.mountpoint))
            decision = admission.refuse(request, self._place, Denial.BUSY)
        if self._transport.is_closing():
            return
        answer = self._carry_out(request, decision, self._place)
        if answer is None:
            self._client = True
            self._all.clients += 1
        else:
            log.info("request.answered", address=self._place.address, mountpoint=shown(request.mountpoint),
                     dialect=request.dialect.value, agent=shown(request.agent),
                     account=shown(request.credentials.user) if request.credentials else "",
                     reply=shown(answer.data.split(b"\r\n", 1)[0]),
                     denial=answer.denial.value if answer.denial else "")  # fmt: skip
            self._answer(answer.data)

    def _carry_out(
        self, request: Request, decision: Answer | StreamGranted | UploadGranted, place: Place
    ) -> Answer | None:
        """Begin what was granted; what to answer where nothing begins."""
        if isinstance(decision, Answer):
            return decision
        if self._all.is_full(self):
            return self._all.admission.refuse(request, place, Denial.FULL)
        if isinstance(decision, StreamGranted):
            denial = self._open_stream(request, decision, place)
        else:
            denial = self._open_upload(request, decision)
        return self._all.admission.refuse(request, place, denial) if denial is not None else None

    def _open_stream(self, request: Request, granted: StreamGranted, place: Place) -> Denial | None:
        assert self._transport is not None
        chunked = uses_chunks(request, self._listener.v2_framing is Framing.CHUNKED)
        client = Client(
            place.address, place.port, shown(request.agent), request.dialect, chunked, self._listener.tls,
            self._listener.frame,
        )  # fmt: skip
        session = self._all.hub.open(granted.door, granted.mountpoint, granted.account, client)
        if isinstance(session, Denial):
            return session
        self._session = session
        reply = stream_reply(
            request, self._all.admission.origin, chunked=chunked, icy_empty_line=self._listener.icy_empty_line
        )
        self._transport.write(reply)
        self._all.hub.start(session, self._transport, client)
        self._read_since = self._all.monotonic()
        self.read_on()
        self._act(self._machine.begin_stream(session.uplink))
        return None

    def _open_upload(self, request: Request, granted: UploadGranted) -> Denial | None:
        assert self._transport is not None
        source = self._all.uploads.open(granted.info, self._transport)
        if isinstance(source, Denial):
            return source
        self._source = source
        if request.expects_continue:
            self._transport.write(CONTINUE)
        self._transport.write(upload_reply(request, self._all.admission.origin))
        self.read_on()
        self._act(self._machine.begin_upload())
        return None

    def _answer(self, data: bytes) -> None:
        """Say it, and close: our side first."""
        assert self._transport is not None
        self._machine.close()
        self._transport.write(data)
        if not self._transport.can_write_eof():
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the peer has reset the connection already
            self._transport.abort()
            return
        self.read_on()
        self._all.closing(self)

    def _measure(self, length: int) -> None:
        """Read a rover that writes too much no faster than it may."""
        now = self._all.monotonic()
        if now - self._read_since >= 1.0:
            self._read, self._read_since = 0, now
        self._read += length
        if self._read > self._all.limits.uplink_bytes_s and self._transport and not self._transport.is_closing():
            self._transport.pause_reading()
            self._all.throttle(self)
