"""All stations' sources: one task each, started, stopped and counted by name, none able to hurt another."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

from cors.ingest.address import Address, FileAddress, NtripAddress
from cors.ingest.clock import Clock
from cors.ingest.connection import ByteSource, SourceOptions, connect_tcp
from cors.ingest.file_source import FileOpener
from cors.ingest.ntrip_source import NtripOpener
from cors.ingest.pacing import Pacer
from cors.ingest.station_source import SourceStatistics, StationSource, Surroundings, Taker


class Ingest:
    """Keeps the sources of a network; lives in one event loop."""

    def __init__(
        self,
        clock: Clock,
        make_taker: Callable[[str], Taker],
        options: SourceOptions | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """`make_taker` gives what takes a station's bytes (StationFeed)."""
        self._clock = clock
        self._make_taker = make_taker
        self._options = options or SourceOptions()
        self._around = surroundings or Surroundings()
        self._sources: dict[str, tuple[StationSource, asyncio.Task[None]]] = {}
        self._pacers: dict[float, Pacer] = {}

    def add(self, station: str, address: Address, options: SourceOptions | None = None) -> None:
        """Start a station's source. Raises ValueError for a name that is there already."""
        if station in self._sources:
            raise ValueError(f"station {station} has a source already")
        options = options or self._options
        if isinstance(address, FileAddress):
            options = replace(options, silence_s=math.inf)  # a recording's gaps are its own
        opener = self._opener(address, options)
        source = StationSource(station, opener, self._make_taker(station), options, self._around)
        self._sources[station] = source, asyncio.create_task(source.run(), name=f"source {station}")

    async def remove(self, station: str) -> None:
        """Stop a station's source; unknown names are ignored."""
        entry = self._sources.pop(station, None)
        if entry is not None:
            entry[1].cancel()
            await asyncio.gather(entry[1], return_exceptions=True)

    def statistics(self) -> dict[str, SourceStatistics]:
        """By station."""
        return {name: source.statistics() for name, (source, _) in self._sources.items()}

    async def finished(self) -> None:
        """Return when every source has stopped by itself (recordings that ended, casters that refused)."""
        await asyncio.gather(*(task for _, task in self._sources.values()))

    async def close(self) -> None:
        """Stop all."""
        for station in list(self._sources):
            await self.remove(station)

    def _opener(self, address: Address, options: SourceOptions) -> Callable[[], Awaitable[ByteSource]]:
        if isinstance(address, NtripAddress):
            return NtripOpener(address, options, self._clock)
        if isinstance(address, FileAddress):
            pacer = self._pacers.setdefault(
                address.speed, Pacer(address.speed, monotonic=self._around.monotonic, sleep=self._around.sleep)
            )
            return FileOpener(address, pacer, self._clock)
        return lambda: connect_tcp(address, options)
