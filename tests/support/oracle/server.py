"""Asks a real PostgreSQL what a statement reads, in a transaction that is rolled back.

A query becomes `CREATE TEMP VIEW`; what no view can hold (statements that change data, columns of one name, pseudo-types) becomes
the body of a temporary function (`BEGIN ATOMIC`, PostgreSQL 14). The server analyses both, stores the tree, and lists in
`pg_depend` what it references. The tree says more (whole rows, each output column); every answer of it is checked against `pg_depend`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString, cast

import psycopg

from interpose.model.resources import ColumnResource
from tests.support.oracle.node_tree import Node, read
from tests.support.oracle.server_lineage import ANYTHING, BEHIND, FIRST_USER_OID, ServerLineage, Sources

_SYSTEM: Final = frozenset({"pg_catalog", "information_schema", "pg_toast"})
_RELATION: Final = """
SELECT n.nspname, c.relname, c.relkind::text,
 (SELECT json_agg(json_build_array(a.attnum, a.attname)) FROM pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
 (SELECT json_agg(i.inhparent::int8) FROM pg_inherits i WHERE i.inhrelid = c.oid),
 (SELECT r.ev_action::text FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename = '_RETURN')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s
"""
_DEPENDS: Final = """
SELECT refobjid::int8, refobjsubid FROM pg_depend
WHERE classid = %s::regclass AND objid = %s AND refclassid = 'pg_class'::regclass AND refobjsubid <> 0
"""


_ANYTHING: Final = ColumnResource("", "a function of a user", "anything")


@dataclass(frozen=True, slots=True)
class Truth:
    """What the server says of one statement: names and sources of its result's columns, and all columns that it reads."""

    names: tuple[str, ...]
    outputs: tuple[frozenset[ColumnResource], ...]
    used: frozenset[ColumnResource]
    merges: bool


_OTHERWISE: Final = frozenset({"42701", "42P16", "42P13", "42601", "0A000", "42P17"})
"""Errors of what holds the statement rather than of the statement: columns of one name, pseudo-types, no RETURNING, grammar."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server does not accept this statement in a view or function, with its reason."""

    reason: str


@dataclass(slots=True)
class _Relation:
    """A relation with what its view, if it is one, is computed from (filled in when asked)."""

    schema: str
    name: str
    kind: str
    columns: dict[int, str]
    parents: list[int]
    action: str | None
    lineage: ServerLineage | None = None
    generated: dict[int, list[int]] | None = None


class OracleDisagreesError(AssertionError):
    """The tree and `pg_depend` say different things: the oracle itself is wrong."""


class ServerOracle:
    """The oracle of one database, over one connection in autocommit mode."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        """The connection's search path is what names mean."""
        self._connection = connection
        self._relations: dict[int, _Relation] = {}

    def forget(self) -> None:
        """To be called after DDL."""
        self._relations.clear()

    def ask(self, text: str) -> Truth | Rejected:
        """What the server says of a statement. The connection is left as it was."""
        attempts = [
            f"CREATE FUNCTION pg_temp.oracle() RETURNS {result} LANGUAGE sql BEGIN ATOMIC {text}\n; END"
            for result in ("SETOF record", "void")
        ]
        if text.lstrip(" \n(").upper().startswith(("SELECT", "VALUES", "TABLE", "WITH")):
            attempts.insert(0, f"CREATE TEMP VIEW oracle AS {text}")
        rejected = Rejected("")
        for attempt in attempts:
            try:
                self._connection.execute(cast(LiteralString, f"BEGIN; {attempt}"))
                truth = self._truth(view=attempt.startswith("CREATE TEMP VIEW"))
                return truth or Rejected("not one query")
            except psycopg.Error as error:
                rejected = Rejected(f"{error.sqlstate or ''} {str(error).splitlines()[0]}")
                if error.sqlstate not in _OTHERWISE:
                    return rejected
            finally:
                self._connection.execute("ROLLBACK")
        return rejected

    def _truth(self, *, view: bool) -> Truth | None:
        place = "view" if view else "function"
        row = self._connection.execute(cast(LiteralString, _STORED[place])).fetchone()
        assert row is not None, place
        oid, tree, class_name, own = int(str(row[0])), str(row[1]), str(row[2]), int(str(row[3]))
        queries = _queries(tree)
        if len(queries) != 1:
            return None
        lineage = ServerLineage(queries[0], self._columns_of)
        self._check(lineage, oid, class_name, own)
        named = {each for each in lineage.relations() if each != own}
        used: set[ColumnResource] = set()
        for relation in named:
            used |= self._behind(relation)
        return Truth(
            tuple(lineage.names()),
            tuple(self._expanded(sources) for sources in lineage.outputs()),
            frozenset(used) | self._expanded(lineage.used()),
            lineage.merges(),
        )

    def _check(self, lineage: ServerLineage, oid: int, class_name: str, own: int) -> None:
        """The rig's own proof: `pg_depend` lists exactly the columns that were found in the tree."""
        listed = {
            (int(str(table)), int(str(number)))
            for table, number in self._connection.execute(_DEPENDS, (class_name, oid)).fetchall()
        }
        found = set(lineage.depends())
        fields = lineage.fields()
        absent = {(table, number) for table, number in found - listed if table >= FIRST_USER_OID and table != own}
        # A field of a composite value is listed as a column of its type; which type, the tree does not say.
        beyond = {(table, number) for table, number in listed - found if table != own and number not in fields}
        if absent or beyond:
            raise OracleDisagreesError(f"only in the tree: {absent}; only listed: {beyond}")

    # Relations

    def _relation(self, oid: int) -> _Relation:
        known = self._relations.get(oid)
        if known is None:
            row = self._connection.execute(_RELATION, (oid,)).fetchone()
            assert row is not None
            schema, name, kind, columns, parents, action = row
            listed = cast("list[list[object]]", columns or [])
            known = _Relation(
                str(schema),
                str(name),
                str(kind),
                {int(str(number)): str(column) for number, column in listed},
                [int(str(parent)) for parent in cast("list[object]", parents or [])],
                None if action is None else str(action),
            )
            self._relations[oid] = known
        return known

    def _columns_of(self, oid: int) -> list[int]:
        return list(self._relation(oid).columns)

    def _resource(self, oid: int, number: int) -> ColumnResource:
        relation = self._relation(oid)
        return ColumnResource(relation.schema, relation.name, relation.columns[number])

    def _expanded(self, sources: Sources) -> frozenset[ColumnResource]:
        """Columns by name: of the tables above them too, and what views compute them from."""
        found: set[ColumnResource] = set()
        for oid, number in sources:
            if (oid, number) == ANYTHING:
                found.add(_ANYTHING)
                continue
            if number == BEHIND:
                found |= self._behind(oid)
                continue
            found.add(self._resource(oid, number))
            relation = self._relation(oid)
            if relation.schema in _SYSTEM:
                continue
            column = relation.columns[number]
            for above in self._ancestors(oid):
                found.add(ColumnResource(self._relation(above).schema, self._relation(above).name, column))
            for base in self._computed(oid, number):
                found |= self._expanded(frozenset({(oid, base)}))
            definition = self._definition(oid)
            if definition is not None:
                place = sorted(relation.columns).index(number)
                found |= self._expanded(definition.outputs()[place])
        return frozenset(found)

    def _computed(self, oid: int, number: int) -> list[int]:
        """The columns that a generated column is computed from; none for any other."""
        relation = self._relation(oid)
        if relation.generated is None:
            rows = self._connection.execute(_GENERATED, {"oid": oid}).fetchall()
            relation.generated = {}
            for column, base in rows:
                relation.generated.setdefault(int(str(column)), []).append(int(str(base)))
        return relation.generated.get(number, [])

    def _ancestors(self, oid: int) -> set[int]:
        found: set[int] = set()
        waiting = [oid]
        while waiting:
            for parent in self._relation(waiting.pop()).parents:
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def _definition(self, oid: int) -> ServerLineage | None:
        relation = self._relation(oid)
        if relation.action is None or relation.schema in _SYSTEM:
            return None
        if relation.lineage is None:
            relation.lineage = ServerLineage(_queries(relation.action)[0], self._columns_of)
        return relation.lineage

    def _behind(self, oid: int) -> frozenset[ColumnResource]:
        """Everything that is read when a view is read, whichever of its columns are asked for."""
        definition = self._definition(oid)
        if definition is None:
            return frozenset()
        found = set(self._expanded(definition.used()))
        for relation in definition.relations():
            if relation != oid:
                found |= self._behind(relation)
        return frozenset(found)


_GENERATED: Final = (
    "SELECT a.attnum, d.refobjsubid FROM pg_attribute a JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum "
    "JOIN pg_depend d ON (d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid "
    "OR d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum) "
    "AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid "
    "WHERE a.attrelid = %(oid)s AND a.attgenerated <> '' AND d.refobjsubid NOT IN (0, a.attnum)"
)
"""PostgreSQL 14 notes what a generated column is computed from at the column, later ones at its expression."""

_STORED: Final = {
    "view": "SELECT r.oid, r.ev_action::text, 'pg_rewrite', r.ev_class FROM pg_rewrite r "
    "WHERE r.ev_class = 'pg_temp.oracle'::regclass AND r.rulename = '_RETURN'",
    "function": "SELECT p.oid, p.prosqlbody::text, 'pg_proc', 0 FROM pg_proc p WHERE p.oid = 'pg_temp.oracle'::regproc",
}


def _queries(tree: str) -> list[Node]:
    return [node for node in read(tree) if node.tag == "QUERY"]
