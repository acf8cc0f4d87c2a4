"""What programs ask of the public address, as one OpenAPI 3.1 document: token exchange, SCIM, and logouts that a provider tells.

Made from the tables that serve them. The pages for people are none of it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interpose import __version__
from interpose.api import logout
from interpose.api.scim import described, service
from interpose.web import token_exchange_form

Json = dict[str, object]
PATH: Final = "/openapi.json"


@cache
def description() -> Json:
    """The document, the same for every gateway of one version."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Interpose at the public address",
            "version": __version__,
            "description": "What agents and identity providers ask of a gateway.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "https://gateway.example.com:6443", "description": "`public.url` of the configuration"}],
        "paths": {
            **token_exchange_form.operations(),
            **logout.operations(),
            **described.operations(each.said for each in service.ADDRESSES),
        },
        "components": {
            "schemas": {**token_exchange_form.SCHEMAS, **described.SCHEMAS},
            "securitySchemes": {
                "scim": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "the token that `scim.token` of the provider in the path refers to",
                }
            },
        },
    }


def description_text() -> str:
    """The document as the file that is kept in the documentation."""
    return msgspec.json.format(msgspec.json.encode(description()), indent=2).decode() + "\n"


def route() -> Route:
    """Where the document is served."""
    return Route(PATH, _describe, methods=["GET"])


async def _describe(_: Request) -> Response:
    return Response(msgspec.json.encode(description()), media_type="application/json")
