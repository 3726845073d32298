"""What the caster asks of those who compute: the two protocols that the composition root implements.

All calls come from the event loop and must return at once; what takes time goes elsewhere and sends when it is ready.
An exception in them is logged and does the connection no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from api.accounts.account import Account
from api.caster.positions import RoverPosition
from api.caster.reasons import UploadEnd, Waiting
from api.caster.sessions import Session, SessionRecord


class RoverService(Protocol):
    """Is told of rovers. On a mountpoint with a channel there is nothing to do: the hub sends."""

    def session_opened(self, session: Session) -> None:
        """A rover was accepted. Where its mountpoint needs a position, `position` follows."""

    def session_resumed(self, session: Session) -> None:
        """The same rover on a new connection: send station and descriptors anew, keep the virtual station."""

    def position(self, session: Session, position: RoverPosition) -> None:
        """A new position, at most one a second; only for mountpoints that need one."""

    def waiting(self, session: Session, waiting: Waiting) -> None:
        """The rover gets no data and should be told why: once for each reason."""

    def session_closed(self, session: Session, record: SessionRecord) -> None:
        """It is over; `record.end_reason` says why."""


class NoService:
    """For casters that only pass streams on."""

    def session_opened(self, session: Session) -> None:
        """Nothing."""

    def session_resumed(self, session: Session) -> None:
        """Nothing."""

    def position(self, session: Session, position: RoverPosition) -> None:
        """Nothing."""

    def waiting(self, session: Session, waiting: Waiting) -> None:
        """Nothing."""

    def session_closed(self, session: Session, record: SessionRecord) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """A source that was accepted."""

    mountpoint: str
    account: Account | None
    address: str
    agent: str
    announced: str
    """Its own STR record, as it says; escaped."""


class UploadSink(Protocol):
    """Takes one source's bytes."""

    async def receive(self, data: bytes) -> int:
        """Take bytes, cut anywhere; the number of good frames completed by them. Awaited before the next call."""

    def closed(self, reason: UploadEnd) -> None:
        """No more bytes."""
