"""The admin API of a running gateway does what its OpenAPI document says: tried with what the document permits, and with what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.openapi import conforms
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene, until


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """A gateway with a database behind it."""
    with Scene(postgres) as made:
        yield made


def test_real_sessions_and_approvals_are_what_the_document_says(scene: Scene) -> None:
    _, document = scene.api("", "GET", "/v1/openapi.json")

    def answered(path: str, told: str) -> Any:
        status, answer = scene.api("carol", "GET", path)
        assert status == 200
        schema = document["paths"][told]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(answer)
        return answer

    scene.start_psql("bob", "shop", "update orders set status = 'x' where id = 1")
    waiting = until(lambda: answered("/v1/approvals", "/v1/approvals")["to_decide"], 60, what="the hold")
    answered(f"/v1/approvals/{waiting[0]['id']}", "/v1/approvals/{id}")

    def is_listed() -> bool:
        return waiting[0]["session"] in [each["id"] for each in answered("/v1/sessions?live=true", "/v1/sessions")]

    # The index is written a moment later.
    until(is_listed, 30, "the session in the index")
    answered(f"/v1/sessions/{waiting[0]['session']}", "/v1/sessions/{id}")
    answered("/v1/whoami", "/v1/whoami")


def test_what_is_answered_is_what_the_document_says(scene: Scene, tmp_path: Path) -> None:
    # Requests with ids of things that exist go further than those with made up ones.
    scene.start_psql("bob", "shop", "update orders set status = 'y' where id = 2")
    waiting = until(lambda: scene.api("carol", "GET", "/v1/approvals")[1]["to_decide"], 60, what="the hold")[0]
    settings = f"""
        [[operations]]
        include-path-regex = "/sessions/"
        parameters = {{ id = "{waiting["session"]}" }}
        [[operations]]
        include-path-regex = "/approvals/.*/deny"
        parameters = {{ id = "{waiting["id"]}" }}
        """
    _, document = scene.api("", "GET", "/v1/openapi.json")
    conforms(
        tmp_path,
        document,
        f"http://127.0.0.1:{scene.gateway.admin_port}",
        scene.token("carol"),
        settings=settings,
        examples=10,
    )
    assert scene.api("carol", "GET", f"/v1/approvals/{waiting['id']}")[1]["state"] in ("denied", "cancelled")
