"""Sessions end when their right to live is gone."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from interpose.engine.logins import LOGGED_OUT, EndedLogin, Logins
from interpose.engine.ports import TokenRecord
from interpose.engine.sessions import Session
from interpose.engine.watch import SessionWatch
from interpose.model.ids import TokenId
from interpose.model.principal import AuthenticationContext, Identity
from tests.support.gateway_core import Core
from tests.support.memory import ManualClock, MemoryAudit, MemoryBus, MemoryPrincipals, MemoryTokens
from tests.support.virtual import run


async def _with_token(core: Core, token: str, expires: float | None = None) -> Session:
    session = await core.session()
    session.identity = Identity(session.identity.principal, "token", TokenId(token), expires)
    return session


def test_a_revoked_token_ends_its_sessions_within_two_seconds_and_no_others() -> None:
    async def work() -> None:
        core, tokens = Core(), MemoryTokens()
        tokens.stored[b"1"] = TokenRecord(TokenId("t1"), "alice", 0.0, None, None)
        one, other = await _with_token(core, "t1"), await _with_token(core, "t2")
        watch = asyncio.ensure_future(SessionWatch(core.registry, tokens, core.clock).run())
        await asyncio.sleep(3600)
        assert one.ended_with is None
        await tokens.revoke(TokenId("t1"), core.clock.wall())
        await asyncio.sleep(2)
        assert one.ended_with is not None
        assert one.ended_with.code == "token_revoked"
        assert other.ended_with is None
        watch.cancel()

    run(work())


def _browser(core: Core, session: Session, login: str, began: float, subject: str = "sub-alice") -> Session:
    context = AuthenticationContext(session=login)
    principal, expires = session.identity.principal, core.clock.wall() + 3600 * 8
    session.identity = Identity(principal, "browser", None, expires, "corporate", subject, context, proven_at=began)
    return session


@pytest.mark.parametrize(
    ("over", "ended"),
    [
        (EndedLogin("corporate", "sub-alice", "s-1"), {"one", "late"}),
        (EndedLogin("corporate", None, "s-1"), {"one", "late"}),
        (EndedLogin("corporate", "sub-alice"), {"one", "two", "late"}),
        (EndedLogin("corporate", "sub-bob"), set()),
        (EndedLogin("partner", "sub-alice"), set()),
    ],
)
def test_sessions_without_a_token_end_with_their_login_in_every_process_though_no_wake_up_comes(
    over: EndedLogin, ended: set[str]
) -> None:
    """The one that hears of it and the one that has the sessions share nothing but the store; the second session began to
    be let in before the login ended, and was opened after it; the third comes of a later login."""

    async def work() -> None:
        core, tokens = Core(), MemoryTokens()
        watch = asyncio.ensure_future(SessionWatch(core.registry, tokens, core.clock).run())
        other = Logins(Core().registry, tokens, MemoryAudit(), MemoryBus(), core.clock)
        began = core.clock.wall()
        sessions = {
            "one": _browser(core, await core.session(), "s-1", began),
            "two": _browser(core, await core.session(), "s-2", began),
        }
        await asyncio.sleep(600)
        waiting = core.clock.wall()
        await asyncio.sleep(10)
        await other.end(over, "https://idp.example", "", core.clock.wall())
        sessions["late"] = _browser(core, await core.session(), "s-1", waiting)
        await asyncio.sleep(5)
        sessions["new"] = _browser(core, await core.session(), "s-1", core.clock.wall())
        await asyncio.sleep(3)
        told = {name: session.ended_with for name, session in sessions.items() if session.ended_with is not None}
        assert set(told) == ended
        assert {refusal.code for refusal in told.values()} <= {"logged_out"}
        watch.cancel()

    run(work())


def test_a_login_that_ended_while_the_store_was_down_ends_its_session_afterwards() -> None:
    async def work() -> None:
        core, tokens = Core(), MemoryTokens()
        watch = asyncio.ensure_future(SessionWatch(core.registry, tokens, core.clock).run())
        session = _browser(core, await core.session(), "s-1", core.clock.wall())
        tokens.over.append((EndedLogin("corporate", "sub-alice"), core.clock.wall()))
        tokens.down = True
        await asyncio.sleep(1000)
        assert session.ended_with is None
        tokens.down = False
        await asyncio.sleep(2)
        assert session.ended_with is LOGGED_OUT
        watch.cancel()

    run(work())


def test_a_revocation_during_an_outage_of_the_store_is_found_afterwards() -> None:
    async def work() -> None:
        core, tokens = Core(), MemoryTokens()
        tokens.stored[b"1"] = TokenRecord(TokenId("t1"), "alice", 0.0, None, None)
        session = await _with_token(core, "t1")
        watch = SessionWatch(core.registry, tokens, core.clock, patience=30.0)
        task = asyncio.ensure_future(watch.run())
        tokens.down = True
        await tokens.revoke(TokenId("t1"), core.clock.wall())
        await asyncio.sleep(1000)
        assert not watch.healthy
        assert session.ended_with is None
        tokens.down = False
        await asyncio.sleep(2)
        assert watch.healthy
        assert session.ended_with is not None
        task.cancel()

    run(work())


def test_a_revocation_by_a_clock_that_was_put_back_ends_its_session() -> None:
    async def work() -> None:
        clock = ManualClock()
        core, tokens = Core(clock=clock), MemoryTokens()
        tokens.stored[b"1"] = TokenRecord(TokenId("t1"), "alice", 0.0, None, None)
        session = await _with_token(core, "t1")
        watch = SessionWatch(core.registry, tokens, clock)
        clock.now -= 3600
        await tokens.revoke(TokenId("t1"), clock.wall())
        clock.now += 1
        assert await watch.look_at_revocations() == 1
        assert session.ended_with is not None

    run(work())


def test_a_token_that_expires_ends_its_session() -> None:
    async def work() -> None:
        core = Core()
        session = await _with_token(core, "t1", core.clock.wall() + 10)
        task = asyncio.ensure_future(SessionWatch(core.registry, MemoryTokens(), core.clock).run())
        await asyncio.sleep(9)
        assert session.ended_with is None
        await asyncio.sleep(2)
        assert session.ended_with is not None
        assert session.ended_with.code == "token_expired"
        task.cancel()

    run(work())


def test_a_token_that_is_cut_short_while_its_session_lives_ends_it_then_and_not_before() -> None:
    async def work() -> None:
        core, tokens = Core(), MemoryTokens()
        tokens.stored[b"1"] = TokenRecord(TokenId("t1"), "alice", 0.0, None, None)
        one, other = await _with_token(core, "t1"), await _with_token(core, "t2")
        watch = asyncio.ensure_future(SessionWatch(core.registry, tokens, core.clock).run())
        await asyncio.sleep(3600)
        now = core.clock.wall()
        await tokens.shorten([TokenId("t1")], now + 7200, now)
        await asyncio.sleep(7199)
        assert one.ended_with is None
        await asyncio.sleep(3)
        assert one.ended_with is not None
        assert one.ended_with.code == "token_expired"
        assert other.ended_with is None
        watch.cancel()

    run(work())


def test_a_reload_ends_sessions_whose_principal_or_connection_is_gone() -> None:
    async def work() -> None:
        core = Core()
        core.holder.listen(SessionWatch(core.registry, MemoryTokens(), core.clock).snapshot_swapped)
        alice, bob = await core.session("alice"), await core.session("bob")
        core.people.by_name["bob"] = dataclasses.replace(core.people.by_name["bob"], groups=frozenset())
        del core.people.by_name["alice"]
        core.swap()
        assert alice.ended_with is not None
        assert alice.ended_with.code == "principal_gone"
        assert bob.ended_with is None
        core.connections.clear()
        core.swap()
        assert bob.ended_with is not None
        assert bob.ended_with.code == "connection_gone"

    run(work())


def test_who_is_gone_because_the_proof_has_ended_is_told_so() -> None:
    async def work() -> None:
        core = Core()
        session = await _with_token(core, "t1", core.clock.wall() + 10)
        watch = SessionWatch(core.registry, MemoryTokens(), core.clock)
        await asyncio.sleep(10)
        # The directory drops what a provider vouched for until now, and may be earlier than the look at expiry.
        watch.snapshot_swapped(
            core.holder.current, dataclasses.replace(core.holder.current, principals=MemoryPrincipals())
        )
        assert session.ended_with is not None
        assert session.ended_with.code == "token_expired"

    run(work())


def test_a_reload_ends_sessions_whose_registered_key_is_gone() -> None:
    async def work() -> None:
        core = Core()
        core.holder.listen(SessionWatch(core.registry, MemoryTokens(), core.clock).snapshot_swapped)
        core.people.by_name["alice"] = dataclasses.replace(core.people.by_name["alice"], ssh_keys=frozenset({"a", "b"}))
        kept, lost, other = await core.session("alice"), await core.session("alice"), await core.session("alice")
        kept.identity = dataclasses.replace(kept.identity, token=None, key="a")
        lost.identity = dataclasses.replace(lost.identity, token=None, key="b")
        core.people.by_name["alice"] = dataclasses.replace(core.people.by_name["alice"], ssh_keys=frozenset({"a"}))
        core.swap()
        assert kept.ended_with is None
        assert other.ended_with is None
        assert lost.ended_with is not None
        assert lost.ended_with.code == "ssh_key_gone"

    run(work())
