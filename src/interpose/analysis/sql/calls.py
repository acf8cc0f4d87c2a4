"""Function calls: the effect `call` for each, and the further effects of the functions that were reviewed.

Knows what a function may do from the reviewed list and from the catalog (whose it is); does not look into bodies:
what a user's function does stays out of sight, so that its result's lineage is not known. Operators and casts run functions too.
"""

from __future__ import annotations

from collections.abc import Iterable

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import guard, names, tree
from interpose.analysis.sql.expressions import Columns, Expressions
from interpose.analysis.sql.functions import COMPUTING_EXTENSIONS, DEEDS, KEEPING
from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine
from interpose.analysis.sql.reviewed import REVIEWED, Deed, Verdict
from interpose.analysis.sql.settings import PINNED, set_setting
from interpose.model.actions import Action
from interpose.model.analysis import DEFINITION, FactValue, SessionChange, Unanalysable
from interpose.model.catalog import Behind, Lookup, Routine
from interpose.model.resources import (
    FunctionResource,
    ObjectResource,
    SettingResource,
    TableResource,
)

_DEED_ACTIONS = {
    Deed.FILE: Action.SERVER_FILE,
    Deed.ADMINISTER: Action.ADMINISTER_SERVER,
    Deed.OTHER_SERVER: Action.OTHER_SERVER,
    Deed.MAINTAIN: Action.MAINTAIN,
}
_ANSWERS = frozenset({Verdict.COMPUTES, Verdict.REPORTS})
_QUERY_TEXT = frozenset({"query_to_xml", "query_to_xml_and_xmlschema", "query_to_xmlschema"})
_ONE_ROW: dict[str, FactValue] = {"has_where": True, "where_constant": False}
"""Facts of an update that a function makes: it changes the one thing that it names, so a rule about a missing WHERE is not for it."""


