"""The store of pending logins in memory, for tests of the engine and of the pages: as strict as the real one."""

from __future__ import annotations

import dataclasses

from interpose.engine.pending_login import PENDING, Bounds, Confirmation, PendingLogin
from interpose.model.errors import StoreError


class MemoryPendingLogins:
    """Pending logins; `down` makes every call fail."""

    def __init__(self) -> None:
        self.logins: dict[str, PendingLogin] = {}
        self.down = False

    async def create(self, login: PendingLogin, bounds: Bounds) -> bool:
        self._answer()
        waiting = [each for each in self.logins.values() if each.state == PENDING and each.expires_at > login.opened_at]
        if (
            len(waiting) >= bounds.total
            or sum(each.group == login.group for each in waiting) >= bounds.per_address
            or sum(each.claimed_name == login.claimed_name for each in waiting) >= bounds.per_name
        ):
            return False
        self.logins[login.id] = login
        return True

    async def get(self, login: str) -> PendingLogin | None:
        self._answer()
        return self.logins.get(login)

    async def find(self, digest: bytes) -> PendingLogin | None:
        self._answer()
        return next((each for each in self.logins.values() if each.digest == digest), None)

    async def answer(self, login: str, state: str, confirmation: Confirmation, now: float) -> bool:
        self._answer()
        found = self.logins[login]
        if found.state != PENDING or found.expires_at <= now:
            return False
        self.logins[login] = dataclasses.replace(found, state=state, confirmation=confirmation)
        return True

    async def move(self, login: str, expected: str, state: str) -> bool:
        self._answer()
        found = self.logins[login]
        if found.state != expected:
            return False
        self.logins[login] = dataclasses.replace(found, state=state)
        return True

    def _answer(self) -> None:
        if self.down:
            raise StoreError("the state store failed")
