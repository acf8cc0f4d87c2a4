"""Annotations of policies: which there are, what each may say, and reading them into a `Rule`.

| annotation | on | value |
|---|---|---|
| `@id` | every policy | unique; letters, digits, `.`, `_`, `-`; required |
| `@description` | every policy | for the reader |
| `@reason`, `@hint` | forbid | what the client is told, and what it can do instead |
| `@approval` | forbid | the group whose members may approve, or `attribute:NAME`, the people whom this attribute of the requester names: the forbid becomes a hold |
| `@count`, `@ttl` | forbid with `@approval` | how many persons (1), how long it waits (`15m`) |
| `@mask` | forbid of `reveal` | the transform that hides the value |
| `@mode` | every policy | `observe`: record and change nothing; `enforce` is the default |
| `@max_rows` | permit | cap on the rows of a result; of several that match the smallest counts |
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from interpose.model.decisions import ApprovalRule
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.ids import PolicyId
from interpose.policy.rules import Rule
from interpose.policy.source import PolicySource

ANNOTATIONS: tuple[str, ...] = (
    "id",
    "description",
    "reason",
    "hint",
    "approval",
    "count",
    "ttl",
    "mask",
    "mode",
    "max_rows",
)
"""Every annotation that means something; any other is a fault."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WHOLE = re.compile(r"[1-9][0-9]{0,8}")
_PERMIT_ONLY = ("max_rows",)
_FORBID_ONLY = ("reason", "hint", "approval", "count", "ttl", "mask")


@dataclass(frozen=True, slots=True)
class MaskVocabulary:
    """What the masking side understands: given by whoever wires the house, since policy and masking never meet.

    `strictest` answers what is applied when policy asks for all of these transforms (at least one); it may put several together.
    `check` raises `ConfigurationError` for a text that names no transform.
    """

    strictest: Callable[[Sequence[str]], str]
    check: Callable[[str], object]


def read_annotations(
    source: PolicySource, values: Mapping[str, str], permits: bool, masks: MaskVocabulary, problems: list[Problem]
) -> Rule | None:
    """The rule that the annotations describe; None when it has faults, which are added to `problems`."""
    before = len(problems)
    reader = _Reader(source, values, problems)
    reader.known(permits)
    approval = None
    identity = PolicyId(reader.identity())
    if "approval" in values:
        approval = ApprovalRule(
            policy=identity,
            approvers=reader.text("approval", "a group's name, or `attribute:NAME`"),
            count=reader.whole("count", 1),
            ttl=reader.duration("ttl", 900.0),
            reason=values.get("reason", ""),
        )
    else:
        for name in ("count", "ttl"):
            if name in values:
                reader.problem(name, f"`@{name}` means nothing without `@approval`", 'add `@approval("group")`')
    mode = values.get("mode", "enforce")
    if mode not in ("enforce", "observe"):
        reader.problem("mode", f"`@mode` cannot be `{mode}`", 'write `@mode("observe")` or `@mode("enforce")`')
    mask = values.get("mask")
    if mask is not None:
        try:
            masks.check(mask)
        except ConfigurationError as error:
            reader.problem("mask", error.public_message, error.hint)
    rule = Rule(
        id=identity,
        permits=permits,
        file=source.file,
        line=source.line,
        text=source.text,
        observes=mode == "observe",
        approval=approval,
        mask=mask,
        max_rows=reader.whole("max_rows", 1) if "max_rows" in values else None,
        reason=values.get("reason", ""),
        hint=values.get("hint", ""),
        description=values.get("description", ""),
    )
    return rule if len(problems) == before else None


def parse_ttl(text: str) -> float | None:
    """Seconds, or None when the text is not `30s`, `15m`, `8h` or `2d`."""
    match = _DURATION.fullmatch(text)
    return float(match[1]) * _UNITS[match[2]] if match else None


class _Reader:
    """Reads one policy's annotations, with the position of each fault."""

    def __init__(self, source: PolicySource, values: Mapping[str, str], problems: list[Problem]) -> None:
        self._source = source
        self._values = values
        self._problems = problems

    def problem(self, name: str, message: str, hint: str = "") -> None:
        line, column = self._source.annotation(name)
        self._problems.append(Problem(message, file=self._source.file, line=line, column=column, hint=hint))

    def known(self, permits: bool) -> None:
        for name in self._values:
            if name not in ANNOTATIONS:
                close = difflib.get_close_matches(name, ANNOTATIONS, n=1)
                hint = (
                    f"did you mean `@{close[0]}`?" if close else "known: " + ", ".join(f"`@{a}`" for a in ANNOTATIONS)
                )
                self.problem(name, f"unknown annotation `@{name}`", hint)
        for name in _FORBID_ONLY if permits else _PERMIT_ONLY:
            if name in self._values:
                kind = "permit" if permits else "forbid"
                self.problem(name, f"`@{name}` means nothing on a `{kind}`", "remove it")

    def identity(self) -> str:
        value = self._values.get("id")
        if value is None:
            self.problem("id", "this policy has no `@id`", 'write `@id("short-name")` before it')
        elif not _ID.fullmatch(value):
            self.problem("id", f"`{value}` is no policy id", "use letters, digits, `.`, `_` and `-`")
        return value or ""

    def text(self, name: str, words: str) -> str:
        value = self._values[name]
        if not value.strip():
            self.problem(name, f"`@{name}` is empty", f"give {words}")
        return value

    def whole(self, name: str, default: int) -> int:
        value = self._values.get(name)
        if value is None:
            return default
        if not _WHOLE.fullmatch(value):
            self.problem(name, f"`@{name}` cannot be `{value}`", "give a whole number from 1")
            return default
        return int(value)

    def duration(self, name: str, default: float) -> float:
        value = self._values.get(name)
        if value is None:
            return default
        seconds = parse_ttl(value)
        if seconds is None:
            self.problem(name, f"`@{name}` cannot be `{value}`", "write `30s`, `15m`, `8h` or `2d`")
            return default
        return seconds
