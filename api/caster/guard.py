"""Who may try again: failed logins counted by address and account, addresses banned for a while (ntrip 5.5, 7).

Pure: the time comes in. A token bucket each for an account from an address and for an address alone says whether a
password may be checked at all, so that guessing burns no processor. `ban_after` failures within ten minutes ban an
address for 1, 5, 30, then 120 minutes; each success takes five failures back, so a crowd behind one address is not
banned for the one among them that has the wrong password. The operator's own networks are never banned. Memory is
bounded.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from api.caster.settings import LimitSettings
from api.caster.sockets import network_of

BAN_MINUTES = (1, 5, 30, 120)
WINDOW_S = 600.0
SUCCESS_TAKES_BACK = 5
MOST_REMEMBERED = 20_000


class _Buckets:
    """Token buckets by key: `rate` a minute, as many at once."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def tokens(self, key: Hashable, now: float) -> float:
        tokens, since = self._buckets.get(key, (float(self._rate), now))
        return min(self._rate, tokens + (now - since) * self._rate / 60.0)

    def take(self, key: Hashable, now: float) -> None:
        self._buckets[key] = (max(0.0, self.tokens(key, now) - 1.0), now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > MOST_REMEMBERED:
            self._buckets.popitem(last=False)


@dataclass(slots=True)
class _Score:
    failures: int = 0
    since: float = 0.0
    bans: int = 0
    banned_until: float = 0.0


class Guard:
    """One for a caster."""

    def __init__(self, settings: LimitSettings) -> None:
        self._ban_after = settings.ban_after
        self._own = settings.never_banned
        self._pairs = _Buckets(settings.failures_per_minute)
        self._places = _Buckets(settings.failures_per_minute_address)
        self._scores: OrderedDict[str, _Score] = OrderedDict()
        self.bans = 0
        """Bans so far."""

    def banned_for(self, address: str, now: float) -> float:
        """Seconds that an address stays banned; 0 when it is not."""
        score = self._scores.get(network_of(address))
        return max(0.0, score.banned_until - now) if score is not None else 0.0

    def may_try(self, address: str, account: str, now: float) -> bool:
        """Whether a password from there may be checked."""
        place = network_of(address)
        return self._pairs.tokens((place, account), now) >= 1.0 and self._places.tokens(place, now) >= 1.0

    def failed(self, address: str, account: str, now: float) -> None:
        """A wrong password."""
        place = network_of(address)
        self._pairs.take((place, account), now)
        self._places.take(place, now)
        score = self._score(place)
        if now - score.since > WINDOW_S:
            score.failures, score.since = 0, now
        score.failures += 1
        if score.failures >= self._ban_after and not self._is_own(address):
            self.ban(address, now)

    def succeeded(self, address: str, now: float) -> None:
        """A right password."""
        score = self._scores.get(network_of(address))
        if score is not None:
            score.failures = max(0, score.failures - SUCCESS_TAKES_BACK)

    def ban(self, address: str, now: float) -> float:
        """Ban an address, longer each time; for how many seconds."""
        score = self._score(network_of(address))
        minutes = BAN_MINUTES[min(score.bans, len(BAN_MINUTES) - 1)]
        score.bans += 1
        score.failures = 0
        score.banned_until = now + 60.0 * minutes
        self.bans += 1
        return 60.0 * minutes

    def pardon(self, address: str) -> None:
        """Forget everything about an address."""
        self._scores.pop(network_of(address), None)

    def banned(self, now: float) -> dict[str, float]:
        """Banned places and for how many seconds more."""
        return {place: s.banned_until - now for place, s in self._scores.items() if s.banned_until > now}

    def _score(self, place: str) -> _Score:
        score = self._scores.setdefault(place, _Score())
        self._scores.move_to_end(place)
        while len(self._scores) > MOST_REMEMBERED:
            self._scores.popitem(last=False)
        return score

    def _is_own(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._own)
