"""A TCP or TLS connection to a source, with time limits, and the ways it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from cors.ingest.address import TcpAddress
from cors.ingest.backoff import End

READ_BYTES = 1 << 16
"""Most that one read takes; what the peer sends faster waits in the system's buffers (TCP slows it down)."""


Position: TypeAlias = tuple[float, float, float]
"""Latitude, longitude (degrees), ellipsoidal height (m)."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to treat a source. Seconds."""

    connect_s: float = 10.0
    """For name, connection and TLS together."""
    reply_s: float = 10.0
    """For a caster's whole reply head."""
    silence_s: float = 30.0
    """Without a whole frame the connection is given up: bytes alone are no sign of life."""
    position: Position | Callable[[], Position | None] | None = None
    """To send to the caster, for mountpoints that want one; asked each time where it moves, None then: not yet."""
    gga_interval_s: float = 10.0
    ca_file: Path | None = None
    """Certificates to trust beside the system's, for casters with their own."""


class Ended(Exception):
    """A connection's end: how, and in words without credentials."""

    def __init__(self, end: End, detail: str, wait_s: float = 0.0) -> None:
        """`detail` is shown to operators; `wait_s` is what the peer asks us to wait at least."""
        super().__init__(f"{end}: {detail}")
        self.end = end
        self.detail = detail
        self.wait_s = wait_s


class ByteSource(Protocol):
    """An open stream of bytes."""

    async def read(self) -> bytes:
        """What came, at least a byte. Raises Ended."""

    def write(self, data: bytes) -> None:
        """Send to the source (a position)."""

    async def close(self) -> None:
        """Let go of it."""


class Connection:
    """A connected socket as a ByteSource."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes over both."""
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """What came. Raises Ended at the peer's end, or the network's."""
        try:
            data = await self._reader.read(READ_BYTES)
        except OSError as error:
            raise Ended(End.CLOSED, _words(error)) from None
        if not data:
            raise Ended(End.CLOSED, "closed by the peer")
        return data

    def write(self, data: bytes) -> None:
        """Send; what the peer does not read is bounded by closing on silence."""
        self._writer.write(data)

    async def close(self) -> None:
        """Close at once; nobody waits for a peer that does not answer."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def connect(host: str, port: int, options: SourceOptions, tls: bool = False) -> Connection:
    """Connect, with TLS if asked. Raises Ended(UNREACHABLE)."""
    context = await asyncio.to_thread(_tls_context, options.ca_file) if tls else None
    try:
        async with asyncio.timeout(options.connect_s):
            reader, writer = await asyncio.open_connection(
                host, port, ssl=context, server_hostname=host if tls else None, limit=READ_BYTES
            )
    except TimeoutError:
        raise Ended(End.UNREACHABLE, f"no connection to {host}:{port} within {options.connect_s:g} s") from None
    except OSError as error:
        raise Ended(End.UNREACHABLE, _words(error)) from None
    _keep_alive(writer)
    return Connection(reader, writer)


async def connect_tcp(address: TcpAddress, options: SourceOptions) -> Connection:
    """Connect to a plain server. Raises Ended(UNREACHABLE)."""
    return await connect(address.host, address.port, options)


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise Ended(End.UNREACHABLE, f"certificates: {_words(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Notice a dead peer within a minute (ntrip 3.6), where the system lets us."""
    link = writer.get_extra_info("socket")
    settings = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 30_000))
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in settings:
            if hasattr(socket, name):
                link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _words(error: OSError) -> str:
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio puts host and port in its place
    return (error.strerror or str(error) or type(error).__name__)[:200]
