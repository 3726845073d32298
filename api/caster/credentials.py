"""Is a request's Authorization good: Basic and Digest against the accounts, behind the guard.

A remembered password is checked even where guesses are refused: rovers behind a busy address keep coming in. Digest
nonces are made of a time and a keyed hash of it, so nothing is kept for those who never answer; an answered one counts
up (`nc`), so that a recorded answer cannot be sent twice. Answers without a count (`qop` missing) are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from api.accounts.account import Account
from api.accounts.verification import Outcome, Verification, Verifier
from api.caster.guard import Guard
from api.caster.reasons import Denial
from cors.ntrip.authorization import (
    DIGEST_ALGORITHMS,
    BasicCredentials,
    DigestCredentials,
    basic_challenge,
    digest_challenge,
)
from cors.ntrip.errors import HeadError
from cors.ntrip.requests import Request, read_target

NONCE_LIFETIME_S = 300.0
MOST_NONCES = 20_000

_DENIALS = {
    Outcome.WRONG: Denial.BAD_CREDENTIALS, Outcome.DISABLED: Denial.DISABLED, Outcome.EXPIRED: Denial.EXPIRED,
    Outcome.BUSY: Denial.BUSY,
}  # fmt: skip


class Judgement(NamedTuple):
    """Who it is, or why not; `stale`: a Digest answer to an old challenge."""

    denial: Denial | None
    account: Account | None = None
    stale: bool = False


class Credentials:
    """Checks requests; one for a caster."""

    def __init__(
        self, verifier: Verifier | None, guard: Guard, digest_realm: str | None, monotonic: Callable[[], float]
    ) -> None:
        self._verifier = verifier
        self._guard = guard
        self._realm = digest_realm
        self._monotonic = monotonic
        self._nonces = _Nonces()

    async def check(self, request: Request, address: str) -> Judgement:
        """Judge a rover's or a version 2 source's credentials."""
        credentials = request.credentials
        if credentials is None or self._verifier is None:
            return Judgement(Denial.BAD_CREDENTIALS if request.has_authorization else Denial.NO_CREDENTIALS)
        if isinstance(credentials, BasicCredentials):
            return await self._check_basic(self._verifier, credentials, address)
        return await self._check_digest(self._verifier, credentials, request, address)

    async def check_source(self, mountpoint: str, password: str, address: str) -> Judgement:
        """Judge a version 1 source's password."""
        if self._verifier is None:
            return Judgement(Denial.BAD_CREDENTIALS)
        if not self._guard.may_try(address, f"source {mountpoint}", self._monotonic()):
            return Judgement(Denial.TOO_MANY_FAILURES)
        return self._judge(await self._verifier.verify_source(mountpoint, password), f"source {mountpoint}", address)

    def challenges(self, realm: str, stale: bool = False, secure: bool = False) -> list[str]:
        """What a 401 asks for: Basic, and in clear Digest where it is on."""
        found = [basic_challenge(realm)]
        if self._realm is not None and not secure:
            nonce = self._nonces.make(self._monotonic())
            found += [digest_challenge(self._realm, nonce, algorithm, stale) for algorithm in DIGEST_ALGORITHMS]
        return found

    async def _check_basic(self, verifier: Verifier, credentials: BasicCredentials, address: str) -> Judgement:
        if not self._guard.may_try(address, credentials.user, self._monotonic()) and not await verifier.is_remembered(
            credentials.user, credentials.password
        ):
            return Judgement(Denial.TOO_MANY_FAILURES)
        return self._judge(await verifier.verify(credentials.user, credentials.password), credentials.user, address)

    async def _check_digest(
        self, verifier: Verifier, credentials: DigestCredentials, request: Request, address: str
    ) -> Judgement:
        now = self._monotonic()
        if self._realm is None or not _is_for(credentials, request):
            return Judgement(Denial.BAD_CREDENTIALS)
        if not self._nonces.is_fresh(credentials.nonce, now):
            return Judgement(Denial.BAD_CREDENTIALS, stale=True)
        if not self._guard.may_try(address, credentials.user, now):
            return Judgement(Denial.TOO_MANY_FAILURES)
        found = await verifier.verify_digest(credentials, self._realm, request.method)
        if found.outcome is Outcome.OK and not self._nonces.count_up(credentials):
            return Judgement(Denial.BAD_CREDENTIALS, stale=True)
        return self._judge(found, credentials.user, address)

    def _judge(self, found: Verification, name: str, address: str) -> Judgement:
        now = self._monotonic()
        if found.outcome is Outcome.OK:
            self._guard.succeeded(address, now)
            return Judgement(None, found.account)
        if found.outcome is Outcome.WRONG:
            self._guard.failed(address, name, now)
        return Judgement(_DENIALS[found.outcome], found.account)


def _is_for(credentials: DigestCredentials, request: Request) -> bool:
    """The answer was made for this mountpoint (RFC 7616 3.4.6)."""
    try:
        return read_target(credentials.uri)[0] == request.mountpoint
    except HeadError:
        return False


class _Nonces:
    """Challenges that need no memory until they are answered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._counts: OrderedDict[str, int] = OrderedDict()

    def make(self, now: float) -> str:
        made = f"{max(0, math.floor(now * 1000.0)):x}.{secrets.token_hex(4)}"
        return f"{made}.{self._seal(made)}"

    def is_fresh(self, nonce: str, now: float) -> bool:
        made, _, seal = nonce.rpartition(".")
        if not hmac.compare_digest(self._seal(made).encode(), seal.encode("utf-8", "replace")):
            return False
        return now - int(made.partition(".")[0], 16) / 1000.0 < NONCE_LIFETIME_S

    def count_up(self, credentials: DigestCredentials) -> bool:
        """True when this answer's count was not used before."""
        try:
            count = int(credentials.nonce_count, 16) if credentials.qop else 0
        except ValueError:
            count = 0
        if count <= self._counts.get(credentials.nonce, 0):
            return False
        self._counts[credentials.nonce] = count
        while len(self._counts) > MOST_NONCES:
            self._counts.popitem(last=False)
        return True

    def _seal(self, made: str) -> str:
        return hmac.digest(self._key, made.encode("utf-8", "replace"), hashlib.sha256).hex()[:32]
