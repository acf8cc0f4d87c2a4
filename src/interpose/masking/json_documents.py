"""Masking by path inside one JSON document: what a path meets is masked, everything else keeps its bytes.

Order, spacing, duplicate keys (each is masked) and the spelling of numbers stay. INVARIANT: what a path could have meant is hidden:
keys are compared decoded; a scalar that stands where a path of keys goes on, or for the whole document, is masked itself; and a document that is no JSON, that is
too deep or too long, raises, so that it is hidden whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from interpose.masking.json_paths import JsonPath, Step, StepKind

MAX_DOCUMENT: Final = 1 << 20
"""The longest document, in characters, that is masked by path."""
MAX_DEPTH: Final = 128
"""The deepest nesting of objects and arrays that is masked by path."""

Leaf = Callable[[str], str]
"""One value as it is written in JSON to its masked form, written in JSON."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"')
_SCALAR: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null", re.ASCII)

_State = tuple[int, int]  # which path, and how many of its steps are taken
_Met = frozenset[_State]
_NOWHERE: Final[_Met] = frozenset()


def mask_paths(document: str, rules: Sequence[tuple[JsonPath, Leaf]]) -> str:
    """The document with what the paths meet masked; where several meet, by the first of them. Raises `ValueError`."""
    if len(document) > MAX_DOCUMENT:
        raise ValueError("the document is too long")
    return _Walk(document, rules).masked()


class _Walk:
    """One pass over one document."""

    __slots__ = ("_copied", "_leaves", "_paths", "_pieces", "_text")

    def __init__(self, text: str, rules: Sequence[tuple[JsonPath, Leaf]]) -> None:
        self._text = text
        self._paths: list[tuple[Step, ...]] = [path.steps for path, _leaf in rules]
        self._leaves = [leaf for _path, leaf in rules]
        self._pieces: list[str] = []
        self._copied = 0

    def masked(self) -> str:
        begin = self._space(0)
        end = self._value(begin, frozenset((path, 0) for path in range(len(self._paths))), 0)
        if self._space(end) != len(self._text):
            raise ValueError("text behind the document")
        return "".join((*self._pieces, self._text[self._copied :]))

    def _space(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return at if match is None else match.end()

    def _value(self, at: int, states: _Met, depth: int) -> int:
        """Walk the value that begins here; answers where it ends."""
        first = self._text[at : at + 1]
        met = self._settled(states, array=first == "[") if states else states
        whole = [path for path, taken in met if taken == len(self._paths[path])]
        if whole:
            end = self._skip(at, first, _NOWHERE, depth)
            self._replace(at, end, min(whole))
            return end
        end = self._skip(at, first, met, depth)
        if first not in ("{", "["):
            # A document that is one scalar is no document that paths were written for: the depth tells it.
            cut = [path for path, taken in met if not depth or self._is_in_the_way(path, taken)]
            if cut:
                self._replace(at, end, min(cut))
        return end

    def _is_in_the_way(self, path: int, taken: int) -> bool:
        """Whether a scalar here stands where this path goes on by key, and not just where a wildcard looked."""
        wild = (StepKind.ANY_KEY, StepKind.ANY_DEPTH)
        steps = self._paths[path]
        return all(step.kind not in wild for step in steps[:taken]) and steps[taken].kind is not StepKind.ANY_DEPTH

    def _skip(self, at: int, first: str, met: _Met, depth: int) -> int:
        if first == "{":
            return self._object(at, met, depth)
        if first == "[":
            return self._array(at, met, depth)
        match = (_STRING if first == '"' else _SCALAR).match(self._text, at)
        if match is None:
            raise ValueError("not JSON")
        return match.end()

    def _object(self, at: int, met: _Met, depth: int) -> int:
        text = self._text
        at = self._opened(at, depth)
        if text[at : at + 1] == "}":
            return at + 1
        while True:
            key = _STRING.match(text, at)
            if key is None:
                raise ValueError("not a key")
            at = self._space(key.end())
            if text[at : at + 1] != ":":
                raise ValueError("no colon behind a key")
            inner = self._into_key(met, key.group()) if met else met
            at = self._space(self._value(self._space(at + 1), inner, depth + 1))
            if text[at : at + 1] != ",":
                break
            at = self._space(at + 1)
        if text[at : at + 1] != "}":
            raise ValueError("object is not closed")
        return at + 1

    def _array(self, at: int, met: _Met, depth: int) -> int:
        text = self._text
        at = self._opened(at, depth)
        if text[at : at + 1] == "]":
            return at + 1
        inner = self._into_element(met) if met else met
        while True:
            at = self._space(self._value(at, inner, depth + 1))
            if text[at : at + 1] != ",":
                break
            at = self._space(at + 1)
        if text[at : at + 1] != "]":
            raise ValueError("array is not closed")
        return at + 1

    def _opened(self, at: int, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise ValueError("the document is too deep")
        return self._space(at + 1)

    def _settled(self, states: _Met, *, array: bool) -> _Met:
        """The states with the steps taken that need no descent: `.**` over no level, `[*]` over a value that is no array."""
        met = set(states)
        waiting = list(states)
        while waiting:
            path, taken = waiting.pop()
            if taken == len(self._paths[path]):
                continue
            kind = self._paths[path][taken].kind
            if kind is StepKind.ANY_DEPTH or (kind is StepKind.ELEMENTS and not array):
                further = (path, taken + 1)
                if further not in met:
                    met.add(further)
                    waiting.append(further)
        return frozenset(met)

    def _into_key(self, met: _Met, token: str) -> _Met:
        key: object = json.loads(token) if "\\" in token else token[1:-1]
        inner: set[_State] = set()
        for path, taken in met:
            step = self._paths[path][taken]
            if step.kind is StepKind.ANY_DEPTH:
                inner.add((path, taken))
            elif step.kind is StepKind.ANY_KEY or (step.kind is StepKind.KEY and step.key == key):
                inner.add((path, taken + 1))
        return frozenset(inner)

    def _into_element(self, met: _Met) -> _Met:
        inner: set[_State] = set()
        for path, taken in met:
            # A key meets the elements of an array too, of whatever depth.
            elements = self._paths[path][taken].kind is StepKind.ELEMENTS
            inner.add((path, taken + 1) if elements else (path, taken))
        return frozenset(inner)

    def _replace(self, start: int, end: int, path: int) -> None:
        self._pieces += (self._text[self._copied : start], self._leaves[path](self._text[start:end]))
        self._copied = end
