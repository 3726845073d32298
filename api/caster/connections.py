"""All connections of a caster and the limits they share: heads that never come, crowds, answers that nobody reads.

A connection that has not sent its request within a second counts as headless: ten from one place, and five hundred in
all, are borne (then the oldest goes), and none longer than ten seconds. Those who come in a crowd and ask at once are
not counted, so a thousand rovers behind one address may come back together.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from api.caster.admission import Admission
from api.caster.hub import Hub
from api.caster.settings import LimitSettings
from api.caster.uploads import Uploads

if TYPE_CHECKING:
    from api.caster.connection import Connection

CLOSING_S = 2.0
CLOSING_SLOW_S = 30.0
"""For those that still read the answer: a long table on a slow link."""
SPARE = 1000
"""Connections beyond `clients`, for answers; more are closed unheard."""


class Connections:
    """All connections of a caster, and their common limits."""

    def __init__(
        self,
        limits: LimitSettings,
        admission: Admission,
        hub: Hub,
        uploads: Uploads,
        monotonic: Callable[[], float],
    ) -> None:
        self.limits = limits
        self.admission = admission
        self.hub = hub
        self.uploads = uploads
        self.monotonic = monotonic
        self.counts: Counter[str] = Counter()
        """`accepted`, `unheard`, `head_timeout`, `throttled`, and bad heads by code."""
        self.clients = 0
        """Connections that stream to us or from us."""
        self.shutting_down = False
        self.tasks: set[asyncio.Task[None]] = set()
        self._all: set[Connection] = set()
        self._by_place: Counter[str] = Counter()
        self._headless: OrderedDict[Connection, float] = OrderedDict()
        self._closing: dict[Connection, float] = {}
        self._throttled: set[Connection] = set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def enter(self, connection: Connection) -> bool:
        """Take a new one; False: there are too many, close it."""
        now = self.monotonic()
        self._all.add(connection)
        self._by_place[connection.network] += 1
        self.counts["accepted"] += 1
        slow = self._slow_heads(now)
        if self.shutting_down or len(self._all) > self.limits.clients + SPARE:
            return False
        if sum(c.network == connection.network for c in slow) >= self.limits.headless_per_address:
            return False
        if len(slow) >= self.limits.headless:
            slow[0].give_up("headless")
        self._headless[connection] = now
        return True

    def _slow_heads(self, now: float) -> list[Connection]:
        """Those without a request for a while, oldest first; a crowd that just came is not among them."""
        slow: list[Connection] = []
        for connection, since in self._headless.items():
            if now - since < self.limits.headless_after_s:
                break
            slow.append(connection)
        return slow

    def leave(self, connection: Connection) -> None:
        """One is gone."""
        self._all.discard(connection)
        self._by_place[connection.network] -= 1
        if self._by_place[connection.network] <= 0:
            del self._by_place[connection.network]
        self._headless.pop(connection, None)
        self._closing.pop(connection, None)
        self._throttled.discard(connection)

    def has_head(self, connection: Connection) -> None:
        """Its request is complete."""
        self._headless.pop(connection, None)

    def is_full(self, connection: Connection) -> bool:
        """No room for one more stream, or for one more from there."""
        return (
            self.clients >= self.limits.clients or self._by_place[connection.network] > self.limits.clients_per_address
        )

    def throttle(self, connection: Connection) -> None:
        """It writes too much: read on at the next sweep."""
        self.counts["throttled"] += 1
        self._throttled.add(connection)

    def closing(self, connection: Connection) -> None:
        """It has its answer."""
        self._closing[connection] = self.monotonic()

    def sweep(self) -> None:
        """What time brings. Call it once a second."""
        now = self.monotonic()
        while self._headless:
            oldest, since = next(iter(self._headless.items()))
            if now - since < self.limits.head_timeout_s:
                break
            oldest.give_up("head_timeout")
        for connection, since in list(self._closing.items()):
            if now - since >= (CLOSING_SLOW_S if connection.unsent else CLOSING_S):
                connection.abort()
        throttled, self._throttled = self._throttled, set()
        for connection in throttled:
            connection.read_on()

    def abort_all(self) -> None:
        """Close every connection that is still there."""
        for connection in list(self._all):
            connection.abort()
