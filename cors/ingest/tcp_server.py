"""A TCP server that sends one stream to whoever connects, as receivers and str2str do.

What clients send is read and thrown away. `send` never waits: a client that reads too slowly is dropped. `deliver`
waits for the slowest: for replays, where nobody may lose a byte.
"""

from __future__ import annotations

import asyncio
import contextlib

MOST_BUFFERED_BYTES = 1 << 20
"""Unsent bytes of a client; `send` drops a client above it, `deliver` waits below it."""


class _Client(asyncio.Protocol):
    def __init__(self, server: TcpServer) -> None:
        self._server = server
        self.transport: asyncio.Transport | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=MOST_BUFFERED_BYTES)
        self._server.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()
        self._server.left(self)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()


class TcpServer:
    """Serves one stream on one port."""

    def __init__(self, most_clients: int = 100) -> None:
        """Nothing listens yet; a client more than `most_clients` is turned away."""
        self._most = most_clients
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None
        self._somebody, self._nobody = asyncio.Event(), asyncio.Event()
        self._nobody.set()
        self.dropped = 0
        """Clients dropped because they read too slowly."""

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (of use with 0). Raises OSError."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Client(self), host, port, backlog=128)
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def clients(self) -> int:
        """Clients connected now."""
        return len(self._clients)

    async def somebody(self) -> None:
        """Return when a client is there."""
        await self._somebody.wait()

    def send(self, data: bytes) -> None:
        """Send to all; who has too much unsent is cut off."""
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.write(data)
                if client.transport.get_write_buffer_size() > MOST_BUFFERED_BYTES:
                    self.dropped += 1
                    client.transport.abort()

    async def deliver(self, data: bytes) -> None:
        """Send to all, waiting for those with much unsent."""
        for client in list(self._clients):
            if client.transport is not None and not client.transport.is_closing():
                client.transport.write(data)
        for client in list(self._clients):
            await client.writable.wait()

    async def close(self, linger_s: float = 5.0) -> None:
        """Stop listening, send what is buffered and the end of it; who has not left after `linger_s` is cut off.

        No plain close: with a client's bytes unread it would be a reset, which costs the client the last of ours.
        """
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            if client.transport is not None and not client.transport.is_closing():
                client.transport.write_eof()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._nobody.wait(), linger_s)
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()

    def joined(self, client: _Client) -> None:
        """A client connected."""
        if len(self._clients) >= self._most and client.transport is not None:
            client.transport.abort()
            return
        self._clients.add(client)
        self._somebody.set()
        self._nobody.clear()

    def left(self, client: _Client) -> None:
        """A client is gone."""
        self._clients.discard(client)
        if not self._clients:
            self._somebody.clear()
            self._nobody.set()
