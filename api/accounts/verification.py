"""Is this who it says it is, and may it come in: passwords and digests checked, fast when repeated.

A password that was found right is remembered as a keyed hash (HMAC-SHA-256 under a key of this process) beside the
Argon2 hash it was right for: thousands of rovers that come back at once cost no hashing, and an old password dies
with the row it belonged to. Rows, and that there is none, are kept for `ROW_LIFETIME_S`: so long a change by another
process may go unseen. An unknown name and a wrong password have the same answer after the same work; only who knows
the password learns that an account is disabled or expired. Both memories are bounded, the oldest goes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select

from api.accounts.account import MAX_NAME, MAX_PASSWORD, Account
from api.accounts.passwords import Passwords, PasswordsBusy
from api.accounts.register import account_of
from api.store.engine import Sessions
from api.store.models import User
from cors.ntrip.authorization import DigestCredentials, check_digest

ROW_LIFETIME_S = 10.0
MOST_REMEMBERED = 50_000
MOST_UPLOADERS = 8
"""Accounts of one mountpoint whose password a version 1 source is compared with."""


class Outcome(StrEnum):
    """What came of it."""

    OK = "ok"
    WRONG = "wrong"
    """Unknown name or wrong password: not told apart."""
    DISABLED = "disabled"
    EXPIRED = "expired"
    BUSY = "busy"
    """Too many checks at once: say so, try again."""


class Verification(NamedTuple):
    """An outcome, and whose it is; an account is named only where its password was right."""

    outcome: Outcome
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    account: Account
    password_hash: str
    digest_realm: str | None
    digest_secrets: dict[str, str | None]


class Verifier:
    """Checks credentials against the register."""

    def __init__(
        self,
        sessions: Sessions,
        passwords: Passwords,
        *,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._passwords = passwords
        self._utc_now = utc_now
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, str] = OrderedDict()
        self._checking: dict[tuple[bytes, str | None], asyncio.Future[bool]] = {}
        self._rows: OrderedDict[str, tuple[float, _Row | None]] = OrderedDict()

    def forget_rows(self) -> None:
        """Read every account anew: after a change in this process."""
        self._rows.clear()

    async def is_remembered(self, name: str, password: str) -> bool:
        """True when checking costs no hashing."""
        row = await self._row(name)
        return row is not None and self._right.get(self._token(name, password)) == row.password_hash

    async def verify(self, name: str, password: str) -> Verification:
        """Check a name and a password."""
        if len(name) > MAX_NAME or len(password) > MAX_PASSWORD:
            return Verification(Outcome.WRONG)
        row = await self._row(name)
        try:
            right = await self._is_right(name, password, row)
        except PasswordsBusy:
            return Verification(Outcome.BUSY)
        return self._admit(row) if right else Verification(Outcome.WRONG)

    async def verify_digest(self, credentials: DigestCredentials, realm: str, method: str) -> Verification:
        """Check a digest; its nonce is the caller's to judge."""
        row = await self._row(credentials.user)
        secret = row.digest_secrets.get(credentials.algorithm) if row and row.digest_realm == realm else None
        right = check_digest(secret or "0" * 32, credentials, method) and credentials.realm == realm
        return self._admit(row) if right and secret else Verification(Outcome.WRONG)

    async def verify_source(self, mountpoint: str, password: str) -> Verification:
        """Check a version 1 source, which has a password and no name: of any account that may upload there."""
        async with self._sessions() as session:
            users = await session.scalars(select(User).where(User.uploads != ()).order_by(User.name))
            names = [user.name for user in users if mountpoint in user.uploads]
        best = Verification(Outcome.WRONG)
        for name in names[:MOST_UPLOADERS] or [""]:
            found = await self.verify(name, password)
            if found.outcome is Outcome.OK:
                return found
            best = found if best.outcome is Outcome.WRONG else best
        return best

    async def is_good(self, name: str) -> bool:
        """The account is there, enabled and not expired: asked again while its sessions last."""
        return self._admit(await self._row(name)).outcome is Outcome.OK

    def _admit(self, row: _Row | None) -> Verification:
        if row is None:
            return Verification(Outcome.WRONG)
        if not row.account.enabled:
            return Verification(Outcome.DISABLED, row.account)
        if row.account.expired(self._utc_now()):
            return Verification(Outcome.EXPIRED, row.account)
        return Verification(Outcome.OK, row.account)

    async def _is_right(self, name: str, password: str, row: _Row | None) -> bool:
        token = self._token(name, password)
        if row is not None and self._right.get(token) == row.password_hash:
            self._right.move_to_end(token)
            return True
        stored = row.password_hash if row is not None else None
        checking = self._checking.get((token, stored))
        if checking is None:
            checking = asyncio.ensure_future(self._check(token, stored, password))
            self._checking[token, stored] = checking
            checking.add_done_callback(lambda done: self._checked((token, stored), done))
        return await asyncio.shield(checking)

    def _checked(self, key: tuple[bytes, str | None], done: asyncio.Future[bool]) -> None:
        del self._checking[key]
        if not done.cancelled():
            done.exception()  # told to whoever waits; nobody may be left

    async def _check(self, token: bytes, stored: str | None, password: str) -> bool:
        """Hash and remember; those who come with the same credentials meanwhile share the answer."""
        right = await self._passwords.check(stored, password)
        if right and stored is not None:
            self._right[token] = stored
            while len(self._right) > MOST_REMEMBERED:
                self._right.popitem(last=False)
        return right

    def _token(self, name: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass"), hashlib.sha256)

    async def _row(self, name: str) -> _Row | None:
        now = self._monotonic()
        known = self._rows.get(name)
        if known is not None and now - known[0] < ROW_LIFETIME_S:
            return known[1]
        async with self._sessions() as session:
            user = await session.scalar(select(User).where(User.name == name))
        row = _row_of(user) if user is not None else None
        self._rows[name] = (now, row)
        self._rows.move_to_end(name)
        while len(self._rows) > MOST_REMEMBERED:
            self._rows.popitem(last=False)
        return row


def _row_of(user: User) -> _Row:
    digests = {"MD5": user.digest_md5, "SHA-256": user.digest_sha256}
    return _Row(account_of(user), user.password_hash, user.digest_realm, digests)
