"""SCIM's addresses as OpenAPI has them, made from the table that serves them; the shapes of what is read and answered (RFC 7643 §4, RFC 7644 §3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from interpose.api.scim.errors import ERROR
from interpose.api.scim.patch import PATCH
from interpose.api.scim.resources import GROUP, LIST, MAX_TEXT, USER

Json = dict[str, object]
MEDIA: Final = "application/scim+json"
AT: Final = "/scim/v2/{provider}"
_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_TEXT: Final[Mapping[str, object]] = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_OPTIONAL: Final[Mapping[str, object]] = {"type": ["string", "null"], "maxLength": MAX_TEXT}
_MOMENT: Final[Mapping[str, object]] = {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one address: `answer` and `body` are names of `SCHEMAS`, None for none; `query` are names of `PARAMETERS`."""

    method: str
    path: str
    words: str
    answer: str | None
    status: int = 200
    body: str | None = None
    query: tuple[str, ...] = ()


def _object(required: Iterable[str], **properties: Mapping[str, object]) -> Json:
    return {
        "type": "object",
        "required": list(required),
        "properties": {name: dict(p) for name, p in properties.items()},
    }


def _answered(kind: str, schema: str, *names: str, **more: Mapping[str, object]) -> Json:
    meta = _object(
        ("resourceType", "created", "lastModified", "location"),
        resourceType={"const": kind}, created=_MOMENT, lastModified=_MOMENT, location={"type": "string"},
    )  # fmt: skip
    return _object(
        ("schemas", "id", "meta", *names),
        schemas={"const": [schema]}, id={"type": "string"}, meta=meta, externalId=_TEXT,
        **{name: _TEXT for name in ("displayName", *names) if name not in more}, **more,
    )  # fmt: skip


_MEMBER: Final = _object(("value",), value=_TEXT)
SCHEMAS: Final[Mapping[str, Json]] = {
    "ScimUser": _answered("User", USER, "userName", "active", active={"type": "boolean"}),
    "ScimGroup": _answered("Group", GROUP, "displayName", members={"type": "array", "items": _MEMBER}),
    "ScimUserGiven": _object(
        ("userName",),
        userName=_TEXT, externalId=_OPTIONAL, displayName=_OPTIONAL,
        active={"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^([Tt]rue|[Ff]alse)$"}]},
    ),
    "ScimGroupGiven": _object(
        ("displayName",),
        displayName=_TEXT, externalId=_OPTIONAL,
        members={"type": ["array", "null"], "items": _MEMBER},
    ),
    "ScimPatch": _object(
        ("schemas", "Operations"),
        schemas={"type": "array", "items": {"type": "string"}, "contains": {"const": PATCH}},
        Operations={
            "type": "array", "minItems": 1,
            "items": _object(
                ("op",),
                op={"enum": ["add", "replace", "remove", "Add", "Replace", "Remove"]},
                path={"type": ["string", "null"], "maxLength": 1024}, value={},
            ),
        },
    ),
    "ScimList": _object(
        ("schemas", "totalResults", "startIndex", "itemsPerPage", "Resources"),
        schemas={"const": [LIST]}, totalResults={"type": "integer"}, startIndex={"type": "integer"},
        itemsPerPage={"type": "integer"}, Resources={"type": "array", "items": {"type": "object"}},
    ),
    "ScimConfig": _object(("schemas", "patch", "filter"), schemas={"type": "array"}, patch={"type": "object"}, filter={"type": "object"}),
    "ScimError": _object(
        ("schemas", "status", "detail"),
        schemas={"const": [ERROR]}, status={"type": "string"}, detail={"type": "string"}, scimType={"type": "string"},
    ),
}  # fmt: skip
"""Attributes that are not named here are taken and not kept; their names have no case (RFC 7643 §2.1)."""

PARAMETERS: Final[Mapping[str, tuple[str, Mapping[str, object]]]] = {
    "filter": ("`eq`, joined by `and`", {"type": "string"}),
    "startIndex": ("from 1", {"type": "integer", "default": 1}),
    "count": ("at most 200", {"type": "integer", "default": 100}),
    "excludedAttributes": ("`members` leaves them out", {"type": "string"}),
}
_ALWAYS: Final = {
    401: "not this provider's token",
    404: "no such resource, or no provider has a source",
    429: "too many wrong tokens came from this address",
    503: "not done, or not known whether: ask again",
}
_WITH_BODY: Final = {400: "not understood", 409: "another user has this name or id", 413: "too long", 415: "no JSON"}


def operations(table: Iterable[Said]) -> dict[str, Json]:
    """The paths of the document."""
    paths: dict[str, Json] = {}
    for each in table:
        paths.setdefault(f"{AT}{each.path}", {})[each.method.lower()] = _operation(each)
    return paths


def _operation(each: Said) -> Json:
    wrong = _ALWAYS | (_WITH_BODY if each.body else {400: "not understood"} if each.query else {})
    done: Json = {"description": "done"} if each.answer is None else _told("done", each.answer)
    operation: Json = {
        "operationId": f"scim_{each.method.lower()}{_IN_PATH.sub('one', each.path).replace('/', '_').lower()}",
        "summary": each.words,
        "security": [{"scim": []}],
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in _IN_PATH.findall(f"{AT}{each.path}")
            ),
            *(
                {"name": name, "in": "query", "description": PARAMETERS[name][0], "schema": dict(PARAMETERS[name][1])}
                for name in each.query
            ),
        ],
        "responses": {
            str(each.status): done,
            **{str(status): _told(wrong[status], "ScimError") for status in sorted(wrong)},
        },
    }
    if each.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(each.body)}
    return operation


def _told(words: str, schema: str) -> Json:
    return {"description": words, "content": _content(schema)}


def _content(schema: str) -> Json:
    return {MEDIA: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
