"""Proving who a client is."""

from __future__ import annotations

import pytest

from interpose.engine.authenticate import Authentication, loggable
from interpose.engine.limits import Limits
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, InterposeError, ProviderError, StoreError
from interpose.model.principal import Identity
from interpose.protocols.intents import Evidence, Refused
from tests.support.memory import ManualClock, MemoryAudit, person
from tests.support.virtual import run

ALICE = Identity(person("alice"), "token")


class Door:
    """Authenticators that know one token."""

    def __init__(self, error: InterposeError | None = None) -> None:
        self.asked = 0
        self.error = error

    async def identify(self, claimed_name: str, token: str) -> Identity:
        self.asked += 1
        if self.error is not None:
            raise self.error
        if (claimed_name, token) != ("alice", "right"):
            raise AuthenticationError("authentication failed")
        return ALICE

    async def bearer(self, token: str) -> Identity:
        return await self.identify("alice", token)


def _evidence(name: str = "alice", token: str = "wrong") -> Evidence:
    return Evidence(name, "shop", token)


def test_right_evidence_is_an_identity() -> None:
    audit = MemoryAudit()
    prove = Authentication(Door(), audit, ManualClock(), Limits()).prove(_evidence(token="right"), "192.0.2.1")
    assert run(prove) is ALICE
    assert not audit.events


def test_every_wrong_half_gets_the_same_answer_and_an_audit_event() -> None:
    audit = MemoryAudit()
    authentication = Authentication(Door(), audit, ManualClock(), Limits())

    async def work() -> list[object]:
        return [
            await authentication.prove(_evidence(*half), "192.0.2.1") for half in (("alice", "x"), ("bob", "right"))
        ]

    first, second = run(work())
    assert first == second
    assert isinstance(first, Refused)
    assert first.refusal.code == "authentication_failed"
    assert [event.kind for event in audit.events] == [AuditKind.LOGIN_FAILED] * 2
    assert audit.events[1].fields == {
        "reason": "wrong_evidence",
        "claimed_name": "bob",
        "connection": "shop",
        "source": "192.0.2.1",
    }


def test_too_many_failures_from_one_place_are_refused_unseen_and_the_right_token_too() -> None:
    clock, door = ManualClock(), Door()
    authentication = Authentication(door, MemoryAudit(), clock, Limits(login_failures=3, login_window=60.0))

    async def work() -> None:
        for _ in range(3):
            await authentication.prove(_evidence(), "192.0.2.1")
        blocked = await authentication.prove(_evidence(token="right"), "192.0.2.1")
        assert isinstance(blocked, Refused)
        assert blocked.refusal.code == "too_many_attempts"
        assert door.asked == 3
        # Nobody can lock alice out from elsewhere.
        assert await authentication.prove(_evidence(token="right"), "192.0.2.2") is ALICE
        clock.now += 61
        assert await authentication.prove(_evidence(token="right"), "192.0.2.1") is ALICE

    run(work())


def test_one_address_trying_many_names_is_blocked() -> None:
    door = Door()
    authentication = Authentication(door, MemoryAudit(), ManualClock(), Limits(login_failures=3))

    async def work() -> None:
        for number in range(20):
            await authentication.prove(_evidence(f"name{number}"), "192.0.2.1")

    run(work())
    assert door.asked == 9


def test_a_store_that_is_down_refuses_and_counts_against_nobody() -> None:
    door = Door(StoreError("down"))
    authentication = Authentication(door, MemoryAudit(), ManualClock(), Limits(login_failures=1))

    async def work() -> None:
        for _ in range(3):
            refused = await authentication.prove(_evidence(token="right"), "192.0.2.1")
            assert isinstance(refused, Refused)
            assert refused.refusal.code == "store_unavailable"
        door.error = None
        assert await authentication.prove(_evidence(token="right"), "192.0.2.1") is ALICE

    run(work())


def test_what_cannot_be_recorded_is_refused() -> None:
    audit = MemoryAudit()
    audit.fails = lambda _: True
    refused = run(Authentication(Door(), audit, ManualClock(), Limits()).prove(_evidence(), "192.0.2.1"))
    assert isinstance(refused, Refused)


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("alice", "alice"),
        ("ip_0123456789_" + "a" * 49, "(looks like a token)"),
        ("me IP_0123456789_" + "a" * 49, "me (looks like a token)"),
        ("me eyJhbGciOi.eyJzdWIi.c2ln", "me (looks like a token)"),
        ("a\nb\x1b[2J\u2028c", "a?b?[2J?c"),
        ("x" * 500, "x" * 64),
    ],
)
def test_a_clients_words_are_made_safe_to_log(said: str, logged: str) -> None:
    assert loggable(said) == logged


