"""What names mean inside one query: tables in FROM, joins of them, common table expressions, and the levels around.

Knows PostgreSQL's rules of visibility (PostgreSQL 17 §7.2); does not know expressions or the catalog. A name that could be
a column of something whose columns are not known makes the answer uncertain, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Final, Protocol

from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine
from interpose.model.analysis import FactValue
from interpose.model.resources import ColumnResource, TableResource

SYSTEM_COLUMNS: Final = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
"""Columns that every table has and that hold nothing of a row's values (PostgreSQL 17 §5.6)."""


def distinct(name: str, taken: Container[str]) -> str:
    """A key for a column of this name: the name, or one that no identifier can be where the name is taken.

    Naming such a column is ambiguous to the server, but `*` shows it.
    """
    key = name
    while key in taken:
        key += "\0"
    return key


def shown(key: str) -> str:
    """The name that a column's key stands for."""
    return key.rstrip("\0")


class Level:
    """One query level. `facts` is shared by the effects of all tables that it reads; `reads` counts column reads."""

    __slots__ = ("facts", "reads")

    def __init__(self) -> None:
        """A level of which nothing is known yet."""
        self.facts: dict[str, FactValue] = {}
        self.reads = 0


class Table:
    """Something in FROM with named columns.

    `resource` is set for what the catalog names (not for sub-selects, functions, common table expressions); its column reads
    become effects. `open` means that it may have columns that are not in `columns`; `rest` is their lineage. `lineage_of`
    gives the lineage of a column of a resource. `reads` are the columns read, by the catalog's names. `target` marks the
    table that a statement writes, `ruled` one whose rules make other statements of that. The last `unshown` columns can be named, but `*` leaves them out.
    """

    __slots__ = (
        "_real_names",
        "alias",
        "columns",
        "hidden_reads",
        "level",
        "lineage_of",
        "name",
        "open",
        "parents",
        "read_log",
        "reads",
        "resource",
        "rest",
        "ruled",
        "schema",
        "target",
        "unshown",
    )

    def __init__(
        self,
        alias: str,
        columns: dict[str, Lineage | None],
        level: Level,
        read_log: list[frozenset[ColumnResource]],
        *,
        resource: TableResource | None = None,
        lineage_of: Callable[[str], Lineage] | None = None,
        real_names: dict[str, str] | None = None,
        open_: bool = False,
    ) -> None:
        """`columns` maps names, in order, to lineages; None is computed by `lineage_of` at the first read.

        `real_names` maps the names of `columns` to the catalog's, where an alias renames columns.
        """
        self.alias = alias
        self.columns = columns
        self.level = level
        self.read_log = read_log
        self.resource = resource
        self.schema = resource.schema if resource else ""
        self.name = resource.name if resource else alias
        self.lineage_of = lineage_of
        self.open = open_
        self.rest = UNKNOWN
        self._real_names = real_names
        self.reads: dict[str, None] = {}
        self.hidden_reads = False
        self.target = False
        self.unshown = 0
        self.parents: tuple[tuple[str, str], ...] = ()
        self.ruled = False

    def read(self, column: str) -> Lineage:
        """Read one of `columns`, or else one that is not known by name: counts as used, and answers its lineage."""
        if column not in self.columns:
            return self.read_hidden()
        self.level.reads += 1
        known = self.lineage(column)
        self.reads[column if self._real_names is None else self._real_names[column]] = None
        if known.sources:
            self.read_log.append(known.sources)
        return known

    def read_hidden(self) -> Lineage:
        """Read a column that is not known by name."""
        self.level.reads += 1
        self.hidden_reads = True
        if self.rest.sources:
            self.read_log.append(self.rest.sources)
        return self.rest

    def lineage(self, column: str) -> Lineage:
        """What one of `columns` is computed from, without counting as read."""
        known = self.columns[column]
        if known is None:
            assert self.lineage_of is not None
            known = self.columns[column] = self.lineage_of(column)
        return known

    def sources(self) -> Iterable[frozenset[ColumnResource]]:
        """What its columns are computed from, of each; nothing of it counts as read."""
        for column in self.columns:
            yield self.lineage(column).sources

    def find(self, column: str) -> list[tuple[Table, str]]:
        """This table, if it has a column of this name."""
        return [(self, column)] if column in self.columns else []

    def columns_of(self) -> list[tuple[str, list[tuple[Table, str]]]]:
        """Its own columns."""
        keys = list(self.columns)
        return [(shown(key), [(self, key)]) for key in (keys[: -self.unshown] if self.unshown else keys)]

    def is_open(self) -> bool:
        """Whether it may have columns that are not known."""
        return self.open

    def tables(self) -> Iterable[Table]:
        """What can be named with a qualifier."""
        return (self,)


class FromItem(Protocol):
    """A table or a join of such."""

    def find(self, column: str) -> list[tuple[Table, str]]:
        """Every table column that an unqualified name means; several when USING merged them."""
        ...

    def columns_of(self) -> list[tuple[str, list[tuple[Table, str]]]]:
        """Each column's name and the table columns that it may show, in the order of `*`."""
        ...

    def is_open(self) -> bool:
        """Whether there may be columns that are not known."""
        ...

    def tables(self) -> Iterable[Table]:
        """What can be named with a qualifier."""
        ...


