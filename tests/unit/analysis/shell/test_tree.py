"""The grammar's reading: whole or not, plain or not, and every command however deep."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.tree import read


@pytest.mark.parametrize("text", ["ls (", "echo '", "& ls", "ls &&", "if ls", "echo !(x)", ";"])
def test_a_broken_text_has_no_reading(text: str) -> None:
    assert read(text) is None


def test_commands_inside_of_others_are_found() -> None:
    reading = read("a $(b `c`); f() { d; }; for i in 1; do e <(g); done")
    assert reading is not None
    assert not reading.plain
    assert {words[0].text for words in reading.commands} == {"a", "b", "c", "d", "e", "g"}


def test_plain_texts_are_plain_and_tell_where_commands_begin() -> None:
    reading = read("é a; if [ -f b ]; then export X=1; fi")
    assert reading is not None
    assert reading.plain
    assert reading.starts == {0, 8, 23}