class Calls(Expressions):
    """Judges function calls."""

    def call(self, schema: str | None, name: str, nodes: Iterable[pb.Node], values: list[Lineage]) -> Lineage:
        """The effects of one call, and its result's lineage."""
        value = combine(values)
        routine = self.state.routine(schema, name)
        if isinstance(routine, Routine):
            result = self._known(routine, value)
        elif routine is Lookup.NOT_FOUND and schema is None and len(values) == 1 and name not in DEEDS:
            # No such function: this can only be a column in functional notation, `ssn(c)`, or an error.
            result = value
        else:
            self.functions.add(f"{schema}.{name}" if schema else name)
            self.add(Action.CALL, FunctionResource(schema or "", name), {"resolved": False, **_ONE_ROW})
            self.changes.add(SessionChange.OPAQUE)
            self.runs_code = True
            self.code_calls += 1
            self.stores(value)
            result = value.doubted()
        deed = DEEDS.get(name)
        if deed is None:
            return result
        return combine((result, self._deed(deed, name, list(nodes), value)))

    def behind(self, kind: Behind, schema: str | None, name: str, value: Lineage) -> Lineage:
        """What an operator or a cast adds to the lineage of the value that it makes: the functions behind it may be users'.

        One that cannot be told now is doubted, and not refused: were it a user's, its result would be masked whole.
        """
        routines = self.state.behind(kind, schema, name)
        if routines is None:
            return value.doubted()
        for routine in routines:
            if routine.builtin:
                if _verdict(routine) not in _ANSWERS:
                    value = self.call(routine.schema, routine.name, (), [value])
            elif routine.extension is None or not routine.languages <= {"c", "internal"}:
                value = self._users(routine, value)
        return value

    def _known(self, routine: Routine, value: Lineage) -> Lineage:
        """A function that the catalog has."""
        if not routine.builtin:
            reviewed = REVIEWED.get(routine.name)
            # The name may mean one of PostgreSQL's own as well.
            if not _computes(routine) or (reviewed is not None and reviewed.verdict not in _ANSWERS):
                return self._users(routine, value)
            self.call_known(FunctionResource(routine.schema, routine.name))
            return value
        self.call_known(FunctionResource(routine.schema, routine.name, builtin=True))
        match _verdict(routine):
            case Verdict.COMPUTES | Verdict.REPORTS:
                return value
            case Verdict.KEEPS:
                self.stores(value)
                return value
            case Verdict.CATALOG:
                return value.doubted()
            case Verdict.DEFINES:
                return Lineage(value.sources | {DEFINITION}, known=value.known)
            case Verdict.INNER | Verdict.UNREVIEWED:
                self.add_unknown("function_not_reviewed")
                self.changes.add(SessionChange.OPAQUE)
                self.stores(value)
                return value.doubted()
            case _:
                return value

    def _users(self, routine: Routine, value: Lineage) -> Lineage:
        """A user's function may do anything, whatever it is declared as: a STABLE one may call one that is not.

        Only in a view is that taken at its owner's word, or every look at the view would make the gateway forget the catalog.
        """
        trusted = bool(self.state.views) and routine.volatility in ("i", "s") and not routine.security_definer
        self.call_known(FunctionResource(routine.schema, routine.name))
        self.runs_code = True
        self.code_calls += 1
        if not trusted:
            self.changes.add(SessionChange.OPAQUE)
        self.stores(value)
        return value.doubted()

    def _deed(self, deed: Deed, name: str, nodes: list[pb.Node], value: Lineage) -> Lineage:
        """What a reviewed function does; answers what its result adds to the lineage."""
        state = self.state
        first = names.constant_text(nodes[0]) if nodes else None
        if deed in _DEED_ACTIONS:
            resource = ObjectResource("function", "pg_catalog", name)
            self.add(_DEED_ACTIONS[deed], resource)
            self.stores(value)
            return UNKNOWN
        if deed is Deed.SHOW:
            state.depends_on_literals = True
            self.add(Action.SHOW, SettingResource(first.lower() if first is not None else "*"))
            return CONSTANT
        if deed is Deed.LARGE_READ:
            self.add(Action.SELECT, ObjectResource("large_object", "", ""))
            return UNKNOWN
        if deed is Deed.LARGE_WRITE:
            self.add(Action.UPDATE, ObjectResource("large_object", "", ""), _ONE_ROW)
            self.stores(value)
            return CONSTANT
        state.depends_on_literals = True
        if deed is Deed.NOTIFY:
            self.add(Action.NOTIFY, ObjectResource("channel", "", first if first is not None else "*"))
            self.stores(value)
            return CONSTANT
        if deed is Deed.SEQUENCE:
            self._move_sequence(first)
            self.stores(value)
            return CONSTANT
        if deed is Deed.SETTING:
            self._set_config(first, nodes)
            self.stores(value)
            return CONSTANT
        return self._run_text(name, first)

    def _move_sequence(self, text: str | None) -> None:
        """`nextval('shop.orders_id_seq')`: an update of the sequence."""
        found = names.from_literal(text) if text is not None else None
        if found is None:
            # A name that is computed, as in a DEFAULT of the server's own making: which sequence cannot be told.
            self.add(Action.UPDATE, TableResource("", "*", "unresolved"), {"resolved": False, **_ONE_ROW})
            return
        schema, name = found
        relation = self.state.relation(schema, name)
        if relation is None:
            self.add(Action.UPDATE, TableResource(schema or "", name, "unresolved"), {"resolved": False, **_ONE_ROW})
        else:
            self.add(Action.UPDATE, TableResource(relation.schema_shown, relation.name, "sequence"), _ONE_ROW)

    def _set_config(self, name: str | None, nodes: list[pb.Node]) -> None:
        """`set_config(name, value, local)`: as SET. A name that is not a literal may be any setting."""
        if name is None:
            self.add_unknown("set_config_of_computed_name")
            self.moves_path = True
            self.changes.add(SessionChange.SETTINGS)
            return
        value = names.constant_text(nodes[1]) if len(nodes) > 1 else None
        set_setting(self, name, value, known=value is not None or name.lower() not in PINNED)

    def _run_text(self, name: str, text: str | None) -> Lineage:
        """SQL as text: a literal query is judged like one that stands here; what anything else reads and changes is not known."""
        self.add(Action.DYNAMIC_SQL, ObjectResource("function", "pg_catalog", name))
        if name in _QUERY_TEXT and text is not None:
            columns = self._literal_query(text)
            if columns is not None:
                return combine([lineage for _, lineage in columns])
        self.used_known = False
        self.sinks_known = False
        self.changes.add(SessionChange.OPAQUE)
        return UNKNOWN

    def _literal_query(self, text: str) -> Columns | None:
        """The columns of the one SELECT that a literal holds, or None."""
        if guard.check(text, self.state.limits) is not None:
            return None
        parsed = tree.parse(text)
        if isinstance(parsed, Unanalysable) or len(parsed.stmts) != 1:
            return None
        statement = parsed.stmts[0].stmt
        if statement.WhichOneof("node") != "select_stmt" or statement.select_stmt.HasField("into_clause"):
            return None
        self.enter(3)
        columns = self.query(statement, None)
        self.state.depth -= 3
        return columns


def _verdict(routine: Routine) -> Verdict | Deed:
    """What was reviewed of a built-in function, if it still is that."""
    reviewed = REVIEWED.get(routine.name)
    return reviewed.verdict if reviewed is not None and reviewed.covers(routine) else Verdict.UNREVIEWED


def _computes(routine: Routine) -> bool:
    """Whether a function that is not PostgreSQL's own computes from its arguments only: an extension's in C does."""
    known = routine.extension in COMPUTING_EXTENSIONS and routine.name not in KEEPING
    return known and routine.languages <= {"c", "internal", "sql"}
