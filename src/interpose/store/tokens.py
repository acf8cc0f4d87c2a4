"""Access tokens in the database, by the SHA-256 of the whole token: the port `TokenStore`. The token itself never gets here."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from interpose.engine.logins import EndedLogin
from interpose.engine.ports import TokenRecord
from interpose.model.errors import AuthenticationError, StoreError
from interpose.model.ids import ConnectionName, TokenId
from interpose.store.contexts import read_context, write_context
from interpose.store.database import Database
from interpose.store.tables import ended_logins, tokens

_ROUNDING: Final = 1.0
"""Seconds by which the end of what was got with a token may be later than the token's, since each is reckoned by itself."""
_REMEMBERED: Final = 40 * 86400.0
"""Seconds for which it is remembered that a login is over: no session without a token lives longer."""


class SqlTokens:
    """Tokens, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def find(self, digest: bytes) -> TokenRecord | None:
        """The token with this SHA-256 digest, revoked and expired ones included."""

        def work(connection: Connection) -> TokenRecord | None:
            row = connection.execute(select(tokens).where(tokens.c.digest == digest)).mappings().first()
            return None if row is None else _record(row)

        return await self._database.read(work)

    async def add(self, digest: bytes, record: TokenRecord) -> None:
        """Store a new token; raises `StoreError` when its id or digest is taken, and `AuthenticationError` when one that it was got with
        is revoked or ends before it.

        INVARIANT: nothing is got with a token that was revoked while it was asked for, in whatever process.
        """

        def work(connection: Connection) -> None:
            behind = [each for each in (record.parent, record.actor) if each is not None]
            for revoked, ends in connection.execute(
                select(tokens.c.revoked_at, tokens.c.expires_at).where(tokens.c.id.in_(behind))
            ):
                longer = ends is not None and (record.expires_at is None or record.expires_at > ends + _ROUNDING)
                if revoked is not None or longer:
                    raise AuthenticationError("authentication failed", detail="token_revoked")
            try:
                connection.execute(
                    insert(tokens).values(
                        id=record.id,
                        digest=digest,
                        principal=record.principal,
                        created_at=record.created_at,
                        expires_at=record.expires_at,
                        revoked_at=record.revoked_at,
                        description=record.description,
                        acting_for=record.acting_for,
                        task=record.task,
                        parent=record.parent,
                        actor=record.actor,
                        connections=None if record.connections is None else json.dumps(sorted(record.connections)),
                        provider=record.provider,
                        subject=record.subject,
                        context=write_context(record.context),
                    )
                )
            except IntegrityError:
                raise StoreError("a token with this id exists already") from None

        await self._database.write(work)

    async def all(self) -> Sequence[TokenRecord]:
        """Every token, newest first."""

        def work(connection: Connection) -> list[TokenRecord]:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id)).mappings()
            return [_record(row) for row in rows]

        return await self._database.read(work)

    async def revoke(self, token: TokenId, at: float) -> bool:
        """Mark as revoked, with all that was got with it; False when there is none such. What is revoked keeps its first time."""

        return await self._database.write(lambda connection: _revoke(connection, token, at))

    async def revoke_login(
        self, provider: str, subject: str | None, session: str | None, at: float, before: float
    ) -> Sequence[TokenId]:
        """Revoke at `at` what was made until `before` and comes from such logins, and remember that they are over; answers which."""
        chosen = [tokens.c.provider == provider, tokens.c.revoked_at.is_(None), tokens.c.created_at <= before]
        if subject is not None:
            chosen.append(tokens.c.subject == subject)

        def work(connection: Connection) -> list[TokenId]:
            connection.execute(delete(ended_logins).where(ended_logins.c.until < at - _REMEMBERED))
            connection.execute(
                insert(ended_logins).values(provider=provider, subject=subject, session=session, until=before)
            )
            rows = connection.execute(select(tokens.c.id, tokens.c.context).where(*chosen)).all()
            found = [str(row[0]) for row in rows if session is None or read_context(row[1]).session == session]
            for ident in found:
                _revoke(connection, ident, at)
            return [TokenId(ident) for ident in found]

        return await self._database.write(work)

    async def shorten(self, names: Collection[TokenId], until: float, at: float) -> None:
        """Let these, and all that was got with them, expire at `until` at the latest. Nothing lives longer for it."""

        def work(connection: Connection) -> None:
            ids = _family(connection, names)
            longer = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > until)
            chosen = update(tokens).where(tokens.c.id.in_(ids), tokens.c.revoked_at.is_(None), longer)
            connection.execute(chosen.values(expires_at=until, shortened_at=at))

        await self._database.write(work)

    async def ended_since(self, at: float) -> Sequence[tuple[TokenId, float, bool]]:
        """Tokens revoked or cut short at or after `at` (wall clock): id, the end, whether it was revoked."""

        def work(connection: Connection) -> list[tuple[TokenId, float, bool]]:
            columns = select(tokens.c.id, tokens.c.revoked_at, tokens.c.expires_at)
            rows = connection.execute(
                columns.where(or_(tokens.c.revoked_at >= at, tokens.c.shortened_at >= at)).order_by(
                    tokens.c.revoked_at, tokens.c.id
                )
            )
            return [
                (TokenId(str(name)), float(expires if revoked is None else revoked), revoked is not None)
                for name, revoked, expires in rows
            ]

        return await self._database.read(work)

    async def logins_over_since(self, at: float) -> Sequence[tuple[EndedLogin, float]]:
        """Logins that are over, each with the moment until which it is meant, where that is `at` or later."""

        def work(connection: Connection) -> list[tuple[EndedLogin, float]]:
            rows = connection.execute(
                select(ended_logins).where(ended_logins.c.until >= at).order_by(ended_logins.c.id)
            )
            return [(EndedLogin(row.provider, row.subject, row.session), float(row.until)) for row in rows]

        return await self._database.read(work)


def _family(connection: Connection, names: Collection[str]) -> list[str]:
    """These, and all that was got with them, however far."""
    family = select(tokens.c.id).where(tokens.c.id.in_(list(names))).cte("family", recursive=True)
    # UNION, not UNION ALL: a circle in the table would have no end.
    got = select(tokens.c.id).join(family, or_(tokens.c.parent == family.c.id, tokens.c.actor == family.c.id))
    return [str(row[0]) for row in connection.execute(select(family.union(got).c.id))]


def _revoke(connection: Connection, token: str, at: float) -> bool:
    ids = _family(connection, [token])
    connection.execute(update(tokens).where(tokens.c.id.in_(ids), tokens.c.revoked_at.is_(None)).values(revoked_at=at))
    return bool(ids)


def _record(row: RowMapping) -> TokenRecord:
    return TokenRecord(
        TokenId(str(row["id"])),
        str(row["principal"]),
        float(row["created_at"]),
        None if row["expires_at"] is None else float(row["expires_at"]),
        None if row["revoked_at"] is None else float(row["revoked_at"]),
        str(row["description"]),
        None if row["acting_for"] is None else str(row["acting_for"]),
        None if row["task"] is None else str(row["task"]),
        None if row["parent"] is None else TokenId(str(row["parent"])),
        None if row["provider"] is None else str(row["provider"]),
        None if row["subject"] is None else str(row["subject"]),
        read_context(row["context"]),
        None if row["connections"] is None else frozenset(map(ConnectionName, json.loads(row["connections"]))),
        None if row["actor"] is None else TokenId(str(row["actor"])),
    )
