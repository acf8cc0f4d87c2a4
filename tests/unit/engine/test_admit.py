"""Admission: grants, limits, and answers that tell nobody what exists."""

from __future__ import annotations

import dataclasses

import pytest

from interpose.engine.admit import Admitted
from interpose.engine.limits import Limits
from interpose.model.actions import Action
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.connection import Durability
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import ConnectionName, PolicyId
from interpose.model.principal import AuthenticationContext, Identity, Principal, PrincipalKind
from interpose.protocols.intents import Evidence, Refused
from tests.support.gateway_core import Core
from tests.support.memory import Rules, connection, person
from tests.support.virtual import run


async def _admit(core: Core, name: str = "alice", on: str = "shop") -> Admitted | Refused:
    who = core.people.by_name.get(name) or person(name)
    evidence = Evidence(name, on, "t", {"application_name": "psql"})
    return await core.admission.admit(Identity(who, "token"), evidence, "192.0.2.1")


def test_an_admitted_session_has_a_recording_an_audit_event_and_one_grant() -> None:
    async def work() -> None:
        core = Core()
        admitted = await _admit(core)
        assert isinstance(admitted, Admitted)
        assert admitted.grant.session == admitted.session.id
        assert admitted.grant.connection == "shop"
        assert not admitted.grant.spent
        (event,) = core.audit.events
        assert event.kind is AuditKind.SESSION_OPENED
        assert event.session == admitted.session.id
        assert core.recordings.made[0].header.session == admitted.session.id
        assert core.registry.live() == [admitted.session]
        assert core.index.rows[admitted.session.id].principal == "User:alice"

    run(work())


def test_a_connection_that_is_not_there_and_one_that_is_not_permitted_look_alike() -> None:
    async def work() -> None:
        core = Core(rules=Rules({Action.SELECT}))
        forbidden = await _admit(core)
        core.swap(Rules({Action.CONNECT}))
        unknown = await _admit(core, on="shoq")
        assert isinstance(forbidden, Refused)
        assert isinstance(unknown, Refused)
        assert forbidden.refusal.message.replace("shop", "X") == unknown.refusal.message.replace("shoq", "X")
        assert (forbidden.refusal.code, forbidden.refusal.hint) == (unknown.refusal.code, unknown.refusal.hint)
        assert [event.fields["reason"] for event in core.audit.events] == ["not_permitted", "unknown_connection"]
        assert not core.recordings.made

    run(work())


def test_a_connect_that_would_be_held_is_refused() -> None:
    async def work() -> None:
        rule = ApprovalRule(PolicyId("hold"), "dba")
        answer = await _admit(Core(rules=Rules(set(), {Action.CONNECT: rule})))
        assert isinstance(answer, Refused)

    run(work())


def test_what_is_offered_to_an_agent_is_what_its_person_may_use_too_and_its_token_opens() -> None:
    def not_bob(who: Principal, _: object, facts: object, now: float) -> bool:
        return who.name == "bob"

    core = Core(connections=(connection("shop"), connection("desk")))
    bot = Principal(PrincipalKind.AGENT, "bot", acting_for="bob")
    identity = Identity(bot, "token")
    narrowed = dataclasses.replace(identity, connections=frozenset({ConnectionName("desk")}))
    protocol = core.connections[ConnectionName("shop")].protocol
    assert core.admission.choices(identity, "192.0.2.1", protocol) == ["desk", "shop"]
    assert core.admission.choices(narrowed, "192.0.2.1", protocol) == ["desk"]
    core.swap(Rules({Action.CONNECT}, refuse=not_bob))
    assert core.admission.choices(identity, "192.0.2.1", protocol) == []
    gone = dataclasses.replace(identity, principal=dataclasses.replace(bot, acting_for="nobody"))
    assert core.admission.choices(gone, "192.0.2.1", protocol) == []


def test_limits_of_sessions_hold_for_one_and_for_all() -> None:
    async def work() -> None:
        core = Core(limits=Limits(sessions=3, sessions_per_principal=2))
        admitted = [await _admit(core), await _admit(core)]
        third = await _admit(core)
        assert isinstance(third, Refused)
        assert third.refusal.code == "too_many_sessions"
        assert isinstance(await _admit(core, "bob"), Admitted)
        assert isinstance(await _admit(core, "carol"), Refused)
        first = admitted[0]
        assert isinstance(first, Admitted)
        first.session.close("client_closed")
        assert isinstance(await _admit(core), Admitted)

    run(work())


@pytest.mark.parametrize("broken", ["recordings", "audit", "sync"])
def test_no_grant_without_a_record(broken: str) -> None:
    async def work() -> None:
        core = Core(connections=(connection(durability=Durability.STRICT),))
        core.recordings.fails = broken == "recordings"
        core.audit.sync_fails = broken == "sync"
        if broken == "audit":
            core.audit.fails = lambda event: event.kind is AuditKind.SESSION_OPENED
        answer = await _admit(core)
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "audit_unavailable"
        assert len(core.registry) == 0
        assert all(recorder.closed for recorder in core.recordings.made)
        assert not core.index.rows

    run(work())


def test_nobody_is_admitted_while_draining_or_once_gone() -> None:
    async def work() -> None:
        core = Core()
        assert isinstance(await _admit(core, "mallory"), Refused)
        core.admission.drain()
        answer = await _admit(core)
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "draining"

    run(work())


def test_an_audit_chain_that_fails_on_the_refusal_still_refuses() -> None:
    async def work() -> None:
        core = Core()
        core.audit.fails = lambda event: isinstance(event, AuditEvent)
        answer = await _admit(core, on="nowhere")
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "audit_unavailable"

    run(work())


def test_how_somebody_authenticated_is_told_to_policy_and_written_down() -> None:
    async def work() -> None:
        core = Core()
        context = AuthenticationContext(1_790_000_000.5, frozenset({"pwd", "otp"}), "gold", True, "s-1")
        identity = Identity(person("alice"), "token", None, None, "corporate", "sub-1", context)
        admitted = await core.admission.admit(identity, Evidence("alice", "shop", "t", {}), "192.0.2.1")
        assert isinstance(admitted, Admitted)
        told = core.rules.seen[-1][0]
        assert (told["auth_time"], told["amr"], told["mfa"]) == (1_790_000_000, ("otp", "pwd"), True)
        assert admitted.session.facts == told
        (event,) = core.audit.of(AuditKind.SESSION_OPENED)
        assert (event.fields["auth_time"], event.fields["mfa"]) == (1_790_000_000, True)
        await core.admission.admit(Identity(person("bob"), "token"), Evidence("bob", "shop", "t", {}), "192.0.2.1")
        told = core.rules.seen[-1][0]
        assert (told["amr"], told["mfa"], "auth_time" in told) == ((), False, False)

    run(work())
