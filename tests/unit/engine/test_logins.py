"""A login that is over ends what came of it, in every process, and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from interpose.engine.logins import LEEWAY, LOGGED_OUT, EndedLogin, Logins
from interpose.engine.ports import TokenRecord
from interpose.engine.sessions import Session
from interpose.model.audit import AuditKind
from interpose.model.errors import RecordingError
from interpose.model.ids import TokenId
from interpose.model.principal import AuthenticationContext, Identity
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryTokens, person
from tests.support.virtual import run

ISSUER = "https://idp.example"


class Place:
    """A core with live sessions of two logins of alice, and of one of bob."""

    def __init__(self) -> None:
        self.core = Core()
        self.bus = MemoryBus()
        self.tokens = MemoryTokens()
        core = self.core
        self.logins = Logins(core.registry, self.tokens, core.audit, self.bus, core.clock)
        self.sessions: dict[str, Session] = {}

    def identity(self, name: str, session: str, provider: str = "corporate") -> Identity:
        context = AuthenticationContext(session=session)
        return Identity(person(name), "token", TokenId(f"t-{session}"), None, provider, f"sub-{name}", context)

    async def open(self) -> None:
        now = self.core.clock.wall()
        for name, session, provider in (
            ("alice", "s-1", "corporate"),
            ("alice", "s-2", "corporate"),
            ("bob", "s-3", "corporate"),
            ("carol", "s-1", "partner"),
        ):
            identity = self.identity(name, session, provider)
            made = await self.core.session(name)
            made.identity = identity
            self.sessions[f"{provider}/{session}"] = made
            record = TokenRecord(
                TokenId(f"{provider}/{session}"),
                name,
                now,
                None,
                None,
                provider=provider,
                subject=f"sub-{name}",
                context=identity.context,
            )
            self.tokens.stored[record.id.encode()] = record

    def over(self) -> set[str]:
        return {name for name, session in self.sessions.items() if session.ended_with is LOGGED_OUT}

    def revoked(self) -> set[str]:
        return {str(record.id) for record in self.tokens.stored.values() if record.revoked_at is not None}


@pytest.mark.parametrize(
    ("login", "ended"),
    [
        (EndedLogin("corporate", "sub-alice", "s-1"), {"corporate/s-1"}),
        (EndedLogin("corporate", None, "s-1"), {"corporate/s-1"}),
        (EndedLogin("corporate", "sub-alice"), {"corporate/s-1", "corporate/s-2"}),
        (EndedLogin("corporate", "sub-bob", "s-1"), set()),
        (EndedLogin("corporate", "sub-carol"), set()),
        (EndedLogin("partner", None, "s-1"), {"partner/s-1"}),
    ],
)
def test_exactly_what_came_of_a_login_ends(login: EndedLogin, ended: set[str]) -> None:
    async def work() -> None:
        place = Place()
        await place.open()
        hearing = asyncio.create_task(place.logins.hear())
        await asyncio.sleep(0)
        now = place.core.clock.wall()
        assert await place.logins.end(login, ISSUER, "192.0.2.9", now) == len(ended)
        await asyncio.sleep(0.1)
        assert place.over() == place.revoked() == ended
        (event,) = place.core.audit.of(AuditKind.LOGIN_ENDED)
        assert (event.fields["provider"], event.fields["source"]) == (login.provider, "192.0.2.9")
        assert {event.fields["token"] for event in place.core.audit.of(AuditKind.TOKEN_REVOKED)} == ended
        hearing.cancel()

    run(work())


def test_what_began_after_the_provider_spoke_is_another_login() -> None:
    async def work() -> None:
        place = Place()
        await place.open()
        login, now = EndedLogin("corporate", "sub-alice"), place.core.clock.wall()
        assert await place.logins.end(login, ISSUER, "", now - LEEWAY - 1) == 0
        assert place.logins.end_sessions(login, now - LEEWAY - 1) == 0
        assert await place.logins.end(login, ISSUER, "", now - LEEWAY) == 2
        assert place.logins.end_sessions(login, now - LEEWAY) == 2

    run(work())


def test_what_is_only_in_memory_is_over_too() -> None:
    async def work() -> None:
        place = Place()
        now = place.core.clock.wall()
        mine = place.identity("alice", "s-1")
        assert not place.logins.over(mine, now)
        await place.logins.end(EndedLogin("corporate", "sub-alice", "s-1"), ISSUER, "", now)
        assert place.logins.over(mine, now)
        assert not place.logins.over(mine, now + 1)
        assert not place.logins.over(place.identity("alice", "s-2"), now)
        assert not place.logins.over(dataclasses.replace(mine, provider=None), now)

    run(work())


def test_nothing_ends_that_could_not_be_recorded() -> None:
    async def work() -> None:
        place = Place()
        await place.open()
        place.core.audit.fails = lambda _: True
        with pytest.raises(RecordingError):
            await place.logins.end(EndedLogin("corporate", "sub-alice"), ISSUER, "", place.core.clock.wall())
        assert place.revoked() == set()

    run(work())


def test_what_covers_an_identity_is_listed_whole() -> None:
    place = Place()
    identity = place.identity("alice", "s-1")
    listed = EndedLogin.each_that_covers(identity)
    assert len(set(listed)) == 4
    assert all(login.covers(identity) for login in listed)
    assert EndedLogin.each_that_covers(dataclasses.replace(identity, provider=None)) == ()
