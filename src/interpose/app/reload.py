"""Hot reload: load everything anew, swap one reference; anything wrong leaves the old serving and says why.

A reload is asked for by SIGHUP, by a change of a watched file, by `interpose reload` and by another worker's. Reloads are
serialised; several that are asked for while one runs become one more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from interpose.app.loading import Loaded, load
from interpose.app.providers import described_in
from interpose.app.settings import Settings
from interpose.app.telemetry import Telemetry
from interpose.app.watching import Stamp, stamp
from interpose.engine.directory import Directory
from interpose.engine.ports import AuditChain
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import ConfigurationError, InterposeError

_LOOK = 0.5
"""Seconds between two looks at the files."""
_SETTLE, _SETTLING = 0.1, 20
"""Seconds that files must stay as they are before they are loaded, and how often that is waited for."""


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
        directory: Directory,
        audit: AuditChain,
        telemetry: Telemetry,
    ) -> None:
        """Every reload is in the audit chain, the log and the metrics."""
        self.loaded = first
        self.state = ReloadState()
        self._directory = directory
        self._audit = audit
        self._telemetry = telemetry
        self._lock = asyncio.Lock()
        self.listeners: list[Callable[[Settings], None]] = []
        """Who is told of the settings that are in force from now on."""

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
            self._directory.install(new.snapshot)
            for listener in self.listeners:
                listener(new.settings)
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
        seen = await self._look()
        while not await _stopped(stop, _LOOK):
            now = await self._look()
            if now == seen:
                continue
            # Whoever writes several files, or a long one, is given the time to finish; not for ever.
            for _ in range(_SETTLING):
                await _stopped(stop, _SETTLE)
                before, now = now, await self._look()
                if now == before:
                    break
            # What changes while it is loaded is seen by the next look.
            seen = now
            await self.quietly("a file changed")

    async def _look(self) -> Stamp:
        settings = self.loaded.settings
        files = (settings.file, settings.principals, *described_in(settings.identity.providers))
        return await asyncio.to_thread(stamp, files, (settings.policy,))

    async def quietly(self, cause: str) -> None:
        """Reload where nobody waits for the answer: a failure is already told in log, health and metrics."""
        try:
            await self.reload(cause)
        except InterposeError:
            return


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until the stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


def needs_restart(old: Settings, new: Settings) -> list[str]:
    """The top-level keys whose change a reload does not apply."""
    live = {"file", "policy", "principals", "connections", "identity", "text"}
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
