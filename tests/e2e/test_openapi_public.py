"""The public address of a running gateway does what its OpenAPI document says: tried with what the document permits, and with what it does not."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import free_port
from tests.support.openapi import conforms
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene

TOKEN = "Scim-Canary-3Hq8-0123456789"


class Place(Scene):
    """The scene with a public address and a provider, which nobody asks here, whose people come by SCIM."""

    def __init__(self, server: PostgresServer) -> None:
        super().__init__(server)
        self.public = free_port()
        self.url = f"https://localhost:{self.public}"
        file = str(self.folder / "gateway.pem")
        self.gateway.settings["public"] = {
            "address": f"127.0.0.1:{self.public}",
            "url": self.url,
            "certificate": file,
            "key": file,
        }
        corporate = {
            "type": "oidc",
            "issuer": f"http://127.0.0.1:{free_port()}",
            "allow_plaintext_on_loopback": True,
            "client_id": "interpose",
            "mapping": {"groups": {"claim": "groups", "allow": ["support"]}},
            "scim": {"token": "env:SCIM_TOKEN", "subject": "externalId"},
        }
        self.gateway.settings["identity"] = {"providers": {"corporate": corporate}}
        self.gateway._environment["SCIM_TOKEN"] = TOKEN
        self.gateway.write()

    def asked(self, method: str, path: str, body: object = None) -> Any:
        """What is answered, which must be well."""
        context = ssl.create_default_context(cafile=str(self.authority_file))
        connection = http.client.HTTPSConnection("localhost", self.public, timeout=60, context=context)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            assert answer.status < 300, answer.read()
            return json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[Place]:
    with Place(postgres) as made:
        yield made


def test_what_is_answered_is_what_the_document_says(place: Place, tmp_path: Path) -> None:
    user = place.asked("POST", "/scim/v2/corporate/Users", {"userName": "zoe", "externalId": "e-1"})
    members = [{"value": user["id"]}]
    group = place.asked("POST", "/scim/v2/corporate/Groups", {"displayName": "support", "members": members})
    # Requests with ids of things that exist go further than those with made up ones.
    settings = f"""
        [[operations]]
        include-path-regex = "/(scim|oidc)/"
        parameters = {{ provider = "corporate" }}
        [[operations]]
        include-path-regex = "/Users/"
        parameters = {{ provider = "corporate", id = "{user["id"]}" }}
        [[operations]]
        include-path-regex = "/Groups/"
        parameters = {{ provider = "corporate", id = "{group["id"]}" }}
        """
    told = place.asked("GET", "/openapi.json")
    conforms(tmp_path, told, place.url, TOKEN, "--tls-verify", str(place.authority_file), settings=settings, examples=5)
    assert "Traceback" not in place.gateway.log.read_text()
    assert "internal_error" not in place.gateway.log.read_text()
