"""Transforms: how a value is hidden, by name, as written in policy's `@mask("…")`.

Knows the names, their arguments, their order of strictness and the types that each has a meaning for. What a transform makes of
a text is in `partial.py`, of a typed value in `cells.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from interpose.masking.types import Family
from interpose.model.errors import ConfigurationError

MAX_KEPT: Final = 32
"""The most characters that `first:N` and `last:N` may keep."""

MAX_FIXED: Final = 200
"""The longest text that `fixed:TEXT` may have, in characters."""

DEFAULT_FIXED: Final = "***"
"""What `fixed` without a text writes."""


@dataclass(frozen=True, slots=True)
class Transform:
    """One transform with its argument. `keep` is the N of `first:N` and `last:N`, else 0; `text` that of `fixed:TEXT`."""

    name: str
    keep: int = 0
    text: str = ""

    def __str__(self) -> str:
        """As it is written in policy; `parse_transform` reads it back."""
        if self.name in ("first", "last"):
            return f"{self.name}:{self.keep}"
        if self.name == "fixed" and self.text != DEFAULT_FIXED:
            return f"fixed:{self.text}"
        return self.name


_STRINGS = frozenset({Family.TEXT, Family.JSON, Family.JSONB, Family.ARRAY})
_DATES = frozenset({Family.DATE, Family.TIMESTAMP, Family.TIMESTAMPTZ, Family.TEXT, Family.ARRAY})
_EVERY = frozenset(Family)

VALID_FOR: Mapping[str, frozenset[Family]] = MappingProxyType(
    {
        "null": _EVERY,
        "redact": _EVERY - {Family.OPAQUE},
        "fixed": _STRINGS
        | {Family.INTEGER, Family.NUMERIC, Family.FLOAT, Family.BOOL, Family.UUID, Family.DATE, Family.XML, Family.OID},
        "hash": _STRINGS | {Family.INTEGER, Family.NUMERIC, Family.UUID, Family.BYTEA, Family.XML},
        "first": _STRINGS,
        "last": _STRINGS | {Family.INTEGER, Family.NUMERIC},
        "partial-email": _STRINGS,
        "partial-phone": _STRINGS,
        "partial-card": _STRINGS,
        "partial-name": _STRINGS,
        "date-year": _DATES,
        "date-month": _DATES,
    }
)
"""The families on which each transform does what its name says. On any other it falls back to `redact`, and where a
type has no constant, to NULL."""

STRICTNESS: Mapping[str, int] = MappingProxyType(
    {
        "null": 100,  # nothing, not even that the type has a value
        "redact": 90,  # a constant of the type
        "fixed": 80,  # a constant that policy chose
        "hash": 70,  # whether two values are equal
        "date-year": 60,
        "date-month": 50,
        "partial-name": 45,  # initials
        "partial-email": 40,  # two letters and the top-level domain
        "partial-phone": 35,  # at most four digits
        "last": 30,
        "last4": 30,
        "first": 25,
        "partial-card": 20,  # ten digits at most
    }
)
"""How little each transform leaves to see, by the name before the colon: the highest is applied when several would be."""

TRANSFORM_NAMES: tuple[str, ...] = (
    "null",
    "redact",
    "fixed",
    "fixed:TEXT",
    "hash",
    "partial-email",
    "partial-phone",
    "partial-card",
    "partial-name",
    "last4",
    "last:N",
    "first:N",
    "date-year",
    "date-month",
)
"""Every way to write a transform, for messages, completion and the policy check."""

_PLAIN = {name for name in TRANSFORM_NAMES if ":" not in name}
NULL: Final = Transform("null")
"""The value becomes SQL NULL."""
REDACT: Final = Transform("redact")
"""The value becomes its type's constant."""


@lru_cache(maxsize=512)
def parse_transform(text: str) -> Transform:
    """The transform that this text names; raises `ConfigurationError` with a suggestion."""
    name, colon, argument = text.partition(":")
    if name == "fixed":
        return _fixed(text, argument if colon else DEFAULT_FIXED)
    if name in ("first", "last") and colon:
        if not (argument.isascii() and argument.isdigit() and 1 <= int(argument[:4]) <= MAX_KEPT):
            raise ConfigurationError(
                f"transform `{text}` needs a whole number from 1 to {MAX_KEPT} after the colon",
                hint=f"write `{name}:4`",
            )
        return Transform(name, keep=int(argument))
    if text == "last4":
        return Transform("last", keep=4)
    if text in _PLAIN:
        return Transform(text)
    raise ConfigurationError(f"there is no transform `{text}`", hint=_suggestion(text))


def _fixed(text: str, argument: str) -> Transform:
    if not argument or len(argument) > MAX_FIXED or not argument.isprintable():
        raise ConfigurationError(
            f"transform `{text[:80]}` needs 1 to {MAX_FIXED} printable characters after the colon",
            hint="write `fixed:hidden`, or `null` for no value at all",
        )
    return Transform("fixed", text=argument)


def _suggestion(text: str) -> str:
    folded = text.strip().lower().replace("_", "-").replace(" ", "-")
    near = difflib.get_close_matches(folded, [*_PLAIN, "last:4", "first:1"], n=1, cutoff=0.5)
    if near:
        return f"did you mean `{near[0]}`?"
    return "use one of " + ", ".join(f"`{name}`" for name in TRANSFORM_NAMES)


def strictness(transform: Transform) -> tuple[int, int]:
    """Sorts by how little is left to see: the greater is the stricter. Of two that keep characters, the one that keeps less."""
    return STRICTNESS[transform.name], -transform.keep
