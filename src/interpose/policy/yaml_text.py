"""Strict reading of YAML text: every unknown key, wrong type and missing value is a problem with line and column.

Knows YAML and positions, not what the keys mean. All problems go into one list; nothing is raised.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from interpose.model.errors import Problem


class Node:
    """One mapping of a YAML file. Each reading method takes a key; `finish` reports the keys that nobody took."""

    def __init__(self, values: CommentedMap, file: str, where: str, problems: list[Problem]) -> None:
        """`where` is the dotted path of the mapping, for messages."""
        self._values = values
        self._where = where
        self._taken: set[str] = set()
        self.file = file
        self.problems = problems

    @property
    def line(self) -> int:
        """The 1-based line where the mapping begins."""
        return int(self._values.lc.line or 0) + 1

    def __contains__(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return self._values.get(key) is not None

    def problem(self, key: str, message: str, hint: str = "") -> None:
        """Report a fault at this key."""
        line, column = self.place(key)
        self.problems.append(Problem(message, file=self.file, line=line, column=column, hint=hint))

    def place(self, key: str) -> tuple[int, int]:
        """The 1-based line and column of a key; those of the mapping when it has no such key."""
        position = (self._values.lc.data or {}).get(key)
        if position is None:
            return self.line, int(self._values.lc.col or 0) + 1
        return int(position[0]) + 1, int(position[1]) + 1

    def name(self, key: str) -> str:
        """The key with the path that leads to it."""
        return f"{self._where}.{key}" if self._where else key

    def take(self, key: str) -> object:
        """The value as YAML gives it, None when absent."""
        self._taken.add(key)
        value: object = self._values.get(key)
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key is required."""
        value = self.take(key)
        if isinstance(value, str):
            return str(value)
        if value is None:
            if default is None:
                self.problem(key, f"`{self.name(key)}` is missing", "give a text")
        else:
            self.problem(key, f"`{self.name(key)}` must be a text", "put it in quotes" if _plain(value) else "")
        return default or ""

    def whole(self, key: str) -> int | None:
        """A whole number, None when absent."""
        value = self.take(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return None if value is None else int(value)
        self.problem(key, f"`{self.name(key)}` must be a whole number")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or a single one; empty when absent."""
        value = self.take(key)
        if value is None:
            return ()
        items = list(value) if isinstance(value, CommentedSeq) else [value]
        if all(isinstance(item, str) for item in items):
            return tuple(str(item) for item in items)
        self.problem(key, f"`{self.name(key)}` must be a list of texts")
        return ()

    def pairs(self, key: str) -> dict[str, object]:
        """A mapping of plain values (texts, numbers, truth values, lists of texts); empty when absent."""
        node = self.node(key)
        pairs: dict[str, object] = {}
        for name in node.names():
            value = node.take(name)
            if isinstance(value, CommentedSeq) and all(isinstance(item, str) for item in value):
                pairs[name] = tuple(str(item) for item in value)
            elif _plain(value):
                pairs[name] = value
            else:
                node.problem(
                    name, f"`{node.name(name)}` must be a text, a whole number, true, false or a list of texts"
                )
        return pairs

    def node(self, key: str) -> Node:
        """A nested mapping; an empty one when absent."""
        value = self.take(key)
        if value is not None and not isinstance(value, CommentedMap):
            self.problem(key, f"`{self.name(key)}` must be a mapping")
        return Node(
            value if isinstance(value, CommentedMap) else CommentedMap(), self.file, self.name(key), self.problems
        )

    def nodes(self, key: str) -> Iterator[Node]:
        """A list of mappings."""
        value = self.take(key)
        if value is not None and not isinstance(value, CommentedSeq):
            self.problem(key, f"`{self.name(key)}` must be a list")
        for index, item in enumerate(value if isinstance(value, CommentedSeq) else ()):
            if isinstance(item, CommentedMap):
                yield Node(item, self.file, f"{self.name(key)}[{index}]", self.problems)
            else:
                self.problem(key, f"`{self.name(key)}[{index}]` must be a mapping")

    def names(self) -> list[str]:
        """All keys, in order; a key that is no text is a problem."""
        for key in self._values:
            if not isinstance(key, str):
                self._taken.add(str(key))
                self.problem(key, f"the key `{key}` must be a text", "put it in quotes")
        return [str(key) for key in self._values if isinstance(key, str)]

    def finish(self) -> None:
        """Report every key that nobody took, with the nearest known one."""
        for key in self._values:
            if str(key) not in self._taken:
                self.problem(key, f"unknown key `{self.name(str(key))}`", nearest(str(key), self._taken))


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean …?` for a near miss, else what is known."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return "known here: " + ", ".join(f"`{name}`" for name in choices) if choices else ""


def read_yaml(text: str, file: str, problems: list[Problem]) -> Node:
    """The top mapping of a file; an empty one when the text is empty or, with a problem, no mapping."""
    values: object = None
    try:
        values = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        problems.append(
            Problem(
                f"not valid YAML: {error.problem}",
                file=file,
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            )
        )
    except (YAMLError, ValueError) as error:
        problems.append(Problem(f"not valid YAML: {error}", file=file))
    if values is not None and not isinstance(values, CommentedMap):
        problems.append(Problem("the file must be a mapping at its top", file=file, line=1))
    return Node(values if isinstance(values, CommentedMap) else CommentedMap(), file, "", problems)


def _plain(value: object) -> bool:
    return isinstance(value, (str, int))
