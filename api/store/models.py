"""The tables. Instants are UTC; lists of names are texts with blanks between."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA_VERSION = 1


class UtcDateTime(TypeDecorator[datetime]):
    """An instant with its zone in Python, UTC without one in the database (SQLite keeps none)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC. Raises ValueError for a value without zone: nobody knows which instant it means."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """With its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Names(TypeDecorator[tuple[str, ...]]):
    """Names without blanks in them, in order; none is the empty text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        """Joined."""
        return " ".join(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """Split."""
        return tuple((value or "").split())


class Base(DeclarativeBase):
    """Every table's base."""


class SchemaVersion(Base):
    """One row: the version of all tables together."""

    __tablename__ = "schema_version"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class User(Base):
    """Who may log in, and to what. See `api.accounts`."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    """Argon2id, PHC string."""
    level: Mapped[str] = mapped_column(String(16))
    mountpoints: Mapped[tuple[str, ...]] = mapped_column(Names, default=())
    """Patterns of mountpoints that may be read."""
    uploads: Mapped[tuple[str, ...]] = mapped_column(Names, default=())
    """Mountpoints that may be written."""
    enabled: Mapped[bool] = mapped_column(default=True)
    expires: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    concurrency: Mapped[int] = mapped_column(default=1)
    static_position: Mapped[bool] = mapped_column(default=False)
    digest_realm: Mapped[str | None] = mapped_column(String(128), default=None)
    digest_md5: Mapped[str | None] = mapped_column(String(64), default=None)
    digest_sha256: Mapped[str | None] = mapped_column(String(64), default=None)
    """HA1 of RFC 7616: as good as the password within its realm, so kept only where Digest is wanted."""
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    changed: Mapped[datetime] = mapped_column(UtcDateTime)
