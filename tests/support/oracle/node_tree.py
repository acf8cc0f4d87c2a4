"""PostgreSQL's text form of an analysed query (`pg_node_tree`), read into plain objects.

Knows the notation of `nodeToString` (src/backend/nodes/outfuncs.c): `{TAG :field value …}`, lists in brackets, `<>` for NULL, a
backslash before special characters. Does not know what any node means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_TOKEN: Final = re.compile(r'[(){}]|"(?:[^"\\]|\\.)*"|(?:\\.|[^\s(){}\\])+', re.DOTALL)

Value = "Node | list[Value] | str | None"


class Node:
    """One node: its tag and its fields."""

    __slots__ = ("fields", "tag")

    def __init__(self, tag: str) -> None:
        """A node without fields yet."""
        self.tag = tag
        self.fields: dict[str, Value] = {}

    def get(self, field: str) -> Value:
        """A field's value; None when it is NULL or not there (fields differ from major to major)."""
        return self.fields.get(field)

    def number(self, field: str) -> int:
        """A field that is a number; 0 when it is not there."""
        value = self.fields.get(field)
        return int(value) if isinstance(value, str) else 0

    def text(self, field: str) -> str:
        """A field that is a name, without its escapes."""
        value = self.fields.get(field)
        return _plain(value) if isinstance(value, str) else ""

    def nodes(self, field: str) -> list[Node]:
        """The nodes of a field that is a list of nodes (NULL is an empty list)."""
        value = self.fields.get(field)
        return [item for item in value if isinstance(item, Node)] if isinstance(value, list) else []

    def texts(self, field: str) -> list[str]:
        """The strings of a field that is a list of strings."""
        value = self.fields.get(field)
        return [_plain(item) for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def node(self, field: str) -> Node | None:
        """The one node of a field."""
        value = self.fields.get(field)
        return value if isinstance(value, Node) else None


def inside(value: Value) -> Iterator[Node]:
    """The nodes of a value: itself, or those of a list, however nested."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from inside(item)


def read(text: str) -> list[Node]:
    """All nodes at the top of a `pg_node_tree`, lists taken apart; raises `ValueError` for another notation."""
    value, rest = _value(_TOKEN.findall(text), 0)
    if rest < 0:
        raise ValueError("not a node tree")
    return list(inside(value))


def _plain(token: str) -> str:
    if token.startswith('"') and token.endswith('"') and len(token) >= 2:
        token = token[1:-1]
    return re.sub(r"\\(.)", r"\1", token, flags=re.DOTALL)


def _value(tokens: list[str], at: int) -> tuple[Value, int]:
    """The value that starts at a token, and where the next begins."""
    token = tokens[at]
    if token == "{":
        node = Node(tokens[at + 1])
        at += 2
        while tokens[at] != "}":
            field = tokens[at]
            if not field.startswith(":"):
                raise ValueError(f"a field was expected, not {field!r}")
            at += 1
            parts: list[Value] = []
            while tokens[at] != "}" and not (tokens[at].startswith(":") and len(tokens[at]) > 1):
                part, at = _value(tokens, at)
                parts.append(part)
            node.fields[field[1:]] = parts[0] if len(parts) == 1 else parts
        return node, at + 1
    if token == "(":
        items: list[Value] = []
        at += 1
        while tokens[at] != ")":
            item, at = _value(tokens, at)
            items.append(item)
        return items, at + 1
    return (None if token == "<>" else token), at + 1
