"""A provisioning source as Okta and Entra are: it sends what they send, and reads the answers as they do."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class ScimSource:
    """One source with its token."""

    def __init__(self, url: str, token: str, authority: str) -> None:
        """`url` up to the provider's name; `authority` is the PEM file of the gateway's."""
        self.url = url
        self.token = token
        self._tls = ssl.create_default_context(cafile=authority)

    def ask(self, method: str, path: str, body: object = None, *, token: str | None = None) -> tuple[int, Any]:
        """The status, and the body as JSON."""
        sent = urllib.request.Request(
            f"{self.url}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/scim+json; charset=utf-8"},
            method=method,
        )
        try:
            with urllib.request.urlopen(sent, timeout=30, context=self._tls) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def user(self, subject: str, name: str, **more: object) -> str:
        """Provision somebody; answers the id."""
        status, made = self.ask("POST", "/Users", {"userName": name, "externalId": subject, "active": True, **more})
        assert status == 201, made
        return str(made["id"])

    def group(self, name: str, *members: str) -> str:
        """Make a group; answers the id."""
        listed = [{"value": each} for each in members]
        status, made = self.ask("POST", "/Groups", {"displayName": name, "members": listed})
        assert status == 201, made
        return str(made["id"])

    def patch(self, path: str, *operations: Mapping[str, object]) -> tuple[int, Any]:
        """PATCH with these operations."""
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    def find(self, path: str, condition: str) -> list[Any]:
        """What a filter finds."""
        status, found = self.ask("GET", f"{path}?{urllib.parse.urlencode({'filter': condition})}")
        assert status == 200, found
        return list(found["Resources"])
