"""The admin API of a running gateway does what its OpenAPI document says: tried with what the document permits, and with what it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from interpose.api.routes import ENDPOINTS
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene, until

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection,unsupported_method"
)


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """A gateway with a database behind it."""
    with Scene(postgres) as made:
        yield made


def test_real_sessions_and_approvals_are_what_the_document_says(scene: Scene) -> None:
    _, document = scene.api("", "GET", "/v1/openapi.json")

    def conforms(path: str, told: str) -> Any:
        status, answer = scene.api("carol", "GET", path)
        assert status == 200
        schema = document["paths"][told]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(answer)
        return answer

    scene.start_psql("bob", "shop", "update orders set status = 'x' where id = 1")
    waiting = until(lambda: conforms("/v1/approvals", "/v1/approvals")["to_decide"], 60, what="the hold")
    conforms(f"/v1/approvals/{waiting[0]['id']}", "/v1/approvals/{id}")
    listed = conforms("/v1/sessions?live=true", "/v1/sessions")
    assert waiting[0]["session"] in [each["id"] for each in listed]
    conforms(f"/v1/sessions/{waiting[0]['session']}", "/v1/sessions/{id}")
    conforms("/v1/whoami", "/v1/whoami")


def test_what_is_answered_is_what_the_document_says(scene: Scene, tmp_path: Path) -> None:
    # Requests with ids of things that exist go further than those with made up ones.
    scene.start_psql("bob", "shop", "update orders set status = 'y' where id = 2")
    waiting = until(lambda: scene.api("carol", "GET", "/v1/approvals")[1]["to_decide"], 60, what="the hold")[0]
    (tmp_path / "schemathesis.toml").write_text(
        f"""
        [[operations]]
        include-path-regex = "/sessions/"
        parameters = {{ id = "{waiting["session"]}" }}
        [[operations]]
        include-path-regex = "/approvals/.*/deny"
        parameters = {{ id = "{waiting["id"]}" }}
        """
    )
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(scene.api("", "GET", "/v1/openapi.json")[1]))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(tmp_path / "schemathesis.toml"), "run"),
            *(str(document), "--url", f"http://127.0.0.1:{scene.gateway.admin_port}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1"),
            *("--checks", CHECKS, "--header", f"Authorization: Bearer {scene.token('carol')}"),
            *("--no-color", "--workers", "1", "--continue-on-failure"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=240,
    )
    assert run.returncode == 0, run.stdout[-12_000:] + run.stderr[-2000:]
    assert f"Tested: {len(ENDPOINTS)}" in run.stdout
    assert scene.api("carol", "GET", f"/v1/approvals/{waiting['id']}")[1]["state"] in ("denied", "cancelled")
