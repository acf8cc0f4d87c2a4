"""The addresses of SCIM: `/scim/v2/PROVIDER/Users`, `/Groups` and what describes them; each provider's source has a token of its own.

INVARIANT: the provider in the path is the one whose token was shown, and nothing is read or changed but what is that provider's.
"""

from __future__ import annotations

import dataclasses
import hmac
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interpose.api.scim.described import AT, MEDIA, Said
from interpose.api.scim.discovery import PAGE, listed, resource_types, schemas, service_provider_config
from interpose.api.scim.errors import ScimError, invalid, not_found
from interpose.api.scim.filters import GROUP_FIELDS, USER_FIELDS, read_filter
from interpose.api.scim.patch import patched_group, patched_user, read_operations
from interpose.api.scim.resources import (
    folded,
    group_json,
    list_json,
    member_ids,
    text_of,
    user_json,
    with_user_attributes,
)
from interpose.engine.limits import FailureLimiter, address_group
from interpose.engine.provisioned import ProvisionedGroup, ProvisionedUser
from interpose.engine.provisioning import Provisioning, TakenError
from interpose.model.errors import InterposeError

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids

MAX_BODY: Final = 1024 * 1024
_TAKEN_TYPES: Final = (MEDIA, "application/json")
_HEADERS: Final = {"Cache-Control": "no-store"}
_WHO: Final = {"WWW-Authenticate": 'Bearer realm="scim"'}

Endpoint = Callable[[Request, str], Awaitable[Response]]
Failed = Callable[[str, str, str], None]


