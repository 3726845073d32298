"""Accounts: RFC 7617 and 7616 credentials against Argon2 hashes that argon2-cffi itself verifies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import argon2
import pytest
from sqlalchemy import select

from api.accounts.account import Account, AccountError, AccountLevel
from api.accounts.passwords import Passwords, PasswordsBusy
from api.accounts.register import (
    add_account,
    change_account,
    find_account,
    list_accounts,
    revoke_account,
    set_password,
)
from api.accounts.verification import ROW_LIFETIME_S, Outcome, Verifier
from api.store.engine import Store, StoreSettings, open_store
from api.store.models import User
from cors.ntrip.authorization import DigestCredentials, digest_response, digest_secret

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass
class World:
    """A register with a clock that stands still until it is moved, and a count of passwords hashed."""

    store: Store
    passwords: Passwords
    seconds: float = 0.0
    hashed: list[str] = field(default_factory=list)

    def verifier(self) -> Verifier:
        return Verifier(
            self.store.sessions,
            self.passwords,
            utc_now=lambda: NOW + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
        )


class CountedPasswords(Passwords):
    checks = 0

    async def check(self, stored: str | None, password: str) -> bool:
        self.checks += 1
        return await super().check(stored, password)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    passwords = CountedPasswords(memory_kib=8, passes=1, workers=1)
    async with await open_store(StoreSettings(url=":memory:")) as store:
        await add_account(store.sessions, passwords, Account("rover", AccountLevel.CENTIMETRE), "p:w", NOW)
        await add_account(
            store.sessions, passwords, Account("base1", uploads=("M1", "M2")), "secret", NOW, digest_realm="corsnet"
        )
        yield World(store, passwords)
    passwords.close()


async def test_what_is_stored_is_an_argon2id_hash_and_no_password(world: World) -> None:
    async with world.store.sessions() as session:
        user = (await session.scalars(select(User).where(User.name == "rover"))).one()
    assert user.password_hash.startswith("$argon2id$")
    assert argon2.PasswordHasher().verify(user.password_hash, "p:w")
    assert "p:w" not in str(vars(user))
    assert user.digest_md5 is None


async def test_right_and_wrong(world: World) -> None:
    verifier = world.verifier()
    right = await verifier.verify("rover", "p:w")
    assert right.outcome is Outcome.OK
    assert right.account is not None
    assert right.account.level is AccountLevel.CENTIMETRE
    for name, password in (
        ("rover", "no"),
        ("nobody", "p:w"),
        ("", ""),
        ("rover", ""),
        ("ROVER", "p:w"),
        ("x" * 999, ""),
    ):
        assert await verifier.verify(name, password) == (Outcome.WRONG, None)


async def test_a_repeated_login_hashes_nothing(world: World) -> None:
    verifier = world.verifier()
    assert isinstance(world.passwords, CountedPasswords)
    assert not await verifier.is_remembered("rover", "p:w")
    for _ in range(50):
        assert (await verifier.verify("rover", "p:w")).outcome is Outcome.OK
    assert world.passwords.checks == 1
    assert await verifier.is_remembered("rover", "p:w")
    assert not await verifier.is_remembered("rover", "p:x")


async def test_a_crowd_with_the_same_credentials_shares_one_hash(world: World) -> None:
    verifier = world.verifier()
    assert isinstance(world.passwords, CountedPasswords)
    right = await asyncio.gather(*(verifier.verify("rover", "p:w") for _ in range(600)))
    assert {found.outcome for found in right} == {Outcome.OK}
    assert world.passwords.checks == 1
    wrong = await asyncio.gather(*(verifier.verify("rover", "no") for _ in range(600)))  # the row is known by now
    assert {found.outcome for found in wrong} == {Outcome.WRONG}
    assert world.passwords.checks == 2


async def test_an_unknown_name_costs_a_hash_as_a_wrong_password_does(world: World) -> None:
    verifier = world.verifier()
    assert isinstance(world.passwords, CountedPasswords)
    await verifier.verify("nobody", "x")
    await verifier.verify("rover", "x")
    assert world.passwords.checks == 2


async def test_a_new_password_replaces_the_remembered_one(world: World) -> None:
    verifier = world.verifier()
    await verifier.verify("rover", "p:w")
    await set_password(world.store.sessions, world.passwords, "rover", "new", NOW)
    world.seconds = ROW_LIFETIME_S  # at the latest; at once after forget_rows
    assert (await verifier.verify("rover", "p:w")).outcome is Outcome.WRONG
    assert (await verifier.verify("rover", "new")).outcome is Outcome.OK
    await set_password(world.store.sessions, world.passwords, "rover", "newer", NOW)
    verifier.forget_rows()
    assert (await verifier.verify("rover", "new")).outcome is Outcome.WRONG


async def test_disabled_and_expired_are_told_only_with_the_right_password(world: World) -> None:
    verifier = world.verifier()
    await revoke_account(world.store.sessions, "rover", NOW)
    assert (await verifier.verify("rover", "p:w")).outcome is Outcome.DISABLED
    assert (await verifier.verify("rover", "no")).outcome is Outcome.WRONG
    rover = await find_account(world.store.sessions, "rover")
    assert rover is not None
    expires = NOW + timedelta(seconds=60)
    await change_account(world.store.sessions, replace(rover, enabled=True, expires=expires), NOW)
    verifier.forget_rows()
    assert (await verifier.verify("rover", "p:w")).outcome is Outcome.OK
    world.seconds = 60.0
    assert (await verifier.verify("rover", "p:w")).outcome is Outcome.EXPIRED


async def test_a_version_1_source_has_a_password_and_no_name(world: World) -> None:
    verifier = world.verifier()
    found = await verifier.verify_source("M1", "secret")
    assert found.outcome is Outcome.OK
    assert found.account is not None
    assert found.account.name == "base1"
    for mountpoint, password in (("M1", "wrong"), ("M", "secret"), ("VRS", "p:w"), ("", "secret")):
        assert (await verifier.verify_source(mountpoint, password)).outcome is Outcome.WRONG


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_is_checked_where_its_secret_is_kept(world: World, algorithm: str) -> None:
    verifier = world.verifier()
    asked = DigestCredentials("base1", "corsnet", "n", "/M1", "", algorithm, "auth", "00000001", "c")
    good = replace(
        asked, response=digest_response(digest_secret(algorithm, "base1", "corsnet", "secret"), asked, "GET")
    )
    assert (await verifier.verify_digest(good, "corsnet", "GET")).outcome is Outcome.OK
    assert (await verifier.verify_digest(good, "corsnet", "POST")).outcome is Outcome.WRONG
    assert (await verifier.verify_digest(good, "elsewhere", "GET")).outcome is Outcome.WRONG
    rover = replace(asked, user="rover")
    good = replace(rover, response=digest_response(digest_secret(algorithm, "rover", "corsnet", "p:w"), rover, "GET"))
    assert (await verifier.verify_digest(good, "corsnet", "GET")).outcome is Outcome.WRONG  # no secret kept


async def test_a_crowd_of_guesses_is_turned_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.accounts.passwords.MOST_WAITING", 0)
    with pytest.raises(PasswordsBusy):
        await world.passwords.check(None, "x")
    assert (await world.verifier().verify("rover", "x")).outcome is Outcome.BUSY


async def test_the_register_lists_changes_and_refuses(world: World) -> None:
    assert [a.name for a in await list_accounts(world.store.sessions)] == ["base1", "rover"]
    for account, password in (
        (Account("rover"), "x"),
        (Account("a:b"), "x"),
        (Account(" a"), "x"),
        (Account("a"), ""),
        (Account("a\n"), "x"),
        (Account("a", concurrency=-1), "x"),
        (Account("a", uploads=("M1",)), "with blank"),
        (Account("a", mountpoints=("A B",)), "x"),
        (Account("a", expires=datetime(2027, 1, 1)), "x"),
    ):
        with pytest.raises(AccountError) as caught:
            await add_account(world.store.sessions, world.passwords, account, password, NOW)
        assert password == "" or password == "x" or password not in str(caught.value)
    with pytest.raises(AccountError, match="no account"):
        await revoke_account(world.store.sessions, "nobody", NOW)
    with pytest.raises(AccountError, match="no account"):
        await set_password(world.store.sessions, world.passwords, "nobody", "x", NOW)


def test_levels_include_those_below() -> None:
    assert AccountLevel.CENTIMETRE.includes(AccountLevel.METRE)
    assert AccountLevel.CENTIMETRE.includes(AccountLevel.CENTIMETRE)
    assert not AccountLevel.METRE.includes(AccountLevel.DECIMETRE)


def test_what_may_be_read_and_written() -> None:
    account = Account("a", mountpoints=("VRS*", "NEAR"), uploads=("M1",))
    assert [account.may_read(m) for m in ("VRS", "VRS_MSM4", "NEAR", "NEARER", "vrs")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert account.may_upload("M1")
    assert not account.may_upload("M")
