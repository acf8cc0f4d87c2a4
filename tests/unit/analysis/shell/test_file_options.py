"""Options whose value is a file."""

from __future__ import annotations

import pytest

from interpose.model.actions import Action
from tests.unit.analysis.shell.reading import paths

_READ, _WRITE = Action.READ_FILE, Action.WRITE_FILE


@pytest.mark.parametrize(
    ("text", "action", "expected"),
    [
        ("journalctl --cursor-file=/a", _WRITE, ["/a **"]),
        ("journalctl --cursor-f /a", _WRITE, ["/a **"]),
        ("journalctl --vacuum-time=1s", Action.REMOVE_FILE, ["/var/log/journal **"]),
        ("journalctl --rotate", _WRITE, ["/var/log/journal **"]),
        ("journalctl -n 5 --reverse", _WRITE, []),
        ("journalctl -D /a", _READ, ["/a"]),
        ("ss -tnD /a", _WRITE, ["/a **"]),
        ("ss -F /a", _READ, ["/a"]),
        ("hostname -F /a", _READ, ["/a"]),
        ("curl -so /a https://example.com", _WRITE, ["/a **"]),
        ("openssl rand -out /a 1", _WRITE, ["/a **"]),
        ("openssl rand 1 -out", _WRITE, []),
        ("tar -tf /a --index-file=/b", _WRITE, ["/b **"]),
        ("cat --cursor-file=/a", _WRITE, []),
    ],
)
def test_they_are_read_and_written(text: str, action: Action, expected: list[str]) -> None:
    assert paths(text, action) == expected
