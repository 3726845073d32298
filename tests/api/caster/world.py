"""A caster on loopback with known accounts and mountpoints, a clock that can be moved, and what the service was told.

M1 is a station with a live source, DEAD one without, VRS needs a position, HIDDEN is not in the table, FREE asks for no
credentials. Accounts: rover/pw (all but HIDDEN), base1/secret (uploads M1 and M2), member/pw (HIDDEN too).
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pyrtcm import calc_crc24q

from api.accounts.account import Account, AccountLevel
from api.accounts.passwords import Passwords
from api.accounts.register import add_account
from api.accounts.verification import Verifier
from api.caster.caster import Caster
from api.caster.channel import Channel
from api.caster.doors import Description
from api.caster.mountpoints import Access, parse_mountpoint
from api.caster.positions import RoverPosition
from api.caster.reasons import UploadEnd, Waiting
from api.caster.service import UploadInfo
from api.caster.sessions import Session, SessionRecord
from api.caster.settings import CasterSettings
from api.store.engine import Store, StoreSettings, open_store

TIMEOUT_S = 15.0
GGA = b"$GPGGA,120000.00,2812.0000,N,11254.0000,E,1,10,1.0,60.0,M,-17.0,M,,*78\r\n"
STATION_FRAME = bytes.fromhex("d300133ed007033acfa6a0800b2d05e00006fc23ac008a85a1")  # 1005 of station 7
BASIC = b"Authorization: Basic cm92ZXI6cHc=\r\n"  # rover:pw
V1 = b"GET /%b HTTP/1.0\r\nUser-Agent: NTRIP t/1\r\n" + BASIC + b"\r\n"
V2 = b"GET /%b HTTP/1.1\r\nHost: x\r\nNtrip-Version: Ntrip/2.0\r\nUser-Agent: NTRIP t/1\r\n" + BASIC + b"\r\n"


def frame(number: int, length: int = 40, filler: int = 0) -> bytes:
    """A whole RTCM 3 frame of a type; its CRC is pyrtcm's."""
    payload = (number << 4).to_bytes(2) + bytes([filler & 0xFF]) * (length - 2)
    head = b"\xd3" + length.to_bytes(2) + payload
    return head + calc_crc24q(head).to_bytes(3)


def epoch(count: int) -> bytes:
    """An epoch that no other is equal to: two MSM frames."""
    return frame(1077, 200, count) + frame(1127, 150, count >> 8)


def station_frame(station: int) -> bytes:
    """The 1005 of another station: a message every program decodes."""
    bits = int.from_bytes(STATION_FRAME[3:22]) & ~(0xFFF << 128) | (station & 0xFFF) << 128
    head = STATION_FRAME[:3] + bits.to_bytes(19)
    return head + calc_crc24q(head).to_bytes(3)


class Clock:
    """Real time, that can be moved on."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.offset


class Told:
    """A service that remembers what it was told and serves VRS rovers an epoch for each position."""

    def __init__(self) -> None:
        self.opened: list[Session] = []
        self.resumed: list[Session] = []
        self.positions: list[tuple[Session, RoverPosition]] = []
        self.waitings: list[tuple[Session, Waiting]] = []
        self.closed: list[SessionRecord] = []
        self.serve: Callable[[Session, RoverPosition], None] | None = None
        self._changed = asyncio.Event()

    def session_opened(self, session: Session) -> None:
        self.opened.append(session)
        self._changed.set()

    def session_resumed(self, session: Session) -> None:
        self.resumed.append(session)
        self._changed.set()

    def position(self, session: Session, position: RoverPosition) -> None:
        self.positions.append((session, position))
        self._changed.set()
        if self.serve is not None:
            self.serve(session, position)

    def waiting(self, session: Session, waiting: Waiting) -> None:
        self.waitings.append((session, waiting))
        self._changed.set()

    def session_closed(self, session: Session, record: SessionRecord) -> None:
        self.closed.append(record)
        self._changed.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is true of what was told."""
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


