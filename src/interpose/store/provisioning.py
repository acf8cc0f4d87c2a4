"""Users and groups that provisioning sources keep here, in the database: the port `ProvisioningStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from interpose.engine.provisioned import Conditions, ProvisionedGroup, ProvisionedUser
from interpose.store.database import Database
from interpose.store.tables import provisioned_groups, provisioned_members, provisioned_users

_FOLDED = frozenset({"user_name", "display_name"})
"""Names are compared without regard to case (RFC 7643 §4.1.1), unless the question says `exact`."""


class SqlProvisioning:
    """Users and groups, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def users(
        self, provider: str, conditions: Conditions, start: int = 0, count: int = 1
    ) -> tuple[int, Sequence[ProvisionedUser]]:
        """How many users fit, and some of them in order of id."""

        def work(connection: Connection) -> tuple[int, Sequence[ProvisionedUser]]:
            total, rows = _page(connection, provisioned_users, provider, conditions, start, count)
            return total, [_user(row) for row in rows]

        return await self._database.read(work)

    async def put_user(self, user: ProvisionedUser) -> None:
        """Store a user in the place of the one with its id."""
        values = {
            "user_name": user.user_name,
            "external_id": user.external_id,
            "display_name": user.display_name,
            "active": user.active,
            "created_at": user.created_at,
            "changed_at": user.changed_at,
        }

        def work(connection: Connection) -> None:
            connection.execute(
                insert(provisioned_users)
                .values(provider=user.provider, id=user.id, **values)
                .on_conflict_do_update(index_elements=["provider", "id"], set_=values)
            )

        await self._database.write(work)

    async def delete_user(self, provider: str, user: str) -> bool:
        """Delete, from all groups as well."""

        def work(connection: Connection) -> bool:
            members = provisioned_members.c
            connection.execute(delete(provisioned_members).where(members.provider == provider, members.member == user))
            return _deleted(connection, provisioned_users, provider, user)

        return await self._database.write(work)

    async def groups(
        self, provider: str, conditions: Conditions, start: int = 0, count: int = 1
    ) -> tuple[int, Sequence[ProvisionedGroup]]:
        """How many groups fit, and some of them in order of id, with their members."""

        def work(connection: Connection) -> tuple[int, Sequence[ProvisionedGroup]]:
            total, rows = _page(connection, provisioned_groups, provider, conditions, start, count)
            return total, [_group(row, _members(connection, provider, row["id"])) for row in rows]

        return await self._database.read(work)

    async def put_group(self, group: ProvisionedGroup) -> None:
        """Store a group with its members in the place of the one with its id."""
        values = {
            "display_name": group.display_name,
            "external_id": group.external_id,
            "created_at": group.created_at,
            "changed_at": group.changed_at,
        }

        def work(connection: Connection) -> None:
            connection.execute(
                insert(provisioned_groups)
                .values(provider=group.provider, id=group.id, **values)
                .on_conflict_do_update(index_elements=["provider", "id"], set_=values)
            )
            _forget_members(connection, group.provider, group.id)
            listed = [{"provider": group.provider, "group": group.id, "member": each} for each in sorted(group.members)]
            if listed:
                connection.execute(insert(provisioned_members), listed)

        await self._database.write(work)

    async def delete_group(self, provider: str, group: str) -> bool:
        """Delete."""

        def work(connection: Connection) -> bool:
            _forget_members(connection, provider, group)
            return _deleted(connection, provisioned_groups, provider, group)

        return await self._database.write(work)

    async def group_names(self, provider: str, user: str) -> Sequence[str]:
        """The names of the groups that a user is in."""
        groups, members = provisioned_groups.c, provisioned_members.c

        def work(connection: Connection) -> list[str]:
            rows = connection.execute(
                select(groups.display_name)
                .join(provisioned_members, (members.provider == groups.provider) & (members.group == groups.id))
                .where(groups.provider == provider, members.member == user)
                .order_by(groups.display_name)
            )
            return [str(row[0]) for row in rows]

        return await self._database.read(work)


def _page(
    connection: Connection, table: Table, provider: str, conditions: Conditions, start: int, count: int
) -> tuple[int, Sequence[RowMapping]]:
    wanted: list[ColumnElement[Any]] = [table.c.provider == provider]
    exact = conditions.get("exact") is True
    for name, value in conditions.items():
        if name == "exact":
            continue
        if name == "member":
            members = provisioned_members.c
            listed = select(members.group).where(members.provider == provider, members.member == value)
            wanted.append(table.c.id.in_(listed))
        elif name in _FOLDED and not exact:
            wanted.append(func.lower(table.c[name]) == str(value).lower())
        else:
            wanted.append(table.c[name] == value)
    total = connection.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    rows = connection.execute(select(table).where(*wanted).order_by(table.c.id).offset(start).limit(count))
    return int(total), rows.mappings().all()


def _deleted(connection: Connection, table: Table, provider: str, ident: str) -> bool:
    return connection.execute(delete(table).where(table.c.provider == provider, table.c.id == ident)).rowcount == 1


def _forget_members(connection: Connection, provider: str, group: str) -> None:
    members = provisioned_members.c
    connection.execute(delete(provisioned_members).where(members.provider == provider, members.group == group))


def _members(connection: Connection, provider: str, group: str) -> frozenset[str]:
    members = provisioned_members.c
    rows = connection.execute(select(members.member).where(members.provider == provider, members.group == group))
    return frozenset(str(row[0]) for row in rows)


def _user(row: RowMapping) -> ProvisionedUser:
    return ProvisionedUser(
        str(row["id"]),
        str(row["provider"]),
        str(row["user_name"]),
        str(row["external_id"]),
        str(row["display_name"]),
        bool(row["active"]),
        float(row["created_at"]),
        float(row["changed_at"]),
    )


def _group(row: RowMapping, members: frozenset[str]) -> ProvisionedGroup:
    return ProvisionedGroup(
        str(row["id"]),
        str(row["provider"]),
        str(row["display_name"]),
        str(row["external_id"]),
        members,
        float(row["created_at"]),
        float(row["changed_at"]),
    )
