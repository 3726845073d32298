"""What time it is, in GPS time: the machine's, or the data's own, so that yesterday or 2010 can be served.

Made once by the service and handed to what needs it; nothing else reads a clock. Streams carry no week, so decoders
resolve their times against `now`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from cors.gnss.time import NS, gpst_from_utc_ns

_UNIX_TO_GPS_NS = 315_964_800 * NS
JUMP_S = 60.0
"""The data clock follows a tag so far from it only when others say the same: one receiver may be wrong."""
AGREEING_TAGS = 3
"""Tags in a row that move the data clock when all come from one station."""


class Clock(Protocol):
    """Tells GPS time; is told of the tags that streams bring."""

    def now(self) -> int:
        """GPS time, ns."""

    def saw(self, tag: int, station: str) -> None:
        """A station's resolved tag (gpst ns) just came."""


class MachineClock:
    """The computer's clock (UTC) read as GPS time."""

    def now(self) -> int:
        """GPS time, ns."""
        return gpst_from_utc_ns(time.time_ns() - _UNIX_TO_GPS_NS)

    def saw(self, tag: int, station: str) -> None:
        """Ignored: the machine knows better."""


class DataClock:
    """The newest tag plus the time since it came.

    A tag more than a minute off moves it only together with one of another station, or as the third in a row of one.
    """

    def __init__(self, start: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Runs from `start` (gpst ns, right within half a week) until the first tag comes, which sets it."""
        self._monotonic = monotonic
        self._base = start
        self._since = monotonic()
        self._unset = True
        self._candidate: tuple[int, float, str] | None = None
        self._agreeing = 0

    def now(self) -> int:
        """GPS time, ns."""
        return self._base + round((self._monotonic() - self._since) * NS)

    def saw(self, tag: int, station: str) -> None:
        """Follow a station's tag (gpst ns)."""
        moment = self._monotonic()
        ahead = tag - self.now()
        if self._unset or abs(ahead) <= JUMP_S * NS:
            self._candidate = None
            if self._unset or tag > self._base:
                self._set(tag, moment)
        elif self._agrees(tag, moment, station):
            self._set(tag, moment)
        else:
            self._candidate = (tag, moment, station)

    def _agrees(self, tag: int, moment: float, station: str) -> bool:
        if self._candidate is None or abs(tag - self._candidate[0]) > JUMP_S * NS:
            self._agreeing = 1
            return False
        self._agreeing += 1
        return station != self._candidate[2] or self._agreeing >= AGREEING_TAGS

    def _set(self, tag: int, moment: float) -> None:
        self._base, self._since = tag, moment
        self._unset, self._candidate = False, None
