"""Filters (RFC 7644 §3.4.2.2), as far as sources use them: `eq`, joined by `and`. Anything else is refused, never guessed.

Okta asks `userName eq "…"` and `displayName eq "…"`, Entra these, `externalId eq "…"` and `id eq "…" and members eq "…"`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from interpose.api.scim.errors import invalid

MAX_FILTER: Final = 2048
_ONE: Final = re.compile(
    r"""\s*(?P<name>[A-Za-z][\w.]*)\s+eq\s+(?P<value>"(?:[^"\\]|\\.)*"|true|false)\s*""", re.IGNORECASE
)
_AND: Final = re.compile(r"and\s", re.IGNORECASE)

USER_FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    "username": "user_name",
    "externalid": "external_id",
    "displayname": "display_name",
    "active": "active",
}
GROUP_FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    "displayname": "display_name",
    "externalid": "external_id",
    "members": "member",
    "members.value": "member",
}
"""Attributes in lower case (they are written in any, RFC 7643 §2.1), and the fields that they are."""


def read_filter(text: str, fields: Mapping[str, str]) -> dict[str, str | bool]:
    """The fields that must have a value; raises `ScimError` (`invalidFilter`). No text: none."""
    found: dict[str, str | bool] = {}
    if len(text) > MAX_FILTER:
        raise invalid("the filter is too long", "invalidFilter")
    place = 0
    while place < len(text):
        match = _ONE.match(text, place)
        name = "" if match is None else fields.get(match["name"].lower(), "")
        if match is None or not name or name in found:
            raise invalid(
                'this filter is not supported: write `attribute eq "value"`, joined by `and`', "invalidFilter"
            )
        found[name] = _value(match["value"], name)
        place = match.end()
        if place < len(text):
            joined = _AND.match(text, place)
            if joined is None or joined.end() == len(text):
                raise invalid("this filter is not supported: only `and` joins conditions", "invalidFilter")
            place = joined.end()
    return found


def _value(text: str, name: str) -> str | bool:
    if text[0] != '"':
        if name != "active":
            raise invalid("a text is compared with a text in quotes", "invalidFilter")
        return text.lower() == "true"
    try:
        value = json.loads(text)
    except ValueError:
        raise invalid("a text of this filter is not understood", "invalidFilter") from None
    if name == "active":
        raise invalid("`active` is true or false", "invalidFilter")
    return str(value)
