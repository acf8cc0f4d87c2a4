"""Cedar source text: pieces and places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.policy.source import split


def test_semicolons_in_strings_and_comments_end_nothing() -> None:
    text = '// a; b\n@id("x;y\\";") permit (principal, action, resource); // end;\n\n  forbid (principal, action, resource);'
    first, second = split(text, "f")
    assert first.text == '@id("x;y\\";") permit (principal, action, resource);'
    assert (first.line, first.column, second.line, second.column) == (2, 1, 4, 3)
    assert first.complete
    assert second.complete


def test_what_follows_the_last_semicolon_is_incomplete() -> None:
    (piece,) = split("permit (principal", "f")
    assert not piece.complete
    assert split("  // only a comment\n", "f") == []


def test_places_in_the_file() -> None:
    (piece,) = split('\n  @id("a")\n  permit (principal,\n    actoin, resource);', "f")
    assert piece.find("actoin") == (4, 5)
    assert piece.find("a") == (2, 7)
    assert piece.annotation("id") == (2, 3)
    assert piece.annotation("mask") == (2, 3)
    assert piece.find("nowhere") == (2, 3)


@given(st.text(st.sampled_from('ab;"\\/ \n@(')))
def test_no_character_but_blanks_and_comments_is_lost(text: str) -> None:
    pieces = split(text, "f")
    at = 0
    for piece in pieces:
        found = text.index(piece.text, at)
        between = text[at:found]
        assert all(not line.strip() or line.strip().startswith("//") for line in between.split("\n"))
        at = found + len(piece.text)
