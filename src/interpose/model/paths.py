"""Paths of an upstream host as text: canonical form and what lies above. Knows no file system, so no symbolic link."""

from __future__ import annotations

MOST_PARTS = 128
"""Parts that a path may have; a deeper one is refused, since each part above it is an entity of policy."""


def is_canonical(path: str) -> bool:
    """Whether this is an absolute path with no empty part, no `.`, no `..`, no slash at its end, no NUL and at most `MOST_PARTS`."""
    if path == "/":
        return True
    parts = path.split("/")
    return (
        parts[0] == ""
        and 1 < len(parts) <= MOST_PARTS + 1
        and "\0" not in path
        and not {"", ".", ".."} & set(parts[1:])
    )


def lexical(path: str) -> str | None:
    """The canonical form of an absolute path by its text alone; None for a relative, NUL-bearing or too deep one.

    `..` takes back the part before it, which on a host is only so when that part is no symbolic link.
    """
    if not path.startswith("/"):
        return None
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    canonical = "/" + "/".join(parts)
    return canonical if is_canonical(canonical) else None


def above(path: str) -> list[str]:
    """The folders that a canonical path is in, nearest first, ending with `/`; empty for `/` itself."""
    parts = path.split("/")[1:] if path != "/" else []
    return ["/" + "/".join(parts[:count]) for count in range(len(parts) - 1, -1, -1)]
