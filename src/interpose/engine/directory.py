"""The directory: who is known beside the principals file (people and workloads that an identity provider vouches for), and who is disabled.

Every change makes a new snapshot, so that it reaches live sessions at their next command and ends those of principals who are gone.
Does not know how an identity is proven, nor how entries are stored.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from interpose.engine.ports import DirectoryEntry
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import AuthenticationError, ClientError, StoreError

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, Bus, Clock, DirectoryStore, PrincipalSource
    from interpose.engine.snapshot import Snapshot, SnapshotHolder
    from interpose.model.principal import Principal

TOPIC: Final = "directory"
"""What is published on the bus when an entry has changed."""

NOBODY: Final = ""
"""The provider of an entry that only disables a principal of the principals file."""

_WRONG: Final = "authentication failed"
_OVERLAP: Final = 120.0
"""Seconds that each look reaches back behind the last one: clocks of processes differ."""


class KnownPrincipals:
    """The principals file and the directory as one source, immutable.

    INVARIANT: a name of the file, a disabled one included, is never answered from the directory: a provider cannot hand out the
    rights that the file gives to a name.
    """

    __slots__ = ("_disabled", "_entries", "_file")

    def __init__(self, file: PrincipalSource, entries: Mapping[str, DirectoryEntry], disabled: frozenset[str]) -> None:
        """`entries` by canonical name; `disabled` are found by nobody, wherever they stand."""
        self._file = file
        self._entries = entries
        self._disabled = disabled

    def find(self, name: str) -> Principal | None:
        """The principal with this canonical name; None for one that is disabled."""
        if name in self._disabled:
            return None
        if self._file.reserves(name):
            return self._file.find(name)
        entry = self._entries.get(name)
        return None if entry is None else entry.principal

    def reserves(self, name: str) -> bool:
        """Whether the name is taken, by somebody who may be disabled."""
        return self._file.reserves(name) or name in self._entries or name in self._disabled

    def vouched(self, name: str) -> tuple[str, str] | None:
        """Which provider vouches for which subject under this name; None for a name of the file."""
        entry = None if self._file.reserves(name) else self._entries.get(name)
        return None if entry is None else (entry.provider, entry.subject)


class Directory:
    """The use case: keep who is known. One a process; the store is what all processes share."""

    def __init__(
        self, holder: SnapshotHolder, store: DirectoryStore, audit: AuditChain, bus: Bus, clock: Clock
    ) -> None:
        """Nothing is known before `refresh`. From now on snapshots go through `install`.

        `vet` is asked of every entry before it is learned, and again after: it may change its groups, or raise `AuthenticationError`.
        """
        self._holder = holder
        self._store = store
        self._audit = audit
        self._bus = bus
        self._clock = clock
        self._file = holder.current.principals
        self._entries: dict[str, DirectoryEntry] = {}
        self.vet: Callable[[DirectoryEntry], Awaitable[DirectoryEntry]] | None = None
        self._looked = 0.0
        self._swept = clock.wall()

    def install(self, snapshot: Snapshot) -> None:
        """Swap in a snapshot that was made from files, with the directory's principals beside those of the file."""
        self._file = snapshot.principals
        self._holder.swap(self._dressed(snapshot))

    def entry(self, name: str) -> DirectoryEntry | None:
        """What is known of this canonical name."""
        return self._entries.get(name)

    def all(self) -> tuple[DirectoryEntry, ...]:
        """Every entry, by name."""
        return tuple(self._entries[name] for name in sorted(self._entries))

    async def refresh(self) -> bool:
        """Take over what any process has changed in the store; answers whether something was. Raises `StoreError`."""
        began = self._clock.wall()
        # A clock that was put back dates changes before the last look.
        found = await self._store.changed_since(min(self._looked, began) - _OVERLAP if self._looked else 0.0)
        self._looked = began
        changed = [entry for entry in found if self._entries.get(entry.principal.name) != entry]
        self._take(*changed)
        return bool(changed)

    async def run(self, interval: float = 1.0) -> None:
        """Look every `interval` seconds, until cancelled; also ends what is past its time.

        A store that is down changes nothing: nobody new comes in (that needs the store), and who is known stays known to the end
        of the time that the provider vouched for.
        """
        while True:
            await asyncio.sleep(interval)
            try:
                await self.refresh()
            except StoreError:
                self._looked = 0.0
            self.expire()

    def expire(self) -> bool:
        """Forget those whose provider vouched for them until a moment that has come; answers whether there were any."""
        swept, self._swept = self._swept, self._clock.wall()
        ends = (entry.valid_until for entry in self._entries.values())
        if not any(end is not None and swept < end <= self._swept for end in ends):
            return False
        self._swap()
        return True

    async def learn(self, entry: DirectoryEntry) -> Principal:
        """Somebody proved to be this principal: keep what the provider says of it, and answer it.

        Raises `AuthenticationError` (its `detail` is a machine word) when the name belongs to the principals file, to another
        provider or to another subject of the same, or is disabled; `RecordingError` and `StoreError`.
        """
        proven = entry
        entry = entry if self.vet is None else await self.vet(entry)
        name = entry.principal.name
        if self._file.reserves(name):
            raise AuthenticationError(_WRONG, detail="name_is_in_the_principals_file")
        # The store and not this process's memory: another may have disabled the name a moment ago.
        known = await self._store.get(name)
        if known is not None and known.disabled:
            raise AuthenticationError(_WRONG, detail="principal_disabled")
        if known is not None and known.provider == NOBODY:
            known = None  # forgotten: the name is free
        if known is not None and (known.provider, known.subject) != (entry.provider, entry.subject):
            raise AuthenticationError(_WRONG, detail="name_belongs_to_another_subject")
        entry = _at_least_as_long(entry, known)
        if known is not None and dataclasses.replace(known, learned_at=entry.learned_at) == entry:
            # One token, used for many logins: nothing to write, nothing to tell the others.
            self._take(known)
            return entry.principal
        if known is None or known.principal != entry.principal:
            before = frozenset() if known is None else known.principal.groups
            fields: dict[str, AuditValue] = {
                "principal": name,
                "provider": entry.provider,
                "subject": entry.subject,
                "new": known is None,
                "groups": tuple(sorted(entry.principal.groups)),
                "groups_gained": tuple(sorted(entry.principal.groups - before)),
                "groups_lost": tuple(sorted(before - entry.principal.groups)),
                "attributes": tuple(sorted(entry.principal.attributes)),
            }
            self._audit.append(AuditEvent(AuditKind.PRINCIPAL_LEARNED, None, entry.principal.label, fields))
        # What was looked at above may be another process's by now.
        if not await self._store.put_learned(entry, self._clock.wall()):
            raise AuthenticationError(_WRONG, detail="name_was_taken_meanwhile")
        self._take(entry)
        self._bus.publish(TOPIC, name)
        if self.vet is not None:
            try:
                await self.vet(proven)
            except AuthenticationError:
                # Put out while it was learned: whoever put them out may have found nobody here to end.
                await self.withdraw(name, entry.provider, entry.subject)
                raise
        return entry.principal

    async def withdraw(self, name: str, provider: str, subject: str) -> bool:
        """The provider does not vouch for this subject any more: live sessions end. False when the name is not this subject's.

        Raises `StoreError`. The caller records why.
        """
        known = await self._store.get(name)
        if known is None or (known.provider, known.subject) != (provider, subject):
            return False
        now = self._clock.wall()
        ended = dataclasses.replace(known, valid_until=now)
        # Who was disabled meanwhile is out already, and stays disabled.
        if not await self._store.put_learned(ended, now):
            return False
        self._take(ended)
        self._bus.publish(TOPIC, name)
        return True

    async def disable(self, name: str, *, by: str, reason: str) -> None:
        """Nobody is this principal any more; live sessions end. Raises `ClientError` for a name that nobody has."""
        known = await self._known(name)
        self._audit.append(
            AuditEvent(
                AuditKind.PRINCIPAL_DISABLED,
                None,
                by,
                {"principal": name, "provider": known.provider, "reason": reason},
            )
        )
        await self._keep(dataclasses.replace(known, disabled=reason or "disabled"))

    async def enable(self, name: str, *, by: str) -> None:
        """Undo `disable`. Raises `ClientError` for a name that nobody has."""
        known = await self._known(name)
        fields: dict[str, AuditValue] = {"principal": name, "provider": known.provider}
        self._audit.append(AuditEvent(AuditKind.PRINCIPAL_ENABLED, None, by, fields))
        await self._keep(dataclasses.replace(known, disabled=""))

    async def forget(self, name: str, *, by: str) -> DirectoryEntry:
        """The name is nobody's: live sessions end, and whoever proves it first has it. Answers whose it was.

        Raises `ClientError` for a name that no provider gave, and for one that is disabled: it would be let in by this.
        """
        known = await self._store.get(name)
        if known is None or self._file.reserves(name):
            raise ClientError(f"no identity provider gave the name `{name}`", hint="see `interpose principals list`")
        if known.disabled:
            raise ClientError(f"`{name}` is disabled", hint="enable it first if it is to be given to somebody else")
        fields: dict[str, AuditValue] = {"principal": name, "provider": known.provider, "subject": known.subject}
        self._audit.append(AuditEvent(AuditKind.PRINCIPAL_FORGOTTEN, None, by, fields))
        nobody = dataclasses.replace(known.principal, groups=frozenset(), attributes={})
        await self._keep(DirectoryEntry(nobody, NOBODY, "", self._clock.wall()))
        return known

    async def _known(self, name: str) -> DirectoryEntry:
        known = await self._store.get(name)
        if known is not None:
            return known
        local = self._file.find(name)
        if local is None:
            raise ClientError(f"there is no principal `{name}`", hint="see `interpose principals list`")
        return DirectoryEntry(
            dataclasses.replace(local, groups=frozenset(), attributes={}), NOBODY, "", self._clock.wall()
        )

    async def _keep(self, entry: DirectoryEntry) -> None:
        await self._store.put(entry, self._clock.wall())
        self._take(entry)
        self._bus.publish(TOPIC, entry.principal.name)

    def _take(self, *entries: DirectoryEntry) -> None:
        """Know these from now on. A snapshot is made only when somebody would be found otherwise than before: it costs every session
        what was judged for it."""
        changed = [entry for entry in entries if not self._shown_alike(entry)]
        self._entries.update({entry.principal.name: entry for entry in entries})
        if changed:
            self._swap()

    def _shown_alike(self, entry: DirectoryEntry) -> bool:
        """Whether the snapshot already answers for this name as the entry says."""
        name, shown = entry.principal.name, self._holder.current.principals
        expected, whose = self._vouched_for(entry), None
        if self._file.reserves(name):
            expected = self._file.find(name)
        elif expected is not None:
            whose = (entry.provider, entry.subject)
        if entry.disabled:
            expected = None
        taken = bool(entry.disabled) or expected is not None
        same = shown.find(name) == expected and shown.vouched(name) == whose
        return same and (shown.reserves(name) or not taken)

    def _vouched_for(self, entry: DirectoryEntry) -> Principal | None:
        """Whom a provider vouches for at this moment by this entry."""
        ends = entry.valid_until
        current = entry.provider != NOBODY and (ends is None or self._clock.wall() < ends)
        return entry.principal if current else None

    def _swap(self) -> None:
        self._holder.swap(self._dressed(dataclasses.replace(self._holder.current, principals=self._file)))

    def _dressed(self, snapshot: Snapshot) -> Snapshot:
        entries = {name: entry for name, entry in self._entries.items() if self._vouched_for(entry) is not None}
        disabled = frozenset(name for name, entry in self._entries.items() if entry.disabled)
        return dataclasses.replace(snapshot, principals=KnownPrincipals(snapshot.principals, entries, disabled))


def _at_least_as_long(entry: DirectoryEntry, known: DirectoryEntry | None) -> DirectoryEntry:
    """The entry, vouched for as long as it was before: of two tokens of one workload the shorter takes nothing from the longer.

    Each session still ends with its own token.
    """
    if (
        known is None
        or known.valid_until is None
        or entry.valid_until is None
        or known.valid_until <= entry.valid_until
    ):
        return entry
    return dataclasses.replace(entry, valid_until=known.valid_until)
