"""What a caster answers, byte for byte, in the dialect of the request (ntrip 1, 2.1-2.7).

A head is one `bytes`, to be written in one call and never together with what follows: clients in the field lose data
that share its segment. `ICY 200 OK` is followed by an empty line unless told otherwise. Every answer to a version 2
request carries `Ntrip-Version`, or BKG's uploader falls back to sending its password in clear. Version 1 has no 404:
the table is sent instead; its uploads understand only `ERROR` lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from cors.ntrip.requests import Dialect, Purpose, Request

PHRASES = {
    100: "Continue", 200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable", 505: "HTTP Version Not Supported",
}  # fmt: skip

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ICY = b"ICY 200 OK\r\n"

_VERSION_2 = "Ntrip-Version: Ntrip/2.0"
_NEVER_STORE = ("Cache-Control: no-store, no-cache, max-age=0", "Pragma: no-cache")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answers, and when."""

    server: str
    """`NTRIP corsnet/<version>`."""
    now: datetime
    """UTC."""

    @property
    def lines(self) -> tuple[str, str]:
        """Server and Date."""
        return f"Server: {self.server}", f"Date: {format_datetime(self.now.astimezone(UTC), usegmt=True)}"


def _head(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def uses_chunks(request: Request, configured: bool) -> bool:
    """Chunks only where configured, and never in answer to HTTP/1.0 or to those who did not announce version 2."""
    return configured and request.dialect is Dialect.NTRIP2 and request.http_minor >= 1


def stream_reply(request: Request, origin: Origin, *, chunked: bool = False, icy_empty_line: bool = True) -> bytes:
    """Yes to a rover; `chunked` as `uses_chunks` says."""
    if request.dialect is Dialect.NTRIP1:
        return ICY + b"\r\n" if icy_empty_line else ICY
    lines = ["HTTP/1.1 200 OK", *([_VERSION_2] if request.dialect is Dialect.NTRIP2 else []), *origin.lines]
    lines += [*_NEVER_STORE, "Content-Type: gnss/data", "Connection: close"]
    return _head(*lines, *(["Transfer-Encoding: chunked"] if chunked else []))


def upload_reply(request: Request, origin: Origin) -> bytes:
    """Yes to a source; sent before any of its body."""
    if request.dialect is Dialect.NTRIP1:
        return ICY + b"\r\n"
    return _head("HTTP/1.1 200 OK", _VERSION_2, *origin.lines, *_NEVER_STORE, "Connection: close")


def table_reply(request: Request, origin: Origin, table: bytes, *, filtered: bool = False) -> bytes:
    """The sourcetable, head and body; also version 1's answer to an unknown mountpoint."""
    if request.dialect is Dialect.NTRIP1:
        first, kind = ["SOURCETABLE 200 OK"], "text/plain"
    elif request.dialect is Dialect.NTRIP2:
        first, kind = ["HTTP/1.1 200 OK", _VERSION_2], "gnss/sourcetable"
        first += ["Ntrip-Flags: st_filter"] if filtered else []
    else:
        first, kind = ["HTTP/1.1 200 OK"], "text/plain; charset=utf-8"
    tail = (f"Content-Type: {kind}", f"Content-Length: {len(table)}")
    return _head(*first, *origin.lines, "Connection: close", *tail) + table


def refusal(
    request: Request | None,
    origin: Origin,
    status: int,
    reason: str = "",
    *,
    challenges: Sequence[str] = (),
    retry_after_s: int | None = None,
) -> bytes:
    """No, in the request's dialect; without a request (its head could not be read) as plain HTTP.

    `challenges` are WWW-Authenticate values of a 401; `reason` becomes the body where there may be one. An unknown
    mountpoint in version 1 is answered by `table_reply` instead, an upload by `upload_error`.
    """
    phrase = PHRASES.get(status, "Error")
    asked = [f"WWW-Authenticate: {challenge}" for challenge in challenges if status == 401]
    if request is not None and request.dialect is Dialect.RTSP:
        return _head(f"RTSP/1.0 {status} {phrase}", f"CSeq: {request.cseq}", _VERSION_2)
    if request is not None and request.dialect is Dialect.NTRIP1:
        html = ("Content-Type: text/html", "Connection: close")
        return _head(f"HTTP/1.0 {status} {phrase}", f"Server: {origin.server}", *asked, *html)
    body = f"{reason}\r\n".encode() if reason else b""
    wait = [f"Retry-After: {retry_after_s}"] if retry_after_s is not None else []
    version = [_VERSION_2] if request is not None and request.dialect is Dialect.NTRIP2 else []
    tail = ("Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}", "Connection: close")
    return _head(f"HTTP/1.1 {status} {phrase}", *version, *origin.lines, *asked, *wait, *tail) + body


BANNED_V1 = b"HTTP/1.0 403 Forbidden\r\n\r\n"
BAD_PASSWORD = b"ERROR - Bad Password\r\n"
MOUNTPOINT_TAKEN = b"ERROR - Mount Point Taken or Invalid\r\n"
TOO_MANY_SOURCES = b"ERROR - Too many sources\r\n"


def upload_error(request: Request, status: int) -> bytes:
    """Version 1's words to a source for an HTTP status: 401 and 403 bad password, 429 and 503 too many, else taken."""
    assert request.purpose is Purpose.UPLOAD
    if status in (401, 403):
        return BAD_PASSWORD
    return TOO_MANY_SOURCES if status in (429, 503) else MOUNTPOINT_TAKEN
