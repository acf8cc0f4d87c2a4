"""Declared principal attributes: which attributes of the identity source policy may ask for, and of which type.

`attributes.yaml`:

    attributes:
      clearance: {type: long, description: 0 to 4}
      team: {type: string}

All are optional in the schema, since a source may leave any out: `principal has clearance && principal.clearance >= 3`. A
principal whose attribute has another type is refused whatever it asks, since a rule about it cannot be judged.
"""

from __future__ import annotations

import re

from interpose.model.errors import Problem
from interpose.policy.facts import CedarType
from interpose.policy.yaml_text import nearest, read_yaml

TYPES = {"string": CedarType.STRING, "long": CedarType.LONG, "bool": CedarType.BOOL, "set": CedarType.STRINGS}
"""The words for types in `attributes.yaml`; `set` is a set of texts."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset({"name", "true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"})


def read_attributes(text: str, file: str, problems: list[Problem]) -> dict[str, CedarType]:
    """Read `attributes.yaml`; faults go into `problems`."""
    top = read_yaml(text, file, problems)
    node = top.node("attributes")
    declared: dict[str, CedarType] = {}
    for name in node.names():
        inner = node.node(name)
        word = inner.text("type")
        inner.text("description", "")
        if not _NAME.fullmatch(name) or name in _RESERVED:
            node.problem(
                name, f"`{name}` cannot be an attribute", "use letters, digits and `_`; `name` is always there"
            )
        elif word in TYPES:
            declared[name] = TYPES[word]
        elif word:
            inner.problem("type", f"unknown type `{word}`", nearest(word, TYPES))
        inner.finish()
    top.finish()
    return declared
