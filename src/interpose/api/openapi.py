"""The OpenAPI 3.1 document of the API, made from its table of addresses and from the structures that are read and answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from interpose.api.endpoint import Answer, Asks, Endpoint
from interpose.api.http import Problem, status_of

Json = dict[str, object]
_REFERENCE = "#/components/schemas/{name}"
_IN_PATH = re.compile(r"\{(\w+)\}")
_WITH_TOKEN = ("authentication_failed", "too_many_attempts", "store_unavailable", "provider_unavailable")
"""What may always be wrong where a token is asked for."""
_WITH_BODY = ("client_error",)


def document(endpoints: Sequence[Endpoint], version: str) -> Json:
    """The whole document."""
    kinds = _kinds(endpoints)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    known = dict(zip(map(_key, kinds), schemas, strict=True))
    paths: dict[str, Json] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Interpose admin API",
            "version": version,
            "description": "What programs ask of a gateway. Times are seconds since the epoch. Who may do what is policy, asked anew at "
            "each request; `x-interpose-asks` lists the actions.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:6480", "description": "`admin.address` of the configuration"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "an Interpose access token, or the signed token of a workload of a configured issuer",
                }
            },
        },
    }


def _kinds(endpoints: Iterable[Endpoint]) -> list[object]:
    found: dict[str, object] = {_key(Problem): Problem}
    for each in endpoints:
        for kind in (each.body, *(kind for answer in each.answers for kind in (answer.kind, answer.line))):
            if kind is not None:
                found.setdefault(_key(kind), kind)
    return list(found.values())


def _key(kind: object) -> str:
    return repr(kind)


def _operation(each: Endpoint, known: Mapping[str, Json]) -> Json:
    first, rest = each.words
    operation: Json = {
        "operationId": each.handler.__name__,
        "summary": first,
        "description": f"{rest}\n\nWho may: {each.who}.".strip(),
        "x-interpose-asks": each.asks.value if isinstance(each.asks, Asks) else sorted(a.value for a in each.asks),
        "parameters": _parameters(each),
        "responses": {**_answers(each.answers, known), **_errors(each, known)},
    }
    if not each.takes_token:
        operation["security"] = []
    if each.body is not None:
        # An empty body is `{}`: it is required where something in it is.
        fields = msgspec.structs.fields(each.body)
        content = {"application/json": {"schema": known[_key(each.body)]}}
        operation["requestBody"] = {"required": any(field.required for field in fields), "content": content}
    return operation


def _parameters(each: Endpoint) -> list[Json]:
    in_path: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _IN_PATH.findall(each.path)
    ]
    in_query: list[Json] = [
        {
            "name": one.name,
            "in": "query",
            "required": one.required,
            "description": one.words,
            "schema": dict(one.schema),
        }
        for one in each.parameters
    ]
    return in_path + in_query


def _answers(answers: Iterable[Answer], known: Mapping[str, Json]) -> Json:
    found: Json = {}
    for each in answers:
        schema: Json = {} if each.kind is None else known[_key(each.kind)]
        content: Json = {"schema": schema}
        if each.line is not None:
            content["x-interpose-line"] = known[_key(each.line)]
        found[str(each.status)] = {"description": each.words, "content": {each.media: content}}
    return found


def _errors(each: Endpoint, known: Mapping[str, Json]) -> Json:
    codes = {*each.errors}
    if each.takes_token:
        codes.update(_WITH_TOKEN)
    if each.body is not None or each.parameters:
        codes.update(_WITH_BODY)
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(status_of(code), []).append(code)
    return {
        str(status): {
            "description": ", ".join(f"`{code}`" for code in words),
            "content": {"application/json": {"schema": known[_key(Problem)]}},
        }
        for status, words in sorted(by_status.items())
    }
