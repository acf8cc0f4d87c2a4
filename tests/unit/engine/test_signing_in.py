"""A proof becomes a known principal, every outcome is in the audit chain, and nothing of it counts that could not be recorded."""

from __future__ import annotations

import dataclasses

import pytest

from interpose.engine.directory import Directory
from interpose.engine.signing_in import Departure, Proof, SignedIn, SignIn
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, RecordingError
from interpose.model.principal import Identity, Principal, PrincipalKind
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryDirectory
from tests.support.virtual import run

ZOE = Principal(PrincipalKind.USER, "zoe", frozenset({"support"}))


class _Place:
    def __init__(self) -> None:
        self.core = Core()
        self.store = MemoryDirectory()
        directory = Directory(self.core.holder, self.store, self.core.audit, MemoryBus(), self.core.clock)
        self.sign_in = SignIn(directory, self.core.audit, self.core.clock)
        self.proof = Proof("corporate", "oidc", "https://idp.example", "sub-1", ZOE, self.core.clock.wall() + 60)


def test_a_proof_becomes_an_identity() -> None:
    async def work() -> None:
        place = _Place()
        who = await place.sign_in.accept(place.proof, "192.0.2.7", "hint")
        identity = Identity(ZOE, "oidc", None, place.proof.valid_until, "corporate", "sub-1")
        assert who == SignedIn(identity, place.proof, "hint")
        assert place.core.holder.current.principals.find("zoe") == ZOE
        (event,) = place.core.audit.of(AuditKind.LOGIN_SUCCEEDED)
        assert event.actor == "User:zoe"
        assert (event.fields["issuer"], event.fields["source"]) == ("https://idp.example", "192.0.2.7")

    run(work())


@pytest.mark.parametrize("case", ["file", "other subject", "other provider", "disabled", "past"])
def test_what_is_refused_is_recorded_with_its_reason(case: str) -> None:
    async def work() -> None:
        place = _Place()
        proof = place.proof
        if case == "file":
            proof = dataclasses.replace(proof, principal=dataclasses.replace(ZOE, name="alice"))
        elif case == "past":
            proof = dataclasses.replace(proof, valid_until=place.core.clock.wall())
        else:
            await place.sign_in.accept(proof, "192.0.2.7")
            if case == "disabled":
                directory = Directory(place.core.holder, place.store, place.core.audit, MemoryBus(), place.core.clock)
                await directory.disable("zoe", by="os:root", reason="left")
            proof = dataclasses.replace(
                proof,
                subject="sub-2" if case == "other subject" else "sub-1",
                provider="partner" if case == "other provider" else "corporate",
            )
        with pytest.raises(AuthenticationError):
            await place.sign_in.accept(proof, "192.0.2.8")
        (event,) = place.core.audit.of(AuditKind.LOGIN_FAILED)
        assert event.fields["reason"] == {
            "file": "name_is_in_the_principals_file",
            "disabled": "principal_disabled",
            "past": "no_longer_valid",
        }.get(case, "name_belongs_to_another_subject")
        assert event.fields["source"] == "192.0.2.8"

    run(work())


def test_nobody_signs_in_without_a_record() -> None:
    async def work() -> None:
        place = _Place()
        place.core.audit.fails = lambda event: event.kind is AuditKind.LOGIN_SUCCEEDED
        with pytest.raises(RecordingError):
            await place.sign_in.accept(place.proof, "192.0.2.7")

    run(work())


def test_words_of_others_are_bounded_in_the_record() -> None:
    async def work() -> None:
        place = _Place()
        place.sign_in.failed(
            "corporate", "oidc", "https://idp.example", "x" * 500 + "\n", "192.0.2.7", subject="y\u2028" * 400
        )
        who = SignedIn(Identity(ZOE, "oidc"), place.proof)
        place.sign_in.decided(
            who, True, "device", "ip_0123456789_" + "z" * 60 + "\x1b[31m", "198.51.100.1", "192.0.2.7"
        )
        place.sign_in.ended(place.proof, "signed_out", "192.0.2.7")
        failed, decided, ended = place.core.audit.events
        assert failed.fields["reason"] == "x" * 64
        assert "\u2028" not in str(failed.fields["subject"])
        assert "zzz" not in str(decided.fields["client"])
        assert "\x1b" not in str(decided.fields["client"])
        assert decided.fields["asked_from"] == "198.51.100.1"
        assert ended.fields["reason"] == "signed_out"

    run(work())


def test_what_a_departure_remembers_is_not_shown() -> None:
    assert "verifier" not in repr(Departure("https://idp.example/", "state", {"verifier": "secret"}))
