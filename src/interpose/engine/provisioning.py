"""The use case of provisioning: what a source says of a provider's people takes effect here, at once and on live sessions.

INVARIANT: a source speaks for the subjects of its one provider and of no other: every question to the store and to the directory has
that provider's name in it. Knows no protocol.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from interpose.engine.authenticate import loggable
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import AuthenticationError, ClientError

if TYPE_CHECKING:
    from interpose.engine.directory import Directory
    from interpose.engine.logins import LoginTokens
    from interpose.engine.ports import AuditChain, Clock, DirectoryEntry
    from interpose.engine.provisioned import ProvisionedGroup, ProvisionedUser, ProvisioningStore, Source

_WRONG: Final = "authentication failed"


class TakenError(ClientError):
    """A name or id that another user of this provider has."""

    code = "taken"


class Provisioning:
    """Users and groups of all sources. One a process; changes come to one process only, the one that serves the sources."""

    def __init__(
        self,
        store: ProvisioningStore,
        sources: Mapping[str, Source],
        directory: Directory,
        tokens: LoginTokens,
        audit: AuditChain,
        clock: Clock,
    ) -> None:
        """`sources` by provider."""
        self._store = store
        self._locks: dict[str, asyncio.Lock] = {}
        self._directory = directory
        self._tokens = tokens
        self._audit = audit
        self._clock = clock
        self.use(sources)

    def use(self, sources: Mapping[str, Source]) -> None:
        """From now on these are the sources, by provider."""
        self._sources = sources
        # A source sends changes of one group side by side; each must see what the one before it left, whatever is configured meanwhile.
        for name in sources:
            self._locks.setdefault(name, asyncio.Lock())

    def source(self, provider: str) -> Source | None:
        """The source of this provider."""
        return self._sources.get(provider)

    @property
    def store(self) -> ProvisioningStore:
        """For reading."""
        return self._store

    def changing(self, provider: str) -> asyncio.Lock:
        """Held while something of this provider is read, changed and stored."""
        return self._locks[provider]

    async def vet(self, entry: DirectoryEntry) -> DirectoryEntry:
        """What a login's proof becomes with what the source says. Raises `AuthenticationError` for whom it has put out, `StoreError`."""
        source = self._sources.get(entry.provider)
        if source is None:
            return entry
        _, found = await self._store.users(entry.provider, {source.subject: entry.subject, "exact": True})
        if not found:
            if source.required:
                raise AuthenticationError(_WRONG, detail="not_provisioned")
            return entry
        user = found[0]
        if not user.active:
            raise AuthenticationError(_WRONG, detail="person_deactivated")
        if source.groups is None:
            return entry
        groups = source.groups(await self._store.group_names(entry.provider, user.id))
        return dataclasses.replace(entry, principal=dataclasses.replace(entry.principal, groups=groups))

    async def put_user(self, user: ProvisionedUser, before: ProvisionedUser | None, source: str) -> None:
        """Keep a user, and let it take effect. Raises `TakenError`, `StoreError`, `RecordingError`. Call under `changing`."""
        await self._check_free(user)
        changed = "created" if before is None else "changed"
        if before is not None and before.active != user.active:
            changed = "activated" if user.active else "deactivated"
        self._record(user.provider, "user", changed, user.id, self._subject(user), source)
        await self._store.put_user(user)
        subjects = {self._subject(user)} | ({self._subject(before)} if before is not None else set())
        for subject in sorted(subjects - {""}):
            await self._settle(user.provider, subject)

    async def delete_user(self, user: ProvisionedUser, source: str) -> None:
        """Forget a user, and end what is live of them. Raises `StoreError`, `RecordingError`. Call under `changing`."""
        self._record(user.provider, "user", "deleted", user.id, self._subject(user), source)
        await self._store.delete_user(user.provider, user.id)
        if self._subject(user):
            await self._end(user.provider, self._subject(user))

    async def put_group(self, group: ProvisionedGroup, before: ProvisionedGroup | None, source: str) -> None:
        """Keep a group, and let it take effect on everybody whom it concerns. Call under `changing`."""
        self._record(group.provider, "group", "created" if before is None else "changed", group.id, "", source)
        await self._store.put_group(group)
        members = group.members
        if before is not None:
            renamed = before.display_name != group.display_name
            members = before.members | members if renamed else before.members ^ members
        await self._settle_users(group.provider, members)

    async def delete_group(self, group: ProvisionedGroup, source: str) -> None:
        """Forget a group. Call under `changing`."""
        self._record(group.provider, "group", "deleted", group.id, "", source)
        await self._store.delete_group(group.provider, group.id)
        await self._settle_users(group.provider, group.members)

    # --- taking effect

    async def _settle_users(self, provider: str, users: frozenset[str]) -> None:
        for ident in sorted(users):
            _, found = await self._store.users(provider, {"id": ident})
            if found and self._subject(found[0]):
                await self._settle(provider, self._subject(found[0]))

    async def _settle(self, provider: str, subject: str) -> None:
        """Make the directory say of this subject what the source says now."""
        for entry in self._entries(provider, subject):
            try:
                vetted = await self.vet(entry)
            except AuthenticationError:
                await self._end(provider, subject)
                return
            if vetted.principal.groups != entry.principal.groups:
                try:
                    await self._directory.learn(entry)
                except AuthenticationError:
                    continue  # disabled by somebody, or taken over: not this source's to change

    async def _end(self, provider: str, subject: str) -> None:
        """INVARIANT: what was given to somebody before they were put out is worth nothing when they are let in again."""
        now = self._clock.wall()
        for entry in self._entries(provider, subject):
            await self._directory.withdraw(entry.principal.name, provider, subject)
        for token in await self._tokens.revoke_login(provider, subject, None, now, now):
            self._audit.append(AuditEvent(AuditKind.TOKEN_REVOKED, None, f"provider:{provider}", {"token": token}))

    def _entries(self, provider: str, subject: str) -> list[DirectoryEntry]:
        return [each for each in self._directory.all() if (each.provider, each.subject) == (provider, subject)]

    async def _check_free(self, user: ProvisionedUser) -> None:
        for name, value in (("user_name", user.user_name), ("external_id", user.external_id)):
            if not value:
                continue
            _, found = await self._store.users(user.provider, {name: value})
            if found and found[0].id != user.id:
                raise TakenError(f"another user has this {name.replace('_', ' ')}")

    def _subject(self, user: ProvisionedUser) -> str:
        source = self._sources.get(user.provider)
        return "" if source is None else source.subject_of(user)

    def _record(self, provider: str, what: str, change: str, ident: str, subject: str, source: str) -> None:
        fields: dict[str, AuditValue] = {
            "provider": provider,
            "what": what,
            "change": change,
            "id": ident,
            "subject": loggable(subject, 256),
            "source": source,
        }
        self._audit.append(AuditEvent(AuditKind.PROVISIONED, None, f"provider:{provider}", fields))
