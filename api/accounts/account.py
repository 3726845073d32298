"""What an account is: a name, a level of service, what it may read and write, until when, how often at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

MAX_NAME = 128
MAX_PASSWORD = 256
MAX_CONCURRENCY = 10_000


class AccountError(ValueError):
    """An account that cannot be made, changed or found; says why, never a password."""


class AccountLevel(StrEnum):
    """How precise a service an account may have; each includes those before it."""

    METRE = "metre"
    """DGNSS. The default: anyone registered."""
    DECIMETRE = "decimetre"
    CENTIMETRE = "centimetre"
    """Network RTK: after a review."""
    MILLIMETRE = "millimetre"

    def includes(self, other: AccountLevel) -> bool:
        """True when this level is at least `other`."""
        order = list(AccountLevel)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Account:
    """One account, as read; holds no secret."""

    name: str
    level: AccountLevel = AccountLevel.METRE
    mountpoints: tuple[str, ...] = ("*",)
    """Patterns of mountpoints that may be read (`*` and `?`; case-sensitive, as mountpoints are)."""
    uploads: tuple[str, ...] = ()
    """Mountpoints that may be written, by name."""
    enabled: bool = True
    expires: datetime | None = None
    concurrency: int = 1
    """Sessions at once; 0: no limit."""
    static_position: bool = False
    """The client can state its position only once: no time-out of a position that is old."""

    def may_read(self, mountpoint: str) -> bool:
        """By name; the level is another question."""
        return any(fnmatchcase(mountpoint, pattern) for pattern in self.mountpoints)

    def may_upload(self, mountpoint: str) -> bool:
        """By name."""
        return mountpoint in self.uploads

    def expired(self, now: datetime) -> bool:
        """True from `expires` on."""
        return self.expires is not None and now >= self.expires


def check_account(account: Account) -> Account:
    """The account, if it may be one. Raises AccountError."""
    name = account.name
    if not name or len(name) > MAX_NAME or name != name.strip() or ":" in name or not name.isprintable():
        raise AccountError(f"account name {name[:40]!r} (expected 1..{MAX_NAME} printable characters without colon)")
    if not 0 <= account.concurrency <= MAX_CONCURRENCY:
        raise AccountError(f"concurrency {account.concurrency} (expected 0..{MAX_CONCURRENCY}, 0: no limit)")
    for mountpoint in (*account.mountpoints, *account.uploads):
        if not mountpoint or len(mountpoint.split()) != 1 or not mountpoint.isprintable():
            raise AccountError(f"mountpoint {mountpoint[:40]!r} (expected a name without blanks)")
    if account.expires is not None and account.expires.tzinfo is None:
        raise AccountError(f"expiry {account.expires.isoformat()} has no time zone")
    return account


def check_password(password: str, uploads: bool) -> str:
    """The password, if it may be one. Raises AccountError; in version 1 a source's password ends at a blank."""
    if not 1 <= len(password) <= MAX_PASSWORD or not password.isprintable():
        raise AccountError(f"password: expected 1..{MAX_PASSWORD} printable characters")
    if uploads and any(c.isspace() for c in password):
        raise AccountError("password: an account that uploads must have one without blanks (NTRIP 1 ends it there)")
    return password
