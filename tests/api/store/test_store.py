"""The database: what is kept, what is refused, and what an error may show."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from api.store.engine import Store, StoreError, StoreSettings, open_store
from api.store.models import User


def settings(path: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite+aiosqlite:///{path}")


async def add_user(store: Store, expires: datetime | None) -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    async with store.sessions() as session, session.begin():
        session.add(User(name="u", password_hash="x", level="metre", expires=expires, created=now, changed=now))


async def test_records_outlive_the_process(tmp_path: Path) -> None:
    east = datetime(2026, 12, 31, 8, tzinfo=timezone(timedelta(hours=8)))
    async with await open_store(settings(tmp_path / "a.sqlite")) as store:
        await add_user(store, east)
    async with await open_store(settings(tmp_path / "a.sqlite")) as store, store.sessions() as session:
        user = await session.get(User, 1)
        assert user is not None
        assert user.expires == datetime(2026, 12, 31, 0, tzinfo=UTC)
        assert user.uploads == ()


async def test_a_file_is_in_wal_mode_as_sqlite_itself_sees_it(tmp_path: Path) -> None:
    async with await open_store(settings(tmp_path / "a.sqlite")):
        with sqlite3.connect(tmp_path / "a.sqlite") as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("SELECT version FROM schema_version").fetchall() == [(1,)]


async def test_memory_is_one_database_for_all_sessions() -> None:
    async with await open_store(StoreSettings(url=":memory:")) as store:
        await add_user(store, None)
        async with store.sessions() as session:
            assert (await session.get(User, 1)) is not None


async def test_a_foreign_version_is_refused(tmp_path: Path) -> None:
    async with await open_store(settings(tmp_path / "a.sqlite")):
        pass
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(StoreError, match="has schema version 99, this program needs 1"):
        await open_store(settings(tmp_path / "a.sqlite"))


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite+aiosqlite:////no/such/folder/a.sqlite", "nobase+nodriver://u:hidden@h/d"]
)
async def test_what_cannot_be_opened_is_one_clear_error_without_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        await open_store(StoreSettings(url=url))
    assert "hidden" not in str(caught.value)


async def test_an_instant_needs_its_zone() -> None:
    async with await open_store(StoreSettings(url=":memory:")) as store:
        with pytest.raises(Exception, match="no time zone"):
            await add_user(store, datetime(2026, 12, 31))
