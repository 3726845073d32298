"""May this request have what it asks for, and what is it told if not, in its own dialect (ntrip 1, 2, 5.5, 7).

Order of the questions to a rover: is its address banned; are the credentials it gave right; is the mountpoint there;
may the account have it; does anything come in. A hidden mountpoint is, to those who may not have it, not there: with
and without credentials they hear the same as for a name that never was. Tables are public.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.accounts.account import Account
from api.caster.credentials import Credentials, Judgement
from api.caster.doors import Door
from api.caster.guard import Guard
from api.caster.hub import Hub
from api.caster.mountpoints import Mountpoint
from api.caster.reasons import STATUS, STATUS_V1, Denial
from api.caster.service import UploadInfo
from api.caster.settings import CasterSettings, ListenerSettings
from api.caster.uploads import Uploads
from cors.ntrip.errors import shown
from cors.ntrip.replies import BANNED_V1, Origin, refusal, table_reply, upload_error
from cors.ntrip.requests import Dialect, Purpose, Request
from cors.ntrip.sourcetable import build_sourcetable
from cors.ntrip.table_filter import matching, parse_filter

RETRY_AFTER_S = {
    Denial.NO_SOURCE: 30, Denial.BUSY: 5, Denial.FULL: 20, Denial.TOO_MANY_FAILURES: 60, Denial.ACCOUNT_SHARED: 300,
}  # fmt: skip
_SPREAD = (Denial.BUSY, Denial.FULL)
"""Those refused for lack of room are told different times, so that they do not come back together."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request came in, and from where."""

    listener: ListenerSettings
    listener_port: int
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Write this and close."""

    data: bytes
    denial: Denial | None = None
    """Why; None for a table that was asked for."""


@dataclass(frozen=True, slots=True)
class StreamGranted:
    """The rover may have it."""

    door: Door
    mountpoint: Mountpoint
    account: Account | None


@dataclass(frozen=True, slots=True)
class UploadGranted:
    """The source may send."""

    info: UploadInfo


class Admission:
    """Decides requests; one for a caster."""

    def __init__(
        self,
        settings: CasterSettings,
        hub: Hub,
        uploads: Uploads,
        credentials: Credentials,
        guard: Guard,
        server: str,
        monotonic: Callable[[], float],
        utc_now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._uploads = uploads
        self._credentials = credentials
        self._guard = guard
        self._server = server
        self._monotonic = monotonic
        self._utc_now = utc_now
        self.denials: Counter[Denial] = Counter()
        self.tables = 0
        """Tables sent because they were asked for."""

    @property
    def origin(self) -> Origin:
        """Who answers, now."""
        return Origin(self._server, self._utc_now())

    async def decide(self, request: Request, place: Place) -> Answer | StreamGranted | UploadGranted:
        """The decision on one request."""
        if banned := self._guard.banned_for(place.address, self._monotonic()):
            return self.refuse(request, place, Denial.BANNED, retry_after_s=math.ceil(banned))
        if request.purpose is Purpose.CONTROL:
            return self.refuse(request, place, Denial.NOT_OFFERED)
        if request.purpose is Purpose.TABLE:
            return self._table(request, place)
        if request.purpose is Purpose.UPLOAD:
            return await self._upload(request, place)
        return await self._stream(request, place)

    def refuse(
        self,
        request: Request,
        place: Place,
        denial: Denial,
        *,
        stale: bool = False,
        retry_after_s: int | None = None,
    ) -> Answer:
        """No, in the request's own words; counted."""
        self.denials[denial] += 1
        status = STATUS[denial]
        if request.dialect is Dialect.NTRIP1:
            status = STATUS_V1.get(denial, status)
            if request.purpose is Purpose.UPLOAD:
                return Answer(upload_error(request, STATUS[denial]), denial)
            if denial is Denial.BANNED:
                return Answer(BANNED_V1, denial)
            if status == 404:
                return Answer(table_reply(request, self.origin, self._hub.doors.table(*_asked(place))[1]), denial)
        challenges = []
        if status == 401:
            challenges = self._credentials.challenges(f"/{request.mountpoint}", stale, place.listener.tls)
        wait = retry_after_s if retry_after_s is not None else RETRY_AFTER_S.get(denial)
        if wait is not None and denial in _SPREAD:
            wait += random.randrange(wait)
        reply = refusal(request, self.origin, status, denial.value, challenges=challenges, retry_after_s=wait)
        return Answer(reply, denial)

    def _table(self, request: Request, place: Place) -> Answer:
        self.tables += 1
        records, body = self._hub.doors.table(*_asked(place))
        pattern = parse_filter(request.query) if request.dialect is not Dialect.NTRIP1 else None
        if pattern is not None:
            body = build_sourcetable(matching(records, pattern))
        return Answer(table_reply(request, self.origin, body, filtered=True))

    async def _stream(self, request: Request, place: Place) -> Answer | StreamGranted:
        found = self._hub.doors.find(request.mountpoint)
        access = found[1].access if found else None
        if found and access and access.anonymous:
            return self._grant(request, place, *found, None)
        judged = Judgement(None)
        if request.has_authorization:
            judged = await self._credentials.check(request, place.address)
            if judged.denial is not None:
                return self.refuse(request, place, judged.denial, stale=judged.stale)
        elif found and access and access.listed:
            return self.refuse(request, place, Denial.NO_CREDENTIALS)
        found = self._hub.doors.find(request.mountpoint)  # it may have gone meanwhile
        if not found or judged.account is None:
            return self.refuse(request, place, Denial.UNKNOWN_MOUNTPOINT)
        door, mountpoint = found
        if denial := self._forbidden(mountpoint, judged.account):
            return self.refuse(request, place, denial if mountpoint.access.listed else Denial.UNKNOWN_MOUNTPOINT)
        return self._grant(request, place, door, mountpoint, judged.account)

    def _grant(
        self, request: Request, place: Place, door: Door, mountpoint: Mountpoint, account: Account | None
    ) -> Answer | StreamGranted:
        if not door.is_live(self._monotonic(), self._settings.sources):
            return self.refuse(request, place, Denial.NO_SOURCE)
        return StreamGranted(door, mountpoint, account)

    def _forbidden(self, mountpoint: Mountpoint, account: Account) -> Denial | None:
        if not account.may_read(mountpoint.name):
            return Denial.MOUNTPOINT
        return None if account.level.includes(mountpoint.access.level) else Denial.LEVEL

    async def _upload(self, request: Request, place: Place) -> Answer | UploadGranted:
        if request.source_password is not None:
            if not self._uploads.is_offered(request.mountpoint):
                return self.refuse(request, place, Denial.UNKNOWN_MOUNTPOINT)
            check = self._credentials.check_source(request.mountpoint, request.source_password, place.address)
        else:
            check = self._credentials.check(request, place.address)
        judged = await check
        if judged.denial is not None:
            return self.refuse(request, place, judged.denial, stale=judged.stale)
        if not self._uploads.is_offered(request.mountpoint):
            return self.refuse(request, place, Denial.UNKNOWN_MOUNTPOINT)
        if judged.account is None or not judged.account.may_upload(request.mountpoint):
            return self.refuse(request, place, Denial.MOUNTPOINT)
        agent, announced = shown(request.agent), shown(request.announced)
        return UploadGranted(UploadInfo(request.mountpoint, judged.account, place.address, agent, announced))


def _asked(place: Place) -> tuple[ListenerSettings, int]:
    return place.listener, place.listener_port
