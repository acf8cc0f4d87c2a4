"""Where PostgreSQL itself, having analysed a query, says that each value comes from.

Works on the server's own analysed tree (`pg_rewrite.ev_action`, `pg_proc.prosqlbody`): every name is resolved there already, as
range table and attribute numbers, so that nothing here knows how names are looked up. Answers columns as (table oid, attribute).

What counts as the source of a value, besides the columns it is computed from:
- EXISTS: everything that the sub-select looks at, but not the columns that its list merely names; other sub-selects: their output columns;
- a set operation: the columns of all arms; a recursive query: of all rounds; a field of a composite: the whole composite;
- not: FILTER, ORDER BY inside an aggregate, windows, WHERE, GROUP BY, LIMIT. They choose rows; `used` has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.support.oracle.node_tree import Node, Value, inside

Sources = frozenset[tuple[int, int]]
"""Columns as (table oid, attribute number)."""

BEHIND: Final = 0
"""Instead of an attribute number: everything that the definition of a view reads, whichever columns are asked for."""

FIRST_USER_OID: Final = 16384
"""What lies below is the server's own, and pinned: `pg_depend` does not list it."""

ANYTHING: Final = (0, -1)
"""The source of what a user's function returns: the gateway must not say that it knows."""

NOTHING: Final[Sources] = frozenset()

_RELATION, _SUBQUERY, _JOIN, _FUNCTION, _TABLE_FUNCTION, _VALUES, _CTE, _GROUP = 0, 1, 2, 3, 4, 5, 6, 9
_EXISTS, _EXPR, _ARRAY = 0, 4, 6
_RECORD = 2249
_MOST_ROUNDS = 50

_Levels = tuple[Node, ...]
"""The queries around an expression, its own last."""

_NO_READS: Final = frozenset({"joinaliasvars", "exclRelTlist", "eref", "alias"})
"""Fields that describe names, or repeat what stands elsewhere: nothing is read because of them."""


