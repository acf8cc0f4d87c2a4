"""The parser's answers: trees, PostgreSQL's own syntax errors, and refusals of what is too deep."""

import pytest

from interpose.analysis.sql.tree import fingerprint, normalize, parse
from interpose.model.actions import Action
from interpose.model.analysis import Unanalysable


def test_a_syntax_error_is_postgresqls_own() -> None:
    error = parse("SELECT 1 FORM x y")
    assert isinstance(error, Unanalysable)
    assert error.message == 'syntax error at or near "x"'
    assert error.position == 15
    assert [effect.action for effect in error.effects] == [Action.UNKNOWN]


@pytest.mark.parametrize("text", ["SELECT 'é中', 1 FORM x y", "SELECT '😀😀' x y"])
def test_the_position_counts_characters(text: str) -> None:
    error = parse(text)
    assert isinstance(error, Unanalysable) and error.position is not None
    near = error.message.split('"')[1]
    assert text[error.position - 1 :].startswith(near)


def test_deep_nesting_is_too_deep_and_not_a_crash() -> None:
    error = parse("SELECT " + "(" * 20_000 + "1" + ")" * 20_000)
    assert isinstance(error, Unanalysable) and error.reason == "too_deep"


def test_more_than_twenty_sub_selects_decode() -> None:
    assert not isinstance(parse("SELECT " + "(SELECT " * 30 + "1" + ")" * 30), Unanalysable)


def test_constants_leave_the_normal_form_and_the_fingerprint() -> None:
    assert normalize("SELECT a FROM t WHERE b = 5") == normalize("SELECT a FROM t WHERE b = 'x'")
    assert fingerprint("SELECT 1") == fingerprint("SELECT 2")
    assert fingerprint("SELECT 1") != fingerprint("SELECT a")
    assert normalize("SELEC") is None
    assert fingerprint("SELEC") == ""