class Join:
    """Two items side by side; `merged` are the columns of USING or NATURAL, which come first and once.

    `blurred` marks a NATURAL join of which one side may have columns that are not known: any column may be merged with such a one.

    A merged column of an outer join is the outer side's; of a full join either's; of an inner join both are equal, and the
    server takes the one that needs no cast, which is not known here (PostgreSQL 17 §7.2.1.1).
    """

    __slots__ = ("blurred", "left", "merged", "right", "showing")

    def __init__(
        self,
        left: FromItem,
        right: FromItem,
        merged: tuple[str, ...] = (),
        showing: tuple[FromItem, ...] | None = None,
        *,
        blurred: bool = False,
    ) -> None:
        """`merged` in the order of the left side; `showing` are the sides whose values they have, None: both."""
        self.left = left
        self.right = right
        self.merged = merged
        self.showing = (left, right) if showing is None else showing
        self.blurred = blurred

    def find(self, column: str) -> list[tuple[Table, str]]:
        """The columns that one of this name may show."""
        if column in self.merged:
            return [found for side in self.showing for found in side.find(column) or _may_have(side, column)]
        return self._blur(column, [found for side in (self.left, self.right) for found in side.find(column)])

    def _blur(self, column: str, found: list[tuple[Table, str]]) -> list[tuple[Table, str]]:
        return [*found, *_may_have(self, column)] if found and self.blurred else found

    def columns_of(self) -> list[tuple[str, list[tuple[Table, str]]]]:
        """Merged columns, then the rest of both sides."""
        merged = self.merged
        both = (*self.left.columns_of(), *self.right.columns_of())
        rest = [(name, self._blur(name, found)) for name, found in both if name not in merged]
        return [*((name, self.find(name)) for name in merged), *rest]

    def is_open(self) -> bool:
        """Whether one of the sides is."""
        return self.left.is_open() or self.right.is_open()

    def tables(self) -> Iterable[Table]:
        """The tables of both sides."""
        return (*self.left.tables(), *self.right.tables())


def _may_have(item: FromItem, column: str) -> list[tuple[Table, str]]:
    """Tables that may have a column of this name without its being known: to be read as a hidden one."""
    return [(table, column) for table in item.tables() if table.open and column not in table.columns]


class Aliased:
    """A join whose merged columns also have a table name: `a JOIN b USING (id) AS j` (PostgreSQL 17 §7.2.1.1)."""

    __slots__ = ("alias", "join")

    def __init__(self, join: Join, alias: Table) -> None:
        """`alias` has the merged columns; only a qualifier reaches it."""
        self.join = join
        self.alias = alias

    def find(self, column: str) -> list[tuple[Table, str]]:
        """As the join."""
        return self.join.find(column)

    def columns_of(self) -> list[tuple[str, list[tuple[Table, str]]]]:
        """As the join."""
        return self.join.columns_of()

    def is_open(self) -> bool:
        """As the join."""
        return self.join.is_open()

    def tables(self) -> Iterable[Table]:
        """The tables of both sides, and the name for the merged columns."""
        return (*self.join.tables(), self.alias)


class CommonTable:
    """A common table expression: its column names with lineage; None while it is being analysed and nothing is known.

    Its last `added` columns are those of SEARCH and CYCLE: `*` shows them only in the query that the WITH belongs to.
    """

    __slots__ = ("added", "columns", "name")

    def __init__(self, name: str, columns: list[tuple[str, Lineage]] | None, added: int = 0) -> None:
        """`columns` in order, or None when they are not known."""
        self.name = name
        self.columns = columns
        self.added = added


class Scope:
    """The names that an expression can see: the FROM items of its level, then those of the levels around.

    `named` are tables that only a qualifier reaches (`old` and `new` of RETURNING, `excluded`).
    """

    __slots__ = ("common", "items", "level", "named", "parent")

    def __init__(self, parent: Scope | None) -> None:
        """An empty level inside `parent`."""
        self.parent = parent
        self.items: list[FromItem] = []
        self.common: dict[str, CommonTable] = {}
        self.named: dict[str, Table] = {}
        self.level = Level()

    def common_table(self, name: str) -> CommonTable | None:
        """The common table expression of this name that is visible here."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.common.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def table(self, name: str, schema: str | None = None) -> Table | None:
        """The table that a qualifier means: by alias, or by schema and name."""
        scope: Scope | None = self
        while scope is not None:
            for item in scope.items:
                for table in item.tables():
                    if table.alias == name and (schema is None or (table.schema == schema and table.name == name)):
                        return table
            if schema is None and name in scope.named:
                return scope.named[name]
            scope = scope.parent
        return None

    def column(self, name: str) -> Lineage | None:
        """Read the column that an unqualified name means; None when no level has or may have it."""
        return self.resolve(name)[0]

    def resolve(self, name: str) -> tuple[Lineage | None, bool]:
        """Read the column that an unqualified name means, and whether there certainly is one.

        It is not certain when only something whose columns are not all known may have it: then a table's name comes into
        question as well.
        """
        scope: Scope | None = self
        maybe: list[Lineage] = []
        while scope is not None:
            found: list[tuple[Table, str]] = []
            for item in scope.items:
                found += item.find(name)
            if len(found) == 1 and not maybe:
                return found[0][0].read(found[0][1]), True
            if found:
                return combine([*maybe, *(table.read(column) for table, column in found)]), not maybe
            for item in scope.items:
                if item.is_open():
                    maybe += [table.read_hidden() for table in item.tables() if table.open]
            scope = scope.parent
        return (combine(maybe) if maybe else None), False

    def has_column(self, name: str) -> bool:
        """Whether an unqualified name is, or may be, a column; nothing is read."""
        scope: Scope | None = self
        while scope is not None:
            if any(item.is_open() or item.find(name) for item in scope.items):
                return True
            scope = scope.parent
        return False

    def system_column(self, name: str) -> Lineage | None:
        """A system column of some table that is in reach."""
        if name not in SYSTEM_COLUMNS:
            return None
        scope: Scope | None = self
        while scope is not None:
            for item in scope.items:
                for table in item.tables():
                    if table.resource is not None:
                        return CONSTANT
            scope = scope.parent
        return None
