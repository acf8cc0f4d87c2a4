"""A name that is given back: nothing of the one before is worth anything when another has it."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from interpose.engine.directory import Directory
from interpose.engine.forgetting import forget
from interpose.engine.ports import DirectoryEntry, TokenRecord
from interpose.engine.watch import PRINCIPAL_GONE, SessionWatch
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ClientError
from interpose.model.ids import TokenId
from tests.support.gateway_core import Core
from tests.support.memory import MemoryDirectory, MemoryTokens, person
from tests.support.virtual import run


class Renewals:
    """Which were forgotten."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def forget(self, name: str) -> None:
        self.forgotten.append(name)


class Place:
    """A core whose directory knows zoe, by `corporate`."""

    def __init__(self) -> None:
        self.core, self.tokens, self.renewals = Core(), MemoryTokens(), Renewals()
        self.directory = Directory(self.core.holder, MemoryDirectory(), self.core.audit, self.core.bus, self.core.clock)

    async def learn(self, subject: str, name: str = "zoe") -> None:
        entry = DirectoryEntry(person(name, "dba"), "corporate", subject, self.core.clock.wall())
        await self.directory.learn(entry)

    async def forget(self, name: str = "zoe") -> int:
        return await forget(
            name,
            by="os:ada",
            directory=self.directory,
            tokens=self.tokens,
            renewals=cast("Any", self.renewals),
            audit=self.core.audit,
            clock=self.core.clock,
        )

    def token(self, ident: str, principal: str, acting_for: str | None = None) -> None:
        record = TokenRecord(TokenId(ident), principal, self.core.clock.wall(), None, None, acting_for=acting_for)
        self.tokens.stored[ident.encode()] = record


def test_another_subject_may_have_the_name_and_has_nothing_of_the_one_before() -> None:
    async def work() -> None:
        place = Place()
        await place.learn("sub-1")
        place.core.holder.listen(SessionWatch(place.core.registry, place.tokens, place.core.clock).snapshot_swapped)
        session = await place.core.session(principal=person("zoe", "dba"))
        for ident, principal, acting_for in (("t-1", "zoe", None), ("t-2", "bot", "zoe"), ("t-3", "bob", None)):
            place.token(ident, principal, acting_for)
        with pytest.raises(AuthenticationError) as refused:
            await place.learn("sub-2")
        assert refused.value.detail == "name_belongs_to_another_subject"
        assert await place.forget() == 2
        assert session.ended_with is PRINCIPAL_GONE
        assert place.core.holder.current.principals.find("zoe") is None
        alive = {record.id for record in place.tokens.stored.values() if record.revoked_at is None}
        assert alive == {"t-3"}
        assert [login.subject for login, _ in place.tokens.over] == ["sub-1"], "sessions without a token end as well"
        assert place.renewals.forgotten == ["zoe"]
        (event,) = place.core.audit.of(AuditKind.PRINCIPAL_FORGOTTEN)
        assert (event.actor, event.fields["subject"]) == ("os:ada", "sub-1")
        await place.learn("sub-2")
        found = place.core.holder.current.principals.find("zoe")
        assert found is not None
        assert found.groups == {"dba"}
        with pytest.raises(AuthenticationError):
            await place.learn("sub-1")

    run(work())


def test_what_is_disabled_or_of_the_file_or_unknown_is_not_forgotten() -> None:
    async def work() -> None:
        place = Place()
        await place.learn("sub-1")
        await place.directory.disable("zoe", by="os:ada", reason="gone")
        for name, why in (("zoe", "is disabled"), ("bob", "no identity provider"), ("nemo", "no identity provider")):
            with pytest.raises(ClientError, match=why):
                await place.forget(name)
        assert place.core.audit.of(AuditKind.PRINCIPAL_FORGOTTEN) == []
        with pytest.raises(AuthenticationError):
            await place.learn("sub-2")

    run(work())


def test_an_error_half_way_leaves_it_to_be_done_again() -> None:
    async def work() -> None:
        place = Place()
        await place.learn("sub-1")
        place.token("t-1", "zoe")
        await place.directory.forget("zoe", by="os:ada")
        assert place.tokens.stored[b"t-1"].revoked_at is None
        assert await place.forget() == 1
        assert dataclasses.replace(place.tokens.stored[b"t-1"]).revoked_at is not None

    run(work())
