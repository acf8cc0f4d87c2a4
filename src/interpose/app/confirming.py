"""Logins of clients that are confirmed in a browser, wired: one a worker, over the store that all of them share."""

from __future__ import annotations

import asyncio
from typing import Final

from interpose.app.settings import Settings
from interpose.app.state import State
from interpose.engine.confirming import Confirming
from interpose.engine.directory import Directory
from interpose.engine.pending_login import Bounds
from interpose.engine.ports import AuditChain
from interpose.engine.snapshot import SnapshotHolder
from interpose.identity.names import canonical_name
from interpose.protocols.contract import BrowserLogin

_SHARE: Final = 4
"""A login that waits for a person holds a place among the clients that are not logged in, and cannot be asked to make room: so at most
one in so many of those places, the others stay for everybody else."""


class BrowserLogins:
    """One worker's. `confirming` is None where no listener lets anybody log in by a browser."""

    def __init__(
        self, settings: Settings, state: State, directory: Directory, holder: SnapshotHolder, audit: AuditChain
    ) -> None:
        """Nobody waits. `run` is a task of the worker."""
        self.confirming: Confirming | None = None
        offered = any(listener.browser_login is not BrowserLogin.NEVER for listener in settings.listeners)
        if offered and settings.public is not None:
            from interpose.web.confirm import PAGE

            self.confirming = Confirming(
                state.pending_logins,
                directory,
                holder,
                audit,
                state.bus,
                state.clock,
                state.ids,
                key=state.login_key,
                page=f"{settings.public.url}{PAGE}",
                canonical=canonical_name,
                seconds=settings.limits.browser_login,
                bounds=Bounds(total=max(1, settings.limits.handshakes // _SHARE)),
            )

    async def run(self) -> None:
        """Hear of answers that other workers were given, until cancelled."""
        if self.confirming is None:
            await asyncio.Event().wait()
        else:
            await self.confirming.run()

    def drain(self) -> None:
        """Refuse who waits: the gateway is shutting down."""
        if self.confirming is not None:
            self.confirming.drain()
