"""Errors and notices without free text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.backend import read_fields
from interpose.protocols.postgres.relay.free_text import from_elsewhere, names_only, scrubbed

CANARY = "canary-078-05-1120"


@given(st.dictionaries(st.sampled_from("SVCMDHPpqWsctdnFLR"), st.just(CANARY)))
def test_no_field_carries_text(fields: dict[str, str]) -> None:
    for kind in "EN":
        assert CANARY.encode() not in scrubbed(kind, fields)


@pytest.mark.parametrize("kind", ["E", "N"])
def test_severity_code_and_position_stay(kind: str) -> None:
    told = read_fields(scrubbed(kind, {"S": "ERROR", "V": "ERROR", "C": "22P02", "M": CANARY, "P": "17"})[5:])
    assert (told["S"], told["V"], told["C"], told["P"]) == ("ERROR", "ERROR", "22P02", "17")


def test_a_made_up_code_could_be_a_value() -> None:
    assert read_fields(scrubbed("E", {"S": "ERROR", "C": "07805"})[5:])["C"] != "07805"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"C": "42703", "F": "parse_relation.c"}, True),
        ({"C": "42883", "F": "parse_func.c"}, True),
        ({"C": "42703", "F": "parse_relation.c", "W": "PL/pgSQL function f() line 1 at EXECUTE"}, False),
        ({"C": "22P02", "F": "numutils.c"}, False),
        ({"C": "42704", "F": "parse_type.c"}, False),
        ({"C": "42P01", "F": "namespace.c"}, False),
        ({"C": "22012", "F": "parse_expr.c"}, False),
        ({}, False),
    ],
)
def test_errors_about_the_names_in_a_statement_are_told_from_those_about_values(
    fields: dict[str, str], expected: bool
) -> None:
    assert names_only(fields) is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"C": "23505", "s": "public", "t": "orders"}, False),
        ({"C": "23514", "s": "public", "t": "people"}, True),
        ({"C": "23514", "s": "other", "t": "people"}, False),
        ({"C": "P0001", "W": "PL/pgSQL function f() line 1 at RAISE"}, True),
        ({"C": "22012"}, False),
    ],
)
def test_an_error_of_other_code_or_about_a_hidden_row_comes_from_elsewhere(
    fields: dict[str, str], expected: bool
) -> None:
    assert from_elsewhere(fields, {("public", "people")}) is expected
