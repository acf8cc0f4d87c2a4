"""One spelling for one principal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.identity.names import canonical_name, is_canonical


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("alice", "alice"),
        (" Alice ", "alice"),
        ("ALICE@Example.Org", "alice@example.org"),
        ("\uff41lice", "alice"),  # full-width a
        ("\u0430lice", None),  # Cyrillic a
        ("alice\0", None),
        ("al ice", None),
        ("ali\u200bce", None),
        ("-alice", None),
        ("", None),
        ("x" * 63, "x" * 63),
        ("x" * 64, None),
        ("x" * 100_000, None),
        ("\u0130", None),  # lower case of this is two characters
    ],
)
def test_what_is_typed_becomes_canonical_or_nothing(typed: str, name: str | None) -> None:
    assert canonical_name(typed) == name


@given(st.text())
def test_a_canonical_name_is_its_own_and_ascii(text: str) -> None:
    name = canonical_name(text)
    if name is not None:
        assert is_canonical(name)
        assert name.isascii()
        assert canonical_name(name) == name
