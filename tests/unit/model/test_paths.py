"""Paths as text."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.model.paths import MOST_PARTS, above, is_canonical, lexical


@pytest.mark.parametrize(
    "path", ["", "a", "a/b", "//", "/a/", "//a", "/a//b", "/./a", "/a/..", "/a\0b", "/a" * (MOST_PARTS + 1)]
)
def test_what_is_not_canonical(path: str) -> None:
    assert not is_canonical(path)


@pytest.mark.parametrize("path", ["/", "/a", "/a/b", "/...", "/a b/\n", "/a" * MOST_PARTS])
def test_what_is_canonical(path: str) -> None:
    assert is_canonical(path)
    assert lexical(path) == path


@given(st.text(st.sampled_from("a./"), max_size=12))
def test_lexical_is_what_posixpath_says(text: str) -> None:
    expected = "/" + posixpath.normpath("/" + text).lstrip("/")
    assert lexical("/" + text) == expected
    assert is_canonical(expected)


def test_relative_and_deep_paths_have_no_lexical_form() -> None:
    assert lexical("a/b") is None
    assert lexical("/a" * (MOST_PARTS + 1)) is None
    assert lexical("/a\0") is None


def test_above() -> None:
    assert above("/a/b/c") == ["/a/b", "/a", "/"]
    assert above("/a") == ["/"]
    assert above("/") == []
