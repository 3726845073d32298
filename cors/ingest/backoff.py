"""How long to wait before the next try, and when to stop trying (ntrip 3.5).

1, 2, 4 ... 256 s with 20 % of jitter either way, from the start again after a minute of data. Refused by the caster
(401, 403, 409): not sooner than 30 s, and after five refusals in a row not at all: an operator must look. No clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import StrEnum

LONGEST_S = 256.0
JITTER = 0.2
GOOD_AFTER_S = 60.0
REFUSED_S = 30.0
REFUSALS = 5


class End(StrEnum):
    """How a connection ended."""

    CLOSED = "CLOSED"
    """By the peer, or the network."""
    UNREACHABLE = "UNREACHABLE"
    """No connection: name, route, port, TLS."""
    SILENT = "SILENT"
    """No data, or no reply, within the time limit."""
    REFUSED = "REFUSED"
    """Credentials, or the right to this mountpoint (401, 403, 409)."""
    NO_MOUNTPOINT = "NO_MOUNTPOINT"
    """404, or a sourcetable in answer."""
    BAD_REPLY = "BAD_REPLY"
    """What came is no reply at all."""
    FINISHED = "FINISHED"
    """A file came to its end."""
    FAULT = "FAULT"
    """Our own error."""


class Backoff:
    """Waits of one station."""

    def __init__(self, uniform: Callable[[], float] = random.random) -> None:
        """`uniform` gives numbers in 0..1 for the jitter."""
        self._uniform = uniform
        self._tries = 0
        self._refusals = 0

    def wait(self, end: End, streamed_s: float) -> float | None:
        """Seconds until the next try after a connection that streamed for so long; None: stop."""
        if streamed_s >= GOOD_AFTER_S:
            self._tries = 0
        self._refusals = self._refusals + 1 if end is End.REFUSED else 0
        if end is End.FINISHED or self._refusals >= REFUSALS:
            return None
        delay = min(2.0**self._tries, LONGEST_S) * (1.0 - JITTER + 2.0 * JITTER * self._uniform())
        self._tries = min(self._tries + 1, 16)
        return max(delay, REFUSED_S) if end is End.REFUSED else delay
