"""The document of the public address is valid, current and served, and names every address that programs ask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette

from interpose.api.logout import BackChannelLogout
from interpose.api.scim.resources import group_json, list_json, user_json
from interpose.api.scim.service import ADDRESSES
from interpose.app.public_api import PATH, description_text, route
from interpose.engine.limits import FailureLimiter
from interpose.engine.provisioned import ProvisionedGroup, ProvisionedUser
from interpose.web.token_exchange import TokenExchange
from interpose.web.token_exchange_form import PARAMETERS
from tests.arch.tree import ROOT
from tests.support.asgi import call
from tests.support.gateway_core import Core
from tests.unit.api.scim.test_service import Place

DOCUMENT: dict[str, Any] = json.loads(description_text())


def test_it_is_openapi() -> None:
    OpenAPIV31SpecValidator(json.loads(description_text())).validate()


def test_the_file_in_the_documentation_is_current() -> None:
    kept = (ROOT / "docs" / "reference" / "openapi-public.json").read_text()
    assert kept == description_text(), "run `python tools/reference.py`"


async def test_it_is_served() -> None:
    answer = await call(Starlette(routes=[route()]), "GET", PATH)
    assert (answer.status, json.loads(answer.body)) == (200, DOCUMENT)


def test_every_address_is_told_that_is_served() -> None:
    failures = FailureLimiter(Core().clock, 5, 60.0)
    served = [
        *TokenExchange(None, None).routes(),  # type: ignore[arg-type]  # only asked where it is
        *BackChannelLogout({}, failures).routes(),
        *Place().application.routes,
    ]
    methods = {f"{each} {one.path}" for one in served for each in one.methods - {"HEAD"}}  # type: ignore[attr-defined]
    told = {f"{method.upper()} {path}" for path, below in DOCUMENT["paths"].items() for method in below}
    assert told == methods
    assert len(told) == len(ADDRESSES) + 2
    names = [each["operationId"] for below in DOCUMENT["paths"].values() for each in below.values()]
    assert len(names) == len(set(names))


def test_the_form_of_an_exchange_takes_what_is_told_and_nothing_else() -> None:
    content = DOCUMENT["paths"]["/oauth/token"]["post"]["requestBody"]["content"]
    schema = content["application/x-www-form-urlencoded"]["schema"]
    assert set(schema["properties"]) == set(PARAMETERS)
    assert set(schema["required"]) < set(PARAMETERS)


@pytest.mark.parametrize("full", [True, False])
def test_what_scim_answers_is_what_is_told(full: bool) -> None:
    def conforms(name: str, value: object) -> None:
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}).validate(
            json.loads(json.dumps(value))
        )

    user = ProvisionedUser("u-1", "corporate", "zoe", "e-1" if full else "", "Zoe" if full else "")
    group = ProvisionedGroup("g-1", "corporate", "support", "", frozenset({"u-1"} if full else ()), 0.0, 0.0)
    conforms("ScimUser", user_json(user, "https://g/scim/v2/corporate"))
    conforms("ScimGroup", group_json(group, "https://g/scim/v2/corporate", members=full))
    conforms("ScimList", list_json([], 0, 1))
