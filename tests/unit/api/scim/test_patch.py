"""PATCH as Okta and Entra send it; what is not understood changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.api.scim.errors import ScimError
from interpose.api.scim.patch import PATCH, patched_group, patched_user, read_operations
from interpose.engine.provisioned import ProvisionedGroup, ProvisionedUser

USER = ProvisionedUser("u", "corporate", "zoe@example.com", "sub-1", "Zoe")
GROUP = ProvisionedGroup("g", "corporate", "dba", "x", frozenset({"a", "b"}))


def body(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def user(*operations: dict[str, Any]) -> ProvisionedUser:
    return patched_user(USER, read_operations(body(*operations)))


def group(*operations: dict[str, Any]) -> ProvisionedGroup:
    return patched_group(GROUP, read_operations(body(*operations)))


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "value": {"active": False}},  # Okta
        {"op": "Replace", "path": "active", "value": "False"},  # Entra
        {"op": "Replace", "path": "active", "value": False},  # Entra with the flag aadOptscim062020
        {"op": "add", "path": "active", "value": "false"},
        {"op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": "False"},
        {"op": "replace", "value": {"ACTIVE": "False", "name.familyName": "x", "emails": []}},
    ],
)
def test_deactivation_in_every_shape(operation: dict[str, Any]) -> None:
    assert not user(operation).active


def test_attributes_of_a_user() -> None:
    changed = user(
        {"op": "Replace", "path": "userName", "value": "z@example.com"},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "z@example.com"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": "m"},
        {"op": "Replace", "path": "displayName", "value": "Z"},
        {"op": "remove", "path": "externalId"},
        {"op": "remove", "path": "title"},
    )
    assert (changed.user_name, changed.display_name, changed.external_id, changed.active) == (
        "z@example.com",
        "Z",
        "",
        True,
    )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ({"op": "add", "path": "members", "value": [{"value": "c", "display": "C"}]}, {"a", "b", "c"}),  # Okta
        ({"op": "Add", "path": "members", "value": [{"$ref": None, "value": "c"}]}, {"a", "b", "c"}),  # Entra
        ({"op": "add", "path": "members", "value": {"value": "c"}}, {"a", "b", "c"}),
        ({"op": "add", "value": {"members": [{"value": "c"}, {"value": "c"}]}}, {"a", "b", "c"}),
        ({"op": "remove", "path": 'members[value eq "a"]'}, {"b"}),  # Okta
        ({"op": "Remove", "path": 'Members[Value Eq "a"]'}, {"b"}),
        ({"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "a"}]}, {"b"}),  # Entra
        ({"op": "remove", "path": "members"}, set()),
        ({"op": "remove", "path": 'members[value eq "nobody"]'}, {"a", "b"}),
        ({"op": "replace", "path": "members", "value": [{"value": "c"}]}, {"c"}),
        ({"op": "replace", "path": "members", "value": []}, set()),
        ({"op": "replace", "path": "members", "value": None}, set()),
        ({"op": "replace", "value": {"id": "g", "displayName": "dba", "members": []}}, set()),
    ],
)
def test_members(operation: dict[str, Any], members: set[str]) -> None:
    assert group(operation).members == members


def test_names_of_a_group() -> None:
    assert group({"op": "replace", "value": {"id": "g", "displayName": "new"}}).display_name == "new"  # Okta
    changed = group({"op": "Replace", "path": "displayName", "value": "new"}, {"op": "remove", "path": "externalId"})
    assert (changed.display_name, changed.external_id, changed.members) == ("new", "", GROUP.members)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "move", "path": "members"}, "invalidSyntax"),
        ({"path": "members", "value": []}, "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "add", "path": 7, "value": 1}, "invalidPath"),
        ({"op": "remove", "path": "members[value eq a]"}, "invalidPath"),
        ({"op": "remove", "path": 'members[value ne "a"]'}, "invalidPath"),
        ({"op": "remove", "path": 'members[value eq "a"].display'}, "invalidPath"),
        ({"op": "remove", "path": "members.value"}, "invalidPath"),
        ({"op": "add", "path": 'members[value eq "c"]', "value": 1}, "invalidPath"),
        ({"op": "add", "path": "members"}, "invalidValue"),
        ({"op": "add", "path": "members", "value": ["c"]}, "invalidSyntax"),
        ({"op": "add", "path": "members", "value": [{"value": 5}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"value": ""}]}, "invalidValue"),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ({"op": "replace", "path": "displayName", "value": "  "}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": "a\nb"}, "invalidValue"),
        ({"op": "replace", "path": "a b", "value": 1}, "invalidPath"),
    ],
)
def test_what_a_group_refuses(operation: dict[str, Any], kind: str) -> None:
    with pytest.raises(ScimError) as caught:
        group(operation)
    assert caught.value.kind in (
        kind,
        "invalidPath" if operation.get("op") == "remove" and kind == "noTarget" else kind,
    )


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "active", "value": "no"},
        {"op": "replace", "path": "active", "value": 0},
        {"op": "replace", "path": "active"},
        {"op": "remove", "path": "active"},
        {"op": "remove", "path": "userName"},
        {"op": "replace", "path": "active.x", "value": False},
        {"op": "replace", "path": 'active[x eq "y"]', "value": False},
        {"op": "replace", "path": "userName", "value": ""},
        {"op": "replace", "value": [1]},
        {"op": "replace", "value": {"active": False, "ACTIVE": True}},
        {"op": "remove"},
    ],
)
def test_what_a_user_refuses(operation: dict[str, Any]) -> None:
    with pytest.raises(ScimError):
        user(operation)


@pytest.mark.parametrize(
    "given_body", [{}, [], {"schemas": [PATCH]}, {"schemas": [PATCH], "Operations": []}, {"Operations": [{}]}]
)
def test_what_is_no_patch(given_body: object) -> None:
    with pytest.raises(ScimError):
        read_operations(given_body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["op", "path", "value", "members", "active", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.lists(_JSON, min_size=1, max_size=3))
def test_any_json_is_understood_or_refused(operations: list[object]) -> None:
    for apply, thing in ((patched_user, USER), (patched_group, GROUP)):
        try:
            apply(thing, read_operations({"schemas": [PATCH], "Operations": operations}))  # type: ignore[operator]
        except ScimError:
            continue
