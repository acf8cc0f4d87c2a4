"""Random SQL expressions over the names in reach: typed just enough that most are valid, and prone to name-resolution traps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from random import Random
from typing import Final

Kind = str
"""`int`, `text`, `bool`, `json`, `list` (text[]), `pair` (a composite), or `other`."""

Column = tuple[str, Kind]

NAMES: Final = ("t", "u", "v", "a", "b", "c", "id", "n", "x", "q", "j", "parts", '"Odd Name"', "excluded", "new")
"""Aliases come from the names of tables and columns, so that they shadow each other."""


@dataclass(slots=True)
class Place:
    """One query level: tables by alias with their columns, and the names that need no qualifier."""

    tables: list[tuple[str, list[Column]]] = field(default_factory=list)
    merged: list[Column] = field(default_factory=list)
    parent: Place | None = None

    def bare(self) -> list[Column]:
        """Names that mean one column without a qualifier."""
        counts: dict[str, int] = {name: 1 for name, _ in self.merged}
        for _, columns in self.tables:
            for name, _ in columns:
                counts[name] = counts.get(name, 0) + 1
        mine = {name for name, _ in self.merged}
        single = [column for _, columns in self.tables for column in columns if counts[column[0]] == 1]
        return [*self.merged, *(column for column in single if column[0] not in mine)]


class RandomExpressions(ABC):
    """Makes expressions from a seeded source of chance."""

    def __init__(self, random: Random, major: int) -> None:
        """`major` keeps newer grammar out of older servers."""
        self.random = random
        self.major = major

    @abstractmethod
    def query(self, depth: int, outer: Place | None, want: list[Kind] | None = None) -> tuple[str, list[Column]]:
        """A query and its columns."""

    def chance(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.random.random() < share

    def pick(self, *choices: str) -> str:
        """One of these."""
        return self.random.choice(choices)

    def kind(self) -> Kind:
        """A kind, mostly a plain one."""
        return self.pick("text", "text", "text", "int", "int", "bool", "json", "list", "pair")

    def column(self, kind: Kind, place: Place | None) -> str | None:
        """A reference to a column of this kind, of this level or one around it."""
        choices: list[str] = []
        level, weight = place, 3
        while level is not None:
            found = [f"{alias}.{name}" for alias, columns in level.tables for name, each in columns if each == kind]
            found += [name for name, each in level.bare() if each == kind] * 2
            choices += found * weight
            level, weight = level.parent, 1
        return self.random.choice(choices) if choices else None

    def row(self, place: Place | None) -> tuple[str, list[Column]] | None:
        """A table's alias, to be used as a whole row."""
        level = place
        while level is not None:
            if level.tables and (level.parent is None or self.chance(0.8)):
                return self.random.choice(level.tables)
            level = level.parent
        return None

    def expr(self, kind: Kind, place: Place | None, depth: int) -> str:
        """An expression of a kind."""
        if depth <= 0 or self.chance(0.35):
            found = self.column(kind, place)
            if found is not None and self.chance(0.9):
                return found
            if depth <= 0 or (found is None and self.chance(0.3)):
                return self.constant(kind)
        make = {
            "int": self._int,
            "text": self._text,
            "bool": self.condition,
            "json": self._json,
            "list": self._list,
            "pair": self._pair,
        }
        return make.get(kind, self._text)(place, depth - 1)

    def constant(self, kind: Kind) -> str:
        """A literal of a kind."""
        return {
            "int": self.pick("1", "42", "0"),
            "text": self.pick("'k'", "'id'", "''", "'a'::text"),
            "bool": self.pick("true", "false"),
            "json": "'{\"a\": [1]}'::jsonb",
            "list": "ARRAY['p', 'q']",
            "pair": "ROW('p', 1)::pair",
        }.get(kind, "'k'")

    def _int(self, place: Place | None, depth: int) -> str:
        form = self.random.randrange(9)
        if form == 0:
            return f"length({self.expr('text', place, depth)})"
        if form == 1:
            return f"({self.expr('int', place, depth)} {self.pick('+', '-', '*')} {self.expr('int', place, depth)})"
        if form == 2:
            return f"CASE WHEN {self.condition(place, depth)} THEN {self.expr('int', place, depth)} ELSE 0 END"
        if form == 3 and depth > 0:
            return f"({self.query(depth - 1, place, ['int'])[0]} LIMIT 1)"
        if form == 4:
            return f"({self.expr('pair', place, depth)}).b"
        if form == 5:
            return f"cardinality({self.expr('list', place, depth)})"
        if form == 6:
            return f"coalesce({self.expr('int', place, depth)}, {self.expr('int', place, depth)})"
        if form == 7:
            return f"EXTRACT(year FROM date '2024-01-01' + {self.expr('int', place, depth)})::int"
        return f"({self.expr('text', place, depth)} || '1')::int"

    def _text(self, place: Place | None, depth: int) -> str:
        form = self.random.randrange(17)
        text = self.expr("text", place, depth)
        if form == 0:
            return f"{self.pick('lower', 'upper', 'md5', 'plain', 'btrim')}({text})"
        if form == 1:
            return f"({text} || {self.expr('text', place, depth)})"
        if form == 2:
            return f"coalesce({text}, {self.expr('text', place, depth)})"
        if form == 3:
            return f"CASE {text} WHEN 'a' THEN {self.expr('text', place, depth)} ELSE {self.expr('int', place, depth)}::text END"
        if form == 4 and depth > 0:
            return f"({self.query(depth - 1, place, ['text'])[0]} LIMIT 1)"
        if form == 5:
            return f"({self.expr('pair', place, depth)}).a"
        if form == 6:
            return f"({self.expr('list', place, depth)})[{self.expr('int', place, depth)}]"
        if form == 7:
            return f"({self.expr('json', place, depth)} ->> {self.constant('text')})"
        if form == 8:
            return f"substring({text} FROM {self.expr('int', place, depth)})"
        if form == 9:
            return f"array_to_string({self.expr('list', place, depth)}, {self.expr('text', place, depth)})"
        if form == 10:
            return f"CAST({self.expr(self.kind(), place, depth)} AS text)"
        if form == 11:
            return f"nullif({text}, {self.expr('text', place, depth)})"
        if form == 12:
            return f'({text} COLLATE "C")'
        if form == 13:
            return f"format('%s', {text})"
        row = self.row(place)
        if row is None:
            return f"greatest({text}, 'b')"
        alias, columns = row
        texts = [name for name, kind in columns if kind == "text"]
        if form == 14 and texts:
            return f"({alias}).{self.random.choice(texts)}"
        if form == 15 and texts:
            return f"{self.random.choice(texts)}({alias})"
        return self.pick(
            f"{alias}::text", f"row_to_json({alias})::text", f"concat({alias}, 'x')", f"({alias} IS NULL)::text"
        )

    def condition(self, place: Place | None, depth: int) -> str:
        """A boolean expression."""
        form = self.random.randrange(11)
        if depth < 0:
            return f"{self.expr('text', place, 0)} IS NOT NULL"
        if form <= 2:
            kind = self.pick("int", "text")
            return f"{self.expr(kind, place, depth)} {self.pick('=', '<', '<>')} {self.expr(kind, place, depth)}"
        if form == 3:
            return (
                f"({self.condition(place, depth - 1)} {self.pick('AND', 'OR')} NOT {self.condition(place, depth - 1)})"
            )
        if form == 4:
            return (
                f"{self.expr('text', place, depth)} {self.pick('LIKE', 'ILIKE', '~')} {self.expr('text', place, depth)}"
            )
        if form == 5 and depth > 0:
            return f"EXISTS ({self.query(depth - 1, place)[0]})"
        if form == 6 and depth > 0:
            return f"{self.expr('int', place, depth)} IN ({self.query(depth - 1, place, ['int'])[0]})"
        if form == 7 and depth > 0:
            pair = f"({self.expr('int', place, depth)}, {self.expr('text', place, depth)})"
            return f"{pair} = {self.pick('ANY', 'SOME')} ({self.query(depth - 1, place, ['int', 'text'])[0]})"
        if form == 8:
            return f"{self.expr('int', place, depth)} BETWEEN 1 AND {self.expr('int', place, depth)}"
        row = self.row(place)
        if form == 9 and row is not None:
            return self.pick(
                f"{row[0]} IS NOT NULL", f"{row[0]} = {row[0]}", f"{row[0]}::text = {self.expr('text', place, depth)}"
            )
        return f"{self.expr('text', place, depth)} IS {self.pick('NULL', 'NOT NULL', 'DISTINCT FROM NULL')}"

    def _json(self, place: Place | None, depth: int) -> str:
        form = self.random.randrange(8)
        one, two = self.expr(self.kind(), place, depth), self.expr(self.kind(), place, depth)
        if form == 0:
            return f"jsonb_build_object('a', {one}, 'b', {two})"
        if form == 1:
            return f"to_jsonb({one})"
        if form == 2 and self.major >= 16:
            return f"JSON_OBJECT('a': {one}, 'b' VALUE {two} ABSENT ON NULL RETURNING jsonb)"
        if form == 3 and self.major >= 16:
            return f"JSON_ARRAY({one}, {two} RETURNING jsonb)"
        if form == 4 and self.major >= 16 and depth > 0:
            return f"JSON_ARRAY({self.query(depth - 1, place, ['text'])[0]} RETURNING jsonb)"
        if form == 5 and self.major >= 17:
            return f"to_jsonb(JSON_VALUE({self.expr('json', place, depth)}, '$.a' PASSING {one} AS y))"
        row = self.row(place)
        if form == 6 and row is not None:
            return f"to_jsonb({row[0]})"
        return f"({self.expr('json', place, depth)} -> 'a')"

    def _list(self, place: Place | None, depth: int) -> str:
        form = self.random.randrange(5)
        if form == 0 and depth > 0:
            return f"ARRAY({self.query(depth - 1, place, ['text'])[0]})"
        if form == 1:
            return f"string_to_array({self.expr('text', place, depth)}, {self.expr('text', place, depth)})"
        if form == 2:
            return f"({self.expr('list', place, depth)})[1:{self.expr('int', place, depth)}]"
        if form == 3:
            return f"({self.expr('list', place, depth)} || {self.expr('text', place, depth)})"
        return f"ARRAY[{self.expr('text', place, depth)}, {self.expr('text', place, depth)}]"

    def _pair(self, place: Place | None, depth: int) -> str:
        return f"ROW({self.expr('text', place, depth)}, {self.expr('int', place, depth)})::pair"
