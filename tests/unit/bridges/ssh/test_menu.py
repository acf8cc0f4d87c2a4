"""Choosing a connection at a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.menu import Menu

NAMES = ["db-1", "web-1", "web-2"]


def test_the_question_names_all() -> None:
    shown = Menu(NAMES).question()
    assert all(name.encode() in shown for name in NAMES)
    assert b"\n" not in shown.replace(b"\r\n", b"")


def test_a_number_or_a_name_chooses() -> None:
    assert Menu(NAMES).typed(b"2\r").chosen == "web-1"
    assert Menu(NAMES).typed(b"web-2\n").chosen == "web-2"


def test_keys_come_one_by_one_and_can_be_taken_back() -> None:
    menu = Menu(NAMES)
    assert menu.typed(b"d").echo == b"d"
    assert menu.typed(b"\x7f\x7f").echo == b"\b \b"
    assert menu.typed(b"web-1\r").chosen == "web-1"


def test_what_is_not_in_the_list_is_asked_again() -> None:
    menu = Menu(NAMES)
    for wrong in (b"0\r", b"4\r", b"web\r", b"\xc2\xb2\r"):
        typed = menu.typed(wrong)
        assert not typed.over or typed.chosen is None
    assert Menu(NAMES).typed(b"9\r").over is False


def test_nobody_is_kept() -> None:
    for leaving in (b"\x03", b"\x04", b"\r", b"q\r"):
        typed = Menu(NAMES).typed(leaving)
        assert typed.over
        assert typed.chosen is None


@given(data=st.binary(max_size=400))
def test_any_keys_choose_what_is_offered_or_nothing(data: bytes) -> None:
    typed = Menu(NAMES).typed(data)
    assert typed.chosen is None or typed.chosen in NAMES
    assert b"\x1b" not in typed.echo