class ScimService:
    """All sources of this gateway."""

    def __init__(
        self,
        origin: str,
        provisioning: Provisioning,
        tokens: Mapping[str, Callable[[], Awaitable[str]]],
        failed: Failed,
        failures: FailureLimiter,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """`tokens` by provider, looked into at every request and fetched when they are needed; `failed(provider, reason, source)` records a wrong one."""
        self._origin = origin
        self._provisioning = provisioning
        self._tokens = tokens
        self._failed = failed
        self._failures = failures
        self._clock = clock
        self._ids = ids

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(f"{AT}{each.said.path}", self._guarded(partial(each.endpoint, self)), methods=[each.said.method])
            for each in ADDRESSES
        ]

    def _guarded(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            try:
                return await endpoint(request, await self._provider(request))
            except ScimError as error:
                return _answer(error.body(), error.status, _WHO if error.status == 401 else {})
            except TakenError as error:
                return _answer(ScimError(409, error.public_message, "uniqueness").body(), 409)
            except InterposeError:
                # Not done, or not known whether: the source sends it again.
                return _answer(ScimError(503, "the gateway cannot keep its records at the moment").body(), 503)

        return answered

    async def _provider(self, request: Request) -> str:
        """The provider whose token was shown. A provider without a source is answered as a wrong token is."""
        if not self._tokens:
            raise not_found()
        source = _source(request)
        address = address_group(source)
        if self._failures.blocked(address):
            raise ScimError(429, "too many wrong tokens came from this address")
        name = str(request.path_params["provider"])
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        fetch = self._tokens.get(name)
        expected = "" if fetch is None else await fetch()
        same = hmac.compare_digest(shown.strip().encode("utf-8", "surrogatepass"), expected.encode())
        if fetch is None or not expected or scheme.lower() != "bearer" or not same:
            self._failures.failed(address)
            self._failed("" if fetch is None else name, "scim_token_wrong", source)
            raise ScimError(401, "the bearer token is not this provider's")
        return name

    # --- what there is

    async def _config(self, _: Request, provider: str) -> Response:
        return _answer(service_provider_config(self._base(provider)))

    async def _types(self, _: Request, provider: str) -> Response:
        return _answer(listed(resource_types(self._base(provider))))

    async def _schemas(self, _: Request, provider: str) -> Response:
        return _answer(listed(schemas(self._base(provider))))

    # --- users

    async def _list_users(self, request: Request, provider: str) -> Response:
        conditions = read_filter(request.query_params.get("filter", ""), USER_FIELDS)
        start, count = _paging(request)
        total, found = await self._provisioning.store.users(provider, conditions, start - 1, count)
        return _answer(list_json([user_json(each, self._base(provider)) for each in found], total, start))

    async def _get_user(self, request: Request, provider: str) -> Response:
        return _answer(user_json(await self._user(request, provider), self._base(provider)))

    async def _create_user(self, request: Request, provider: str) -> Response:
        given = folded(await _body(request))
        now = self._clock.wall()
        if "username" not in given:
            raise invalid("`userName` is missing")
        made = with_user_attributes(ProvisionedUser(self._new_id(), provider, "", "", "", True, now, now), given)
        async with self._provisioning.changing(provider):
            await self._provisioning.put_user(made, None, _source(request))
        shown = user_json(made, self._base(provider))
        return _answer(shown, 201, {"Location": f"{self._base(provider)}/Users/{made.id}"})

    async def _change_user(self, request: Request, provider: str) -> Response:
        body = await _body(request)
        async with self._provisioning.changing(provider):
            user = await self._user(request, provider)
            if request.method == "PATCH":
                changed = patched_user(user, read_operations(body))
            else:
                given = folded(body)
                if "username" not in given:
                    raise invalid("`userName` is missing")
                # What a PUT does not say is no more (RFC 7644 §3.5.1); `active` that is not said stays: leaving it out lets nobody in.
                changed = with_user_attributes(dataclasses.replace(user, external_id="", display_name=""), given)
            changed = dataclasses.replace(changed, changed_at=self._clock.wall())
            await self._provisioning.put_user(changed, user, _source(request))
        return _answer(user_json(changed, self._base(provider)))

    async def _delete_user(self, request: Request, provider: str) -> Response:
        async with self._provisioning.changing(provider):
            await self._provisioning.delete_user(await self._user(request, provider), _source(request))
        return Response(status_code=204, headers=_HEADERS)

    async def _user(self, request: Request, provider: str) -> ProvisionedUser:
        _, found = await self._provisioning.store.users(provider, {"id": str(request.path_params["id"])})
        if not found:
            raise not_found()
        return found[0]

    # --- groups

    async def _list_groups(self, request: Request, provider: str) -> Response:
        conditions = read_filter(request.query_params.get("filter", ""), GROUP_FIELDS)
        start, count = _paging(request)
        total, found = await self._provisioning.store.groups(provider, conditions, start - 1, count)
        members = _wants_members(request)
        resources = [group_json(each, self._base(provider), members=members) for each in found]
        return _answer(list_json(resources, total, start))

    async def _get_group(self, request: Request, provider: str) -> Response:
        group = await self._group(request, provider)
        return _answer(group_json(group, self._base(provider), members=_wants_members(request)))

    async def _create_group(self, request: Request, provider: str) -> Response:
        given = folded(await _body(request))
        now = self._clock.wall()
        made = _group(ProvisionedGroup(self._new_id(), provider, "", "", frozenset(), now, now), given)
        async with self._provisioning.changing(provider):
            await self._check_members(provider, made.members)
            await self._provisioning.put_group(made, None, _source(request))
        shown = group_json(made, self._base(provider))
        return _answer(shown, 201, {"Location": f"{self._base(provider)}/Groups/{made.id}"})

    async def _change_group(self, request: Request, provider: str) -> Response:
        body = await _body(request)
        async with self._provisioning.changing(provider):
            group = await self._group(request, provider)
            if request.method == "PATCH":
                changed = patched_group(group, read_operations(body))
            else:
                changed = _group(dataclasses.replace(group, external_id="", members=frozenset()), folded(body))
            changed = dataclasses.replace(changed, changed_at=self._clock.wall())
            await self._check_members(provider, changed.members - group.members)
            await self._provisioning.put_group(changed, group, _source(request))
        return _answer(group_json(changed, self._base(provider), members=_wants_members(request)))

    async def _delete_group(self, request: Request, provider: str) -> Response:
        async with self._provisioning.changing(provider):
            await self._provisioning.delete_group(await self._group(request, provider), _source(request))
        return Response(status_code=204, headers=_HEADERS)

    async def _group(self, request: Request, provider: str) -> ProvisionedGroup:
        _, found = await self._provisioning.store.groups(provider, {"id": str(request.path_params["id"])})
        if not found:
            raise not_found()
        return found[0]

    async def _check_members(self, provider: str, members: frozenset[str]) -> None:
        """INVARIANT: whoever is in a group is a user of the same provider; groups in groups are not supported."""
        for member in sorted(members):
            total, _ = await self._provisioning.store.users(provider, {"id": member})
            if not total:
                raise invalid("a member is no user of this provider; groups in groups are not supported")

    def _base(self, provider: str) -> str:
        return f"{self._origin}/scim/v2/{provider}"

    def _new_id(self) -> str:
        return str(uuid.UUID(bytes=self._ids.secret_bytes(16), version=4))


@dataclass(frozen=True, slots=True)
class Address:
    """One address with one method: what serves it, and what is said of it."""

    endpoint: Callable[[ScimService, Request, str], Awaitable[Response]]
    said: Said


_PAGED: Final = ("filter", "startIndex", "count")
_OF: Final = ScimService
ADDRESSES: Final[tuple[Address, ...]] = (
    Address(_OF._config, Said("GET", "/ServiceProviderConfig", "What this service can do", "ScimConfig")),
    Address(_OF._types, Said("GET", "/ResourceTypes", "Which resources there are", "ScimList")),
    Address(_OF._schemas, Said("GET", "/Schemas", "Which attributes are kept", "ScimList")),
    Address(_OF._list_users, Said("GET", "/Users", "The provider's people", "ScimList", query=_PAGED)),
    Address(_OF._create_user, Said("POST", "/Users", "Somebody is there", "ScimUser", 201, "ScimUserGiven")),
    Address(_OF._get_user, Said("GET", "/Users/{id}", "One person", "ScimUser")),
    Address(_OF._change_user, Said("PUT", "/Users/{id}", "Somebody in full", "ScimUser", body="ScimUserGiven")),
    Address(_OF._change_user, Said("PATCH", "/Users/{id}", "A change of somebody", "ScimUser", body="ScimPatch")),
    Address(_OF._delete_user, Said("DELETE", "/Users/{id}", "Somebody is gone: what is live of them ends", None, 204)),
    Address(
        _OF._list_groups,
        Said("GET", "/Groups", "The provider's groups", "ScimList", query=(*_PAGED, "excludedAttributes")),
    ),
    Address(_OF._create_group, Said("POST", "/Groups", "A group is there", "ScimGroup", 201, "ScimGroupGiven")),
    Address(_OF._get_group, Said("GET", "/Groups/{id}", "One group", "ScimGroup", query=("excludedAttributes",))),
    Address(_OF._change_group, Said("PUT", "/Groups/{id}", "A group in full", "ScimGroup", body="ScimGroupGiven")),
    Address(_OF._change_group, Said("PATCH", "/Groups/{id}", "A change of a group", "ScimGroup", body="ScimPatch")),
    Address(_OF._delete_group, Said("DELETE", "/Groups/{id}", "A group is gone", None, 204)),
)
"""Every address: the one table from which SCIM is served and described."""


def _group(group: ProvisionedGroup, given: Mapping[str, object]) -> ProvisionedGroup:
    members = given.get("members")
    return dataclasses.replace(
        group,
        display_name=text_of(given.get("displayname"), "displayName", needed=True),
        external_id=text_of(given.get("externalid"), "externalId"),
        members=frozenset(() if members is None else member_ids(members)),
    )


def _wants_members(request: Request) -> bool:
    excluded = request.query_params.get("excludedAttributes", "").lower().split(",")
    return "members" not in (each.strip() for each in excluded)


def _paging(request: Request) -> tuple[int, int]:
    """`startIndex` (from 1) and how many (RFC 7644 §3.4.2.4); what is out of range is brought into it."""
    found = []
    for name, default, least, most in (("startIndex", 1, 1, 2**31), ("count", 100, 0, PAGE)):
        text = request.query_params.get(name, str(default))
        if len(text) > 12 or not text.lstrip("-").isdecimal():
            raise invalid(f"`{name}` must be a whole number")
        found.append(min(most, max(least, int(text))))
    return found[0], found[1]


async def _body(request: Request) -> object:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TAKEN_TYPES:
        raise ScimError(415, f"the body must be {MEDIA}")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise ScimError(413, f"the body is longer than {MAX_BODY} bytes")
    try:
        return msgspec.json.decode(bytes(data))
    except (msgspec.MsgspecError, RecursionError):
        raise invalid("the body is no JSON", "invalidSyntax") from None


def _source(request: Request) -> str:
    return request.client.host if request.client else ""


def _answer(value: object, status: int = 200, more: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, {**_HEADERS, **(more or {})}, MEDIA)
