"""The directory: whom a provider vouches for is known to the snapshot, nobody takes another's name, and a change reaches live sessions."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from interpose.engine.directory import NOBODY, Directory, KnownPrincipals
from interpose.engine.ports import DirectoryEntry
from interpose.engine.watch import SessionWatch
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ClientError, RecordingError, StoreError
from interpose.model.principal import Principal, PrincipalKind
from tests.support.gateway_core import Core
from tests.support.memory import ManualClock, MemoryBus, MemoryDirectory, MemoryPrincipals, MemoryTokens
from tests.support.virtual import run

ZOE = Principal(PrincipalKind.USER, "zoe", frozenset({"support"}), {"team": "shop"})
ENTRY = DirectoryEntry(ZOE, "corporate", "sub-1", 5.0)


class _Place:
    """A core with a directory, and what is behind it."""

    def __init__(self, store: MemoryDirectory | None = None, core: Core | None = None) -> None:
        self.core = core or Core()
        self.store = store or MemoryDirectory()
        self.bus = MemoryBus()
        self.directory = Directory(self.core.holder, self.store, self.core.audit, self.bus, self.core.clock)

    def find(self, name: str) -> Principal | None:
        return self.core.holder.current.principals.find(name)


def test_who_is_learned_is_known_and_recorded() -> None:
    async def work() -> None:
        place = _Place()
        assert place.find("zoe") is None
        assert await place.directory.learn(ENTRY) == ZOE
        assert place.find("zoe") == ZOE
        assert place.find("alice") is not None, "the file's principals stay"
        (event,) = [event for event in place.core.audit.events if event.kind is AuditKind.PRINCIPAL_LEARNED]
        assert (event.fields["groups_gained"], event.fields["new"]) == (("support",), True)
        assert place.bus.published == [("directory", "zoe")]
        # The same again changes nothing, and a changed group is told of.
        before = place.core.holder.current
        await place.directory.learn(ENTRY)
        assert place.core.holder.current is before
        moved = dataclasses.replace(ZOE, groups=frozenset({"dba"}))
        await place.directory.learn(dataclasses.replace(ENTRY, principal=moved))
        assert place.find("zoe") == moved
        event = [event for event in place.core.audit.events if event.kind is AuditKind.PRINCIPAL_LEARNED][-1]
        assert (event.fields["groups_gained"], event.fields["groups_lost"]) == (("dba",), ("support",))

    run(work())


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (
            DirectoryEntry(Principal(PrincipalKind.USER, "alice"), "corporate", "s", 1.0),
            "name_is_in_the_principals_file",
        ),
        (dataclasses.replace(ENTRY, subject="sub-2"), "name_belongs_to_another_subject"),
        (dataclasses.replace(ENTRY, provider="partner"), "name_belongs_to_another_subject"),
    ],
)
def test_nobody_takes_a_name_that_somebody_has(entry: DirectoryEntry, why: str) -> None:
    async def work() -> None:
        place = _Place()
        await place.directory.learn(ENTRY)
        with pytest.raises(AuthenticationError) as refused:
            await place.directory.learn(entry)
        assert refused.value.detail == why
        assert place.find("zoe") == ZOE

    run(work())


def test_who_is_disabled_is_gone_everywhere_until_enabled() -> None:
    async def work() -> None:
        place = _Place()
        await place.directory.learn(ENTRY)
        for name in ("zoe", "alice"):
            await place.directory.disable(name, by="os:root", reason="left the company")
            assert place.find(name) is None
        with pytest.raises(AuthenticationError) as refused:
            await place.directory.learn(ENTRY)
        assert refused.value.detail == "principal_disabled"
        # A file that is loaded again does not bring anybody back.
        place.directory.install(dataclasses.replace(place.core.holder.current, principals=MemoryPrincipals(ZOE)))
        assert place.find("zoe") is None
        await place.directory.enable("zoe", by="os:root")
        assert place.find("zoe") is not None
        with pytest.raises(ClientError, match="no principal `nobody`"):
            await place.directory.disable("nobody", by="os:root", reason="")

    run(work())


def test_a_live_session_of_a_disabled_principal_ends() -> None:
    async def work() -> None:
        place = _Place()
        watch = SessionWatch(place.core.registry, MemoryTokens(), place.core.clock)
        place.core.holder.listen(watch.snapshot_swapped)
        session = await place.core.session()
        await place.directory.disable("alice", by="os:root", reason="")
        assert session.ended_with is not None
        assert session.ended_with.code == "principal_gone"

    run(work())


def test_another_process_s_change_is_taken_over_and_time_runs_out() -> None:
    async def work() -> None:
        store = MemoryDirectory()
        place, other = _Place(store), _Place(store)
        task = asyncio.ensure_future(place.directory.run())
        soon = dataclasses.replace(ENTRY, valid_until=other.core.clock.wall() + 60)
        await other.directory.learn(soon)
        await asyncio.sleep(1.5)
        assert place.find("zoe") == ZOE
        # A store that is down changes nothing, and afterwards nothing was missed.
        store.down = True
        await asyncio.sleep(3)
        assert place.find("zoe") == ZOE
        store.down = False
        await other.directory.disable("alice", by="scim", reason="")
        await asyncio.sleep(1.5)
        assert place.find("alice") is None
        await asyncio.sleep(100)
        assert place.find("zoe") is None, "past the time that the provider vouched for"
        task.cancel()

    run(work())


def test_nothing_changes_that_is_not_recorded_or_stored() -> None:
    async def work() -> None:
        place = _Place()
        place.store.down = True
        with pytest.raises(StoreError):
            await place.directory.learn(ENTRY)
        place.store.down = False
        place.core.audit.fails = lambda _: True
        with pytest.raises(RecordingError):
            await place.directory.learn(ENTRY)
        assert place.find("zoe") is None
        assert not place.store.entries

    run(work())


def test_what_is_changed_by_a_clock_that_was_put_back_is_seen() -> None:
    async def work() -> None:
        clock, store = ManualClock(), MemoryDirectory()
        one, other = (_Place(store, Core(clock=clock)) for _ in range(2))
        await one.directory.learn(ENTRY)
        await other.directory.refresh()
        assert other.find("zoe") == ZOE
        clock.now -= 3600
        await one.directory.disable("zoe", by="os:root", reason="left")
        assert await other.directory.refresh()
        assert other.find("zoe") is None

    run(work())


def test_names_of_the_file_are_never_answered_from_the_directory() -> None:
    file = MemoryPrincipals(Principal(PrincipalKind.USER, "bob"))
    impostor = Principal(PrincipalKind.USER, "bob", frozenset({"dba"}))
    entries = {"bob": dataclasses.replace(ENTRY, principal=impostor), "zoe": ENTRY}
    known = KnownPrincipals(file, entries, frozenset())
    assert known.find("bob") == file.by_name["bob"]
    assert (known.vouched("bob"), known.vouched("zoe"), known.find("zoe")) == (None, ("corporate", "sub-1"), ZOE)
    assert known.reserves("zoe") and not known.reserves("nobody")
    assert NOBODY == ""


def test_of_two_proofs_the_shorter_takes_nothing_from_the_longer_and_a_snapshot_is_made_only_for_a_change() -> None:
    async def work() -> None:
        store = MemoryDirectory()
        place, other = _Place(store), _Place(store)
        now = place.core.clock.wall()
        long, short = (dataclasses.replace(ENTRY, valid_until=now + more) for more in (100, 50))
        await place.directory.learn(long)
        await other.directory.refresh()
        before, before_there = place.core.holder.current, other.core.holder.current
        await place.directory.learn(short)
        await place.directory.learn(dataclasses.replace(long, learned_at=9.0))
        assert place.bus.published == [("directory", "zoe")]
        await place.directory.learn(dataclasses.replace(long, valid_until=now + 200))
        assert await other.directory.refresh()
        assert place.core.holder.current is before
        assert other.core.holder.current is before_there
        await asyncio.sleep(150)
        assert not place.directory.expire() and not other.directory.expire()
        assert place.find("zoe") == other.find("zoe") == ZOE
        await asyncio.sleep(60)
        assert place.directory.expire() and other.directory.expire()
        assert place.find("zoe") is None and other.find("zoe") is None
        await place.directory.learn(dataclasses.replace(long, valid_until=now + 400))
        assert place.find("zoe") == ZOE

    run(work())


def test_a_name_that_nobody_knew_here_is_disabled_from_elsewhere() -> None:
    async def work() -> None:
        place = _Place()
        ghost = dataclasses.replace(ENTRY, principal=dataclasses.replace(ZOE, name="ghost"), disabled="gone")
        place.store.entries["ghost"] = (place.core.clock.wall(), ghost)
        await place.directory.refresh()
        assert place.find("ghost") is None
        assert place.core.holder.current.principals.reserves("ghost")

    run(work())


def test_a_name_that_another_process_takes_in_the_same_moment_is_not_shared() -> None:
    class Racing(MemoryDirectory):
        """Another subject takes the name between the look and the write."""

        async def put_learned(self, entry: DirectoryEntry, at: float) -> bool:
            await self.put(dataclasses.replace(entry, subject="sub-2"), at)
            return await super().put_learned(entry, at)

    async def work() -> None:
        place = _Place(Racing())
        with pytest.raises(AuthenticationError) as refused:
            await place.directory.learn(ENTRY)
        assert refused.value.detail == "name_was_taken_meanwhile"
        assert place.find("zoe") is None

    run(work())


def test_a_provider_that_withdraws_ends_its_own_subject_only() -> None:
    async def work() -> None:
        place = _Place()
        await place.directory.learn(dataclasses.replace(ENTRY, valid_until=place.core.clock.wall() + 3600))
        assert not await place.directory.withdraw("zoe", "corporate", "sub-2")
        assert not await place.directory.withdraw("zoe", "partner", "sub-1")
        assert not await place.directory.withdraw("alice", "corporate", "sub-1")
        assert place.find("zoe") == ZOE
        assert await place.directory.withdraw("zoe", "corporate", "sub-1")
        assert place.find("zoe") is None
        # Who proves to be there again is there again.
        await place.directory.learn(dataclasses.replace(ENTRY, valid_until=place.core.clock.wall() + 3600))
        assert place.find("zoe") == ZOE

    run(work())
