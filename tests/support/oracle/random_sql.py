"""Random statements over the oracle's schema: the grammar of queries and changes, from one seed.

Most are valid; the server says which. Deliberately full of names that mean another thing one level further in.
"""

from __future__ import annotations

from random import Random
from typing import Final

from tests.support.oracle.random_expressions import Column, Kind, Place
from tests.support.oracle.random_from import TABLES, RandomFrom

_UNNAMED: Final = '"?column?"'
_OUTPUT_NAMES: Final = ("a", "b", "id", "n", "x", "t", "u", "lower", '"select"', "c")
_WRITABLE: Final = {
    name: [column for column in TABLES[name] if column[0] != "g"]
    for name in ("t", "u", "public.u", "v", "parts", "parts_2", "base", "child", "w", "plain_view")
}


class RandomSql(RandomFrom):
    """An endless source of statements."""

    def __init__(self, seed: int, major: int) -> None:
        """The same seed and major give the same statements."""
        super().__init__(Random(seed), major)
        self.common: list[tuple[str, list[Column]]] = []

    def statement(self) -> str:
        """One statement, without a semicolon."""
        self.common = []
        form = self.random.randrange(20)
        if form < 15:
            return self.query(self.random.choice((1, 2, 2, 3)), None)[0]
        prefix = self._with(1, None) if self.chance(0.4) else ""
        make = (self._insert, self._update, self._delete, self._merge, self._update)[form - 15]
        return prefix + make()

    def query(self, depth: int, outer: Place | None, want: list[Kind] | None = None) -> tuple[str, list[Column]]:
        """A query and its columns; of the kinds that are wanted."""
        before = list(self.common)
        prefix = self._with(depth - 1, outer) if depth > 0 and self.chance(0.25) else ""
        form = self.random.randrange(12)
        if form == 0 and depth > 0:
            kinds = want or [self.kind() for _ in range(self.random.randint(1, 3))]
            kinds = ["text" if kind in ("json", "pair") else kind for kind in kinds] if want is None else kinds
            left, columns = self.query(depth - 1, outer, kinds)
            right, _ = self.query(depth - 1, outer, kinds)
            operation = self.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL")
            tail = f" ORDER BY {self.random.randint(1, len(kinds))}" if self.chance(0.3) else ""
            text = f"({left}) {operation} ({right}){tail}"
        elif form == 1:
            kinds = want or [self.kind() for _ in range(self.random.randint(1, 3))]
            rows = ", ".join(f"({', '.join(self.expr(kind, outer, depth) for kind in kinds)})" for _ in range(2))
            text = f"VALUES {rows}"
            columns = [(f"column{number}", kind) for number, kind in enumerate(kinds, 1)]
        else:
            text, columns = self._select(depth, outer, want)
        self.common = before
        if prefix and not text.startswith(("(", "VALUES", "SELECT")):
            return f"{prefix}({text})", columns
        return prefix + text, columns

    def _with(self, depth: int, outer: Place | None) -> str:
        """WITH: names of tables too, so that they are shadowed; sometimes recursive, sometimes a change."""
        parts: list[str] = []
        recursive = self.chance(0.35)
        for _ in range(self.random.choice((1, 1, 2))):
            name = self.pick("t", "u", "x", "q", "v", "base", "r")
            if name in {part.split("(")[0].split(" ")[0] for part in parts}:
                continue
            if recursive and self.chance(0.6):
                parts.append(self._recursive(name, depth, outer))
                continue
            before = list(self.common)
            if outer is None and depth == 0 and self.chance(0.2):
                text, columns = self._changing()
            else:
                text, columns = self.query(depth, outer)
            self.common = before
            listed = ""
            if (columns and len({column for column, _ in columns}) < len(columns)) or self.chance(0.3):
                fresh = self.random.sample(("a", "b", "id", "c", "k", "n", "t", "u", "z"), min(len(columns), 9))
                listed = f"({', '.join(fresh)})"
                columns = [(fresh[place] if place < 9 else each, kind) for place, (each, kind) in enumerate(columns)]
            kept = self.pick("", "", "MATERIALIZED ", "NOT MATERIALIZED ")
            parts.append(f"{name}{listed if listed != '()' else ''} AS {kept}({text})")
            self.common.append((name, columns))
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(parts)} "

    def _recursive(self, name: str, depth: int, outer: Place | None) -> str:
        columns: list[Column] = [("a", "text"), ("b", "text"), ("n", "int")]
        kinds = [kind for _, kind in columns]
        first, _ = self.query(max(depth, 0), outer, kinds)
        mine = Place([(name, columns)], parent=outer)
        source = name
        if self.chance(0.6):
            table = self.random.choice(list(TABLES))
            mine.tables.append(("y", TABLES[table]))
            source += f" JOIN {table} AS y ON {self.expr('int', mine, 0)} = {self.expr('int', mine, 0)}"
        wide = ", ".join(f"{self.expr(kind, mine, 1)}" for kind in kinds)
        text = f"{name}(a, b, n) AS (({first}) UNION ALL SELECT {wide} FROM {source} WHERE {name}.n < 3)"
        if self.chance(0.3):
            text += f" SEARCH {self.pick('DEPTH', 'BREADTH')} FIRST BY {self.pick('a', 'b, n')} SET o"
            columns = [*columns, ("o", "other")]
        if self.chance(0.3):
            text += f" CYCLE {self.pick('a', 'n')} SET k USING path"
            columns = [*columns, ("k", "bool"), ("path", "other")]
        self.common.append((name, columns))
        return text

    def _select(self, depth: int, outer: Place | None, want: list[Kind] | None) -> tuple[str, list[Column]]:
        place = Place(parent=outer)
        source = self.from_items(place, depth) if self.chance(0.95) else ""
        where = f" WHERE {self.condition(place, depth)}" if source and self.chance(0.5) else ""
        if source and self.chance(0.2):
            return self._grouped(place, source + where, depth, want)
        targets: list[str] = []
        columns: list[Column] = []
        kinds = want or [self.kind() for _ in range(self.random.randint(1, 4))]
        for kind in kinds:
            if want is None and source and self.chance(0.2):
                text, found = self._star(place)
            else:
                text, found = self._target(kind, place, depth, windows=bool(source))
            targets.append(text)
            columns += found
        distinct = ""
        tail = ""
        if self.chance(0.3):
            names = [name for name, _ in columns if name != _UNNAMED]
            key = self.random.choice(names) if names and self.chance(0.5) else self.expr("text", place, 1)
            if self.chance(0.2):
                distinct = f"DISTINCT ON ({key}) "
            tail = f" ORDER BY {key}{self.pick('', ' DESC', ' NULLS FIRST')}"
        elif self.chance(0.1):
            distinct = "DISTINCT "
        if self.chance(0.1) and want is None:
            tail += " LIMIT 3"
        if want is None and not distinct and self.chance(0.03):
            tail += " FOR UPDATE"
        return f"SELECT {distinct}{', '.join(targets)}{f' FROM {source}' if source else ''}{where}{tail}", columns

    def _star(self, place: Place) -> tuple[str, list[Column]]:
        everything = [column for _, columns in place.tables for column in columns]
        if self.chance(0.4) or not place.tables:
            return "*", everything
        alias, columns = self.random.choice(place.tables)
        if self.chance(0.2):
            return alias, [(alias, "other")]
        return self.pick(f"{alias}.*", f"({alias}).*"), columns

    def _target(self, kind: Kind, place: Place, depth: int, *, windows: bool) -> tuple[str, list[Column]]:
        text = self.expr(kind, place, depth)
        if windows and kind in ("text", "int") and self.chance(0.08):
            text = f"{self.pick('first_value', 'lag', 'max')}({text}) OVER (PARTITION BY {self.expr('int', place, 0)} ORDER BY {self.expr('text', place, 0)})"
        if self.chance(0.5):
            name = self.random.choice(_OUTPUT_NAMES)
            return f"{text} AS {name}", [(name, kind)]
        name = text.rpartition(".")[2]
        return text, [(name if name.isidentifier() else _UNNAMED, kind)]

    def _grouped(self, place: Place, source: str, depth: int, want: list[Kind] | None) -> tuple[str, list[Column]]:
        """GROUP BY with aggregates, grouping sets, HAVING, named windows."""
        key = self.expr("text", place, 1)
        second = self.column("int", place) or "1"
        shape = self.pick(
            "{k}", "{k}, {s}", "ROLLUP ({k}, {s})", "GROUPING SETS (({k}), ({s}), ())", "DISTINCT CUBE ({k}, {s})"
        )
        if self.major < 14:
            shape = "{k}"
        if want is not None:
            values = [self._aggregate(kind, place, depth) for kind in want]
            columns = [(_UNNAMED, kind) for kind in want]
            group = ""
        else:
            name = self.random.choice(_OUTPUT_NAMES)
            values = [
                f"{key} AS {name}",
                self._aggregate("text", place, depth),
                f"{self._aggregate('int', place, depth)} AS n",
            ]
            columns = [(name, "text"), (_UNNAMED, "text"), ("n", "int")]
            group = f" GROUP BY {shape.format(k=key if self.chance(0.7) else name, s=second)}"
            if "(" in shape and self.chance(0.4):
                values.append(f"grouping({key})")
                columns.append(("grouping", "int"))
        having = f" HAVING {self._aggregate('int', place, 0)} > 0" if self.chance(0.3) else ""
        return f"SELECT {', '.join(values)} FROM {source}{group}{having}", columns

    def _aggregate(self, kind: Kind, place: Place, depth: int) -> str:
        filtered = f" FILTER (WHERE {self.condition(place, 0)})" if self.chance(0.2) else ""
        if kind == "int":
            row = self.row(place)
            whole = row[0] if row else "*"
            return (
                self.pick("count(*)", f"count({whole})", f"sum({self.expr('int', place, depth)})") + filtered + "::int"
            )
        value = self.expr("text", place, depth)
        if kind == "text":
            if self.chance(0.2):
                return f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {value})"
            ordered = f" ORDER BY {self.expr('text', place, 0)}" if self.chance(0.3) else ""
            return self.pick(f"max({value})", f"string_agg({value}, ','{ordered})") + filtered
        if kind == "list":
            return f"array_agg({value}){filtered}"
        if kind == "bool":
            return f"bool_or({self.condition(place, 0)})"
        if kind == "json":
            return (
                self.pick(f"jsonb_agg({value})", f"jsonb_object_agg({value}, {self.expr('int', place, 0)})") + filtered
            )
        return f"ROW(max({value}), 1)::pair"

    # Changes

    def _changing(self) -> tuple[str, list[Column]]:
        table = self.random.choice(list(_WRITABLE))
        columns = TABLES[table]
        return f"DELETE FROM {table} AS d WHERE {self.condition(Place([('d', columns)]), 1)} RETURNING d.*", columns

    def _returning(self, place: Place) -> str:
        if self.chance(0.25):
            return ""
        targets: list[str] = []
        for _ in range(self.random.randint(1, 3)):
            if self.major >= 18 and self.chance(0.3):
                columns = place.tables[0][1]
                name = self.random.choice(columns)[0]
                targets.append(
                    self.pick(f"old.{name}", f"new.{name}", "old", f"old.{name}::text || new.{name}", "new.*")
                )
            elif self.chance(0.3):
                targets.append(self._star(place)[0])
            else:
                targets.append(self.expr(self.kind(), place, 1))
        return f" RETURNING {', '.join(targets)}"

    def _target_table(self) -> tuple[str, list[Column], Place]:
        table = self.random.choice(list(_WRITABLE))
        bare = table.rpartition(".")[2]
        alias = bare if self.chance(0.5) else self.pick("x", "a", "q", "t2")
        place = Place([(alias, TABLES[table])])
        return (table if alias == bare else f"{table} AS {alias}"), _WRITABLE[table], place

    def _assignments(self, columns: list[Column], place: Place) -> str:
        chosen = [column for column in columns if column[1] in ("int", "text", "json", "list")]
        chosen = self.random.sample(chosen, min(len(chosen), self.random.randint(1, 2)))
        if len(chosen) == 2 and self.chance(0.3):
            return (
                f"({chosen[0][0]}, {chosen[1][0]}) = ({self.query(1, place, [kind for _, kind in chosen])[0]} LIMIT 1)"
            )
        return ", ".join(f"{name} = {self.expr(kind, place, 2)}" for name, kind in chosen)

    def _insert(self) -> str:
        table, columns, place = self._target_table()
        chosen = [column for column in columns if column[1] in ("int", "text")][:3]
        source, _ = self.query(1, None, [kind for _, kind in chosen])
        conflict = ""
        if table.split(" ")[0] in ("t", "public.u") and self.chance(0.6):
            conflict = " ON CONFLICT DO NOTHING"
            if self.chance(0.8):
                both = Place([*place.tables, ("excluded", columns)])
                where = f" WHERE {self.condition(both, 1)}" if self.chance(0.4) else ""
                conflict = f" ON CONFLICT (id) DO UPDATE SET {self._assignments(chosen[1:], both)}{where}"
        return (
            f"INSERT INTO {table} ({', '.join(name for name, _ in chosen)}) {source}{conflict}{self._returning(place)}"
        )

    def _update(self) -> str:
        table, columns, place = self._target_table()
        inner = Place(list(place.tables))
        source = f" FROM {self.from_items(inner, 1)}" if self.chance(0.5) else ""
        where = f" WHERE {self.condition(inner, 2)}" if self.chance(0.8) else ""
        return f"UPDATE {table} SET {self._assignments(columns, inner)}{source}{where}{self._returning(inner)}"

    def _delete(self) -> str:
        table, _, place = self._target_table()
        source = f" USING {self.from_items(place, 1)}" if self.chance(0.5) else ""
        return f"DELETE FROM {table}{source} WHERE {self.condition(place, 2)}{self._returning(place)}"

    def _merge(self) -> str:
        table, columns, place = self._target_table()
        both = Place(list(place.tables))
        source = self.item(both, 1)
        chosen = [column for column in columns if column[1] in ("int", "text")][:2]
        values = ", ".join(self.expr(kind, Place(both.tables[1:]), 1) for _, kind in chosen)
        extra = f" AND {self.condition(both, 1)}" if self.chance(0.4) else ""
        matched = self.pick("DELETE", "DO NOTHING", f"UPDATE SET {self._assignments(chosen, both)}")
        returning = self._returning(both) if self.major >= 17 else ""
        return (
            f"MERGE INTO {table} USING {source} ON {self.expr('int', both, 0)} = {self.expr('int', both, 0)} "
            f"WHEN MATCHED{extra} THEN {matched} WHEN NOT MATCHED THEN "
            f"INSERT ({', '.join(name for name, _ in chosen)}) VALUES ({values}){returning}"
        )
