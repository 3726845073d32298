"""What the kernel is told about a connection, and asked: keepalive, time-outs, buffers, file limits (ntrip 3.6, speed
7).

A rover that vanishes is noticed within a minute: probes after 30 s of silence, and no byte unacknowledged for 30 s.
The kernel's own buffers are kept small: a correction that waits there for minutes is worth nothing when it arrives.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import resource
import socket
import struct

KEEPALIVE_IDLE_S = 30
KEEPALIVE_INTERVAL_S = 10
KEEPALIVE_PROBES = 3
USER_TIMEOUT_MS = 30_000
UNSENT_BYTES = 8192
"""TCP_NOTSENT_LOWAT: what the kernel takes before it has sent it."""
SEND_BUFFER_BYTES = 65_536
DEAD_AFTER_MS = 10_000
BACKLOG = 4096
ACCEPTED_AT_ONCE = 128

_OPTIONS = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, KEEPALIVE_IDLE_S),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, KEEPALIVE_INTERVAL_S),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, KEEPALIVE_PROBES),
    ("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, USER_TIMEOUT_MS),
    ("TCP_NOTSENT_LOWAT", socket.IPPROTO_TCP, UNSENT_BYTES),
    ("SO_SNDBUF", socket.SOL_SOCKET, SEND_BUFFER_BYTES),
    ("TCP_NODELAY", socket.IPPROTO_TCP, 1),
)


def prepare(transport: asyncio.BaseTransport) -> None:
    """Set a connection's options; one that a system does not have is left out."""
    connection = transport.get_extra_info("socket")
    for name, level, value in _OPTIONS if connection is not None else ():
        option = getattr(socket, name, None)
        if option is not None:
            try:
                connection.setsockopt(level, option, value)
            except OSError:
                continue  # the peer has gone already: connection_lost follows


def is_dead(transport: asyncio.BaseTransport | None) -> bool:
    """True when bytes are under way and the peer has acknowledged none for ten seconds (TCP_INFO, Linux)."""
    connection = transport.get_extra_info("socket") if transport is not None else None
    if transport is None or transport.is_closing():
        return True
    if connection is None or not hasattr(socket, "TCP_INFO"):
        return False
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    except OSError:
        return True
    unacknowledged, last_ack_ms = struct.unpack_from("=I", info, 24)[0], struct.unpack_from("=I", info, 56)[0]
    return bool(unacknowledged and last_ack_ms > DEAD_AFTER_MS)


def vanished(error: Exception | None) -> bool:
    """True when a connection ended because nobody answered."""
    return isinstance(error, OSError) and error.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)


def plain_address(address: str) -> str:
    """An address without zone, IPv4 as IPv4 also on a socket for both."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, an IPv6 /64."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; an empty host means IPv4 and IPv6. Raises OSError."""
    if host:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
    return socket.create_server(("", port), backlog=BACKLOG)


def raise_file_limit() -> int:
    """Allow as many open files as the system lets us; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1_000_000
