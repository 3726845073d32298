"""Uploads: who may send a mountpoint's stream, one source at a time, and where its bytes go (ntrip 2.3, 2.5, 5.7).

`offer` opens a mountpoint to sources; the service gives a sink for each one accepted. A source's bytes wait in a
bounded buffer while the sink works: when it is full, nothing is read from the source's socket any more (TCP slows it
down), and no other source notices. A source that has been silent for `stale_s` gives way to a new one; one without a
good frame for `no_valid_data_s` is closed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from api.caster.reasons import Denial, UploadEnd
from api.caster.service import UploadInfo, UploadSink
from api.caster.settings import SourceSettings

log = structlog.get_logger("caster")

MOST_WAITING = 262_144
"""Bytes that wait for a sink before its source is read no further."""

SinkMaker = Callable[[UploadInfo], UploadSink]


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A source as it is now."""

    mountpoint: str
    account: str
    address: str
    agent: str
    seconds: float
    silent_s: float
    bytes_received: int
    frames: int


class Source:
    """One accepted upload. Its bytes are passed on by a task of its own."""

    def __init__(
        self,
        info: UploadInfo,
        sink: UploadSink,
        transport: asyncio.Transport,
        monotonic: Callable[[], float],
        ended: Callable[[Source, UploadEnd], None],
    ) -> None:
        self.info = info
        self.transport = transport
        self.opened = self.last_data = self.last_frame = monotonic()
        self.bytes_received = 0
        self.frames = 0
        self._sink = sink
        self._monotonic = monotonic
        self._ended = ended
        self._waiting = bytearray()
        self._wake = asyncio.Event()
        self._reading = True
        self._last: UploadEnd | None = None
        self._task = asyncio.get_running_loop().create_task(self._pass_on(), name=f"source {info.mountpoint}")

    def receive(self, data: bytes) -> None:
        """Bytes of its stream."""
        self.last_data = self._monotonic()
        self.bytes_received += len(data)
        self._waiting += data
        self._wake.set()
        if len(self._waiting) > MOST_WAITING and self._reading:
            self._reading = False
            self.transport.pause_reading()

    def finish(self, reason: UploadEnd) -> None:
        """No more bytes come; those that wait are passed on first."""
        self._last = self._last or reason
        self._wake.set()

    def stop(self, reason: UploadEnd) -> None:
        """End it: what waits is dropped, the connection closed."""
        self._last = self._last or reason
        self._waiting.clear()
        self._wake.set()
        self.transport.close()

    async def stopped(self, grace_s: float) -> None:
        """Wait for its task; a sink that hangs is cancelled."""
        await asyncio.wait([self._task], timeout=grace_s)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _pass_on(self) -> None:
        try:
            while self._waiting or self._last is None:
                await self._wake.wait()
                self._wake.clear()
                await self._pass_waiting()
        except asyncio.CancelledError:
            self._last = self._last or UploadEnd.SHUTDOWN
            raise
        except Exception:
            log.exception("sink.fault", mountpoint=self.info.mountpoint)
            self._last = UploadEnd.FAULT
        finally:
            self.transport.close()
            self._ended(self, self._last or UploadEnd.FAULT)
            self._close_sink()

    async def _pass_waiting(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        frames = await self._sink.receive(data) if data else 0
        if frames:
            self.frames += frames
            self.last_frame = self._monotonic()
        if not self._reading and not self.transport.is_closing():
            self._reading = True
            self.transport.resume_reading()

    def _close_sink(self) -> None:
        try:
            self._sink.closed(self._last or UploadEnd.FAULT)
        except Exception:
            log.exception("sink.fault", mountpoint=self.info.mountpoint)


class Uploads:
    """The mountpoints that sources may fill, and the sources that do."""

    def __init__(self, settings: SourceSettings, most: int, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._most = most
        self._monotonic = monotonic
        self._makers: dict[str, SinkMaker] = {}
        self._sources: dict[str, Source] = {}
        self._alive: set[Source] = set()
        self.ended: Counter[UploadEnd] = Counter()
        """Sources by the reason they ended with."""

    def offer(self, mountpoint: str, make_sink: SinkMaker) -> None:
        """Accept sources for a mountpoint; `make_sink` is called for each one."""
        self._makers[mountpoint] = make_sink

    def withdraw(self, mountpoint: str) -> None:
        """Accept none any more; the present one ends."""
        self._makers.pop(mountpoint, None)
        if source := self._sources.get(mountpoint):
            source.stop(UploadEnd.ADMIN)

    def is_offered(self, mountpoint: str) -> bool:
        """Sources may come."""
        return mountpoint in self._makers

    def open(self, info: UploadInfo, transport: asyncio.Transport) -> Source | Denial:
        """Take an authenticated source, or say why not."""
        make_sink = self._makers.get(info.mountpoint)
        if make_sink is None:
            return Denial.UNKNOWN_MOUNTPOINT
        present = self._sources.get(info.mountpoint)
        if present is not None and self._monotonic() - present.last_data < self._settings.stale_s:
            return Denial.MOUNTPOINT_TAKEN
        if present is None and len(self._sources) >= self._most:
            return Denial.FULL
        try:
            sink = make_sink(info)
        except Exception:
            log.exception("sink.fault", mountpoint=info.mountpoint)
            return Denial.BUSY
        if present is not None:
            present.stop(UploadEnd.TAKEN_OVER)
        source = Source(info, sink, transport, self._monotonic, self._forget)
        self._sources[info.mountpoint] = source
        self._alive.add(source)
        log.info("source.opened", **_logged(info))
        return source

    def records(self) -> list[UploadRecord]:
        """The sources there are."""
        now = self._monotonic()
        return [
            UploadRecord(
                s.info.mountpoint, s.info.account.name if s.info.account else "", s.info.address, s.info.agent,
                now - s.opened, now - s.last_data, s.bytes_received, s.frames,
            )
            for s in self._sources.values()
        ]  # fmt: skip

    def sweep(self) -> None:
        """Close sources that deliver nothing of use. Call it once a second."""
        now = self._monotonic()
        for source in list(self._sources.values()):
            if now - source.last_frame >= self._settings.no_valid_data_s:
                source.stop(UploadEnd.NO_VALID_DATA)

    def accounts(self) -> dict[str, list[Source]]:
        """Sources by account name."""
        found: dict[str, list[Source]] = {}
        for source in self._sources.values():
            if source.info.account is not None:
                found.setdefault(source.info.account.name, []).append(source)
        return found

    async def close(self, grace_s: float) -> None:
        """End every source; sinks have `grace_s` for what they hold."""
        sources = list(self._alive)
        for source in sources:
            source.stop(UploadEnd.SHUTDOWN)
        await asyncio.gather(*(source.stopped(grace_s) for source in sources))

    def _forget(self, source: Source, reason: UploadEnd) -> None:
        self._alive.discard(source)
        if self._sources.get(source.info.mountpoint) is source:
            del self._sources[source.info.mountpoint]
        self.ended[reason] += 1
        log.info("source.closed", **_logged(source.info), reason=reason.value, bytes=source.bytes_received,
                 frames=source.frames)  # fmt: skip


def _logged(info: UploadInfo) -> dict[str, str]:
    return {
        "mountpoint": info.mountpoint,
        "account": info.account.name if info.account else "",
        "address": info.address,
        "agent": info.agent,
    }
