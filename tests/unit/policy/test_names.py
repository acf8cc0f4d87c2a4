"""Entity ids: no two resources share one, and literals that could never match are seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.model.ids import ConnectionName
from interpose.model.paths import lexical
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    DatabaseResource,
    DestinationResource,
    FunctionResource,
    HostResource,
    ObjectResource,
    PathResource,
    ProgramResource,
    RoleResource,
    SchemaResource,
    SettingResource,
    TableResource,
)
from interpose.policy.names import connection_part, connection_uid, describe, example_id, label_uid, resource_uid

_name = st.text(st.sampled_from("a.%/:=25E"), max_size=5)
_resources = st.one_of(
    st.builds(ColumnResource, _name, _name, _name),
    st.builds(TableResource, _name, _name),
    st.builds(FunctionResource, _name, _name),
    st.builds(ObjectResource, _name, _name, _name),
    st.builds(SchemaResource, _name),
    st.builds(SettingResource, _name),
    st.builds(RoleResource, _name),
    st.builds(DatabaseResource, _name),
    st.just(ConnectionResource()),
    st.just(HostResource()),
    st.builds(ProgramResource, _name),
    st.builds(lambda text: PathResource(lexical("/" + text) or "/"), _name),
    st.builds(lambda text: PathResource("x" + text, resolved=False), _name),
    st.builds(DestinationResource, st.text(st.sampled_from("a.%/:=25[]"), max_size=5), st.integers(0, 65535)),
    st.builds(lambda text: DestinationResource("", 0, "/" + text), _name),
)
_connections = st.text(st.sampled_from("a.%/:=25F"), min_size=1, max_size=5).map(ConnectionName)


@given(_connections, _resources, _connections, _resources)
def test_ids_are_injective(one: ConnectionName, first: object, other: ConnectionName, second: object) -> None:
    same = (one, first) == (other, second)
    mine = resource_uid(connection_uid(one)[1], first)  # type: ignore[arg-type]
    theirs = resource_uid(connection_uid(other)[1], second)  # type: ignore[arg-type]
    assert (mine == theirs) == same


@given(_name, _name, _name, _name)
def test_labels_are_injective(key: str, value: str, other_key: str, other_value: str) -> None:
    assert (label_uid(key, value) == label_uid(other_key, other_value)) == ((key, value) == (other_key, other_value))


@given(_connections, _resources)
def test_every_id_has_the_form_that_literals_are_checked_for(name: ConnectionName, resource: object) -> None:
    uid = resource_uid(connection_uid(name)[1], resource)  # type: ignore[arg-type]
    assert example_id(uid) is None
    assert connection_part(uid) == connection_uid(name)[1]


@pytest.mark.parametrize(
    ("kind", "ident"),
    [
        ("Table", "orders-prod.public.customers"),
        ("Table", "orders-prod/customers"),
        ("Table", "orders-prod/public.my.table"),
        ("Table", "orders-prod/public.a%2e"),
        ("Column", "orders-prod/public.customers"),
        ("Schema", "public"),
        ("Connection", "orders/prod"),
        ("Label", "prod"),
        ("DbObject", "orders-prod/public.audit"),
        ("Gateway", "gateway"),
        ("Host", "web/1"),
        ("Program", "rm"),
        ("Path", "web-1//etc/"),
        ("Path", "web-1//etc/../x"),
        ("Path", "web-1//a//b"),
        ("Path", "/etc"),
        ("Destination", "web-1/db"),
        ("Destination", "web-1/::1:22"),
    ],
)
def test_a_literal_that_can_never_match_is_seen(kind: str, ident: str) -> None:
    example = example_id((kind, ident))
    assert example is not None
    assert example_id((kind, example)) is None


def test_names_without_a_form_are_free() -> None:
    assert example_id(("Group", "any thing/at.all")) is None
    assert connection_part(("Group", "x/y")) is None
    assert connection_part(("Label", "env=a/b")) is None


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (ColumnResource("s", "t", "c"), "column s.t.c"),
        (TableResource("s", "v", "view"), "view s.v"),
        (TableResource("", "t", "unresolved"), "table t"),
        (FunctionResource("", "f"), "function f"),
        (SchemaResource("s"), "schema s"),
        (DatabaseResource("d"), "database d"),
        (SettingResource("x"), "setting x"),
        (RoleResource("r"), "role r"),
        (ObjectResource("trigger", "s", "t"), "trigger s.t"),
        (ObjectResource("extension", "", "e"), "extension e"),
        (ConnectionResource(), "the connection"),
        (HostResource(), "the host"),
        (ProgramResource("/bin/rm"), "program /bin/rm"),
        (PathResource("/etc"), "path /etc"),
        (DestinationResource("::1", 22), "destination [::1]:22"),
        (DestinationResource("", 0, "/run/x.sock"), "destination /run/x.sock"),
    ],
)
def test_describe(resource: object, words: str) -> None:
    assert describe(resource) == words  # type: ignore[arg-type]
