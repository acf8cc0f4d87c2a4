"""JSON paths: which values inside a JSON document a transform is for, as written in `json:$.customer.email=partial-email`.

A subset of SQL/JSON paths (PostgreSQL 17 §9.16.2) in lax mode: `.name` and `."any name"` for a key, `.*` for every key, `[*]` for every
element, `.**` for any number of levels. A key meets the elements of an array too, and `[*]` a value that is no array.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from interpose.model.errors import ConfigurationError

MAX_STEPS: Final = 16
"""The longest path, in steps."""

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP: Final = re.compile(r'\[\*\]|\.\*\*|\.\*|\.(?P<key>[A-Za-z_][A-Za-z0-9_-]*)|\.(?P<quoted>"(?:[^"\\]|\\.)+")')


class StepKind(Enum):
    """What one step of a path goes to."""

    KEY = "key"
    ANY_KEY = ".*"
    ELEMENTS = "[*]"
    ANY_DEPTH = ".**"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `key` is the decoded key of a KEY step, else empty."""

    kind: StepKind
    key: str = ""

    def __str__(self) -> str:
        """As it is written."""
        if self.kind is not StepKind.KEY:
            return str(self.kind.value)
        return f".{self.key}" if _PLAIN.fullmatch(self.key) else "." + json.dumps(self.key, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class JsonPath:
    """One path: at least one step, the first from the document's root."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """As it is written."""
        return "$" + "".join(map(str, self.steps))


def read_path(text: str, start: int) -> tuple[JsonPath, int]:
    """The path that begins at `start` and where it ends; raises `ConfigurationError`."""
    if text[start : start + 1] != "$":
        raise _fault(text[start:], "a JSON path begins with `$`")
    steps: list[Step] = []
    position = start + 1
    while match := _STEP.match(text, position):
        steps.append(_step(match))
        position = match.end()
    if not steps:
        raise _fault(text[start:], "a JSON path has at least one step")
    if len(steps) > MAX_STEPS:
        raise _fault(text[start:], f"a JSON path has at most {MAX_STEPS} steps")
    return JsonPath(tuple(steps)), position


def _step(match: re.Match[str]) -> Step:
    if match["quoted"] is not None:
        try:
            key: object = json.loads(match["quoted"])
        except ValueError:
            key = None
        if not isinstance(key, str):
            raise _fault(match.group(), "a quoted key is a JSON string")
        return Step(StepKind.KEY, key)
    if match["key"] is not None:
        return Step(StepKind.KEY, match["key"])
    return Step(StepKind(match.group()))


def _fault(text: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{why}, not `{text[:60]}`", hint='write `$.customer.email`, `$.items[*].card`, `$."odd key"` or `$.**.iban`'
    )
