"""What this package raises, and nothing else: bad bytes of a peer, with a short code for counters and logs.

NtripError
├── HeadError    a request or reply head that cannot be read; `status` is the HTTP answer to a client
├── ChunkError   chunked coding that cannot be followed any further
└── GgaError     an NMEA line that is no usable GGA
"""

from __future__ import annotations

SHOWN = 200
"""Bytes of a peer that an error quotes at most."""


def shown(data: bytes | str) -> str:
    """A peer's bytes for a log line: escaped, cut to `SHOWN`."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "backslashreplace")
    return ascii(raw[:SHOWN])[2:-1]


class NtripError(ValueError):
    """Bad input of a peer: `code` names it, `offending` quotes it."""

    def __init__(self, code: str, offending: bytes | str = b"") -> None:
        self.code = code
        self.offending = shown(offending)
        super().__init__(f"{code}: {self.offending}" if offending else code)


class HeadError(NtripError):
    """A head that is malformed, too long or asks for what nobody offers."""

    def __init__(self, code: str, status: int = 400, offending: bytes | str = b"") -> None:
        self.status = status
        super().__init__(code, offending)


class ChunkError(NtripError):
    """Chunked coding that is broken or beyond its limits."""


class GgaError(NtripError):
    """A line that is no GGA, or a GGA that must not be used."""
