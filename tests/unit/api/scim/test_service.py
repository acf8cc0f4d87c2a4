"""The addresses of SCIM: who may ask, what is answered, and that a source never gets at another provider's people."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette

from interpose.api.scim.discovery import PAGE
from interpose.api.scim.service import MAX_BODY, MEDIA, ScimService
from interpose.engine.limits import FailureLimiter
from tests.support.asgi import Answer, call
from tests.support.provisioning import ProvisioningPlace
from tests.support.virtual import run

ORIGIN = "https://gateway.example:6443"
TOKENS = {"corporate": "token-of-corporate", "partner": "token-of-partner", "empty": ""}


class Place(ProvisioningPlace):
    """The addresses over a store in memory."""

    def __init__(self) -> None:
        super().__init__(required=False)
        self.wrong: list[tuple[str, str, str]] = []

        def fetch(name: str) -> Any:
            async def fetched() -> str:
                return TOKENS[name]

            return fetched

        service = ScimService(
            ORIGIN,
            self.provisioning,
            {name: fetch(name) for name in TOKENS},
            lambda provider, reason, source: self.wrong.append((provider, reason, source)),
            FailureLimiter(self.core.clock, 5, 60.0),
            self.core.clock,
            self.core.ids,
        )
        self.application = Starlette(routes=service.routes())

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        provider: str = "corporate",
        token: str | None = None,
        kind: str = MEDIA,
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        shown = TOKENS[provider] if token is None else token
        answer = await call(
            self.application, method, f"/scim/v2/{provider}{path}", token=shown, body=data, content_type=kind
        )
        assert answer.status == 204 or answer.headers["content-type"] == MEDIA
        self.last: Answer = answer
        return answer.status, json.loads(answer.body or b"null")

    async def made(self, name: str = "zoe", provider: str = "corporate") -> str:
        status, user = await self.ask("POST", "/Users", {"userName": name, "externalId": f"sub-{name}"}, provider)
        assert status == 201
        return str(user["id"])


def test_a_user_from_beginning_to_end() -> None:
    async def work() -> None:
        place = Place()
        status, user = await place.ask(
            "POST",
            "/Users",
            {
                "userName": "zoe",
                "externalId": "sub-zoe",
                "displayName": "Zoe",
                "password": "x",
                "emails": [{"value": "z@x"}],
            },
        )
        assert status == 201
        assert (
            place.last.headers["location"]
            == user["meta"]["location"]
            == f"{ORIGIN}/scim/v2/corporate/Users/{user['id']}"
        )
        assert set(user) == {"schemas", "id", "userName", "externalId", "displayName", "active", "meta"}
        assert user["active"] is True
        at = f"/Users/{user['id']}"
        assert await place.ask("GET", at) == (200, user)
        status, found = await place.ask("GET", '/Users?filter=userName%20eq%20"ZOE"')
        assert (status, found["totalResults"], found["Resources"]) == (200, 1, [user])
        status, changed = await place.ask("PUT", at, {"userName": "zoe2", "active": "False"})
        assert (status, changed["userName"], changed["active"], "externalId" in changed) == (200, "zoe2", False, False)
        # What leaves `active` out lets nobody in.
        assert (await place.ask("PUT", at, {"userName": "zoe2"}))[1]["active"] is False
        assert await place.ask("DELETE", at) == (204, None)
        for method in ("GET", "DELETE"):
            assert (await place.ask(method, at))[0] == 404

    run(work())


def test_groups_and_their_members() -> None:
    async def work() -> None:
        place = Place()
        one, two = await place.made("one"), await place.made("two")
        status, group = await place.ask("POST", "/Groups", {"displayName": "dba", "members": [{"value": one}]})
        assert (status, [each["value"] for each in group["members"]]) == (201, [one])
        at = f"/Groups/{group['id']}"
        _, found = await place.ask("GET", '/Groups?excludedAttributes=members&filter=displayName%20eq%20"dba"')
        assert "members" not in found["Resources"][0]
        assert (await place.ask("GET", f'/Groups?filter=members%20eq%20"{two}"'))[1]["totalResults"] == 0
        change = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "Add", "path": "members", "value": [{"value": two}]}],
        }
        status, changed = await place.ask("PATCH", at, change)
        assert (status, len(changed["members"])) == (200, 2)
        stranger = await place.made("yan", "partner")
        for member in ("nobody", group["id"], stranger):
            change["Operations"] = [{"op": "add", "path": "members", "value": [{"value": member}]}]
            assert (await place.ask("PATCH", at, change))[0] == 400
        assert (await place.ask("PUT", at, {"displayName": "dba"}))[1]["members"] == []
        assert (await place.ask("DELETE", at))[0] == 204

    run(work())


def test_a_source_gets_at_nobody_elses_people() -> None:
    async def work() -> None:
        place = Place()
        ours, theirs = await place.made("zoe"), await place.made("zoe", "partner")
        for method, body in (("GET", None), ("PUT", {"userName": "x"}), ("PATCH", {}), ("DELETE", None)):
            assert (await place.ask(method, f"/Users/{theirs}", body))[0] in (400, 404)
            # Another provider's token at our address.
            status, told = await place.ask(method, f"/Users/{ours}", body, token=TOKENS["partner"])
            assert (status, told["status"]) == (401, "401")
            await asyncio.sleep(60)
        assert (await place.ask("GET", "/Users"))[1]["totalResults"] == 1
        assert {each[:2] for each in place.wrong} == {("corporate", "scim_token_wrong")}

    run(work())


@pytest.mark.parametrize("provider", ["corporate", "empty", "nowhere"])
def test_wrong_tokens_are_answered_alike_and_then_not_at_all(provider: str) -> None:
    async def work() -> None:
        place = Place()
        for token in ("", "x", "token-of-corporate ", "é", " "):
            if token.strip() == TOKENS.get(provider):
                token = "y"
            answer = await call(place.application, "GET", f"/scim/v2/{provider}/Users", token=token)
            assert answer.status == 401
            assert answer.headers["www-authenticate"] == 'Bearer realm="scim"'
        answer = await call(place.application, "GET", "/scim/v2/corporate/Users", token=TOKENS["corporate"])
        assert answer.status == 429

    run(work())


def test_what_is_no_request() -> None:
    async def work() -> None:
        place = Place()
        ident = await place.made()
        assert (await place.ask("POST", "/Users", b"{"))[0] == 400
        assert (await place.ask("POST", "/Users", b"[" * 50_000))[0] == 400
        assert (await place.ask("POST", "/Users", {"externalId": "x"}))[0] == 400
        assert (await place.ask("PUT", f"/Users/{ident}", {"externalId": "x"}))[0] == 400
        assert (await place.ask("POST", "/Groups", {}))[0] == 400
        assert (await place.ask("POST", "/Users", {"userName": "a"}, kind="text/plain"))[0] == 415
        assert (await place.ask("POST", "/Users", b" " * (MAX_BODY + 1)))[0] == 413
        status, told = await place.ask("POST", "/Users", {"userName": "ZOE"})
        assert (status, told["scimType"]) == (409, "uniqueness")
        assert (await place.ask("GET", "/Users?filter=x"))[1]["scimType"] == "invalidFilter"
        assert (await place.ask("GET", "/Users?count=x"))[0] == 400
        place.store.down = True
        assert (await place.ask("GET", "/Users"))[0] == 503

    run(work())


def test_pages() -> None:
    async def work() -> None:
        place = Place()
        for number in range(5):
            await place.made(f"user{number}")
        seen = []
        for start in (1, 3, 5):
            _, page = await place.ask("GET", f"/Users?startIndex={start}&count=2")
            assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (
                5,
                start,
                len(page["Resources"]),
            )
            seen += [each["id"] for each in page["Resources"]]
        assert len(set(seen)) == 5
        assert (await place.ask("GET", "/Users?count=0"))[1]["Resources"] == []
        assert len((await place.ask("GET", f"/Users?startIndex=-3&count={PAGE + 1}"))[1]["Resources"]) == 5

    run(work())


def test_what_is_told_of_the_service() -> None:
    async def work() -> None:
        place = Place()
        status, config = await place.ask("GET", "/ServiceProviderConfig")
        assert (status, config["patch"]["supported"], config["bulk"]["supported"]) == (200, True, False)
        _, types = await place.ask("GET", "/ResourceTypes")
        assert [each["endpoint"] for each in types["Resources"]] == ["/Users", "/Groups"]
        _, schemas = await place.ask("GET", "/Schemas")
        assert len(schemas["Resources"]) == 2

    run(work())
