"""Users and groups as SCIM writes them (RFC 7643 §4): read from a request with care for what sources really send, and written.

Attributes that mean nothing here (addresses, names in parts, extensions) are taken and not kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from interpose.api.scim.errors import invalid
from interpose.engine.provisioned import ProvisionedGroup, ProvisionedUser

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MAX_TEXT: Final = 1024
MAX_MEMBERS: Final = 10_000

Json = Mapping[str, object]
"""A JSON object."""


def folded(value: object) -> dict[str, object]:
    """An object with its names in lower case (RFC 7643 §2.1: attribute names have no case); raises `ScimError`."""
    if not isinstance(value, Mapping):
        raise invalid("a JSON object is needed here", "invalidSyntax")
    found = {str(name).lower(): item for name, item in value.items()}
    if len(found) != len(value):
        raise invalid("an attribute is given twice", "invalidSyntax")
    return found


def text_of(value: object, name: str, *, needed: bool = False) -> str:
    """A text that can be kept; empty for null."""
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > MAX_TEXT or any(not each.isprintable() for each in value):
        raise invalid(f"`{name}` must be a text of at most {MAX_TEXT} characters")
    if needed and not value.strip():
        raise invalid(f"`{name}` must not be empty")
    return value


def truth_of(value: object, name: str) -> bool:
    """A truth value; Entra sends it as the text `"False"`, and as `"True"`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise invalid(f"`{name}` must be true or false")


def with_user_attributes(user: ProvisionedUser, given: Json) -> ProvisionedUser:
    """The user with the attributes that are given (names in lower case)."""
    if "username" in given:
        user = dataclasses.replace(user, user_name=text_of(given["username"], "userName", needed=True))
    if "externalid" in given:
        user = dataclasses.replace(user, external_id=text_of(given["externalid"], "externalId"))
    if "displayname" in given:
        user = dataclasses.replace(user, display_name=text_of(given["displayname"], "displayName"))
    if "active" in given:
        user = dataclasses.replace(user, active=truth_of(given["active"], "active"))
    return user


def member_ids(value: object) -> list[str]:
    """The ids in a list of members, or in a single one."""
    listed = value if isinstance(value, list) else [value]
    if len(listed) > MAX_MEMBERS:
        raise invalid("these are too many members for one request", "tooMany")
    return [text_of(folded(each).get("value"), "members.value", needed=True) for each in listed]


def user_json(user: ProvisionedUser, base: str, groups: list[str] | None = None) -> dict[str, object]:
    """The user as it is answered; `base` is the URL of the source."""
    return {
        "schemas": [USER],
        "id": user.id,
        **({"externalId": user.external_id} if user.external_id else {}),
        "userName": user.user_name,
        **({"displayName": user.display_name} if user.display_name else {}),
        "active": user.active,
        **({} if groups is None else {"groups": [{"value": name, "display": name} for name in groups]}),
        "meta": _meta("User", f"{base}/Users/{user.id}", user.created_at, user.changed_at),
    }


def group_json(group: ProvisionedGroup, base: str, *, members: bool = True) -> dict[str, object]:
    """The group as it is answered."""
    listed = [{"value": each, "$ref": f"{base}/Users/{each}", "type": "User"} for each in sorted(group.members)]
    return {
        "schemas": [GROUP],
        "id": group.id,
        **({"externalId": group.external_id} if group.external_id else {}),
        "displayName": group.display_name,
        **({"members": listed} if members else {}),
        "meta": _meta("Group", f"{base}/Groups/{group.id}", group.created_at, group.changed_at),
    }


def list_json(resources: list[dict[str, object]], total: int, start: int) -> dict[str, object]:
    """A page of resources; `start` counts from 1."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _meta(kind: str, location: str, created: float, changed: float) -> dict[str, str]:
    return {
        "resourceType": kind,
        "created": _moment(created),
        "lastModified": _moment(changed),
        "location": location,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
