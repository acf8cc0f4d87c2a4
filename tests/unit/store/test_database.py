"""The database: opened, migrated, shared, and clear when it cannot be."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from interpose.model.errors import StoreError
from interpose.store.database import HEAD, Database
from interpose.store.tables import metadata


def test_a_new_database_is_private_and_at_the_newest_version(tmp_path: Path) -> None:
    path = tmp_path / "state" / "state.db"
    database = Database(path)
    version = asyncio.run(
        database.read(lambda on: on.execute(text("SELECT version_num FROM alembic_version")).scalar())
    )
    database.close()
    database.close()
    assert version == HEAD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_migrations_make_exactly_the_tables_that_are_described(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    differences = asyncio.run(database.read(lambda on: compare_metadata(MigrationContext.configure(on), metadata)))
    database.close()
    assert differences == []


def test_processes_that_open_at_once_migrate_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        databases = list(pool.map(lambda _: Database(tmp_path / "state.db"), range(4)))
    for database in databases:
        database.close()


def test_a_database_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreError, match="another version"):
        Database(path)


@pytest.mark.parametrize("content", [b"this is no database at all, and long enough to be looked at" * 20])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(StoreError):
        Database(path)
    with pytest.raises(StoreError):
        Database(tmp_path)


def test_an_error_rolls_back_and_says_nothing_of_parameters(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        with pytest.raises(StoreError) as caught:
            await database.write(
                lambda on: [
                    on.execute(
                        text("INSERT INTO tokens VALUES ('a', x'00', 'p', 0, NULL, NULL, :d, NULL, NULL)"),
                        {"d": "canary-7c1f"},
                    )
                    for _ in range(2)
                ]
            )
        assert "canary-7c1f" not in str(caught.value)
        assert await database.read(lambda on: on.execute(text("SELECT count(*) FROM tokens")).scalar()) == 0

    asyncio.run(work())
    database.close()
    with pytest.raises(StoreError):
        asyncio.run(database.read(lambda on: None))
