"""What the gateway says about files: refusals of its own, beside those of policy."""

from __future__ import annotations

from typing import Final

from interpose.model.refusal import Refusal

UNFINISHED: Final = "unfinished"
"""The error class of an operation whose end nobody saw."""

MALFORMED: Final = Refusal(
    "malformed", "the client does not speak SFTP version 3", "use an ordinary client such as `sftp` or `scp`"
)


def hostile(message: str) -> Refusal:
    """A host that does not keep to the protocol, or tries to lead the client astray."""
    return Refusal("hostile_upstream", message, "nothing of that answer reached you; tell the gateway's operator")


MOVED: Final = Refusal(
    "bad_path", "the path leads elsewhere than when this was asked for", "ask again, so that what it is now is judged"
)
"""For a held operation whose way has changed."""


def bad_name(message: str) -> Refusal:
    """A path that cannot be judged."""
    return Refusal("bad_path", message, "name the file by its absolute path")
