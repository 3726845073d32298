"""A mountpoint of a caster as a source of bytes: request, reply, chunks undone, the position sent while it streams.

Which NTRIP a caster speaks is found out: version 2 is offered first, and when what answers is no reply (or none), or a
refusal (BKG 0.1.5 answers every version 2 request so), the next try offers version 1. What a caster says is
`cors.ntrip`'s business; here are the socket and the time limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from cors.gnss.time import DAY_NS, NS, utc_ns
from cors.ingest.address import NtripAddress
from cors.ingest.backoff import End
from cors.ingest.clock import Clock
from cors.ingest.connection import Connection, Ended, SourceOptions, connect
from cors.ntrip.client import (
    ClientRequest,
    Event,
    NotNtrip,
    NtripClient,
    Refusal,
    Refused,
    StreamData,
    StreamEnded,
    StreamStarted,
    TableReceived,
)
from cors.ntrip.gga import build_gga

_ENDS = {
    Refusal.UNAUTHORIZED: End.REFUSED,
    Refusal.FORBIDDEN: End.REFUSED,
    Refusal.CONFLICT: End.REFUSED,
    Refusal.NOT_AVAILABLE: End.NO_MOUNTPOINT,
}


def _request(address: NtripAddress, mountpoint: str, version: int) -> ClientRequest:
    return ClientRequest(address.host, address.port, mountpoint, address.user, address.password.reveal(), version)


async def fetch_sourcetable(address: NtripAddress, options: SourceOptions) -> bytes:
    """The caster's sourcetable as it sends it. Raises Ended."""
    client = NtripClient(_request(address, "", address.version or 2))
    connection = await connect(address.host, address.port, options, address.tls)
    stream = NtripStream(connection, client, None, options.gga_interval_s)
    try:
        async with asyncio.timeout(options.reply_s):
            await stream.begin()
    except TimeoutError:
        raise Ended(End.SILENT, f"no sourcetable within {options.reply_s:g} s") from None
    finally:
        await connection.close()
    if stream.table is None:
        raise Ended(End.BAD_REPLY, "a stream came instead of the sourcetable")
    return stream.table


class NtripOpener:
    """Opens one mountpoint again and again, and remembers which version its caster speaks."""

    def __init__(self, address: NtripAddress, options: SourceOptions, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._address = address
        self._options = options
        self._clock = clock
        self._version = address.version or 2
        self._is_known = address.version is not None

    async def __call__(self) -> NtripStream:
        """Connect and ask; returns when the caster said yes. Raises Ended."""
        try:
            stream = await self._open()
        except Ended as ended:
            if ended.end in (End.BAD_REPLY, End.REFUSED) and not self._is_known:
                self._version = 3 - self._version
            raise
        self._is_known = True
        return stream

    async def _open(self) -> NtripStream:
        address, options = self._address, self._options
        client = NtripClient(_request(address, address.mountpoint, self._version))
        connection = await connect(address.host, address.port, options, address.tls)
        stream = NtripStream(connection, client, self._gga if options.position else None, options.gga_interval_s)
        try:
            async with asyncio.timeout(options.reply_s):
                await stream.begin()
        except TimeoutError:
            await connection.close()
            raise Ended(End.BAD_REPLY, f"no reply within {options.reply_s:g} s") from None
        except BaseException:
            await connection.close()
            raise
        return stream

    def _gga(self) -> str | None:
        wanted = self._options.position
        position = wanted() if callable(wanted) else wanted
        return build_gga(*position, utc_ns(self._clock.now()) % DAY_NS / NS) if position is not None else None


class NtripStream:
    """A ByteSource of an accepted request."""

    def __init__(
        self, connection: Connection, client: NtripClient, gga: Callable[[], str | None] | None, interval_s: float
    ) -> None:
        """`gga` makes a sentence, or None while there is no position; None itself: none is ever sent."""
        self._connection = connection
        self._client = client
        self._gga = gga
        self._interval_s = interval_s
        self._next_gga = 0.0
        self._ready: list[bytes] = []
        self._ended: Ended | None = None
        self.table: bytes | None = None
        """The sourcetable, where that was asked for."""

    async def begin(self) -> None:
        """Send the request and read until the stream begins. Raises Ended."""
        self._connection.write(self._client.request_bytes(self._gga() if self._gga else None))
        while not self._client.streaming and not self._ready and self._ended is None and self.table is None:
            await self._receive()
        if self._ended is not None and not self._ready:
            raise self._ended
        self._send_gga()

    async def read(self) -> bytes:
        """Bytes of the stream. Raises Ended."""
        while not self._ready:
            if self._ended is not None:
                raise self._ended
            await self._receive_or_send()
        data = b"".join(self._ready)
        self._ready.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send to the caster."""
        self._connection.write(data)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def _receive_or_send(self) -> None:
        if self._gga is None:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._next_gga):
                await self._receive()
        except TimeoutError:
            self._send_gga()

    def _send_gga(self) -> None:
        if self._gga is None:
            return
        sentence = self._gga()
        if sentence is not None:
            self._connection.write(f"{sentence}\r\n".encode("ascii"))
        self._next_gga = asyncio.get_running_loop().time() + self._interval_s

    async def _receive(self) -> None:
        try:
            data = await self._connection.read()
        except Ended as ended:
            self._ended = ended
            self._note(self._client.finish())
        else:
            self._note(self._client.receive(data))

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, StreamData):
                self._ready.append(event.data)
            elif isinstance(event, Refused):
                end = _ENDS.get(event.refusal, End.CLOSED)
                self._ended = Ended(end, f"{event.refusal}: {event.text}", event.retry_after_s or 0.0)
            elif isinstance(event, NotNtrip):
                self._ended = Ended(End.BAD_REPLY, f"{event.code}: {event.offending}")
            elif isinstance(event, StreamEnded):
                self._ended = self._ended or Ended(End.CLOSED, "the caster ended the stream")
            elif isinstance(event, TableReceived):
                self.table = event.data
            else:
                assert isinstance(event, StreamStarted)
