"""What a client asks for and in which dialect: a request's head, classified once.

By the first line and three facts: `Ntrip-Version`, HTTP version, and "ntrip" anywhere in the agent (ntrip 1):

| request | dialect |
| --- | --- |
| `Ntrip-Version: ntrip/2...` | NTRIP2 |
| none, or `ntrip/1...`, and an agent with "ntrip" in it; or HTTP/1.0 | NTRIP1 |
| neither, HTTP/1.1 | HTTP |
| `SOURCE` first | NTRIP1, upload |
| `POST` | NTRIP2, upload |
| `... RTSP/1.0` | RTSP |

The path is percent-decoded once and never normalised; a query on a mountpoint, the Host and a scheme with authority in
front of the path decide nothing. Refused: two framings of a body (smuggling), other methods (405), HTTP 2 and up
(505).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from cors.ntrip.authorization import Credentials, decode_text, parse_authorization
from cors.ntrip.errors import HeadError
from cors.ntrip.heads import Head

MAX_MOUNTPOINT = 100

_VERSION = re.compile(r"(HTTP|RTSP)/(\d)\.(\d)\Z")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_CHUNKED = re.compile(r"chunked\Z", re.IGNORECASE)
_LENGTH = re.compile(r"\d{1,15}\Z", re.ASCII)


class Dialect(StrEnum):
    """How the peer wants to be answered."""

    NTRIP1 = "ntrip1"
    NTRIP2 = "ntrip2"
    HTTP = "http"
    RTSP = "rtsp"


class Purpose(StrEnum):
    """What the peer wants."""

    TABLE = "table"
    STREAM = "stream"
    UPLOAD = "upload"
    CONTROL = "control"
    """RTSP, which is not offered."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, valid: names decoded, texts trimmed. Texts are the peer's: escape before logging."""

    dialect: Dialect
    purpose: Purpose
    method: str = "GET"
    mountpoint: str = ""
    query: str | None = None
    """What follows `?`, not decoded; on the table a filter."""
    http_minor: int = 0
    agent: str = ""
    credentials: Credentials | None = None
    has_authorization: bool = False
    """True also where the header could not be read."""
    source_password: str | None = field(default=None, repr=False)
    """Of `SOURCE password mountpoint`."""
    gga: str | None = None
    """`Ntrip-GGA`."""
    chunked: bool = False
    content_length: int | None = None
    """Neither chunked nor a length: the body is raw until the connection's end."""
    expects_continue: bool = False
    announced: str = ""
    """An upload's own STR record, without the leading `STR;`."""
    cseq: str = ""


def parse_request(head: Head) -> Request:
    """The request of a head. Raises HeadError."""
    line = head.first_line
    if line[:7].upper() == "SOURCE ":
        return _source(head)
    words = line.split(" ")
    match = _VERSION.match(words[-1]) if len(words) >= 3 else None
    if match is None or (words[0] == "" or not words[0].isascii()):
        raise HeadError("bad_request_line", offending=line)
    method, target = words[0].upper(), " ".join(words[1:-1]).strip()
    if match.group(1) == "RTSP":
        return Request(Dialect.RTSP, Purpose.CONTROL, method, cseq=_printable(head.get("cseq") or "", 20))
    if match.group(2) != "1":
        raise HeadError("http_version", 505, line)
    if method not in ("GET", "POST"):
        raise HeadError("method", 405, line)
    return _http(head, method, target, int(match.group(3)))


def _source(head: Head) -> Request:
    words = head.first_line[7:].strip().split(" ")
    if len(words) > 2:
        raise HeadError("bad_source_line")
    password = words[0] if len(words) == 2 else ""
    mountpoint, _ = read_target(words[-1])
    return Request(
        Dialect.NTRIP1,
        Purpose.UPLOAD,
        "SOURCE",
        mountpoint,
        agent=head.get("source-agent") or head.get("user-agent") or "",
        source_password=decode_text(password.encode("latin-1")),
        announced=_announced(head),
    )


def _http(head: Head, method: str, target: str, minor: int) -> Request:
    chunked, length = _framing(head)
    mountpoint, query = read_target(target)
    authorization = head.get("authorization")
    purpose = Purpose.UPLOAD if method == "POST" else Purpose.STREAM if mountpoint else Purpose.TABLE
    return Request(
        _dialect(head, method, minor),
        purpose,
        method,
        mountpoint,
        query,
        http_minor=minor,
        agent=head.get("user-agent") or "",
        credentials=parse_authorization(authorization) if authorization else None,
        has_authorization=authorization is not None,
        gga=head.get("ntrip-gga"),
        chunked=chunked,
        content_length=length,
        expects_continue=(head.get("expect") or "").lower() == "100-continue",
        announced=_announced(head),
    )


def _dialect(head: Head, method: str, minor: int) -> Dialect:
    version = (head.get("ntrip-version") or "").lower()
    if method == "POST" or version.startswith("ntrip/2"):
        return Dialect.NTRIP2
    if version.startswith("ntrip/1") or minor == 0 or "ntrip" in (head.get("user-agent") or "").lower():
        return Dialect.NTRIP1
    return Dialect.HTTP


def read_target(target: str) -> tuple[str, str | None]:
    """Mountpoint and query of a request target; the leading slash may be missing. Raises HeadError."""
    absolute = _ABSOLUTE.match(target)
    path, question, query = (target[absolute.end() :] if absolute else target).partition("?")
    name = decode_text(unquote_to_bytes(path.removeprefix("/").encode("latin-1")))
    if len(name) > MAX_MOUNTPOINT:
        raise HeadError("mountpoint_too_long", 404, name)
    return name, query if question else None


def _framing(head: Head) -> tuple[bool, int | None]:
    codings, lengths = head.all("transfer-encoding"), head.all("content-length")
    if (codings and lengths) or len(codings) > 1 or len(lengths) > 1:
        raise HeadError("two_framings")
    if codings and not _CHUNKED.match(codings[0]):
        raise HeadError("transfer_encoding", 501, codings[0])
    if lengths and not _LENGTH.match(lengths[0]):
        raise HeadError("content_length", 400, lengths[0])
    return bool(codings), int(lengths[0]) if lengths else None


def _announced(head: Head) -> str:
    return (head.get("str") or head.get("ntrip-str") or "").removeprefix("STR;")[:1000]


def _printable(text: str, most: int) -> str:
    return "".join(c for c in text[:most] if " " <= c <= "~")