class ServerLineage:
    """The lineage of one analysed query. `columns_of` answers the live attribute numbers of a relation."""

    def __init__(self, query: Node, columns_of: Callable[[int], list[int]]) -> None:
        """`query` is the QUERY node."""
        self.query = query
        self._columns_of = columns_of
        self._memo: dict[int, list[Sources]] = {}
        self._guesses: dict[int, list[Sources]] = {}

    def names(self) -> list[str]:
        """The names of the result's columns."""
        return [target.text("resname") for target in _targets(self.query)]

    def outputs(self) -> list[Sources]:
        """The sources of each of the result's columns."""
        return self._outputs(self.query, (self.query,))

    def used(self) -> Sources:
        """Every column that the query reads anywhere."""
        return self._used(self.query, (self.query,))

    def relations(self) -> frozenset[int]:
        """Every relation that the query names."""
        return relations_of(self.query)

    def merges(self) -> bool:
        """Whether an inner join merges columns (USING, NATURAL): the tree then names one of two equal columns."""
        found: list[bool] = []
        _walk(self.query, lambda node: found.append(node.number("joinmergedcols") > 0 and node.number("jointype") == 0))
        return any(found)

    def fields(self) -> frozenset[int]:
        """The numbers of fields that are taken out of composite values, and of columns out of functions in FROM."""
        found: set[int] = set()
        self._fields(self.query, (self.query,), found)
        return frozenset(found)

    def _fields(self, node: Node, levels: _Levels, found: set[int]) -> None:
        if node.tag == "FIELDSELECT":
            found.add(node.number("fieldnum"))
        elif node.tag == "VAR":
            entry = levels[-1 - node.number("varlevelsup")].nodes("rtable")[node.number("varno") - 1]
            if entry.number("rtekind") == _FUNCTION:
                found.add(node.number("varattno"))
        for value in node.fields.values():
            for child in inside(value):
                self._fields(child, (*levels, child) if child.tag == "QUERY" else levels, found)

    def depends(self) -> Sources:
        """What `pg_depend` should list of columns: Vars of tables one by one, and the columns that a statement assigns."""
        return self._depends(self.query, (self.query,))

    # Queries

    def _outputs(self, query: Node, levels: _Levels) -> list[Sources]:
        known = self._memo.get(id(query))
        if known is not None:
            return known
        operation = query.node("setOperations")
        if operation is None:
            found = [self._value(target.get("expr"), levels) for target in _targets(query)]
        else:
            arms: list[int] = []
            _walk(operation, lambda node: arms.append(node.number("rtindex")) if node.tag == "RANGETBLREF" else None)
            parts = [self._entry(query, arm, levels) for arm in arms]
            found = [NOTHING.union(*(part[index] for part in parts)) for index in range(len(parts[0]))]
        if not self._guesses:
            self._memo[id(query)] = found
        return found

    def _entry(self, query: Node, index: int, levels: _Levels) -> list[Sources]:
        """The columns of a range table entry that is a sub-select (an arm of a set operation always is)."""
        subquery = query.nodes("rtable")[index - 1].node("subquery")
        assert subquery is not None
        return self._outputs(subquery, (*levels, subquery))

    def _common(self, name: str, levels: _Levels) -> list[Sources]:
        """The columns of a common table expression; one that reads itself is computed until it grows no more."""
        entry = next(each for each in levels[-1].nodes("cteList") if each.text("ctename") == name)
        query = entry.node("ctequery")
        assert query is not None
        key = id(query)
        if key in self._guesses:
            return self._guesses[key]
        if key in self._memo:
            return self._memo[key]
        if entry.get("cterecursive") != "true":
            found = self._outputs(query, (*levels, query))
            return self._extended(entry, found)
        self._guesses[key] = self._extended(entry, [NOTHING] * len(entry.texts("ctecolnames")))
        for _ in range(_MOST_ROUNDS):
            found = self._extended(entry, self._outputs(query, (*levels, query)))
            if found == self._guesses[key]:
                break
            self._guesses[key] = found
        else:
            raise AssertionError("a recursive query's lineage grows for ever")
        del self._guesses[key]
        return found

    def _extended(self, entry: Node, columns: list[Sources]) -> list[Sources]:
        """The columns with those that SEARCH and CYCLE add."""
        names = entry.texts("ctecolnames")
        search, cycle = entry.node("search_clause"), entry.node("cycle_clause")
        added: list[Sources] = []
        if search is not None:
            listed = search.texts("search_col_list")
            added.append(NOTHING.union(*(columns[names.index(name)] for name in listed)))
        if cycle is not None:
            listed = cycle.texts("cycle_col_list")
            added += [NOTHING.union(*(columns[names.index(name)] for name in listed))] * 2
        return [*columns, *added]

    # Values

    def _value(self, value: Value, levels: _Levels) -> Sources:
        found = NOTHING
        for node in inside(value):
            found |= self._expression(node, levels)
        return found

    def _expression(self, node: Node, levels: _Levels) -> Sources:
        if node.tag == "VAR":
            above = levels[: len(levels) - node.number("varlevelsup")]
            return self._column(above, node.number("varno"), node.number("varattno"))
        if node.tag == "AGGREF":
            arguments = [each for each in node.nodes("args") if each.get("resjunk") != "true"]
            if node.get("aggkind") != "n":
                arguments = node.nodes("args")
            return self._value([node.get("aggdirectargs"), [each.get("expr") for each in arguments]], levels)
        if node.tag in ("WINDOWFUNC", "WINDOWFUNCRUNCONDITION"):
            return self._value(node.get("args"), levels)
        row = node.node("arg") if node.tag == "FIELDSELECT" else None
        if row is not None and row.tag in ("ROW", "ROWEXPR") and row.number("row_typeid") == _RECORD:
            # The name that USING (…) AS gives to merged columns: `(j).*` is expanded only here.
            return self._expression(row.nodes("args")[node.number("fieldnum") - 1], levels)
        if node.tag == "FUNCEXPR" and node.number("funcid") >= FIRST_USER_OID and node.number("funcformat") == 0:
            return self._value(node.get("args"), levels) | {ANYTHING}
        if node.tag == "GROUPINGFUNC":
            return NOTHING
        if node.tag == "SUBLINK":
            subselect = node.node("subselect")
            assert subselect is not None
            inner = (*levels, subselect)
            kind = node.number("subLinkType")
            if kind == _EXISTS:
                behind = {(table, BEHIND) for table in relations_of(subselect)}
                return (self._looked_at(subselect, inner) | behind) - {ANYTHING}
            found = NOTHING.union(*self._outputs(subselect, inner))
            return found if kind in (_EXPR, _ARRAY) else found | self._value(node.get("testexpr"), levels)
        if node.tag == "QUERY":
            raise AssertionError("a query outside of a sub-select")
        return NOTHING.union(*(self._value(field, levels) for field in node.fields.values()))

    def _column(self, levels: _Levels, number: int, attribute: int) -> Sources:
        """The sources of a column (0: the whole row) of a range table entry of the innermost of these queries."""
        query = levels[-1]
        entry = query.nodes("rtable")[number - 1]
        kind = entry.number("rtekind")
        if kind == _RELATION:
            if _excluded(query) == number:
                return self._inserted(levels, attribute)
            if attribute < 0:
                return NOTHING
            table = entry.number("relid")
            return frozenset((table, each) for each in ([attribute] if attribute else self._columns_of(table)))
        columns = self._entry_columns(entry, kind, levels)
        if attribute == 0:
            return NOTHING.union(*columns)
        return columns[attribute - 1]

    def _entry_columns(self, entry: Node, kind: int, levels: _Levels) -> list[Sources]:
        """The columns of what is no table: a join, a sub-select, a function …"""
        if kind == _SUBQUERY:
            subquery = entry.node("subquery")
            assert subquery is not None
            return self._outputs(subquery, (*levels, subquery))
        if kind == _CTE:
            above = levels[: len(levels) - entry.number("ctelevelsup")]
            return self._common(entry.text("ctename"), above)
        if kind in (_JOIN, _GROUP):
            listed = entry.get("joinaliasvars" if kind == _JOIN else "groupexprs")
            assert isinstance(listed, list)
            return [self._value(each, levels) for each in listed]
        if kind == _VALUES:
            rows = entry.get("values_lists")
            assert isinstance(rows, list)
            columns: list[Sources] = []
            for row in rows:
                assert isinstance(row, list)
                columns += [NOTHING] * (len(row) - len(columns))
                columns = [before | self._value(each, levels) for before, each in zip(columns, row, strict=True)]
            return columns
        width = len(_described(entry))
        if kind == _TABLE_FUNCTION:
            return [self._value(entry.get("tablefunc"), levels)] * width
        if kind == _FUNCTION:
            given: list[Sources] = []
            for function in entry.nodes("functions"):
                given += [self._value(function.get("funcexpr"), levels)] * function.number("funccolcount")
            return given + [NOTHING] * (width - len(given))
        return [NOTHING] * width

    def _inserted(self, levels: _Levels, attribute: int) -> Sources:
        """A column of `excluded`: what the statement would have inserted there."""
        targets = [each for each in levels[-1].nodes("targetList") if each.get("resjunk") != "true"]
        wanted = [each for each in targets if attribute in (0, each.number("resno"))]
        return NOTHING.union(*(self._value(each.get("expr"), levels) for each in wanted))

    # Reads

    def _used(self, node: Node, levels: _Levels, *, derived: bool = False) -> Sources:
        """What is read inside; `derived`: with the sources of what is read of sub-selects outside."""
        found: set[tuple[int, int]] = set()
        self._reads(node, levels, found, derived=derived)
        return frozenset(found)

    def _looked_at(self, query: Node, levels: _Levels) -> Sources:
        """What decides whether a query has rows. Which columns it names does not, as long as it only names them."""
        targets = [each for each in query.nodes("targetList") if each.get("resjunk") != "true"]
        values = [each.node("expr") for each in targets]
        named = query.node("setOperations") is None and all(
            value is not None and value.tag in ("VAR", "CONST") for value in values
        )
        found: set[tuple[int, int]] = set()
        for field, value in query.fields.items():
            for child in inside(value) if field not in _NO_READS else ():
                if not (named and any(child is target for target in targets)):
                    below = (*levels, child) if child.tag == "QUERY" else levels
                    self._reads(child, below, found, derived=True)
        return frozenset(found)

    def _reads(self, node: Node, levels: _Levels, found: set[tuple[int, int]], *, derived: bool) -> None:
        if node.tag == "VAR":
            above = levels[: len(levels) - node.number("varlevelsup")]
            entry = above[-1].nodes("rtable")[node.number("varno") - 1]
            kind, whole = entry.number("rtekind"), node.number("varattno") == 0
            if derived or kind == _RELATION or (kind == _JOIN and whole):
                read = self._column(above, node.number("varno"), node.number("varattno"))
                # A row of a join may hold what a function of a user returned below; that is called there, and no column that is read here.
                found |= read if derived else read - {ANYTHING}
            return
        for field, value in node.fields.items():
            if field not in _NO_READS:
                for child in inside(value):
                    inner = (*levels, child) if child.tag == "QUERY" else levels
                    self._reads(child, inner, found, derived=derived)

    def _depends(self, node: Node, levels: _Levels) -> Sources:
        found: set[tuple[int, int]] = set()

        def visit(node: Node, levels: _Levels) -> None:
            if node.tag == "VAR":
                entry = levels[-1 - node.number("varlevelsup")].nodes("rtable")[node.number("varno") - 1]
                if entry.number("rtekind") == _RELATION and node.number("varattno") != 0:
                    found.add((entry.number("relid"), node.number("varattno")))
                return
            if node.tag == "QUERY" and node.number("commandType") in (2, 3):
                table = node.nodes("rtable")[node.number("resultRelation") - 1].number("relid")
                written = [each for each in node.nodes("targetList") if each.get("resjunk") != "true"]
                found.update((table, each.number("resno")) for each in written)
            for field, value in node.fields.items():
                if field not in _NO_READS or field == "exclRelTlist":
                    for child in inside(value):
                        visit(child, (*levels, child) if child.tag == "QUERY" else levels)

        visit(node, levels)
        return frozenset(found)


def _targets(query: Node) -> list[Node]:
    """The target entries that the client sees: of RETURNING, where the query changes data."""
    changes = query.number("commandType") != 1
    listed = query.nodes("returningList" if changes else "targetList")
    return [target for target in listed if target.get("resjunk") != "true"]


def _excluded(query: Node) -> int:
    conflict = query.node("onConflict")
    return conflict.number("exclRelIndex") if conflict is not None else 0


def _described(entry: Node) -> list[str]:
    names = entry.node("eref")
    return names.texts("colnames") if names is not None else []


def relations_of(query: Node) -> frozenset[int]:
    """Every relation that a query names."""
    found: set[int] = set()
    _walk(query, lambda node: found.add(node.number("relid")) if _is_relation(node) else None)
    return frozenset(found)


def _is_relation(node: Node) -> bool:
    return node.tag in ("RANGETBLENTRY", "RTE") and node.number("rtekind") == _RELATION


def _walk(node: Node, visit: Callable[[Node], None]) -> None:
    visit(node)
    for value in node.fields.values():
        for child in inside(value):
            _walk(child, visit)
