"""How often an account may be logged in at once, and who gives way (ntrip 5.5). Pure: the time comes in.

`replace`: the oldest session ends, a dead one before a live one. Two live devices would push each other off for ever:
after more than `MOST_REPLACEMENTS` in a minute from two addresses further logins are refused for five minutes, and the
device that is in stays in. `refuse`: the new one is turned away, unless an old session is dead.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable

from api.accounts.account import Account
from api.caster.reasons import Denial
from api.caster.sessions import Session
from api.caster.settings import SecondLogin

MOST_REPLACEMENTS = 4
WITHIN_S = 60.0
REFUSED_S = 300.0


class Logins:
    """Sessions by account."""

    def __init__(self, policy: SecondLogin, is_dead: Callable[[Session], bool]) -> None:
        self._policy = policy
        self._is_dead = is_dead
        self._sessions: dict[str, dict[Session, None]] = {}
        self._replaced: dict[str, deque[tuple[float, str]]] = {}
        self._shared_until: dict[str, float] = {}

    def add(self, session: Session) -> None:
        """An accepted session."""
        if session.account is not None:
            self._sessions.setdefault(session.account_name, {})[session] = None

    def remove(self, session: Session) -> None:
        """A session that is over, or between two connections: its place is free."""
        of_account = self._sessions.get(session.account_name, {})
        of_account.pop(session, None)
        if not of_account:
            self._sessions.pop(session.account_name, None)

    def accounts(self) -> list[str]:
        """Names with sessions."""
        return list(self._sessions)

    def of(self, name: str) -> list[Session]:
        """An account's sessions, oldest first."""
        return list(self._sessions.get(name, {}))

    def is_full(self, account: Account) -> bool:
        """One more would be too many."""
        return 0 < account.concurrency <= len(self._sessions.get(account.name, {}))

    def admit(self, account: Account, address: str, now: float) -> Denial | list[Session]:
        """Sessions to end for the new one, or why it is refused."""
        if now < self._shared_until.get(account.name, -math.inf):
            return Denial.ACCOUNT_SHARED
        if not self.is_full(account):
            return []
        present = self.of(account.name)
        leaving = len(present) - account.concurrency + 1
        dead = [session for session in present if self._is_dead(session)]
        if self._policy is SecondLogin.REFUSE:
            return dead[:leaving] if len(dead) >= leaving else Denial.ACCOUNT_IN_USE
        live = [session for session in present if session not in dead]
        if len(dead) < leaving and self._is_shared(account.name, live, address, now):
            return Denial.ACCOUNT_SHARED
        return [*dead, *live][:leaving]

    def forget(self, now: float) -> None:
        """Drop what no longer matters."""
        self._shared_until = {name: until for name, until in self._shared_until.items() if until > now}
        self._replaced = {n: times for n, times in self._replaced.items() if times and now - times[-1][0] < WITHIN_S}

    def _is_shared(self, name: str, live: Iterable[Session], address: str, now: float) -> bool:
        """Count a replacement of a live session; True when there were too many from more than one address."""
        times = self._replaced.setdefault(name, deque(maxlen=MOST_REPLACEMENTS + 1))
        times.append((now, address))
        addresses = {place for _, place in times} | {s.client.address for s in live if s.client is not None}
        if len(times) <= MOST_REPLACEMENTS or now - times[0][0] > WITHIN_S or len(addresses) < 2:
            return False
        times.clear()
        self._shared_until[name] = now + REFUSED_S
        return True
