"""Names of files, from bytes on the wire to the text that policy judges, and back.

Within the gateway a path is text in which bytes that are no UTF-8 stand as lone surrogates (PEP 383), so that it can be sent as exactly the
bytes that came. Policy sees another text of it, without surrogates: no two paths have the same one.
"""

from __future__ import annotations

from typing import Final

from interpose.model.paths import is_canonical, lexical

MOST_BYTES: Final = 4096
"""Bytes of a path, as Linux has it (PATH_MAX)."""

_MARK: Final = "\N{REPLACEMENT CHARACTER}"


class BadNameError(Exception):
    """A path that cannot be judged; the message is safe to show."""


def from_wire(raw: bytes) -> str:
    """A path as it came; raises `BadNameError`."""
    if len(raw) > MOST_BYTES:
        raise BadNameError("the path is too long")
    if b"\0" in raw:
        raise BadNameError("the path holds a NUL byte")
    path = raw.decode("utf-8", "surrogateescape")
    if _MARK in path:
        raise BadNameError("the path holds the replacement character, which no name should have")
    return path


def to_wire(path: str) -> bytes:
    """The bytes of a path."""
    return path.encode("utf-8", "surrogateescape")


def judged(path: str) -> str:
    """The text of a path that policy judges: each byte that is no UTF-8 is the replacement character and two hexadecimal digits."""
    if path.isascii():
        return path
    return "".join(f"{_MARK}{ord(each) - 0xDC00:02x}" if "\udc80" <= each <= "\udcff" else each for each in path)


def absolute(path: str, home: str) -> str:
    """A path with the account's home before it where it is relative; its `.` and `..` are left as they are."""
    return path if path.startswith("/") else f"{home}/{path}"


def written(path: str) -> str:
    """An absolute path in canonical form by its text alone; raises `BadNameError` for one that is too deep."""
    canonical = lexical(path)
    if canonical is None:
        raise BadNameError("the path has too many parts")
    return canonical


def joined(parts: list[str]) -> str:
    """The canonical path of these names; raises `BadNameError`."""
    path = "/" + "/".join(parts)
    if not is_canonical(path) or len(to_wire(path)) > MOST_BYTES:
        raise BadNameError("the path is too long")
    return path


def is_entry(raw: bytes) -> bool:
    """Whether a name that a server gives may stand in a folder: one part, and none that a client could take for a way out of it."""
    return bool(raw) and len(raw) <= 1024 and b"/" not in raw and b"\0" not in raw


def shown(raw: bytes) -> bytes:
    """Words of a server as a client may show them: without control characters."""
    text = raw.decode("utf-8", "surrogateescape")
    return to_wire("".join(each if each.isprintable() or "\udc80" <= each <= "\udcff" else "?" for each in text))