class Frames:
    """A sink that counts whole frames by their length and keeps every byte."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended: UploadEnd | None = None
        self._changed = asyncio.Event()
        self._read = 0

    async def receive(self, data: bytes) -> int:
        self.data += data
        good = 0
        while self._read + 6 <= len(self.data):
            if self.data[self._read] != 0xD3:
                self._read += 1
                continue
            end = self._read + 6 + (self.data[self._read + 1] & 3) * 256 + self.data[self._read + 2]
            if end > len(self.data):
                break
            good += calc_crc24q(bytes(self.data[self._read : end])) == 0
            self._read = end
        self._changed.set()
        return good

    def closed(self, reason: UploadEnd) -> None:
        self.ended = reason
        self._changed.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@dataclass
class World:
    caster: Caster
    service: Told
    store: Store
    passwords: Passwords
    verifier: Verifier
    clock: Clock
    m1: Channel
    sinks: dict[str, list[Frames]] = field(default_factory=dict)
    epochs: int = 0
    peers: list[Peer] = field(default_factory=list)
    """Kept, so that no connection closes for want of an owner."""

    @property
    def port(self) -> int:
        return self.caster.ports[0]

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and the caster notice."""
        self.clock.offset += seconds
        self.caster.sweep()

    def publish(self, data: bytes = b"") -> bytes:
        """One more epoch of M1."""
        self.epochs += 1
        data = data or epoch(self.epochs)
        self.m1.publish(data)
        return data

    async def client(self, request: bytes = b"") -> Peer:
        """Connect and send."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        peer = Peer(reader, writer)
        self.peers.append(peer)
        peer.send(request)
        return peer

    async def streaming(self, count: int = 1) -> list[Session]:
        """The sessions, once there are so many and data may follow their heads."""
        await self.service.until(lambda: len(self.service.opened) >= count)
        async with asyncio.timeout(TIMEOUT_S):
            while not all(session.ready for session in self.caster.hub.sessions()):
                await asyncio.sleep(0)
        return self.service.opened

    async def ask(self, request: bytes) -> bytes:
        """Everything that is answered until the caster closes."""
        peer = await self.client(request)
        try:
            return await peer.rest()
        finally:
            peer.close()


class Peer:
    """The other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> bytes:
        """Up to and with the empty line."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        """Up to the end of the connection."""
        async with asyncio.timeout(TIMEOUT_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def close(self) -> None:
        self.writer.close()


def settings(**changes: Any) -> CasterSettings:
    return CasterSettings(**{"host": "127.0.0.1", "port": 0, "settle_s": 0.01, **changes})


@asynccontextmanager
async def world(config: CasterSettings | None = None) -> AsyncIterator[World]:
    passwords = Passwords(memory_kib=8, passes=1, workers=1)
    clock, told = Clock(), Told()
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    now = datetime.now(UTC)
    async with await open_store(StoreSettings(url=":memory:")) as store:
        everything_but_hidden = ("M*", "VRS*", "DEAD", "FREE", "NEAR", "SSR")
        for account, password in (
            (Account("rover", AccountLevel.CENTIMETRE, everything_but_hidden, concurrency=0), "pw"),
            (Account("member", AccountLevel.CENTIMETRE, concurrency=1), "pw"),
            (Account("metre", AccountLevel.METRE, concurrency=1), "pw"),
            (Account("base1", mountpoints=(), uploads=("M1", "M2")), "secret"),
        ):
            await add_account(store.sessions, passwords, account, password, now, digest_realm="corsnet")
        verifier = Verifier(store.sessions, passwords, monotonic=clock)
        caster = Caster(config or settings(), verifier, told, monotonic=clock)
        hub = caster.hub
        m1 = hub.channel("M1")
        centimetre = Access(AccountLevel.CENTIMETRE)
        hub.register(parse_mountpoint("M1", access=centimetre), Description("Changsha"), channel=m1)
        hub.register(parse_mountpoint("DEAD"), channel=hub.channel("DEAD"))
        hub.register(parse_mountpoint("VRS", access=centimetre), suffixes=True)
        hub.register(parse_mountpoint("HIDDEN", access=Access(listed=False)), channel=m1)
        hub.register(parse_mountpoint("FREE", access=Access(anonymous=True)), channel=m1)
        made = World(caster, told, store, passwords, verifier, clock, m1)
        for name in ("M1", "M2"):
            made.sinks[name] = []
            caster.uploads.offer(name, lambda info: _sink(made, info))
        await caster.start()
        made.publish()
        try:
            yield made
        finally:
            for peer in made.peers:
                peer.close()
            await caster.stop()
            passwords.close()
            gc.collect()  # tasks whose exception nobody took say so when they go
    assert not escaped, escaped


def _sink(made: World, info: UploadInfo) -> Frames:
    sink = Frames()
    made.sinks[info.mountpoint].append(sink)
    return sink
