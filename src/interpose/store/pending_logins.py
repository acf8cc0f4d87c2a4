"""Logins that wait for a browser, in the database: the port `PendingLogins`.

INVARIANT: a state moves only from the state that its caller expects, and room is counted inside the transaction that takes it, so
two workers can neither answer one login twice nor both take the last place.
"""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from interpose.engine.pending_login import PENDING, Bounds, Confirmation, PendingLogin
from interpose.store.contexts import read_context, write_context
from interpose.store.database import Database
from interpose.store.tables import pending_logins

_KEPT: Final = 600.0
"""Seconds after its expiry that a login is still there: clocks of processes differ. What became of it is in the audit chain."""


class SqlPendingLogins:
    """Pending logins, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def create(self, login: PendingLogin, bounds: Bounds) -> bool:
        """Store one that waits; False when there is no room. Raises `StoreError`."""

        def work(connection: Connection) -> bool:
            now = login.opened_at
            connection.execute(delete(pending_logins).where(pending_logins.c.expires_at < now - _KEPT))
            waiting = (pending_logins.c.state == PENDING) & (pending_logins.c.expires_at > now)

            def count(*more: object) -> int:
                found = select(func.count()).select_from(pending_logins).where(waiting, *more)  # type: ignore[arg-type]
                return int(connection.execute(found).scalar_one())

            if (
                count() >= bounds.total
                or count(pending_logins.c.address_group == login.group) >= bounds.per_address
                or count(pending_logins.c.claimed_name == login.claimed_name) >= bounds.per_name
            ):
                return False
            connection.execute(
                insert(pending_logins).values(
                    id=login.id,
                    digest=login.digest,
                    claimed_name=login.claimed_name,
                    connection=login.connection,
                    client=login.client,
                    source=login.source,
                    address_group=login.group,
                    opened_at=login.opened_at,
                    expires_at=login.expires_at,
                    state=login.state,
                )
            )
            return True

        return await self._database.write(work)

    async def get(self, login: str) -> PendingLogin | None:
        """As it is now; raises `StoreError`."""
        return await self._database.read(lambda connection: _first(connection, pending_logins.c.id == login))

    async def find(self, digest: bytes) -> PendingLogin | None:
        """The one whose code has this digest; raises `StoreError`."""
        return await self._database.read(lambda connection: _first(connection, pending_logins.c.digest == digest))

    async def answer(self, login: str, state: str, confirmation: Confirmation, now: float) -> bool:
        """Somebody answered; False when it does not wait any more. Raises `StoreError`."""

        def work(connection: Connection) -> bool:
            done = connection.execute(
                update(pending_logins)
                .where(
                    pending_logins.c.id == login,
                    pending_logins.c.state == PENDING,
                    pending_logins.c.expires_at > now,
                )
                .values(state=state, confirmation=_text(confirmation))
            )
            return done.rowcount == 1

        return await self._database.write(work)

    async def move(self, login: str, expected: str, state: str) -> bool:
        """From state `expected` to `state`; False when it was in another one. Raises `StoreError`."""

        def work(connection: Connection) -> bool:
            done = connection.execute(
                update(pending_logins)
                .where(pending_logins.c.id == login, pending_logins.c.state == expected)
                .values(state=state)
            )
            return done.rowcount == 1

        return await self._database.write(work)


def _first(connection: Connection, condition: object) -> PendingLogin | None:
    row = connection.execute(select(pending_logins).where(condition)).mappings().first()  # type: ignore[arg-type]
    return None if row is None else _login(row)


def _login(row: RowMapping) -> PendingLogin:
    return PendingLogin(
        str(row["id"]),
        bytes(row["digest"]),
        str(row["claimed_name"]),
        str(row["connection"]),
        str(row["client"]),
        str(row["source"]),
        str(row["address_group"]),
        float(row["opened_at"]),
        float(row["expires_at"]),
        str(row["state"]),
        None if row["confirmation"] is None else _confirmation(str(row["confirmation"])),
    )


_PLAIN: Final = ("principal", "provider", "method", "issuer", "subject", "valid_until", "source")


def _text(confirmation: Confirmation) -> str:
    fields = {name: getattr(confirmation, name) for name in _PLAIN}
    return json.dumps({**fields, "context": write_context(confirmation.context)})


def _confirmation(text: str) -> Confirmation:
    stored = json.loads(text)
    return Confirmation(**{name: stored[name] for name in _PLAIN}, context=read_context(stored["context"]))
