"""The guard before any grammar."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.guard import Limits, check


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" * 65537, "too_long"),
        ("ls\0", "nul_byte"),
        ("ls \udc80", "invalid_utf8"),
        ("ls\r", "control_character"),
        ("ls\x1b[2K", "control_character"),
        ("ls \u00a0-l", "control_character"),
        ("ls \u202e", "control_character"),
        ("ls \u200b", "control_character"),
        ("(" * 65, "too_deep"),
        ("`" * 65, "too_deep"),
    ],
)
def test_what_is_refused_unread(text: str, reason: str) -> None:
    refusal = check(text, Limits())
    assert refusal is not None
    assert refusal.reason == reason


@pytest.mark.parametrize("text", ["", "ls\n\t-l", "echo héllo", "(" * 64, "()" * 1000])
def test_what_is_read(text: str) -> None:
    assert check(text, Limits()) is None
