"""Strict reading of YAML: every unknown key, wrong type and missing value is a problem with line and suggestion.

Knows YAML and positions, not what the keys mean. All problems of a file are collected; the caller raises once.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from interpose.app.quantities import parse_duration, parse_size
from interpose.model.errors import ConfigurationError, Problem

EnumT = TypeVar("EnumT", bound=Enum)
NumberT = TypeVar("NumberT", int, float)


class Section:
    """One mapping of a YAML file. Each `take…` consumes a key; `finish` reports what nobody took."""

    def __init__(self, values: CommentedMap, file: str, where: str, problems: list[Problem], text: str = "") -> None:
        """`where` is the dotted path of the mapping, for messages; problems go into the shared list. `text` is the whole file's."""
        self._values = values
        self._file = file
        self._where = where
        self._problems = problems
        self._taken: set[str] = set()
        self.text_of_file = text

    def __contains__(self, key: str) -> bool:
        """Whether the key is present and not null."""
        return self._values.get(key) is not None

    @property
    def problems(self) -> list[Problem]:
        """All problems found so far in this file."""
        return self._problems

    def problem(self, key: str, message: str, hint: str = "") -> None:
        """Report a fault of this key's value."""
        line, column = self._position(key)
        self._problems.append(Problem(message, file=self._file, line=line, column=column, hint=hint))

    def _position(self, key: str) -> tuple[int | None, int | None]:
        try:
            line, column = self._values.lc.key(key)
        except (KeyError, AttributeError, TypeError):
            line, column = getattr(self._values.lc, "line", None), None
        return (None if line is None else line + 1), (None if column is None else column + 1)

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _get(self, key: str, expected: type | tuple[type, ...], words: str, required: bool) -> object | None:
        self._taken.add(key)
        value: object | None = self._values.get(key)
        if value is None:
            if required:
                self.problem(key, f"`{self._name(key)}` is missing", f"give {words}")
            return None
        wrong_bool = isinstance(value, bool) and bool not in (expected if isinstance(expected, tuple) else (expected,))
        if not isinstance(value, expected) or wrong_bool:
            self.problem(key, f"`{self._name(key)}` must be {words}", f"found `{value}`")
            return None
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key is required."""
        value = self._get(key, (str, int), "a text", default is None)
        return str(value) if value is not None else (default or "")

    def optional_text(self, key: str) -> str | None:
        """A text, or None when the key is absent."""
        value = self._get(key, (str, int), "a text", False)
        return None if value is None else str(value)

    def listed(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts; empty when the key is absent."""
        value = self._get(key, (str, CommentedSeq), "a text or a list of texts", False)
        texts = value if isinstance(value, CommentedSeq) else [] if value is None else [value]
        if not all(isinstance(text, str) for text in texts):
            self.problem(key, f"`{self._name(key)}` must be a text or a list of texts", f"found `{plain(value)}`")
            return ()
        return tuple(str(text) for text in texts)

    def boolean(self, key: str, default: bool) -> bool:
        """A truth value: true or false."""
        value = self._get(key, bool, "true or false", False)
        return value if isinstance(value, bool) else default

    def whole(self, key: str, default: int, minimum: int = 0, maximum: int = 2**31) -> int:
        """A whole number within bounds."""
        value = self._get(key, int, f"a whole number from {minimum} to {maximum}", False)
        if value is None:
            return default
        number = int(str(value))
        if not minimum <= number <= maximum:
            self.problem(key, f"`{self._name(key)}` must be from {minimum} to {maximum}", f"found `{number}`")
            return default
        return number

    def duration(self, key: str, default: float) -> float:
        """A duration in seconds, written `500ms`, `5s`, `15m`, `8h` or `90d`."""
        return self._unit(key, default, "a duration such as `500ms`, `5s`, `15m`, `8h` or `90d`", parse_duration)

    def size(self, key: str, default: int) -> int:
        """A size in bytes, written `4096`, `256KiB`, `64MiB` or `1GiB`."""
        return self._unit(key, default, "a size such as `4096`, `256KiB`, `64MiB` or `1GiB`", parse_size)

    def _unit(self, key: str, default: NumberT, words: str, parse: Callable[[str], NumberT | None]) -> NumberT:
        value = self._get(key, (str, int), words, False)
        if value is None:
            return default
        parsed = parse(str(value))
        if parsed is None:
            self.problem(key, f"`{self._name(key)}` must be {words}", f"found `{value}`")
            return default
        return parsed

    def choice(self, key: str, kind: type[EnumT], default: EnumT) -> EnumT:
        """One of an enumeration's values."""
        value = self._get(key, str, "one of " + ", ".join(f"`{member.value}`" for member in kind), False)
        if value is None:
            return default
        for member in kind:
            if member.value == value:
                return member
        names = [str(member.value) for member in kind]
        self.problem(key, f"`{self._name(key)}` cannot be `{value}`", suggestion(str(value), names))
        return default

    def texts(self, key: str) -> dict[str, str]:
        """A mapping of texts (empty when absent)."""
        value = self._get(key, CommentedMap, "a mapping of names to texts", False)
        if not isinstance(value, CommentedMap):
            return {}
        result: dict[str, str] = {}
        for name, item in value.items():
            if isinstance(item, (CommentedMap, CommentedSeq)) or item is None:
                self.problem(key, f"`{self._name(key)}.{name}` must be a text")
            else:
                result[str(name)] = str(item).lower() if isinstance(item, bool) else str(item)
        return result

    def raw(self, key: str) -> dict[str, object]:
        """A mapping of plain values that another package checks (empty when absent)."""
        value = self._get(key, CommentedMap, "a mapping", False)
        if not isinstance(value, CommentedMap):
            return {}
        return {str(name): plain(item) for name, item in value.items()}

    def section(self, key: str) -> Section:
        """A nested mapping (an empty one when absent)."""
        value = self._get(key, CommentedMap, "a mapping", False)
        return Section(
            value if isinstance(value, CommentedMap) else CommentedMap(), self._file, self._name(key), self._problems
        )

    def sections(self, key: str) -> Iterator[tuple[str, Section]]:
        """Nested mappings by name, e.g. `connections`."""
        value = self._get(key, CommentedMap, "a mapping of names to mappings", False)
        for name, item in (value or {}).items() if isinstance(value, CommentedMap) else ():
            if isinstance(item, CommentedMap):
                yield str(name), Section(item, self._file, f"{self._name(key)}.{name}", self._problems)
            else:
                self.problem(key, f"`{self._name(key)}.{name}` must be a mapping")

    def items(self, key: str) -> Iterator[Section]:
        """A list of mappings, e.g. `listeners`."""
        value = self._get(key, CommentedSeq, "a list of mappings", False)
        for index, item in enumerate(value if isinstance(value, CommentedSeq) else ()):
            if isinstance(item, CommentedMap):
                yield Section(item, self._file, f"{self._name(key)}[{index}]", self._problems)
            else:
                self.problem(key, f"`{self._name(key)}[{index}]` must be a mapping")

    def finish(self) -> None:
        """Report every key that nobody took, with the nearest known one."""
        for key in self._values:
            if str(key) not in self._taken:
                self.problem(
                    str(key), f"unknown key `{self._name(str(key))}`", suggestion(str(key), sorted(self._taken))
                )


def suggestion(word: str, known: list[str]) -> str:
    """`did you mean …?` for a near miss, else the list of what is known."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else "known here: " + ", ".join(f"`{name}`" for name in known)


def plain(value: object) -> object:
    """YAML's values as plain Python ones."""
    if isinstance(value, CommentedMap):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, CommentedSeq):
        return [plain(item) for item in value]
    return value


def read_yaml(path: Path) -> Section:
    """The file's top mapping; raises `ConfigurationError` when it cannot be read or is no YAML mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot read `{path}`", detail=str(error), hint="check the path and that the file is readable UTF-8"
        ) from error
    try:
        values = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        problem = Problem(
            f"not valid YAML: {error.problem}",
            file=str(path),
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
        )
        raise ConfigurationError(f"`{path.name}` cannot be read", problems=(problem,)) from error
    except YAMLError as error:
        raise ConfigurationError(f"`{path.name}` is not valid YAML", detail=str(error)) from error
    if not isinstance(values, CommentedMap):
        raise ConfigurationError(
            f"`{path.name}` must be a mapping at its top", hint="see docs/reference/configuration.md"
        )
    return Section(values, str(path), "", [], text)
