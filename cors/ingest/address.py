"""Where a stream comes from, as an URL: ntrip(s)://, tcp://, file://. Parsed once, at the door.

A password may stand in an URL of the configuration, better in the environment or a file; it never appears in `str`,
`repr` or an error. Percent-encoding is undone; host and port are what follows the last `@`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

NTRIP_PORT = 2101


class AddressError(ValueError):
    """A source's URL that cannot be used; says why, without its password."""


class Secret:
    """A password that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        """Keeps `value`; only `reveal` gives it back."""
        self._value = value

    def reveal(self) -> str:
        """The password."""
        return self._value

    def __bool__(self) -> bool:
        """True when there is one."""
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        """Equal passwords."""
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        """As `__eq__`."""
        return hash(self._value)

    def __repr__(self) -> str:
        """Stars."""
        return "Secret(***)" if self._value else "Secret()"


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class NtripAddress:
    """A mountpoint of a caster."""

    host: str
    port: int
    mountpoint: str
    user: str = ""
    password: Secret = field(default_factory=Secret)
    tls: bool = False
    version: int | None = None
    """1 or 2; None: 2 is offered and what answers is taken."""

    def __str__(self) -> str:
        """The URL without password."""
        user = f"{quote(self.user)}@" if self.user else ""
        return f"ntrip{'s' if self.tls else ''}://{user}{_netloc(self.host, self.port)}/{quote(self.mountpoint)}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A server that sends the stream to whoever connects."""

    host: str
    port: int

    def __str__(self) -> str:
        """The URL."""
        return f"tcp://{_netloc(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class FileAddress:
    """A recording, replayed with the cadence of its own epochs; `speed` infinite: as fast as it goes."""

    path: Path
    speed: float = 1.0

    def __str__(self) -> str:
        """The URL."""
        speed = "max" if math.isinf(self.speed) else f"{self.speed:g}"
        return f"file://{quote(str(self.path))}?speed={speed}"


Address = NtripAddress | TcpAddress | FileAddress


def parse_speed(text: str) -> float:
    """A replay speed: a number above 0, or "max" (infinite). Raises AddressError."""
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0.0:
        raise AddressError(f"speed {text!r} (expected a number above 0, or max)")
    return speed


def parse_address(url: str, password: str | None = None) -> Address:
    """Address of an URL; a `password` (from the environment or a file) overrides the URL's. Raises AddressError."""
    scheme, separator, rest = url.strip().partition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}"[:200]
    if not separator or scheme not in ("ntrip", "ntrips", "tcp", "file"):
        raise AddressError(
            f"{shown!r} (expected for example ntrip://user@host:2101/MOUNT, tcp://host:port, file:///path)"
        )
    try:
        if scheme == "file":
            return _file(rest)
        authority, _, path = rest.partition("/") if "@" not in rest else _behind_credentials(rest)
        host, port = _host_and_port(authority.rpartition("@")[2], NTRIP_PORT if scheme != "tcp" else None)
        if scheme == "tcp":
            return TcpAddress(host, port)
        return _ntrip(scheme, authority, path, host, port, password)
    except AddressError as error:
        raise AddressError(f"{shown!r}: {error}") from None


def _behind_credentials(rest: str) -> tuple[str, str, str]:
    """Split at the first slash behind the last `@`: passwords may hold slashes."""
    credentials, _, place = rest.rpartition("@")
    authority, slash, path = place.partition("/")
    return f"{credentials}@{authority}", slash, path


def _host_and_port(text: str, default: int | None) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port if parts.port is not None else default
    except ValueError:
        host, port = None, None
    if not host or port is None or not 0 < port < 65_536:
        raise AddressError(f"host and port {text[:80]!r} (expected for example 10.1.2.3:2101)")
    return host, port


def _ntrip(scheme: str, authority: str, path: str, host: str, port: int, password: str | None) -> NtripAddress:
    user, _, given = authority.rpartition("@")[0].partition(":")
    mountpoint, _, query = path.partition("?")
    mountpoint = unquote(mountpoint)
    if not mountpoint or any(ord(c) <= 32 or ord(c) == 127 for c in mountpoint):
        raise AddressError(f"mountpoint {mountpoint[:80]!r} (expected a name after the host)")
    versions = {"": None, "1": 1, "2": 2}
    version = _option(query, "version", "")
    if version not in versions:
        raise AddressError(f"version {version!r} (expected 1 or 2)")
    secret = Secret(password if password is not None else unquote(given))
    if any(ord(c) < 32 for c in unquote(user) + secret.reveal()):
        raise AddressError("a control character in user or password")
    return NtripAddress(host, port, mountpoint, unquote(user), secret, scheme == "ntrips", versions[version])


def _file(rest: str) -> FileAddress:
    path, _, query = rest.partition("?")
    if not path:
        raise AddressError("no path")
    return FileAddress(Path(unquote(path)), parse_speed(_option(query, "speed", "1")))


def _option(query: str, name: str, default: str) -> str:
    options = parse_qs(query, keep_blank_values=True)
    unknown = set(options) - {name}
    if unknown:
        raise AddressError(f"unknown option {sorted(unknown)[0][:40]!r} (expected {name})")
    return options.get(name, [default])[-1]
