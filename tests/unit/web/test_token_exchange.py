"""The form of token exchange: what it takes, and errors as RFC 6749 and RFC 8693 tell them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from interpose.engine.authenticate import Authentication
from interpose.engine.limits import Limits
from interpose.identity.tokens import Tokens
from interpose.model.errors import StoreError
from interpose.web.token_exchange import ACCESS_TOKEN, GRANT, TokenExchange
from tests.support.asgi import call
from tests.support.virtual import run
from tests.unit.engine.test_delegation import World

FORM = {
    "grant_type": GRANT,
    "subject_token_type": ACCESS_TOKEN,
    "actor_token_type": ACCESS_TOKEN,
    "task": "sort",
}


class Place:
    """The address over a world in memory, and two tokens."""

    def __init__(self) -> None:
        self.world = World()
        issuer = self.world.delegation._maker
        self.bob = run(issuer.create("bob", by="test", ttl=600.0))[1]
        self.bot = run(issuer.create("bot", by="test", ttl=600.0))[1]
        tokens: Tokens = self.world.tokens
        door = Authentication(
            tokens,
            self.world.audit,
            self.world.clock,
            Limits(login_failures=1, login_window=60.0),
        )
        self.door = door
        self.application = Starlette(routes=TokenExchange(door, self.world.delegation).routes())

    def ask(self, *more: tuple[str, str], **changes: str | None) -> tuple[int, dict[str, Any]]:
        """POST the form with changes (None leaves a field out)."""
        form = {**FORM, "subject_token": self.bob, "actor_token": self.bot, **changes}
        fields = [(name, value) for name, value in form.items() if value is not None] + list(more)
        return self.send(urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def send(self, body: bytes, kind: str) -> tuple[int, dict[str, Any]]:
        """POST a body."""
        answer = run(call(self.application, "POST", "/oauth/token", body=body, content_type=kind))
        assert answer.headers["content-type"] == "application/json"
        return answer.status, json.loads(answer.body)


@pytest.fixture
def place() -> Place:
    return Place()


def test_two_tokens_for_one(place: Place) -> None:
    status, answer = place.ask(("audience", "shop"))
    assert status == 200
    assert (answer["token_type"], answer["issued_token_type"], answer["expires_in"]) == ("Bearer", ACCESS_TOKEN, 600)
    identity = run(place.world.tokens.identify("bot", answer["access_token"]))
    assert (identity.principal.acting_for, identity.connections) == ("bob", {"shop"})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"actor_token": None}, "invalid_request"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"actor_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"requested_lifetime": "-1"}, "invalid_request"),
        ({"requested_lifetime": "0"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"resource": "https://shop.example"}, "invalid_target"),
        ({"audience": "nowhere"}, "invalid_target"),
        ({"task": "two\nlines"}, "invalid_request"),
        ({"may_act": "yes"}, "invalid_request"),
        ({"actor_token": "ip_nonsense"}, "invalid_request"),
        ({"subject_token": "ip_nonsense"}, "invalid_request"),
    ],
)
def test_errors_are_oauths(place: Place, changes: dict[str, str | None], error: str) -> None:
    status, answer = place.ask(**changes)
    assert (status, answer["error"]) == (400, error)
    assert "access_token" not in answer


def test_a_field_that_is_given_twice_is_refused(place: Place) -> None:
    assert place.ask(("task", "another"))[1]["error"] == "invalid_request"


def test_guesses_are_bounded(place: Place) -> None:
    for _ in range(3):
        place.ask(actor_token="ip_guess")
    assert place.ask(actor_token="ip_guess")[0] == 429
    assert place.ask()[0] == 429


def test_another_form_is_refused_in_json(place: Place) -> None:
    status, answer = place.send(json.dumps({"grant_type": GRANT}).encode(), "application/json")
    assert (status, answer["error"]) == (415, "invalid_request")


def test_a_store_that_is_down_is_told_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.world.store.down = True
    assert place.ask() == (503, {"error": "temporarily_unavailable"})
    place.world.store.down = False

    async def failing(*_: object) -> None:
        raise StoreError("down")

    monkeypatch.setattr(place.world.store, "add", failing)
    assert place.ask() == (503, {"error": "temporarily_unavailable"})
