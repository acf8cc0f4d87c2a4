"""Transforms: how a value is hidden, by name, as written in policy's `@mask("…")`.

Knows the names, their arguments and the types that each has a meaning for; which of two hides more is in `strictness.py`. What a
transform makes of a text is in `partial.py` (and the files that it names), of a typed value in `cells.py`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from interpose.masking.json_paths import JsonPath, read_path
from interpose.masking.types import Family
from interpose.model.errors import ConfigurationError

MAX_KEPT: Final = 32
"""The most characters that `first:N` and `last:N` may keep."""

MAX_FIXED: Final = 200
"""The longest text that `fixed:TEXT` may have, in characters."""

MAX_STEP: Final = 10**15
"""The widest bucket of `bucket:N`."""

MAX_PATHS: Final = 32
"""The most paths that one `json:PATHS` may have."""

DEFAULT_FIXED: Final = "***"
"""What `fixed` without a text writes."""


@dataclass(frozen=True, slots=True)
class Transform:
    """One transform with its argument.

    `keep` is the N of `first:N` and `last:N`, `step` that of `bucket:N`, else 0; `text` is that of `fixed:TEXT`; `paths` are those of
    `json:PATHS`, each with its own transform.
    """

    name: str
    keep: int = 0
    text: str = ""
    step: int = 0
    paths: tuple[tuple[JsonPath, Transform], ...] = ()

    def __str__(self) -> str:
        """As it is written in policy; `parse_transform` reads it back."""
        if self.name in ("first", "last"):
            return f"{self.name}:{self.keep}"
        if self.name == "fixed" and self.text != DEFAULT_FIXED:
            return f"fixed:{self.text}"
        if self.name == "bucket":
            return f"bucket:{self.step}"
        if self.name == "json":
            return "json:" + ";".join(f"{path}={transform}" for path, transform in self.paths)
        return self.name


_STRINGS = frozenset({Family.TEXT, Family.JSON, Family.JSONB, Family.ARRAY})
_NUMBERS = frozenset({Family.INTEGER, Family.NUMERIC})
_SPANS = frozenset({Family.RANGE, Family.MULTIRANGE})
_MOMENTS = frozenset({Family.TIMESTAMP, Family.TIMESTAMPTZ, *_STRINGS, *_SPANS})
_DATES = _MOMENTS | {Family.DATE}
_EVERY = frozenset(Family)

VALID_FOR: Mapping[str, frozenset[Family]] = MappingProxyType(
    {
        "null": _EVERY,
        "redact": _EVERY - {Family.OPAQUE},
        "fixed": _STRINGS | _NUMBERS
        | {Family.FLOAT, Family.BOOL, Family.UUID, Family.DATE, Family.XML, Family.OID},
        "hash": _STRINGS | _NUMBERS | {Family.UUID, Family.BYTEA, Family.XML},
        "hash-email": _STRINGS,
        "hash-card": _STRINGS | _NUMBERS,
        "hash-form": _STRINGS | _NUMBERS,
        "first": _STRINGS,
        "last": _STRINGS | _NUMBERS,
        "partial-email": _STRINGS,
        "partial-phone": _STRINGS,
        "partial-card": _STRINGS,
        "partial-name": _STRINGS,
        "date-year": _DATES,
        "date-month": _DATES,
        "date-week": _DATES,
        "date-day": _MOMENTS,
        "bucket": frozenset({Family.TEXT, Family.FLOAT, Family.MONEY, Family.ARRAY}) | _NUMBERS | _SPANS,
        "json": _STRINGS,
    }
)  # fmt: skip
"""The families on which each transform does what its name says. On any other it falls back to `redact`, and where a
type has no constant, to NULL."""

TRANSFORM_NAMES: tuple[str, ...] = (
    "null",
    "redact",
    "fixed",
    "fixed:TEXT",
    "hash",
    "hash-email",
    "hash-card",
    "hash-form",
    "partial-email",
    "partial-phone",
    "partial-card",
    "partial-name",
    "last4",
    "last:N",
    "first:N",
    "date-year",
    "date-month",
    "date-week",
    "date-day",
    "bucket:N",
    "json:PATHS",
)
"""Every way to write a transform, for messages, completion and the policy check."""

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "fixed:TEXT": "fixed:hidden",
        "last:N": "last:6",
        "first:N": "first:6",
        "bucket:N": "bucket:1000",
        "json:PATHS": "json:$.mail=partial-email;$.cards[*]=last4",
    }
)
"""For each name with an argument, a transform that is written so."""

_PLAIN: Final = tuple(name for name in TRANSFORM_NAMES if ":" not in name)
_NEXT_PATH: Final = re.compile(r";\s*(?=\$)")
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
        return Transform(name, keep=_whole(text, name, argument, 1, MAX_KEPT, 4))
    if name == "bucket" and colon:
        return Transform(name, step=_whole(text, name, argument, 2, MAX_STEP, 1000))
    if name == "json" and colon:
        return _json(argument)
    if text == "last4":
        return Transform("last", keep=4)
    if text in _PLAIN:
        return Transform(text)
    if name in _PLAIN:
        raise ConfigurationError(f"transform `{name}` takes no argument, not `{argument[:60]}`", hint=f"write `{name}`")
    raise ConfigurationError(f"there is no transform `{text[:80]}`", hint=_suggestion(text))


def _whole(text: str, name: str, argument: str, least: int, most: int, example: int) -> int:
    if not (argument.isascii() and argument.isdigit() and least <= int(argument[:20]) <= most):
        raise ConfigurationError(
            f"transform `{text[:80]}` needs a whole number from {least} to {most} after the colon",
            hint=f"write `{name}:{example}`",
        )
    return int(argument)


def _fixed(text: str, argument: str) -> Transform:
    if not argument or len(argument) > MAX_FIXED or not argument.isprintable():
        raise ConfigurationError(
            f"transform `{text[:80]}` needs 1 to {MAX_FIXED} printable characters after the colon",
            hint="write `fixed:hidden`, or `null` for no value at all",
        )
    return Transform("fixed", text=argument)


def _json(argument: str) -> Transform:
    pairs: list[tuple[JsonPath, Transform]] = []
    position = 0
    while position < len(argument) or not pairs:
        path, position = read_path(argument, position)
        transform = REDACT
        match = _NEXT_PATH.search(argument, position)
        end = match.start() if match else len(argument)
        if argument[position : position + 1] == "=":
            transform = parse_transform(argument[position + 1 : end])
        elif position < end:
            raise ConfigurationError(
                f"`{argument[position:end][:60]}` does not belong to a JSON path",
                hint="write `json:$.customer.email=partial-email;$.items[*].card=last4`",
            )
        if transform.name == "json":
            raise ConfigurationError("a `json:` transform cannot stand inside another", hint="write one path")
        pairs.append((path, transform))
        position = match.end() if match else end
    if len(pairs) > MAX_PATHS:
        raise ConfigurationError(
            f"a `json:` transform has at most {MAX_PATHS} paths", hint="use `.*` or `.**`, or `redact` for all of it"
        )
    return Transform("json", paths=tuple(pairs))


def _suggestion(text: str) -> str:
    folded = text.strip().lower().replace("_", "-").replace(" ", "-")
    if match := re.fullmatch(r"bucket-?([0-9]*)", folded):
        return f"did you mean `bucket:{match[1] or 1000}`?"
    near = difflib.get_close_matches(folded, [*_PLAIN, "last:4", "first:1", "json:$.key"], n=1, cutoff=0.5)
    if near:
        return f"did you mean `{near[0]}`?"
    return "use one of " + ", ".join(f"`{name}`" for name in TRANSFORM_NAMES)
