"""Lines that go on, lines of plain words, and quoting."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.analysis.shell.lines import goes_on, plain_words, quoted


@pytest.mark.parametrize("text", ["echo 'a", 'echo "a', "cat <<E\nx", "ls |", "ls &&", "true || ", "ls \\", "cat <<E"])
def test_a_line_goes_on(text: str) -> None:
    assert goes_on(text)


@pytest.mark.parametrize(
    "text", ["", "  ", "ls", "echo 'a'", "cat <<E\nx\nE", "ls \\\\", "ls | wc", "# ls |", "sleep 1 &"]
)
def test_a_line_is_whole(text: str) -> None:
    assert not goes_on(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cd /tmp", ["cd", "/tmp"]),
        ("export A='b c'", ["export", "A=b c"]),
        ("cd ~", ["cd", "~"]),
        ("cd $HOME", None),
        ("cd /tmp; ls", None),
        ("cd /tmp && ls", None),
        ("A=1 cd /tmp", None),
        ("cd /tmp > x", None),
        ("cd *", None),
        ("cd 'x", None),
        ("", None),
        ("(cd /tmp)", None),
        ("cd /tmp &", None),
    ],
)
def test_plain_words(text: str, words: list[str] | None) -> None:
    found = plain_words(text)
    assert (None if found is None else [word.text for word in found]) == words


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50))
def test_what_is_quoted_is_one_word(text: str) -> None:
    found = plain_words("x " + quoted(text))
    assert found is None or [word.text for word in found] == ["x", text]


def test_every_shell_reads_it_as_the_text() -> None:
    text = 'it\'s $HOME `x` \\ "q" !! ~ *\nnext'
    for shell in ("bash", "dash", "sh"):
        done = subprocess.run([shell, "-c", f"printf %s {quoted(text)}"], capture_output=True, check=True)
        assert done.stdout.decode() == text
