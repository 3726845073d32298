"""The register of accounts: add, list, change, set a password, revoke. Functions over a session factory.

A revoked account is kept, disabled: settlement and audit still name it. Passwords go in and never come out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from api.accounts.account import (
    Account,
    AccountError,
    AccountLevel,
    check_account,
    check_password,
)
from api.accounts.passwords import Passwords
from api.store.engine import Sessions
from api.store.models import User
from cors.ntrip.authorization import digest_secret


def account_of(user: User) -> Account:
    """The account of a row."""
    return Account(
        user.name, AccountLevel(user.level), user.mountpoints, user.uploads, user.enabled, user.expires,
        user.concurrency, user.static_position,
    )  # fmt: skip


async def add_account(
    sessions: Sessions,
    passwords: Passwords,
    account: Account,
    password: str,
    now: datetime,
    *,
    digest_realm: str | None = None,
) -> Account:
    """Add an account. With `digest_realm` Digest secrets are kept too. Raises AccountError, also for a taken name."""
    check_account(account)
    check_password(password, bool(account.uploads))
    user = User(name=account.name, password_hash=await passwords.hash(password), created=now, changed=now)
    _set(user, account)
    _set_digest(user, password, digest_realm)
    try:
        async with sessions() as session, session.begin():
            session.add(user)
    except IntegrityError:
        raise AccountError(f"account {account.name!r} exists already") from None
    return account_of(user)


async def list_accounts(sessions: Sessions) -> list[Account]:
    """All accounts by name."""
    async with sessions() as session:
        return [account_of(user) for user in await session.scalars(select(User).order_by(User.name))]


async def find_account(sessions: Sessions, name: str) -> Account | None:
    """The account of that name."""
    async with sessions() as session:
        user = await session.scalar(select(User).where(User.name == name))
        return account_of(user) if user is not None else None


async def change_account(sessions: Sessions, account: Account, now: datetime) -> Account:
    """Store every field of an account but its password. Raises AccountError when there is none of that name."""
    check_account(account)
    async with sessions() as session, session.begin():
        user = await session.scalar(select(User).where(User.name == account.name))
        if user is None:
            raise AccountError(f"no account {account.name[:40]!r}")
        _set(user, account)
        user.changed = now
    return account


async def revoke_account(sessions: Sessions, name: str, now: datetime) -> Account:
    """Disable an account. Raises AccountError when there is none of that name."""
    account = await find_account(sessions, name)
    if account is None:
        raise AccountError(f"no account {name[:40]!r}")
    return await change_account(sessions, replace(account, enabled=False), now)


async def set_password(
    sessions: Sessions,
    passwords: Passwords,
    name: str,
    password: str,
    now: datetime,
    *,
    digest_realm: str | None = None,
) -> None:
    """Give an account a new password; Digest secrets follow it or go. Raises AccountError."""
    account = await find_account(sessions, name)
    if account is None:
        raise AccountError(f"no account {name[:40]!r}")
    check_password(password, bool(account.uploads))
    hashed = await passwords.hash(password)
    async with sessions() as session, session.begin():
        user = (await session.scalars(select(User).where(User.name == name))).one()
        user.password_hash = hashed
        user.changed = now
        _set_digest(user, password, digest_realm)


def _set(user: User, account: Account) -> None:
    user.level = account.level.value
    user.mountpoints = account.mountpoints
    user.uploads = account.uploads
    user.enabled = account.enabled
    user.expires = account.expires
    user.concurrency = account.concurrency
    user.static_position = account.static_position


def _set_digest(user: User, password: str, realm: str | None) -> None:
    user.digest_realm = realm
    user.digest_md5 = digest_secret("MD5", user.name, realm, password) if realm is not None else None
    user.digest_sha256 = digest_secret("SHA-256", user.name, realm, password) if realm is not None else None
