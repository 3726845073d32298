"""The cadence of recordings: a moment of their time is due at a moment of ours, times a speed.

One pacer is shared by all recordings of a scene, so that they stay in step however they start.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

from cors.gnss.time import NS


class Pacer:
    """Waits until recorded instants are due."""

    def __init__(
        self,
        speed: float,
        origin: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`speed` 1 is real time, infinite as fast as it goes. `origin` (gpst ns) is due at the first wait; without
        one it is the first instant waited for."""
        self._speed = speed
        self._origin = origin
        self._began: float | None = None
        self._monotonic = monotonic
        self._sleep = sleep

    def include(self, instant: int) -> None:
        """A recording begins at `instant` (gpst ns): the scene begins no later, if it has not begun."""
        if self._began is None:
            self._origin = instant if self._origin is None else min(self._origin, instant)

    async def until(self, instant: int) -> None:
        """Return when `instant` (gpst ns) is due; at once when it is past. Always lets others run."""
        if self._origin is None:
            self._origin = instant
        if self._began is None:
            self._began = self._monotonic()
        due = self._began if math.isinf(self._speed) else self._began + (instant - self._origin) / NS / self._speed
        await self._sleep(max(0.0, due - self._monotonic()))
