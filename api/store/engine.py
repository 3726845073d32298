"""Where records live: one SQLAlchemy engine a process, SQLite by default, `:memory:` for a demonstration.

A SQLite file runs in WAL mode with foreign keys, waits up to 5 s for another process's lock and syncs at checkpoints
(`synchronous=NORMAL`: a power cut may lose the last transactions, never the file). An in-memory database has exactly
one connection, handed from user to user. A database of another schema version is refused; migrations are not here
yet.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from api.store.models import SCHEMA_VERSION, Base, SchemaVersion

Sessions = async_sessionmaker[AsyncSession]


class StoreError(RuntimeError):
    """The database cannot be used; says which and why, without its password."""


class StoreSettings(BaseModel):
    """`[store]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = "sqlite+aiosqlite:///corsnet.sqlite"
    """SQLAlchemy URL of an asyncio driver; `:memory:` alone means a database that ends with the process."""


class Store:
    """An open database: `async with await open_store(settings) as store`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.sessions: Sessions = async_sessionmaker(engine, expire_on_commit=False)
        """Makes sessions; one `async with` a unit of work."""

    async def close(self) -> None:
        """Give back every connection."""
        await self._engine.dispose()

    async def __aenter__(self) -> Store:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes."""
        await self.close()


async def open_store(settings: StoreSettings) -> Store:
    """Open the database and make sure of its tables. Raises StoreError."""
    engine = _engine(settings.url)
    try:
        await _prepare(engine)
    except (SQLAlchemyError, OSError) as error:
        await engine.dispose()
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"database {engine.url.render_as_string(hide_password=True)}: {cause}") from error
    except StoreError:
        await engine.dispose()
        raise
    return Store(engine)


def _engine(text: str) -> AsyncEngine:
    try:
        url = make_url("sqlite+aiosqlite:///:memory:" if text == ":memory:" else text)
        if url.get_backend_name() != "sqlite":
            return create_async_engine(url, pool_pre_ping=True)
        if url.database in (None, "", ":memory:"):
            engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0)
        else:
            engine = create_async_engine(url)
    except (ArgumentError, ImportError, SQLAlchemyError) as error:
        raise StoreError(f"store url cannot be used (expected for example {StoreSettings().url}): {error}") from None
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _: object) -> None:  # the driver's own connection, which has no public type
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def _prepare(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session, session.begin():
        found = await session.scalar(select(SchemaVersion.version))
        if found is None:
            session.add(SchemaVersion(version=SCHEMA_VERSION))
        elif found != SCHEMA_VERSION:
            raise StoreError(
                f"database {engine.url.render_as_string(hide_password=True)} has schema version {found}, "
                f"this program needs {SCHEMA_VERSION}"
            )
