"""The effective search path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.messages import DECODERS
from interpose.protocols.postgres.relay.path import (
    ABORT_MESSAGE,
    ASK_SESSION,
    ASK_SESSION_EXPECTS,
    effective_path,
    split_identifiers,
)
from tests.support.playbook import kinds


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("public", ["public"]),
        ('"$user", public', ["$user", "public"]),
        (' A ,"B""c" , "" ', ["a", 'B"c', ""]),
        ("ÄÖ", ["ÄÖ"]),
        ('"a', None),
        ("a,", None),
        ("a b", None),
        (",", None),
        ('"a"b', None),
    ],
)
def test_identifiers_are_split_as_the_server_splits_them(text: str, names: list[str] | None) -> None:
    assert split_identifiers(text) == names


def test_long_names_are_cut_at_63_bytes() -> None:
    assert split_identifiers("a" * 70) == ["a" * 63]
    assert split_identifiers("ä" * 40) == ["ä" * 31]


@pytest.mark.parametrize(
    ("text", "role", "path"),
    [
        ("public", "none", ("pg_temp", "pg_catalog", "public")),
        ('"$user", public', "none", ("pg_temp", "pg_catalog", "app", "public")),
        ('"$user", public', "other", ("pg_temp", "pg_catalog", "other", "public")),
        ("public, pg_catalog", "none", ("pg_temp", "public", "pg_catalog")),
        ("a, pg_temp, a", "none", ("pg_catalog", "a", "pg_temp")),
        ("", "none", ("pg_temp", "pg_catalog")),
        ('""', "none", ("pg_temp", "pg_catalog")),
        ('"broken', "none", None),
    ],
)
def test_the_implied_schemas_come_first(text: str, role: str, path: tuple[str, ...] | None) -> None:
    found = effective_path(text, role, "app")
    assert (found and found.schemas) == path
    assert found is None or found.role == ("app" if role == "none" else role)


def test_the_own_temporary_schema_stands_where_pg_temp_stands() -> None:
    assert effective_path("a, pg_temp", "none", "app", "pg_temp_3") == (("pg_catalog", "a", "pg_temp_3"), "app")
    assert effective_path("a", "none", "app", "pg_temp_3") == (("pg_temp_3", "pg_catalog", "a"), "app")
    assert effective_path("a", "none", "app", "-") == (("pg_temp", "pg_catalog", "a"), "app")


def test_an_unknown_user_makes_the_path_unknown() -> None:
    assert effective_path('"$user"', "none", "") is None


@given(st.text(max_size=30))
def test_any_text_is_split_or_not_understood(text: str) -> None:
    names = split_identifiers(text)
    assert names is None or all(len(name.encode()) <= 63 for name in names)


def test_the_question_leaves_nothing_behind_and_every_answer_is_expected() -> None:
    types = kinds(ASK_SESSION).split()
    assert types == ["P", "B", "E", "C", "C"] * 3
    assert len(ASK_SESSION_EXPECTS) == len(types)
    assert all(expected.own for expected in ASK_SESSION_EXPECTS)
    assert b"SHOW search_path" in ASK_SESSION


def test_the_message_that_must_fail_is_well_formed() -> None:
    assert DECODERS[b"B"](ABORT_MESSAGE[5:])
