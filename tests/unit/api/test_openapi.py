"""The OpenAPI document is valid, current, and names every structure, error and right that the table of routes has."""

from __future__ import annotations

import json
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from interpose.api.http import STATUS
from interpose.api.routes import ENDPOINTS, description, description_text
from interpose.model.actions import Action
from tests.arch.tree import ROOT
from tests.support.asgi import call
from tests.unit.api.test_admin import House


def operations() -> list[tuple[str, dict[str, Any]]]:
    """Every operation of the document, with method and path."""
    paths = json.loads(description_text())["paths"]
    return [(f"{method.upper()} {path}", each) for path, below in paths.items() for method, each in below.items()]


def test_it_is_openapi() -> None:
    OpenAPIV31SpecValidator(json.loads(description_text())).validate()


def test_a_document_that_is_none_is_refused() -> None:
    broken = json.loads(description_text())
    broken["paths"]["/v1/whoami"]["get"]["responses"] = []
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_the_file_in_the_documentation_is_current() -> None:
    kept = (ROOT / "docs" / "reference" / "openapi.json").read_text()
    assert kept == description_text(), "run `python tools/reference.py`"


async def test_it_is_served_to_anybody() -> None:
    answer = await call(House().application(), "GET", "/v1/openapi.json")
    assert (answer.status, json.loads(answer.body)) == (200, json.loads(description_text()))


def test_every_address_is_told_with_its_right() -> None:
    told = dict(operations())
    assert set(told) == {f"{each.method} {each.path}" for each in ENDPOINTS}
    assert told["GET /v1/sessions/{id}/recording"]["x-interpose-asks"] == ["audit", "replay"]
    assert told["POST /v1/reload"]["x-interpose-asks"] == [Action.ADMINISTER.value]
    assert told["GET /healthz"]["security"] == []
    assert "security" not in told["GET /v1/sessions"], "the document's own demand of a token holds"


def test_names_of_operations_are_unique() -> None:
    names = [each["operationId"] for _, each in operations()]
    assert len(names) == len(set(names))


def test_every_error_code_is_one_with_a_status() -> None:
    unknown = {code for each in ENDPOINTS for code in each.errors} - set(STATUS)
    assert not unknown


def test_every_error_with_a_status_of_its_own_is_told_somewhere() -> None:
    told = {
        code
        for _, each in operations()
        for answer in each["responses"].values()
        for code in answer["description"].split("`")
    }
    assert set(STATUS) <= told


def test_bodies_and_answers_are_structures() -> None:
    schemas = description()["components"]["schemas"]  # type: ignore[index]
    assert {"VoteBody", "SayBody", "ApprovalView", "SessionView", "ApprovalsView", "Problem", "FoundView"} <= set(
        schemas
    )
    told = dict(operations())
    assert told["POST /v1/sessions/{id}/say"]["requestBody"]["required"] is True
    assert told["POST /v1/sessions/{id}/end"]["requestBody"]["required"] is False
