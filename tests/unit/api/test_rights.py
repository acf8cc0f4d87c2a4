"""Every route of the admin API, with the actions that policy is asked: a new route that is not here fails."""

from __future__ import annotations

from typing import Final

import pytest
from starlette.routing import Route

from interpose.model.actions import Action
from interpose.model.ids import ConnectionName
from interpose.model.principal import Principal
from tests.support.asgi import call
from tests.unit.api.test_admin import House

NOBODY: Final = "a machine, without a token"
OWN: Final = "the caller's own things only"
ENGINE: Final = "asked by the engine's own use case, for each approval or agent"

ASKS: Final[dict[tuple[str, str], frozenset[Action] | str]] = {
    ("GET", "/healthz"): NOBODY,
    ("GET", "/readyz"): NOBODY,
    ("GET", "/metrics"): NOBODY,
    ("GET", "/v1/whoami"): OWN,
    ("POST", "/v1/credentials"): OWN,
    ("POST", "/v1/delegations"): ENGINE,
    ("GET", "/v1/approvals"): ENGINE,
    ("GET", "/v1/approvals/{id}"): frozenset({Action.AUDIT}),
    ("POST", "/v1/approvals/{id}/approve"): ENGINE,
    ("POST", "/v1/approvals/{id}/deny"): ENGINE,
    ("GET", "/v1/sessions"): frozenset({Action.AUDIT}),
    ("GET", "/v1/sessions/{id}"): frozenset({Action.AUDIT}),
    ("GET", "/v1/sessions/{id}/recording"): frozenset({Action.AUDIT, Action.REPLAY}),
    ("POST", "/v1/sessions/{id}/end"): frozenset({Action.AUDIT, Action.ADMINISTER}),
    ("POST", "/v1/sessions/{id}/say"): frozenset({Action.AUDIT, Action.ADMINISTER}),
    ("GET", "/v1/search"): frozenset({Action.REPLAY}),
    ("POST", "/v1/reload"): frozenset({Action.ADMINISTER}),
}


class Listening(House):
    """A house whose policy lets everybody look at sessions, and nothing else; it writes down what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[Action] = set()

    def may(self, principal: Principal, action: Action, connection: ConnectionName | None, source: str) -> bool:
        self.asked.add(action)
        return action is Action.AUDIT


def test_every_route_is_here() -> None:
    routes = [route for route in House().application().routes if isinstance(route, Route)]
    found = {(method, route.path) for route in routes for method in route.methods or () if method != "HEAD"}
    assert found == set(ASKS)


@pytest.mark.parametrize("route", sorted(key for key, asks in ASKS.items() if isinstance(asks, frozenset)))
async def test_a_route_asks_policy_for_what_it_does(route: tuple[str, str]) -> None:
    method, path = route
    house = Listening()
    concrete = path.replace("{id}", "ap-1" if "approvals" in path else "s_2")
    answer = await call(house.application(), method, f"{concrete}?q=x", token="token-e")
    assert house.asked == ASKS[route]
    if ASKS[route] != {Action.AUDIT} and path != "/v1/search":
        assert answer.status == 403, "what is not permitted is not done"
    assert not house.ended


@pytest.mark.parametrize("route", sorted(key for key, asks in ASKS.items() if asks != NOBODY))
async def test_nothing_but_health_and_metrics_is_answered_to_nobody(route: tuple[str, str]) -> None:
    method, path = route
    answer = await call(House().application(), method, path.replace("{id}", "s_1"))
    assert answer.status == 401
