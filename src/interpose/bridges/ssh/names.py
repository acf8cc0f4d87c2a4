"""What a client puts into its user name: who it is, and which connection it wants, as in `alice+web-1`."""

from __future__ import annotations

from dataclasses import dataclass

SEPARATOR = "+"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`connection` is empty when none was named."""

    name: str
    connection: str


def parse_user_name(text: str) -> Wanted:
    """The last `+` separates: principals may have one in their name, connections may not be reached by this form if they do."""
    name, separator, connection = text.rpartition(SEPARATOR)
    return Wanted(name, connection) if separator else Wanted(text, "")
