"""The hub: channels and sessions, who gets what and for how long.

Behind a door is either a *channel* (a station: every session gets the same prepared bytes) or the service, which
sends to each session what it computed for it and may let it `follow` a channel (a nearest station). The hub passes
positions on, judges when a session is over, and tells the service. All of it runs in the event loop; `sweep` is
called once a second and is where time passes: nothing here waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import uuid4

import structlog

from api.accounts.account import Account
from api.caster.channel import SLICE, Channel
from api.caster.doors import Description, Door, Doors
from api.caster.lifetimes import judge_position, judge_progress, waiting_for
from api.caster.logins import Logins
from api.caster.mountpoints import Mountpoint
from api.caster.reasons import Denial, EndReason
from api.caster.service import RoverService
from api.caster.sessions import Client, Session
from api.caster.settings import CasterSettings
from api.caster.sockets import is_dead
from cors.ntrip.chunks import LAST_CHUNK
from cors.ntrip.gga import Gga

log = structlog.get_logger("caster")

_Key = tuple[str, str, str, str, str]


class Hub:
    """Made by the caster; what the service touches is in its first half."""

    def __init__(
        self,
        settings: CasterSettings,
        service: RoverService,
        monotonic: Callable[[], float],
        utc_now: Callable[[], datetime],
    ) -> None:
        self.doors = Doors(settings.identity, settings.sources, monotonic)
        self.logins = Logins(settings.second_login, lambda session: is_dead(session.transport))
        self.ended: Counter[EndReason] = Counter()
        """Sessions by the reason they ended with."""
        self.opened = 0
        self.resumed = 0
        self._past = Counter[str]()
        self._settings = settings
        self._service = service
        self._monotonic = monotonic
        self._utc_now = utc_now
        self._channels: dict[str, Channel] = {}
        self._sessions: dict[str, Session] = {}
        self._positioned: dict[Session, None] = {}
        self._between: dict[_Key, Session] = {}
        self._congested: dict[Session, None] = {}

    # For the service

    def channel(self, name: str) -> Channel:
        """The channel of that name, made when it is new."""
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(name, self._monotonic)
        return channel

    def drop_channel(self, name: str) -> None:
        """Forget a channel; who followed it follows nothing."""
        channel = self._channels.pop(name, None)
        for session in channel.sessions() if channel is not None else ():
            self.follow(session, None)

    def register(
        self,
        mountpoint: Mountpoint,
        description: Description | None = None,
        *,
        channel: Channel | None = None,
        suffixes: bool = False,
    ) -> Door:
        """Offer a mountpoint: with a channel all get its epochs, without one the service sends to each.

        With `suffixes` its name also opens with a form and systems behind it (the service then reads
        `session.mountpoint`; such a session follows no channel by itself). Raises ValueError for a taken name.
        """
        door = Door(mountpoint, description or Description(), channel, suffixes)
        self.doors.add(door)
        return door

    def unregister(self, name: str, reason: EndReason = EndReason.SOURCE_LOST) -> None:
        """Offer it no longer; its sessions end."""
        door = self.doors.get(name)
        inside = [s for s in self.sessions() if door is not None and self.doors.find_door(s.mountpoint.name) is door]
        self.doors.remove(name)
        for session in inside:
            self.end(session, reason)

    def sessions(self) -> list[Session]:
        """All of them, also those between two connections."""
        return list(self._sessions.values())

    def session(self, session_id: str) -> Session | None:
        """One by its id."""
        return self._sessions.get(session_id)

    def follow(self, session: Session, channel: Channel | None) -> None:
        """Send a channel's epochs to a session from now on, its greeting first; None: nothing any more.

        What still waits for a slow session is dropped: it belongs to what was followed before.
        """
        if session.channel is channel or session.id not in self._sessions:
            return
        if session.channel is not None:
            session.channel.remove(session)
            session.forget_waiting()
        if channel is not None:
            channel.add(session)

    async def deliver(self, epochs: Iterable[tuple[Session, bytes]]) -> None:
        """Send each session its own epoch, with a turn of the event loop after every `SLICE`."""
        for count, (session, epoch) in enumerate(epochs, 1):
            session.send(epoch)
            if count % SLICE == 0:
                await asyncio.sleep(0)

    def end(self, session: Session, reason: EndReason) -> None:
        """Close a session and tell the service. Nothing happens to one that is over."""
        if self._sessions.pop(session.id, None) is None:
            return
        self._positioned.pop(session, None)
        self._congested.pop(session, None)
        key = _key(session)
        if key is not None and self._between.get(key) is session:
            del self._between[key]
        self.logins.remove(session)
        session.forget_waiting()
        record = session.record(reason)
        self._hang_up(session, gently=reason not in (EndReason.SLOW_READER, EndReason.HALF_OPEN))
        if session.channel is not None:
            session.channel.remove(session)
        self._resample(session)
        self.ended[reason] += 1
        self._past.update(epochs=record.epochs_sent, dropped=record.epochs_dropped, bytes=record.bytes_sent)
        log.info("rover.closed", **_logged(session), reason=reason.value, seconds=round(record.seconds, 1),
                 epochs=record.epochs_sent, dropped=record.epochs_dropped, bytes=record.bytes_sent,
                 gga=session.uplink["gga"])  # fmt: skip
        self._tell(lambda: self._service.session_closed(session, record))

    # For the caster

    def open(self, door: Door, mountpoint: Mountpoint, account: Account | None, client: Client) -> Session | Denial:
        """A session for an accepted rover: a new one, or the one it had a moment ago on another connection."""
        key = _key_of(account, client, mountpoint)
        session = self._same_rover(key, account)
        if session is not None:
            return self._resume(session, account)
        leaving = self.logins.admit(account, client.address, self._monotonic()) if account is not None else []
        if isinstance(leaving, Denial):
            return leaving
        for old in leaving:
            self.end(old, EndReason.REPLACED)
        if session := self._between.pop(key, None):
            return self._resume(session, account)
        session = Session(
            uuid4().hex, mountpoint, account, self, self._settings.limits, self._monotonic, self._utc_now()
        )
        self._sessions[session.id] = session
        self.opened += 1
        self._enter(session, door)
        return session

    def start(self, session: Session, transport: asyncio.Transport, client: Client) -> None:
        """Give a session its connection, whose reply is written: data follow after `settle_s`."""
        resumed = session.client is not None
        session.attach(transport, client)
        transport.set_write_buffer_limits(high=self._settings.limits.backlog_bytes, low=0)
        if session.channel is not None:
            session.greet(session.channel.greeting)
        asyncio.get_running_loop().call_later(self._settings.settle_s, session.settle_on, transport)
        log.info("rover.resumed" if resumed else "rover.opened", **_logged(session))
        told = self._service.session_resumed if resumed else self._service.session_opened
        self._tell(lambda: told(session))

    def lost(self, session: Session, transport: asyncio.Transport, reason: EndReason) -> None:
        """A connection has ended by itself; on a mountpoint that needs a position the rover may come back."""
        if session.transport is not transport:
            return
        if reason is EndReason.CLIENT_CLOSED and session.mountpoint.needs_position:
            self.logins.remove(session)
            self._congested.pop(session, None)
            session.detach()
            session.detached = self._monotonic()
            if key := _key(session):
                self._between[key] = session
        else:
            self.end(session, reason)

    def heard(self, session: Session, gga: Gga) -> None:
        """A rover's sentence."""
        position = session.track.offer(gga, self._monotonic(), self._settings.positions)
        if not session.mountpoint.needs_position:
            return  # looked at for the record only
        if position is not None:
            self._tell(lambda: self._service.position(session, position))
        else:
            self._tell_waiting(session, self._monotonic())

    def congest(self, session: Session, size: int) -> None:
        """A connection's buffer is over its limit."""
        session.congest(size)
        self._congested[session] = None

    def relieve(self, session: Session) -> None:
        """A connection's buffer is empty again."""
        self._congested.pop(session, None)
        session.relieve()

    def sweep(self) -> None:
        """What time brings: positions due, time-outs, slow readers, sources lost. Call it once a second."""
        now = self._monotonic()
        for session in list(self._positioned):
            self._sweep_positioned(session, now)
        for session in list(self._congested):
            size = session.transport.get_write_buffer_size() if session.transport is not None else 0
            if reason := judge_progress(session, size, now, self._settings.limits):
                self.end(session, reason)
        for door in self.doors:
            if door.channel is not None and door.channel.silent_since(now) >= self._settings.sources.linger_s:
                for session in door.channel.sessions():
                    if session.mountpoint is door.mountpoint:
                        self.end(session, EndReason.SOURCE_LOST)
        self.logins.forget(now)

    def totals(self) -> Counter[str]:
        """Epochs and bytes sent and epochs dropped, of all sessions there were and are."""
        totals = self._past.copy()
        for s in self._sessions.values():
            totals.update(epochs=s.epochs_sent, dropped=s.epochs_dropped, bytes=s.bytes_sent)
        return totals

    def close(self, reason: EndReason = EndReason.SHUTDOWN) -> None:
        """End every session."""
        for session in self.sessions():
            self.end(session, reason)

    # Inside

    def _enter(self, session: Session, door: Door) -> None:
        self.logins.add(session)
        if session.mountpoint.needs_position:
            self._positioned[session] = None
        if door.channel is not None and session.mountpoint is door.mountpoint:
            door.channel.add(session)
        elif door.channel is None and door.sampled is None and session.mountpoint is door.mountpoint:
            door.sampled = session
            session.watch = door.watch

    def _same_rover(self, key: _Key, account: Account | None) -> Session | None:
        """A live session that the same rover takes over: its account is full, and everything else is the same."""
        if account is None or not self.logins.is_full(account):
            return None
        return next((s for s in self.logins.of(account.name) if _key(s) == key and s.mountpoint.needs_position), None)

    def _resume(self, session: Session, account: Account | None) -> Session:
        self._hang_up(session, gently=True)
        self._congested.pop(session, None)
        session.account = account
        self.logins.add(session)
        session.reconnects += 1
        self.resumed += 1
        return session

    def _hang_up(self, session: Session, gently: bool) -> None:
        """Close a session's connection; at once where gentleness would wait for a peer that does not read."""
        transport = session.transport
        session.detach()
        if transport is None or transport.is_closing():
            return
        if session.congested or not gently:
            transport.abort()
            return
        if session.chunked:
            transport.write(LAST_CHUNK)
        transport.close()

    def _sweep_positioned(self, session: Session, now: float) -> None:
        settings = self._settings.positions
        if session.detached is not None:
            if now - session.detached >= settings.resume_s:
                self.end(session, EndReason.CLIENT_CLOSED)
            return
        if position := session.track.due(now, settings):
            self._tell(lambda: self._service.position(session, position))
        self._tell_waiting(session, now)
        if reason := judge_position(session, now, settings):
            self.end(session, reason)

    def _tell_waiting(self, session: Session, now: float) -> None:
        waiting = waiting_for(session, now, self._settings.positions)
        if waiting is not None and waiting not in session.told:
            session.told |= {waiting}
            log.info("rover.waiting", **_logged(session), waiting=waiting.value)
            self._tell(lambda: self._service.waiting(session, waiting))

    def _resample(self, session: Session) -> None:
        """Let another session show what its mountpoint carries."""
        door = self.doors.find_door(session.mountpoint.name)
        if session.watch is None or door is None:
            return
        session.watch = None
        door.sampled = next((s for s in self._sessions.values() if s.mountpoint is door.mountpoint), None)
        if door.sampled is not None:
            door.sampled.watch = door.watch

    def _tell(self, call: Callable[[], None]) -> None:
        """Call the service: its faults are loud, and its own."""
        try:
            call()
        except Exception:
            log.exception("service.fault")


def _key(session: Session) -> _Key | None:
    return _key_of(session.account, session.client, session.mountpoint) if session.client is not None else None


def _key_of(account: Account | None, client: Client, mountpoint: Mountpoint) -> _Key:
    """What makes a rover the same on its next connection."""
    return account.name if account else "", client.agent, client.address, mountpoint.name, client.frame


def _logged(session: Session) -> dict[str, str | bool]:
    client = session.client
    return {
        "session": session.id,
        "account": session.account_name,
        "mountpoint": session.mountpoint.name,
        "address": client.address if client else "",
        "agent": client.agent if client else "",
        "dialect": client.dialect.value if client else "",
        "tls": client.tls if client else False,
    }
