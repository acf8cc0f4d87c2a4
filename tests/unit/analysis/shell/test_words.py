"""Words: what a program gets, and why that cannot be said."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.words import UnreadableError, Word, WordReader


def _word(text: str) -> Word:
    return WordReader(text, 0).read()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("rm", "rm"),
        ("r\\m", "rm"),
        ("'r'\"m\"", "rm"),
        ("''", ""),
        ("'a b'c", "a bc"),
        ('"a\\"b\\\\c\\d\\$e\\`"', 'a"b\\c\\d$e`'),
        ('"a\\\nb"', "ab"),
        ("a#b", "a#b"),
        ("$", "$"),
        ('"$"', "$"),
        ('"5$ x"', "5$ x"),
        ("a=b", "a=b"),
        ("{}", "{}"),
        ("a[b", "a[b"),
        ("'*'", "*"),
        ("\\*", "*"),
        ("a~b", "a~b"),
    ],
)
def test_literal_words(text: str, value: str) -> None:
    word = _word(text)
    assert word.literal
    assert word.text == value
    assert word.end == len(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$x", "expansion"),
        ("${x}", "expansion"),
        ("$1", "expansion"),
        ('"$x"', "expansion"),
        ("$(ls)", "substitution"),
        ('"$(ls ")")"', "substitution"),
        ("`ls`", "substitution"),
        ('"`ls`"', "substitution"),
        ("$((1))", "substitution"),
        ("$'x'", "quoting"),
        ('$"x"', "quoting"),
        ("{a,b}", "braces"),
        ("{1..2}", "braces"),
        ("~root", "tilde"),
        ("a=~", "tilde"),
        ("a:~/x", "tilde"),
        ("=rm", "dialect"),
        ("''~", "dialect"),
        ('""=rm', "dialect"),
        ("'a\\'", "dialect"),
        ("a\\\nb", "continuation"),
    ],
)
def test_dynamic_words(text: str, reason: str) -> None:
    assert _word(text).dynamic == reason


@pytest.mark.parametrize(
    ("text", "pattern"), [("*", 0), ("a*", 1), ("a?", 1), ("a[b]", 1), ("'a'*", 1), ("/x/[a]*", 3)]
)
def test_patterns_know_where_they_begin(text: str, pattern: int) -> None:
    assert _word(text).pattern == pattern
    assert not _word(text).literal


def test_a_home_folder_is_no_literal() -> None:
    assert _word("~").tilde
    assert _word("~/x").tilde
    assert not _word("'~'").tilde


@pytest.mark.parametrize("text", ["'a", '"a', "a\\", "`a", "$(a", "${a", "$'a", '"`a"', "$('a)"])
def test_a_word_that_does_not_end(text: str) -> None:
    with pytest.raises(UnreadableError):
        _word(text)


def test_only_what_is_not_quoted_can_be_reserved() -> None:
    assert _word("if").plain
    assert not _word("\\if").plain
    assert not _word("i''f").plain
