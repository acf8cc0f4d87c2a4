"""Whose a name is."""

from __future__ import annotations

import pytest

from interpose.engine.holders import is_whose
from tests.support.memory import MemoryPrincipals


@pytest.mark.parametrize(
    ("name", "acting_for", "provider", "subject", "same"),
    [
        ("zoe", None, "corporate", "sub-1", True),
        ("zoe", None, "corporate", "sub-2", False),
        ("zoe", None, "partner", "sub-1", False),
        ("zoe", None, None, None, False),  # given when the name was one of the file
        ("bob", None, None, None, True),
        ("bob", None, "corporate", "sub-1", False),  # given before the file had the name
        ("fixer", "zoe", "corporate", "sub-1", True),  # by the proof of its person
        ("importer", "zoe", "platform", "ci", True),  # by its own
        ("importer", "bob", None, None, True),
        ("fixer", "bob", "corporate", "sub-1", False),
        ("fixer", "zoe", None, None, False),
    ],
)
def test_whose_it_is(name: str, acting_for: str | None, provider: str | None, subject: str | None, same: bool) -> None:
    people = MemoryPrincipals()
    people.holders = {"zoe": ("corporate", "sub-1"), "importer": ("platform", "ci")}
    assert is_whose(people, name, acting_for, provider, subject) is same
