"""What policy sees of how whoever asks proved themselves."""

from __future__ import annotations

from interpose.engine.callers import NO_PROOF, CallerProof
from interpose.model.principal import AuthenticationContext, Identity
from tests.support.memory import person


def test_of_an_identity_everything_that_its_provider_said() -> None:
    context = AuthenticationContext(1000.9, frozenset({"pwd", "otp"}), "high", mfa=True, session="sid")
    proof = CallerProof.of(Identity(person("bob"), "token", context=context), "192.0.2.1")
    assert proof.facts() == {
        "source_ip": "192.0.2.1",
        "session_method": "token",
        "amr": ("otp", "pwd"),
        "mfa": True,
        "auth_time": 1000,
    }
    assert proof.facts(age=30)["auth_time"] == 1030


def test_what_is_not_known_is_not_there_and_is_no_second_factor() -> None:
    assert NO_PROOF.facts(age=30) == {"source_ip": "", "amr": (), "mfa": False}
