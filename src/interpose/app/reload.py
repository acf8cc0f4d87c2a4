"""Hot reload: load everything anew, swap one reference; anything wrong leaves the old serving and says why.

A reload is asked for by SIGHUP, by a change of a watched file, by `interpose reload` and by another worker's. Reloads are
serialised; several that are asked for while one runs become one more.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from watchfiles import DefaultFilter, awatch

from interpose.app.loading import Loaded, load
from interpose.app.settings import Settings
from interpose.app.telemetry import Telemetry
from interpose.engine.ports import AuditChain
from interpose.engine.snapshot import SnapshotHolder
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import ConfigurationError, InterposeError

_LOOK_AGAIN: Final = 1.0
"""Seconds between looks for a folder that is gone."""


@dataclass(slots=True)
class ReloadState:
    """How the last reload went, for health, log and metrics. `failure` is empty when it went well."""

    loaded: int = 1
    rejected: int = 0
    failure: str = ""


class Reloader:
    """Swaps snapshots."""

    def __init__(
        self,
        first: Loaded,
        holder: SnapshotHolder,
        audit: AuditChain,
        telemetry: Telemetry,
    ) -> None:
        """Every reload is in the audit chain, the log and the metrics."""
        self.loaded = first
        self.state = ReloadState()
        self._holder = holder
        self._audit = audit
        self._telemetry = telemetry
        self._lock = asyncio.Lock()

    async def reload(self, cause: str) -> str:
        """Load and swap; answers the snapshot's digest. Raises `ConfigurationError` with everything that is wrong."""
        async with self._lock:
            try:
                new = await asyncio.to_thread(load, self.loaded.settings.file)
            except (InterposeError, OSError) as error:
                self._rejected(cause, error)
                if isinstance(error, ConfigurationError):
                    raise
                raise ConfigurationError("the configuration cannot be read", detail=str(error)) from error
            if new.snapshot.digest == self.loaded.snapshot.digest:
                if self.state.failure:
                    # The same bytes as before a failed attempt: what serves is what is on disk again.
                    self.state.failure = ""
                    self._telemetry.snapshots.loaded(time.time())
                    self._telemetry.tell(
                        "snapshot is good again", {"snapshot": new.snapshot.digest[:12], "cause": cause}
                    )
                return new.snapshot.digest
            restart = needs_restart(self.loaded.settings, new.settings)
            self._audit.append(
                AuditEvent(
                    AuditKind.SNAPSHOT_LOADED,
                    fields={
                        "snapshot": new.snapshot.digest,
                        "cause": cause,
                        "needs_restart": tuple(restart),
                        "policy_commit": new.revision.commit,
                        "policy_dirty": new.revision.dirty,
                    },
                )
            )
            self.loaded = new
            self._holder.swap(new.snapshot)
            self.state.loaded += 1
            self.state.failure = ""
            fields = {"snapshot": new.snapshot.digest[:12], "cause": cause, "policy_tests": str(new.tests)}
            if new.revision.commit:
                fields["policy_commit"] = str(new.revision)
            if restart:
                fields["needs_restart"] = ", ".join(restart)
            self._telemetry.snapshots.loaded(time.time())
            self._telemetry.tell("snapshot loaded", fields)
            return new.snapshot.digest

    def _rejected(self, cause: str, error: Exception) -> None:
        self.state.rejected += 1
        self.state.failure = str(error)
        self._telemetry.snapshots.rejected()
        self._telemetry.warn("snapshot rejected, the old one goes on serving", {"cause": cause, "why": str(error)})
        self._audit.append(
            AuditEvent(AuditKind.SNAPSHOT_REJECTED, fields={"cause": cause, "snapshot": self.loaded.snapshot.digest})
        )

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload when a file changes that the snapshot is made of, until `stop` is set."""
        again = False
        while not stop.is_set():
            settings = self.loaded.settings
            # INVARIANT: only the policy folder is watched with what is below it. The state folder may lie beside the configuration, and
            # there every statement writes: the system would wake the watching thread for each.
            over = asyncio.Event()
            watches = [
                asyncio.create_task(self._follow(settings, folders, below, over), name="file watch")
                for folders, below in ((_own_folders(settings), False), ({settings.policy}, True))
            ]
            stopped = asyncio.create_task(stop.wait(), name="file watch")
            try:
                if again:
                    # Both watch once they have run to where they wait: then what changed in between is caught up with.
                    await asyncio.sleep(0)
                    await self.quietly("a file changed")
                again = True
                await asyncio.wait([*watches, stopped], return_when=asyncio.FIRST_COMPLETED)
            finally:
                # A watch that were cancelled would set the event that it was given: so it is given one of its own.
                over.set()
                stopped.cancel()
            await asyncio.gather(*watches)

    async def _follow(self, settings: Settings, folders: set[Path], below: bool, over: asyncio.Event) -> None:
        """Reload at changes in these folders, until `over` is set or other folders are to be watched."""
        watched = {settings.file, settings.principals}
        try:
            async for changes in awatch(
                *sorted(folders), watch_filter=DefaultFilter(), stop_event=over, step=200, recursive=below
            ):
                paths = {Path(path) for _, path in changes}
                if not any(path in watched or path.is_relative_to(settings.policy) for path in paths):
                    continue
                await self.quietly("a file changed")
                now = self.loaded.settings
                if settings.policy in paths or (_own_folders(now), now.policy) != (
                    _own_folders(settings),
                    settings.policy,
                ):
                    # Another folder in the place of the watched one has to be watched in its turn.
                    return
        except FileNotFoundError:
            # It is looked for again; what else is watched goes on being watched.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _LOOK_AGAIN)

    async def quietly(self, cause: str) -> None:
        """Reload where nobody waits for the answer: a failure is already told in log, health and metrics."""
        try:
            await self.reload(cause)
        except InterposeError:
            return


def _own_folders(settings: Settings) -> set[Path]:
    """The folders in which the files and folders lie that the snapshot is made of."""
    return {settings.file.parent, settings.principals.parent, settings.policy.parent}


def needs_restart(old: Settings, new: Settings) -> list[str]:
    """The top-level keys whose change a reload does not apply."""
    live = {"file", "policy", "principals", "connections"}
    changed = [
        name
        for name in Settings.__slots__
        if name not in live
        and name not in ("limits", "audit", "recording")
        and getattr(old, name) != getattr(new, name)
    ]
    limits = {
        name: getattr(new.limits, name) for name in ("sessions", "sessions_per_principal", "max_message", "max_buffer")
    }
    if replace(old.limits, **limits) != new.limits:
        changed.append("limits")
    if replace(old.audit, retention=new.audit.retention) != new.audit:
        changed.append("audit")
    if replace(old.recording, retention=new.recording.retention) != new.recording:
        changed.append("recording")
    return sorted("secrets.key" if name == "secret_key" else name for name in changed)
