"""The state folder of a gateway, opened: the audit chain and recordings of this process, the database, the bus.

Used by a worker, and by commands of the command line that change the state themselves: they then write a chain of their own.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interpose import __version__
from interpose.app.settings import Settings
from interpose.app.system import SystemClock, SystemIds, boot_name, node_name
from interpose.model.audit import AuditValue
from interpose.model.errors import StoreError
from interpose.recording.retention import RetentionRules
from interpose.store.approvals import SqlApprovals
from interpose.store.bootstrap import SqlBootstrap
from interpose.store.bus import DatagramBus
from interpose.store.database import Database
from interpose.store.directory import SqlDirectory
from interpose.store.files.opening import AUDIT, RECORDINGS, FileRecord, open_record
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.recordings import RecordingOptions
from interpose.store.files.retention import Retention
from interpose.store.files.syncing import ChainOptions
from interpose.store.pending_logins import SqlPendingLogins
from interpose.store.provisioning import SqlProvisioning
from interpose.store.renewals import SqlRenewals
from interpose.store.sessions import SqlSessions
from interpose.store.tokens import SqlTokens
from interpose.store.used_assertions import SqlUsedAssertions

_RETENTION_EVERY = 3600.0
_KEY_BYTES = 32


@dataclass(slots=True)
class State:
    """Everything that outlives a process, opened by one."""

    record: FileRecord
    database: Database
    bus: DatagramBus
    clock: SystemClock
    ids: SystemIds
    approvals: SqlApprovals
    tokens: SqlTokens
    sessions: SqlSessions
    directory: SqlDirectory
    worker: str
    renewals: SqlRenewals
    pending_logins: SqlPendingLogins
    used_assertions: SqlUsedAssertions
    provisioning: SqlProvisioning
    bootstrap: SqlBootstrap
    mask_key: bytes
    login_key: bytes
    settings: Settings
    opened_at: float
    """When the orphans of dead workers were looked for."""

    def close(self, fields: dict[str, AuditValue] | None = None) -> None:
        """Close all; raises `RecordingError` when the last records could not be written."""
        self.bus.close()
        self.database.close()
        self.record.close(fields)

    async def close_orphans(self) -> int:
        """Tell the index that the sessions of dead workers are over; answers how many. Raises `StoreError`.

        Workers that began after this one looked have sessions that are younger than the look.
        """
        node = f"{node_name()}-"
        alive = frozenset({self.worker, *(name.removeprefix(node) for name in self.record.recovered.living)})
        return await self.sessions.close_orphans(alive, self.opened_at)

    @property
    def recorded(self) -> RecordedSessions:
        """The recordings of all workers, for reading."""
        return RecordedSessions(self.settings.state / RECORDINGS)

    async def retain(self, settings: Callable[[], Settings]) -> None:
        """Delete what is past its age, now and every hour, until cancelled; `settings` are the current ones."""
        folder = self.settings.state
        while True:
            current = settings()
            rules = RetentionRules(_days(current.recording.retention), _days(current.audit.retention))
            retention = Retention(folder / AUDIT, folder / RECORDINGS, self.record.chain, rules)
            now = self.clock.wall()
            await retention.carry_out(await asyncio.to_thread(retention.plan, now))
            if current.audit.retention:
                await self.sessions.delete_before(now - current.audit.retention)
            await asyncio.sleep(_RETENTION_EVERY)


def _days(seconds: float) -> float | None:
    return seconds / 86400.0 if seconds else None


def open_state(settings: Settings, who: int | str, started: dict[str, AuditValue]) -> State:
    """Open (and make, with mode 0700) the state folder. `who` is the worker's number, or the name of a command.

    Orphans of dead workers are sealed on the way. Raises `StoreError` and `RecordingError`.
    """
    clock, ids = SystemClock(), SystemIds()
    boot = boot_name(who)
    try:
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"the state folder `{settings.state}` cannot be made",
            detail=str(error),
            hint="check `state` and its parent",
        ) from error
    if settings.state.stat().st_mode & 0o002:
        # Its files are closed to others, and could be exchanged for other ones: keys of the authorities, tokens.
        raise StoreError(
            f"the state folder `{settings.state}` can be written by everybody", hint=f"run `chmod 700 {settings.state}`"
        )
    database = Database(settings.state / "state.db")
    opened_at = clock.wall()
    try:
        record = open_record(
            settings.state,
            node=node_name(),
            boot=boot,
            clock=clock,
            ids=ids,
            chain_options=ChainOptions(
                checkpoint_after=settings.audit.checkpoint_interval, checkpoint_copy=settings.audit.checkpoint_copy
            ),
            recording_options=RecordingOptions(
                delivered_cap=settings.recording.result_cap, terminal_cap=settings.recording.terminal_cap
            ),
            gateway=__version__,
            started=started,
        )
        mask_key = _key(
            settings.state / "mask.key", ids, "restore it from a backup, or delete it to make new pseudonyms"
        )
        login_key = _key(
            settings.state / "login.key", ids, "restore it from a backup, or delete it: people sign in again"
        )
    except BaseException:
        database.close()
        raise
    return State(
        record,
        database,
        DatagramBus(settings.state / "run", boot),
        clock,
        ids,
        SqlApprovals(database),
        SqlTokens(database),
        SqlSessions(database),
        SqlDirectory(database),
        boot,
        SqlRenewals(database),
        SqlPendingLogins(database),
        SqlUsedAssertions(database),
        SqlProvisioning(database),
        SqlBootstrap(database),
        mask_key,
        login_key,
        settings,
        opened_at,
    )


def _key(path: Path, ids: SystemIds, hint: str) -> bytes:
    """A key that is made once and stays the same over restarts and in all workers: of the `hash` transform, of refresh tokens."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        for _ in range(50):
            key = path.read_bytes()
            if len(key) == _KEY_BYTES:
                return key
            # Another worker is just writing it.
            time.sleep(0.01)
        raise StoreError(f"`{path}` is no key", hint=hint) from None
    except OSError as error:
        raise StoreError(f"`{path}` cannot be made", detail=str(error)) from error
    key = ids.secret_bytes(_KEY_BYTES)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    return key
