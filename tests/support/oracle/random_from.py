"""Random FROM clauses: tables under aliases that collide, joins with USING and NATURAL, sub-selects, functions, JSON_TABLE …"""

from __future__ import annotations

from typing import Final

from tests.support.oracle.random_expressions import NAMES, Column, Place, RandomExpressions

_I: Final = ("id", "int")
_A: Final = ("a", "text")
_B: Final = ("b", "text")
_C: Final = ("c", "text")
_N: Final = ("n", "int")

TABLES: Final[dict[str, list[Column]]] = {
    "t": [_I, _A, _B, _N, ("s", "text"), ("p", "pair"), ("l", "list"), ("j", "json"), ("g", "text")],
    "u": [_I, _A, ("app", "text"), _N],
    "public.u": [_I, _A, _C, _N, ("t", "text"), ("d", "other"), ("x", "other"), ("pp", "other")],
    "v": [_I, _B, _C, ("u", "text"), ("m", "other"), ("r", "other")],
    "parts": [_I, _A, _B, _N],
    "parts_1": [_I, _A, _B, _N],
    "parts_2": [_N, _B, _A, _I],
    "base": [_I, _A],
    "child": [_I, _A, _B, _N],
    "grandchild": [_I, _A, _B, _N, _C, ("x", "text")],
    "w": [_I, ("w", "text"), _A],
    '"Odd Name"': [('"A"', "text"), ('"select"', "int"), _I, ('"q.r"', "text")],
    "plain_view": [_I, _B, _A, _N],
    "join_view": [_I, _A, _C, _N],
    "deep_view": [_A, _B, _N, _I],
    "row_view": [("u", "other"), _I, ("j", "other"), _A],
    "set_view": [_I, _A],
    "cte_view": [_I, _A, _N],
    "agg_view": [_A, ("n", "other"), _B, ("l", "other")],
    "star_view": [_I, _B, _C, ("u", "text"), ("m", "other"), ("r", "other"), _A, _N],
    "kept": [_I, _A, ("b", "int")],
    "far_away": [_I, _A, ("far", "text")],
}
"""The tables and views of `schema`, by the names that mean them in its path."""