def test_what_was_wrong_is_told_to_the_audit_chain_alone() -> None:
    audit = MemoryAudit()

    async def work() -> list[object]:
        answers: list[object] = []
        for detail, provider in (("token_expired", "actions"), ("token_revoked", "")):
            door = Door(AuthenticationError("authentication failed", detail=detail, provider=provider))
            authentication = Authentication(door, audit, ManualClock(), Limits())
            answers += [
                await authentication.prove(_evidence(), "192.0.2.1"),
                await authentication.bearer("x", "192.0.2.1"),
            ]
        return answers

    answers = run(work())
    assert all(answer == answers[0] for answer in answers)
    assert "expired" not in repr(answers[0]) and "revoked" not in repr(answers[0])
    assert [(event.fields["reason"], event.fields.get("provider")) for event in audit.events] == [
        ("token_expired", "actions"),
        ("token_expired", "actions"),
        ("token_revoked", None),
        ("token_revoked", None),
    ]


def test_a_provider_that_is_down_counts_against_nobody() -> None:
    authentication = Authentication(Door(ProviderError("down")), MemoryAudit(), ManualClock(), Limits(login_failures=1))

    async def work() -> None:
        for _ in range(10):
            for answer in (
                await authentication.prove(_evidence(), "192.0.2.1"),
                await authentication.bearer("x", "192.0.2.1"),
            ):
                assert isinstance(answer, Refused)
                assert answer.refusal.code == "provider_unavailable"

    run(work())


def test_a_bearer_is_proven_and_bounded_like_anybody() -> None:
    audit, door = MemoryAudit(), Door()
    authentication = Authentication(door, audit, ManualClock(), Limits(login_failures=1))

    async def work() -> None:
        assert await authentication.bearer("right", "192.0.2.1") is ALICE
        for _ in range(3):
            answer = await authentication.bearer("wrong", "192.0.2.1")
            assert isinstance(answer, Refused) and answer.refusal.code == "authentication_failed"
        for answer in (
            await authentication.bearer("right", "192.0.2.1"),
            await authentication.prove(_evidence(token="right"), "192.0.2.1"),
        ):
            assert isinstance(answer, Refused) and answer.refusal.code == "too_many_attempts"

    run(work())
    assert [event.fields["reason"] for event in audit.events] == ["wrong_evidence"] * 3 + ["too_many_attempts"] * 2


class Desk:
    """Checks certificates: lets in whom it is told to, or refuses."""

    def __init__(self, answer: Identity | Exception) -> None:
        self.answer = answer

    async def identify(self, claimed_name: str, certificate: bytes) -> Identity:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _certified() -> Evidence:
    return Evidence("alice", "shop", "", {}, b"der")


def test_a_certificate_is_never_checked_as_a_token() -> None:
    identity = Identity(person("alice"), "certificate")
    door = Door(AuthenticationError("authentication failed"))
    with_desk = Authentication(door, MemoryAudit(), ManualClock(), Limits(), Desk(identity))
    assert run(with_desk.prove(_certified(), "192.0.2.1")) is identity
    without = Authentication(Door(), MemoryAudit(), ManualClock(), Limits())
    answer = run(without.prove(_certified(), "192.0.2.1"))
    assert isinstance(answer, Refused) and answer.refusal.code == "certificate_refused"


def test_what_is_wrong_with_a_certificate_is_told_and_counted() -> None:
    audit = MemoryAudit()
    desk = Desk(AuthenticationError("authentication failed", detail="certificate_revoked"))
    door = Authentication(
        Door(AuthenticationError("never asked")), audit, ManualClock(), Limits(login_failures=2), desk
    )

    async def work() -> list[Refused]:
        answers = [await door.prove(_certified(), "192.0.2.1") for _ in range(3)]
        return [answer for answer in answers if isinstance(answer, Refused)]

    first, second, third = run(work())
    assert first == second
    assert first.refusal.message == "your certificate was revoked"
    assert third.refusal.code == "too_many_attempts"
    assert [event.fields["reason"] for event in audit.events] == [
        "certificate_revoked",
        "certificate_revoked",
        "too_many_attempts",
    ]
    desk.answer = StoreError("down")
    answer = run(door.prove(_certified(), "198.51.100.1"))
    assert isinstance(answer, Refused) and answer.refusal.code == "store_unavailable"
