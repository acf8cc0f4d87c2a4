"""The form of the evidence decides who checks it, and nothing is checked twice."""

from __future__ import annotations

import pytest

from interpose.identity.authenticators import ByForm
from interpose.identity.tokens import make_token
from interpose.model.principal import Identity
from tests.support.memory import person
from tests.support.signing import private_key, signed
from tests.support.virtual import run


class Checker:
    """Takes everything, and keeps what it was asked."""

    def __init__(self, method: str) -> None:
        self.identity = Identity(person("alice"), method)

    async def identify(self, claimed_name: str, token: str) -> Identity:
        return self.identity

    async def bearer(self, token: str) -> Identity:
        return self.identity


@pytest.mark.parametrize(
    ("evidence", "method"),
    [
        (make_token(bytes(39))[1], "token"),
        ("", "token"),
        ("hunter2", "token"),
        ("a.b.c", "token"),
        ('{"payload": "eyJ9", "signatures": []}', "token"),
        (signed({"iss": "x"}, private_key()), "jwt"),
        (signed({"iss": "x"}, private_key(), alg="none"), "jwt"),
        (signed({"iss": "x" * 20_000}, private_key()), "token"),
    ],
)
def test_who_checks(evidence: str, method: str) -> None:
    door = ByForm(Checker("token"), Checker("jwt"))
    assert run(door.identify("alice", evidence)).method == method
    assert run(door.bearer(evidence)).method == method
