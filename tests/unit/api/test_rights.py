"""Every route of the admin API asks policy for exactly the actions that the table of routes says, and no route is outside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.routing import Route

from interpose.api.endpoint import Asks, Endpoint
from interpose.api.routes import ENDPOINTS
from interpose.model.actions import Action
from interpose.model.ids import ConnectionName
from interpose.model.principal import Identity
from interpose.model.refusal import Refusal
from tests.support.asgi import call
from tests.unit.api.test_admin import House


class Listening(House):
    """A house whose policy lets everybody look at sessions, and nothing else; it writes down what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[Action] = set()

    def barred(
        self, caller: Identity, action: Action, connection: ConnectionName | None, source: str
    ) -> Refusal | None:
        self.asked.add(action)
        return None if action is Action.AUDIT else Refusal("not_permitted", "policy does not permit it")


def keys(wanted: Callable[[Endpoint], bool]) -> list[tuple[str, str]]:
    """Method and path of the endpoints that are wanted."""
    return sorted((each.method, each.path) for each in ENDPOINTS if wanted(each))


def asked_by(route: tuple[str, str]) -> frozenset[Action]:
    """The actions that the table says."""
    (found,) = [each.asks for each in ENDPOINTS if (each.method, each.path) == route]
    assert isinstance(found, frozenset)
    return found


def test_every_route_is_served_as_the_table_says_and_no_other() -> None:
    routes = [route for route in House().application().routes if isinstance(route, Route)]
    found = [(method, route.path) for route in routes for method in route.methods or () if method != "HEAD"]
    assert sorted(found) == keys(lambda _: True)
    assert len(routes) == len(House().application().routes), "a mount would hide addresses from the table"


@pytest.mark.parametrize("route", keys(lambda each: isinstance(each.asks, frozenset)))
async def test_a_route_asks_policy_for_what_it_does(route: tuple[str, str]) -> None:
    method, path = route
    house = Listening()
    concrete = path.replace("{id}", "ap-1" if "approvals" in path else "s_2")
    answer = await call(house.application(), method, f"{concrete}?q=x", token="token-e")
    assert house.asked == asked_by(route)
    if asked_by(route) != {Action.AUDIT} and path != "/v1/search":
        assert answer.status == 403, "what is not permitted is not done"
    assert not house.ended


@pytest.mark.parametrize("route", keys(lambda each: each.takes_token))
async def test_nothing_is_answered_to_nobody_but_what_the_table_opens(route: tuple[str, str]) -> None:
    method, path = route
    answer = await call(House().application(), method, path.replace("{id}", "s_1"))
    assert answer.status == 401


def test_the_open_addresses() -> None:
    assert keys(lambda each: each.asks is Asks.NOBODY) == [
        ("GET", path) for path in ("/healthz", "/metrics", "/readyz", "/v1/openapi.json")
    ]
