"""The SQLite database of the embedded default: opened, migrated, and used from one thread of its own.

Knows connections, transactions and errors; the tables' meaning is in the files beside it. Several processes (workers and the
command line) may have the same file open: every write is one `BEGIN IMMEDIATE` transaction.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from interpose.model.errors import StoreError

ResultT = TypeVar("ResultT")

HEAD = "0013"
"""The newest migration. A database at this version is used as it is, an older one is migrated first."""

_BUSY_MILLISECONDS = 5000


class Database:
    """One open database. All work runs on one thread, so a slow disk delays no event loop and no two threads share a connection."""

    def __init__(self, path: Path) -> None:
        """Open (made with mode 0600 when it is new) and migrate; raises `StoreError`."""
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._engine: Engine | None = None
        try:
            self._thread.submit(self._open).result()
        except BaseException:
            self.close()
            raise

    async def read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run `work` in a transaction that sees one consistent state; raises `StoreError`."""
        return await asyncio.wrap_future(self._submit(work, write=False))

    async def write(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run `work` in a transaction that no other process can interleave with; raises `StoreError`.

        Once begun it runs to its end, also when the caller is cancelled.
        """
        return await asyncio.shield(asyncio.wrap_future(self._submit(work, write=True)))

    def close(self) -> None:
        """Finish what runs and close; idempotent. Waits for the disk: not to be called on an event loop."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self._thread.submit(engine.dispose).result()
        self._thread.shutdown(wait=True)

    def _submit(self, work: Callable[[Connection], ResultT], *, write: bool) -> Future[ResultT]:
        try:
            return self._thread.submit(self._run, work, write)
        except RuntimeError:
            raise StoreError("the state store is closed") from None

    def _run(self, work: Callable[[Connection], ResultT], write: bool) -> ResultT:
        if self._engine is None:
            raise StoreError("the state store is closed")
        try:
            with self._engine.connect().execution_options(immediate=write) as connection, connection.begin():
                return work(connection)
        except SQLAlchemyError as error:
            # The statement's parameters may hold a command's text: only the driver's own words are kept.
            raise StoreError(
                "the state store failed", detail=str(getattr(error, "orig", "") or type(error).__name__)
            ) from None

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError("the state store cannot be opened", detail=f"{self._path}: {error.strerror}") from error
        engine = create_engine(
            URL.create("sqlite", database=str(self._path)),
            poolclass=StaticPool,
            connect_args={"timeout": _BUSY_MILLISECONDS / 1000},
            hide_parameters=True,
        )
        event.listen(engine, "connect", _connected)
        event.listen(engine, "begin", _begun)
        self._engine = engine
        self._run(self._migrate, True)

    def _migrate(self, connection: Connection) -> None:
        made = connection.execute(
            text("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
        ).scalar_one()
        if made and connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD:
            return
        # Imported only when there is something to migrate: it takes longer than everything else here.
        from interpose.store.migrating import migrate

        migrate(connection)


def _connected(connection: object, _record: object) -> None:
    """Set up a new SQLite connection: transactions are begun by `_begun`, not by the driver's guesses."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: an approval that was used stays used, whatever happens to the machine.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # The text of a held command is overwritten when it is deleted, not only unlinked.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    cursor.close()


def _begun(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
