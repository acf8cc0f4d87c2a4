"""PATCH (RFC 7644 §3.5.2), in the shapes that Okta and Entra really send; what is not understood is refused, and then nothing is changed.

Of a user only what is kept can change; paths to other attributes are taken and do nothing. Of a group: its names and its members.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Final

from interpose.api.scim.errors import invalid
from interpose.api.scim.resources import folded, member_ids, text_of, with_user_attributes
from interpose.engine.provisioned import ProvisionedGroup, ProvisionedUser

PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MAX_OPERATIONS: Final = 1000
_KEPT: Final = ("username", "externalid", "displayname", "active")
_PREFIXES: Final = (
    "urn:ietf:params:scim:schemas:core:2.0:user:",
    "urn:ietf:params:scim:schemas:core:2.0:group:",
)
_PATH: Final = re.compile(r"[a-z$][\w$.:-]*(?:\[[^\]]*\](?:\.\w+)?)?")
_MEMBER: Final = re.compile(r'members\[\s*value\s+eq\s+("(?:[^"\\]|\\.)*")\s*\]', re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `op` is `add`, `replace` or `remove`; `path` is in lower case but for values in it, empty without one."""

    op: str
    path: str
    value: object
    has_value: bool


def read_operations(body: object) -> list[Operation]:
    """The operations of a request, in order; raises `ScimError`."""
    asked = folded(body)
    schemas, listed = asked.get("schemas"), asked.get("operations")
    if not isinstance(schemas, list) or PATCH not in schemas:
        raise invalid("`schemas` must have the one of PatchOp", "invalidSyntax")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_OPERATIONS:
        raise invalid(f"`Operations` must be a list of 1 to {MAX_OPERATIONS}", "invalidSyntax")
    found = []
    for each in listed:
        given = folded(each)
        op = str(given.get("op", "")).lower()  # Entra writes `Add`, `Replace`, `Remove`
        if op not in ("add", "replace", "remove"):
            raise invalid("`op` must be add, replace or remove", "invalidSyntax")
        path = given.get("path")
        if path is not None and (not isinstance(path, str) or len(path) > 1024):
            raise invalid("this path is not understood", "invalidPath")
        found.append(Operation(op, _path(path or ""), given.get("value"), "value" in given))
    return found


def patched_user(user: ProvisionedUser, operations: list[Operation]) -> ProvisionedUser:
    """The user after all operations; raises `ScimError`."""
    for each in operations:
        if not each.path:
            if each.op == "remove":
                raise invalid("what to remove is not said", "noTarget")
            # Okta: {"op": "replace", "value": {"active": false}}; Entra may write whole paths as names in there.
            given = {_path(name): value for name, value in folded(each.value).items()}
            user = with_user_attributes(user, given)
        elif each.path in _KEPT:
            user = _set(user, each)
        else:
            _check_other(each.path)
    return user


def patched_group(group: ProvisionedGroup, operations: list[Operation]) -> ProvisionedGroup:
    """The group after all operations; raises `ScimError`. Whether its members exist is for the caller to see."""
    for each in operations:
        one = _MEMBER.fullmatch(each.path)
        if one is not None:
            group = _one_member(group, each, _member(one[1]))
        elif each.path == "members":
            group = _members(group, each)
        elif not each.path and each.op != "remove":
            for name, value in folded(each.value).items():
                group = _group_attribute(group, Operation(each.op, _path(name), value, True))
        else:
            group = _group_attribute(group, each)
    return group


def _set(user: ProvisionedUser, each: Operation) -> ProvisionedUser:
    if each.op == "remove":
        if each.path in ("username", "active"):
            raise invalid(f"`{each.path}` cannot be removed", "mutability")
        return with_user_attributes(user, {each.path: None})
    if not each.has_value:
        raise invalid("the operation has no value")
    return with_user_attributes(user, {each.path: each.value})


def _group_attribute(group: ProvisionedGroup, each: Operation) -> ProvisionedGroup:
    removed = each.op == "remove"
    if each.path == "members":
        return _members(group, each)
    if each.path == "displayname":
        if removed:
            raise invalid("`displayName` cannot be removed", "mutability")
        return dataclasses.replace(group, display_name=text_of(each.value, "displayName", needed=True))
    if each.path == "externalid":
        return dataclasses.replace(group, external_id="" if removed else text_of(each.value, "externalId"))
    _check_other(each.path)
    return group


def _check_other(path: str) -> None:
    """A path to something that is not kept does nothing; one into what is kept must not be passed over in silence."""
    if not _PATH.fullmatch(path) or re.split(r"[.\[]", path)[0] in (*_KEPT, "members"):
        raise invalid("this path is not understood", "invalidPath")


def _members(group: ProvisionedGroup, each: Operation) -> ProvisionedGroup:
    if each.op == "remove":
        # Entra names them in `value`; without one, all go (RFC 7644 §3.5.2.2).
        gone = frozenset(member_ids(each.value)) if each.has_value and each.value is not None else group.members
        return dataclasses.replace(group, members=group.members - gone)
    if not each.has_value:
        raise invalid("the operation has no value")
    given = frozenset(member_ids([] if each.value is None else each.value))
    return dataclasses.replace(group, members=given if each.op == "replace" else group.members | given)


def _one_member(group: ProvisionedGroup, each: Operation, member: str) -> ProvisionedGroup:
    if each.op != "remove":
        raise invalid("a member is added by `path: members`", "invalidPath")
    return dataclasses.replace(group, members=group.members - {member})


def _member(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        raise invalid("this path is not understood", "invalidPath") from None


def _path(text: str) -> str:
    """The path in lower case, without the schema in front; the value in `members[value eq "…"]` stays as it is."""
    one = _MEMBER.fullmatch(text)
    if one is not None:
        return f"members[value eq {one[1]}]"
    lower = text.lower()
    for prefix in _PREFIXES:
        lower = lower.removeprefix(prefix)
    return lower
