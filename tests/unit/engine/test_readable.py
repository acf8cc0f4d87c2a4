"""What an approver reads."""

from __future__ import annotations

from interpose.engine.readable import SHOWN_TEXT, readable_command, readable_facts
from interpose.model.actions import Action
from tests.support.memory import analysis, query


def test_the_text_and_each_parameter_as_it_came() -> None:
    command = query("update t", parameters=(b"42", None, b"o'x", b"\xff"), parameter_formats=())
    assert readable_command(command).splitlines() == [
        "update t",
        "-- $1 = '42'",
        "-- $2 = NULL",
        '-- $3 = "o\'x"',
        "-- $4 = '\ufffd'",
    ]


def test_binary_values_are_shown_as_such() -> None:
    one_code = query("q", parameters=(b"\x00\x01", b"\x02"), parameter_formats=(1,))
    assert readable_command(one_code).endswith("-- $1 = binary 0001\n-- $2 = binary 02")
    mixed = query("q", parameters=(b"a", b"\x02"), parameter_formats=(0, 1))
    assert readable_command(mixed).endswith("-- $1 = 'a'\n-- $2 = binary 02")


def test_a_value_cannot_pretend_to_be_another_line() -> None:
    command = query("q", parameters=(b"1\n-- $2 = 'harmless'",))
    assert len(readable_command(command).splitlines()) == 2


def test_what_is_very_long_is_cut_and_says_so() -> None:
    shown = readable_command(query("x" * (SHOWN_TEXT + 5), parameters=(b"y" * 5000,)))
    assert "5 more characters" in shown
    assert "(5000 bytes)" in shown
    assert len(shown) < SHOWN_TEXT + 2000


def test_facts_name_actions_and_statements() -> None:
    assert readable_facts(analysis(Action.UPDATE, Action.SELECT)) == (
        ("actions", "select, update"),
        ("statements", "TEST"),
    )