class RandomFrom(RandomExpressions):
    """Adds FROM items to a place."""

    common: list[tuple[str, list[Column]]]
    """Common table expressions that may be named."""

    def from_items(self, place: Place, depth: int) -> str:
        """Some items; LATERAL ones see those before them."""
        return ", ".join(self.item(place, depth) for _ in range(self.random.choice((1, 1, 1, 2, 2, 3))))

    def alias(self, place: Place, default: str = "") -> str:
        """A name that no table of this level has yet."""
        taken = {alias for alias, _ in place.tables}
        free = [name for name in NAMES if name not in taken]
        return default if default and default not in taken and self.chance(0.4) else self.random.choice(free)

    def item(self, place: Place, depth: int) -> str:
        """One item, added to the place."""
        form = self.random.randrange(20)
        if depth <= 0 or form < 9:
            return self._relation(place)
        if form < 13:
            return self._join(place, depth - 1)
        if form < 16:
            lateral = self.chance(0.5)
            text, columns = self.query(depth - 1, place if lateral else place.parent)
            return self._named(place, f"{'LATERAL ' if lateral else ''}({text})", columns, "")
        if form == 16:
            width = self.random.choice((1, 2, 3))
            kinds = [self.kind() for _ in range(width)]
            rows = ", ".join(f"({', '.join(self.expr(kind, place, 1) for kind in kinds)})" for _ in range(2))
            columns = [(f"column{number}", kind) for number, kind in enumerate(kinds, 1)]
            return self._named(place, f"LATERAL (VALUES {rows})", columns, "")
        return self._function(place, depth - 1)

    def _relation(self, place: Place) -> str:
        if self.common and self.chance(0.35):
            name, columns = self.random.choice(self.common)
        else:
            name = self.random.choice(list(TABLES))
            columns = TABLES[name]
        only = "ONLY " if name in ("parts", "base", "child") and self.chance(0.2) else ""
        taken = {alias for alias, _ in place.tables}
        bare = name.rpartition(".")[2]
        if bare not in taken and self.chance(0.4):
            place.tables.append((bare, columns))
            return only + name
        sample = (
            " TABLESAMPLE system (50)"
            if name in ("t", "parts") and name not in dict(self.common) and self.chance(0.05)
            else ""
        )
        return self._named(place, only + name, columns, bare, after=sample)

    def _named(self, place: Place, text: str, columns: list[Column], default: str, after: str = "") -> str:
        """An item under an alias, perhaps with its columns renamed."""
        alias = self.alias(place, default)
        if columns and self.chance(0.25):
            count = self.random.randint(1, len(columns))
            fresh = self.random.sample(("a", "b", "id", "c", "k", "n", "t", "x", "z"), min(count, 9))
            columns = [
                (fresh[place_] if place_ < len(fresh) else name, kind) for place_, (name, kind) in enumerate(columns)
            ]
            place.tables.append((alias, columns))
            return f"{text} AS {alias}({', '.join(fresh)}){after}"
        place.tables.append((alias, columns))
        return f"{text} {self.pick('AS ', '')}{alias}{after}"

    def _join(self, place: Place, depth: int) -> str:
        inner = Place(parent=place.parent)
        inner.tables = list(place.tables)
        mark = len(inner.tables)
        left = self.item(inner, depth)
        middle = len(inner.tables)
        right = self.item(inner, depth) if self.chance(0.7) else self._relation(inner)
        mine = inner.tables[mark:]
        lefts = [column for _, columns in inner.tables[mark:middle] for column in columns] + inner.merged
        rights = [column for _, columns in inner.tables[middle:] for column in columns]
        shared = [column for column in dict.fromkeys(lefts) if column in rights and column[1] in ("int", "text")]
        kind = self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "INNER JOIN")
        form = self.random.randrange(4)
        merged: list[Column] = []
        if form == 0 and shared:
            merged = self.random.sample(shared, self.random.randint(1, len(shared)))
            text = f"{left} {kind} {right} USING ({', '.join(name for name, _ in merged)})"
            if self.chance(0.3):
                alias = self.alias(inner)
                text += f" AS {alias}"
                mine = [*mine, (alias, merged)]
        elif form == 1:
            merged = shared
            text = f"{left} NATURAL {kind} {right}"
        elif form == 2:
            text = f"{left} CROSS JOIN {right}"
        else:
            condition = Place(mine, list(inner.merged), place.parent)
            equal = f"{self.expr('int', condition, 0)} = {self.expr('int', condition, 0)}"
            text = f"{left} {kind} {right} ON {equal if self.chance(0.7) else self.condition(condition, 1)}"
        if self.chance(0.2):
            names = {name for name, _ in merged}
            columns = [*merged, *(column for column in [*lefts, *rights] if column[0] not in names)]
            return self._named(place, f"({text})", columns, "")
        place.tables += [each for each in mine if each not in place.tables]
        place.merged = [*merged, *(column for column in [*inner.merged, *place.merged] if column not in merged)]
        return f"({text})" if self.chance(0.3) else text

    def _function(self, place: Place, depth: int) -> str:
        form = self.random.randrange(12)
        text, number, values = (self.expr(kind, place, depth) for kind in ("text", "int", "list"))
        if form == 0:
            return self._named(place, f"generate_series(1, {number})", [], "")
        if form == 1:
            alias = self.alias(place)
            place.tables.append((alias, [("e", "text"), ("o", "other")]))
            return f"unnest({values}) WITH ORDINALITY AS {alias}(e, o)"
        if form == 2:
            return self._named(place, f"two({text})", [_A, ("b", "int")], "two")
        if form == 3:
            return self._named(place, f"many({number})", [_I, _A], "many")
        if form == 4:
            alias = self.alias(place)
            place.tables.append((alias, [_A, ("b", "int")]))
            return f"jsonb_to_record({self.expr('json', place, depth)}) AS {alias}(a text, b int)"
        if form == 5:
            alias = self.alias(place)
            place.tables.append((alias, [("f", "text"), ("id", "int"), ("a", "text")]))
            return f"ROWS FROM (unnest({values}), many({number})) AS {alias}(f, id, a)"
        if form == 6 and self.major >= 17:
            alias = self.alias(place)
            place.tables.append((alias, [_A, ("k", "int"), ("z", "text")]))
            return (
                f"JSON_TABLE({self.expr('json', place, depth)}, '$[*]' COLUMNS (a text PATH '$.a', k FOR ORDINALITY, "
                f"NESTED PATH '$.z[*]' COLUMNS (z text PATH '$'))) AS {alias}"
            )
        if form == 7:
            alias = self.alias(place)
            place.tables.append((alias, [_A, ("b", "int")]))
            return f"XMLTABLE('/r' PASSING xmlelement(name r, {text}) COLUMNS a text PATH 'a' DEFAULT {self.expr('text', place, 0)}, b int) AS {alias}"
        if form == 8:
            return self._named(
                place, f"jsonb_each_text({self.expr('json', place, depth)})", [("key", "text"), ("value", "text")], ""
            )
        if form == 9:
            return self._named(place, f"plain({text})", [], "plain")
        if form == 10:
            return self._named(place, f"string_to_table({text}, ',')", [], "")
        return self._named(place, f"unnest({values}, ARRAY[{number}])", [], "")
