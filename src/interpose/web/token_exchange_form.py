"""The form of a token exchange as OpenAPI has it (RFC 8693 §2): which parameters there are, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Json = dict[str, object]
PATH: Final = "/oauth/token"
GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 -- a name
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
_TOKEN: Final[Mapping[str, object]] = {"type": "string", "minLength": 1}
_TYPE: Final[Mapping[str, object]] = {"type": "string", "enum": [ACCESS_TOKEN, JWT]}
PARAMETERS: Final[Mapping[str, Mapping[str, object]]] = {
    "grant_type": {"type": "string", "const": GRANT},
    "subject_token": {**_TOKEN, "description": "a person's"},
    "subject_token_type": _TYPE,
    "actor_token": {**_TOKEN, "description": "the agent's or service's own"},
    "actor_token_type": _TYPE,
    "requested_token_type": {"type": "string", "const": ACCESS_TOKEN},
    "audience": {"type": "array", "items": {"type": "string"}, "description": "connections, each a field of its own"},
    "task": {"type": "string", "description": "one line of at most 256 characters"},
    "requested_lifetime": {"type": "integer", "minimum": 1, "maximum": 999_999_999, "description": "seconds"},
    "client_id": {"type": "string", "description": "taken, and means nothing: the tokens are the proof"},
}
"""Every parameter that is taken, but `scope`, which must be empty."""

SCHEMAS: Final[Mapping[str, Json]] = {
    "TokenExchanged": {
        "type": "object",
        "required": ["access_token", "issued_token_type", "token_type", "expires_in", "principal", "acting_for"],
        "properties": {
            "access_token": {"type": "string"},
            "issued_token_type": {"const": ACCESS_TOKEN},
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer"},
            "principal": {"type": "string"},
            "acting_for": {"type": "string"},
        },
    },
    "OAuthError": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
        "description": "RFC 6749 §5.2",
    },
}
_ERRORS: Final = {
    400: "`invalid_request`, `invalid_target`, `invalid_scope`, `unsupported_grant_type`",
    413: "a form that is too long",
    415: "no form",
    429: "`slow_down`",
    503: "`temporarily_unavailable`",
}


def operations() -> dict[str, Json]:
    """The path of the document."""
    form: Json = {
        "type": "object",
        "required": [
            "grant_type", "subject_token", "subject_token_type", "actor_token", "actor_token_type",
        ],
        "properties": {name: dict(each) for name, each in PARAMETERS.items()},
        "additionalProperties": False,
    }  # fmt: skip
    repeated = {"audience": {"style": "form", "explode": True}}
    content = {"application/x-www-form-urlencoded": {"schema": form, "encoding": repeated}}
    return {
        PATH: {
            "post": {
                "operationId": "exchange_tokens",
                "summary": "An agent shows its own proof and a person's, and gets a token with which it acts for that person.",
                "security": [],
                "requestBody": {"required": True, "content": content},
                "responses": {
                    "200": _told("the agent's token, shown once", "TokenExchanged"),
                    **{str(status): _told(words, "OAuthError") for status, words in _ERRORS.items()},
                },
            }
        }
    }


def _told(words: str, schema: str) -> Json:
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
