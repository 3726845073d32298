"""The caster: listeners, and everything behind them, started and stopped as one.

    caster = Caster(settings, verifier, service)
    caster.hub.register(parse_mountpoint("VRS"), suffixes=True)
    station = caster.hub.channel("CHNG00CHN"); caster.hub.register(parse_mountpoint("CHNG00CHN"), channel=station)
    await caster.start();  station.greeting = ...;  station.publish(epoch);  ...;  await caster.stop()

Without a verifier only anonymous mountpoints open. `stop` ends every session with its reason and returns within
`STOP_S`. One clear error says which port cannot be had, and then nothing listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import structlog

from api.accounts.verification import Verifier
from api.caster.admission import Admission
from api.caster.connection import Connection
from api.caster.connections import Connections
from api.caster.credentials import Credentials
from api.caster.guard import Guard
from api.caster.hub import Hub
from api.caster.reasons import EndReason, UploadEnd
from api.caster.service import NoService, RoverService
from api.caster.settings import CasterSettings, ListenerSettings
from api.caster.sockets import ACCEPTED_AT_ONCE, BACKLOG, listen, raise_file_limit
from api.caster.uploads import Uploads

log = structlog.get_logger("caster")

STOP_S = 5.0
HANDSHAKE_S = 10.0
ACCOUNTS_EVERY_S = 30.0
"""How often the accounts of those who are in are looked at again."""


class CasterError(RuntimeError):
    """The caster cannot start; says which port or file and why."""


class Caster:
    """Everything; one a process."""

    def __init__(
        self,
        settings: CasterSettings,
        verifier: Verifier | None = None,
        service: RoverService | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.guard = Guard(settings.limits)
        self.hub = Hub(settings, service or NoService(), monotonic, utc_now)
        self.uploads = Uploads(settings.sources, settings.limits.sources, monotonic)
        realm = settings.digest_realm if settings.digest else None
        credentials = Credentials(verifier, self.guard, realm, monotonic)
        self._admission = Admission(
            settings, self.hub, self.uploads, credentials, self.guard, server_name(), monotonic, utc_now
        )
        self._connections = Connections(settings.limits, self._admission, self.hub, self.uploads, monotonic)
        self._verifier = verifier
        self._monotonic = monotonic
        self._servers: list[asyncio.Server] = []
        self._contexts: list[tuple[ssl.SSLContext, ListenerSettings]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.ports: tuple[int, ...] = ()
        """Ports listened at, in the order of `settings.listeners`."""

    async def start(self) -> None:
        """Listen. Raises CasterError; then nothing listens."""
        limit = raise_file_limit()
        if limit < 2 * self.settings.limits.clients:
            log.warning("files.few", limit=limit, clients=self.settings.limits.clients)
        sockets: list[socket.socket] = []
        try:
            for listener in self.settings.listeners:
                sockets.append(_listen(listener))
            for listener, listening in zip(self.settings.listeners, sockets, strict=True):
                await self._serve(listener, listening)
        except BaseException:
            for server in self._servers:
                server.close()
            for listening in sockets:
                listening.close()
            raise
        self.ports = tuple(listening.getsockname()[1] for listening in sockets)
        self._tasks = [asyncio.create_task(self._sweep_always()), asyncio.create_task(self._accounts_always())]
        log.info("caster.started", ports=self.ports)

    async def stop(self) -> None:
        """Listen no longer, end every session and source, wait for what is left for at most `STOP_S`."""
        self._connections.shutting_down = True
        for task in (*self._tasks, *self._connections.tasks):
            task.cancel()
        for server in self._servers:
            server.close()
        self.hub.close(EndReason.SHUTDOWN)
        await self.uploads.close(STOP_S / 2.0)
        deadline = self._monotonic() + STOP_S / 4.0
        while len(self._connections) and self._monotonic() < deadline:
            await asyncio.sleep(0.02)
        self._connections.abort_all()
        await asyncio.gather(*self._tasks, *self._connections.tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S / 4.0):
                await asyncio.gather(*(server.wait_closed() for server in self._servers))
        self._servers.clear()
        log.info("caster.stopped")

    def sweep(self) -> None:
        """Let time pass: what has limits is looked at. Called once a second while running."""
        self._connections.sweep()
        self.hub.sweep()
        self.uploads.sweep()

    async def check_accounts(self) -> None:
        """End the sessions and uploads of accounts that are no longer good."""
        if self._verifier is None:
            return
        for name in self.hub.logins.accounts():
            if not await self._verifier.is_good(name):
                for session in self.hub.logins.of(name):
                    session.end(EndReason.EXPIRED)
        for name, sources in self.uploads.accounts().items():
            if not await self._verifier.is_good(name):
                for source in sources:
                    source.stop(UploadEnd.EXPIRED)

    def ban(self, address: str) -> None:
        """Ban an address and end its sessions."""
        self.guard.ban(address, self._monotonic())
        for session in self.hub.sessions():
            if session.client is not None and session.client.address == address:
                session.end(EndReason.BANNED)

    def reload_certificates(self) -> None:
        """Read certificates anew, for handshakes from now on; streams go on. Raises CasterError."""
        for context, listener in self._contexts:
            _load(context, listener)

    def counters(self) -> dict[str, int]:
        """Totals since the start and what is now, by dotted name: for `/metrics`."""
        found = {
            "connections.now": len(self._connections),
            "sessions.now": len(self.hub.sessions()),
            "sessions.opened": self.hub.opened,
            "sessions.resumed": self.hub.resumed,
            "sources.now": len(self.uploads.records()),
            "tables": self._admission.tables,
            "bans": self.guard.bans,
        }
        found.update({f"sent.{name}": count for name, count in self.hub.totals().items()})
        found.update({f"sessions.ended.{reason.value}": count for reason, count in self.hub.ended.items()})
        found.update({f"sources.ended.{reason.value}": count for reason, count in self.uploads.ended.items()})
        found.update({f"denied.{denial.value}": count for denial, count in self._admission.denials.items()})
        found.update({f"connections.{code}": count for code, count in self._connections.counts.items()})
        return found

    async def _serve(self, listener: ListenerSettings, listening: socket.socket) -> None:
        context = None
        if listener.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            _load(context, listener)
            self._contexts.append((context, listener))
        factory = functools.partial(Connection, self._connections, listener, listening.getsockname()[1])
        server = await asyncio.get_running_loop().create_server(
            factory,
            sock=listening,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_S if context else None,
            backlog=ACCEPTED_AT_ONCE,  # asyncio accepts so many in one turn of its loop
        )
        listening.listen(BACKLOG)  # so many may wait
        self._servers.append(server)

    async def _sweep_always(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            try:
                self.sweep()
            except Exception:
                log.exception("sweep.fault")

    async def _accounts_always(self) -> None:
        while True:
            await asyncio.sleep(ACCOUNTS_EVERY_S)
            try:
                await self.check_accounts()
            except Exception:
                log.exception("accounts.fault")


def server_name() -> str:
    """What the caster calls itself."""
    try:
        return f"NTRIP corsnet/{version('corsnet')}"
    except PackageNotFoundError:
        return "NTRIP corsnet/0"


def _listen(listener: ListenerSettings) -> socket.socket:
    place = f"{listener.host or '*'}:{listener.port}"
    try:
        return listen(listener.host, listener.port)
    except OSError as error:
        hints = {errno.EADDRINUSE: "in use by another program", errno.EACCES: "not allowed for this user"}
        raise CasterError(
            f"cannot listen at {place}: {hints.get(error.errno or 0, error.strerror or error)}"
        ) from error


def _load(context: ssl.SSLContext, listener: ListenerSettings) -> None:
    assert listener.certificate is not None and listener.certificate_key is not None
    try:
        context.load_cert_chain(listener.certificate, listener.certificate_key)
    except (OSError, ssl.SSLError) as error:
        raise CasterError(f"certificate {listener.certificate}: {error}") from error
