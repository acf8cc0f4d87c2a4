"""Statements about the session itself: settings, roles, transactions, prepared statements, cursors, notifications."""

from __future__ import annotations

from dataclasses import replace

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names, tree
from interpose.analysis.sql.scope import Scope
from interpose.analysis.sql.settings import set_setting
from interpose.analysis.sql.statement import Statement
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, FactValue, OutputColumn, Outputs, SessionChange, Unanalysable
from interpose.model.resources import ConnectionResource, ObjectResource, RoleResource, SettingResource

_TRANSACTION_TAGS = {
    pb.TRANS_STMT_BEGIN: "BEGIN",
    pb.TRANS_STMT_START: "START TRANSACTION",
    pb.TRANS_STMT_COMMIT: "COMMIT",
    pb.TRANS_STMT_ROLLBACK: "ROLLBACK",
    pb.TRANS_STMT_SAVEPOINT: "SAVEPOINT",
    pb.TRANS_STMT_RELEASE: "RELEASE",
    pb.TRANS_STMT_ROLLBACK_TO: "ROLLBACK",
    pb.TRANS_STMT_PREPARE: "PREPARE TRANSACTION",
    pb.TRANS_STMT_COMMIT_PREPARED: "COMMIT PREPARED",
    pb.TRANS_STMT_ROLLBACK_PREPARED: "ROLLBACK PREPARED",
}
_CURSOR_WITH_HOLD = 0x20
"""CURSOR_OPT_HOLD of PostgreSQL's parsenodes.h."""
_UNDOES = frozenset({pb.TRANS_STMT_ROLLBACK, pb.TRANS_STMT_ROLLBACK_TO})
_ENDS = frozenset({pb.TRANS_STMT_COMMIT, pb.TRANS_STMT_PREPARE})


def transaction(walk: Statement, node: pb.Node) -> None:
    """BEGIN to ROLLBACK PREPARED. A rollback undoes settings, DDL and cursors; a commit closes cursors.

    A commit also ends SET LOCAL, and is a rollback in a failed transaction: see `SessionChange.TRANSACTION`.
    """
    kind = node.transaction_stmt.kind
    walk.tag = _TRANSACTION_TAGS.get(kind, "TRANSACTION")
    walk.add(Action.TRANSACTION, ConnectionResource())
    walk.changes.add(SessionChange.TRANSACTION)
    if kind in _UNDOES:
        walk.changes |= {SessionChange.SETTINGS, SessionChange.CATALOG, SessionChange.CURSORS}
        walk.moves_path = True
    elif kind in _ENDS:
        walk.changes.add(SessionChange.CURSORS)
        walk.moves_path = True
    elif kind == pb.TRANS_STMT_COMMIT_PREPARED:
        walk.changes.add(SessionChange.CATALOG)
    if node.transaction_stmt.chain:
        walk.changes.add(SessionChange.TRANSACTION)


def set_variable(walk: Statement, node: pb.Node) -> None:
    """SET and RESET in all their forms."""
    stmt = node.variable_set_stmt
    walk.tag = "RESET" if stmt.kind in (pb.VAR_RESET, pb.VAR_RESET_ALL) else "SET"
    name = stmt.name.lower()
    if stmt.kind == pb.VAR_RESET_ALL:
        walk.add(Action.SET, SettingResource("*"))
        walk.changes.add(SessionChange.SETTINGS)
        walk.moves_path = True
    elif stmt.kind == pb.VAR_SET_MULTI:
        walk.add(Action.TRANSACTION, ConnectionResource())
        for argument in stmt.args:
            if argument.WhichOneof("node") == "def_elem":
                walk.add(Action.SET, SettingResource(argument.def_elem.defname.lower()))
        walk.changes.add(SessionChange.TRANSACTION)
    elif stmt.kind in (pb.VAR_SET_DEFAULT, pb.VAR_RESET):
        set_setting(walk, name, None)
    else:
        values = [names.setting_value(argument) for argument in stmt.args]
        set_setting(walk, name, ", ".join(values))
        if name == "search_path" and not stmt.is_local and "$user" not in values:
            walk.follows_path = tuple(values)


def setting_arguments(walk: Statement, stmt: pb.VariableSetStmt) -> None:
    """A SET inside another statement (ALTER ROLE … SET, a function's SET clause): it takes effect later, for others."""
    values = [names.setting_value(argument) for argument in stmt.args]
    known = stmt.kind == pb.VAR_SET_VALUE
    if stmt.kind not in (pb.VAR_RESET_ALL, pb.VAR_SET_MULTI):
        set_setting(walk, stmt.name, ", ".join(values) if known else None, known=stmt.kind != pb.VAR_SET_CURRENT)
    walk.changes.discard(SessionChange.SETTINGS)


def show(walk: Statement, node: pb.Node) -> None:
    """SHOW name and SHOW ALL."""
    walk.tag = "SHOW"
    name = node.variable_show_stmt.name.lower()
    walk.add(Action.SHOW, SettingResource("*" if name == "all" else name))
    shown = ("name", "setting", "description") if name == "all" else (name,)
    walk.outputs = Outputs(tuple(OutputColumn(column) for column in shown))


def discard(walk: Statement, node: pb.Node) -> None:
    """DISCARD ALL, PLANS, SEQUENCES, TEMP."""
    target = node.discard_stmt.target
    walk.tag = f"DISCARD {pb.DiscardMode.Name(target).removeprefix('DISCARD_')}"
    walk.add(Action.SET, SettingResource("*"), {"object_kind": "session"})
    if target == pb.DISCARD_ALL:
        walk.deallocates = walk.closes = "*"
        walk.moves_path = True
        walk.changes |= {
            SessionChange.SETTINGS,
            SessionChange.CATALOG,
            SessionChange.PREPARED,
            SessionChange.CURSORS,
        }
    elif target == pb.DISCARD_TEMP:
        walk.changes.add(SessionChange.CATALOG)


def constraints_set(walk: Statement, node: pb.Node) -> None:
    """SET CONSTRAINTS: when checks are made, within the transaction."""
    walk.tag = "SET CONSTRAINTS"
    walk.add(Action.TRANSACTION, ConnectionResource())


def prepare(walk: Statement, node: pb.Node) -> None:
    """PREPARE: judged now as well as when it is executed, so that what is forbidden cannot even be planned."""
    stmt = node.prepare_stmt
    walk.tag = "PREPARE"
    made = walk.named(stmt.name, stmt.query)
    walk.prepares = replace(made, analysis=replace(made.analysis, prepared_text=walk.state.text))
    walk.analyses += walk.prepares.analysis.effects
    walk.changes.add(SessionChange.PREPARED)
    _session_object(walk, "prepared_statement", stmt.name, resolved=True)


def execute(walk: Statement, node: pb.Node) -> None:
    """EXECUTE: does what was prepared under this name; a name that is not known is the server's error."""
    stmt = node.execute_stmt
    walk.tag = "EXECUTE"
    walk.state.depends_on_session = True
    walk.runs_prepared = stmt.name
    value = walk.exprs(stmt.params, Scope(None))
    walk.stores(value)
    prepared = walk.state.prepared.get(stmt.name)
    _session_object(walk, "prepared_statement", stmt.name, resolved=prepared is not None)
    if prepared is not None and prepared.prepared_text and prepared.catalog_version != walk.state.catalog.version:
        _plan_again(walk, stmt.name, prepared)
    elif prepared is not None:
        run_again(walk, prepared)
    else:
        # The server will say that there is no such name; should it have one after all, nothing of it may pass.
        walk.outputs = Outputs(None)
        walk.used_known = walk.sinks_known = False


def _plan_again(walk: Statement, name: str, prepared: Analysis) -> None:
    """What was prepared under another catalog or path: the server plans its text again, so it is judged by its text again."""
    parsed = tree.parse(prepared.prepared_text)
    if isinstance(parsed, Unanalysable) or len(parsed.stmts) != 1:
        raise ValueError("a text that was prepared before cannot be parsed any more")
    again = walk.named(name, parsed.stmts[0].stmt.prepare_stmt.query).analysis
    run_again(walk, again)
    if again.basis.appeared(prepared.basis):
        # What the server had found may be there still, and then it does not look again.
        walk.analyses += prepared.effects
        walk.outputs = Outputs(None)
        walk.used_known = walk.sinks_known = False


def deallocate(walk: Statement, node: pb.Node) -> None:
    """DEALLOCATE name or ALL."""
    stmt = node.deallocate_stmt
    walk.tag = "DEALLOCATE ALL" if stmt.isall else "DEALLOCATE"
    walk.deallocates = "*" if stmt.isall else stmt.name
    walk.changes.add(SessionChange.PREPARED)
    _session_object(walk, "prepared_statement", walk.deallocates, resolved=True)


def declare_cursor(walk: Statement, node: pb.Node) -> None:
    """DECLARE … CURSOR FOR query: the query begins to run."""
    stmt = node.declare_cursor_stmt
    walk.tag = "DECLARE CURSOR"
    walk.declares = replace(
        walk.named(stmt.portalname, stmt.query), outlives_transaction=bool(stmt.options & _CURSOR_WITH_HOLD)
    )
    run_again(walk, walk.declares.analysis, outputs=False)
    walk.changes.add(SessionChange.CURSORS)
    _session_object(walk, "cursor", stmt.portalname, resolved=True)


def fetch(walk: Statement, node: pb.Node) -> None:
    """FETCH and MOVE: show rows of what was declared under this name."""
    stmt = node.fetch_stmt
    walk.tag = "MOVE" if stmt.ismove else "FETCH"
    walk.state.depends_on_session = True
    walk.runs_cursor = stmt.portalname
    walk.changes.add(SessionChange.CURSORS)
    cursor = walk.state.cursors.get(stmt.portalname)
    _session_object(walk, "cursor", stmt.portalname, resolved=cursor is not None)
    if cursor is not None:
        run_again(walk, cursor, outputs=not stmt.ismove)
    else:
        walk.outputs = None if stmt.ismove else Outputs(None)
        walk.used_known = walk.sinks_known = False


def close_portal(walk: Statement, node: pb.Node) -> None:
    """CLOSE name or ALL."""
    walk.tag = "CLOSE CURSOR"
    walk.closes = node.close_portal_stmt.portalname or "*"
    walk.changes.add(SessionChange.CURSORS)
    _session_object(walk, "cursor", walk.closes, resolved=True)


def run_again(walk: Statement, analysis: Analysis, *, outputs: bool = True) -> None:
    """This statement does what another was analysed to do."""
    walk.analyses += analysis.effects
    walk.state.build_on(analysis.basis)
    for info in analysis.statements:
        walk.read_log.append(info.used)
        walk.infer_log.append(info.inferred)
        walk.touched |= info.touched
        walk.used_known = walk.used_known and info.used_known
        walk.sinks |= info.sinks
        walk.sinks_known = walk.sinks_known and info.sinks_known
        walk.changes |= info.changes
        walk.moves_path = walk.moves_path or SessionChange.SETTINGS in info.changes
    if outputs and analysis.statements:
        walk.outputs = analysis.statements[0].outputs


def _session_object(walk: Statement, kind: str, name: str, *, resolved: bool) -> None:
    facts: dict[str, FactValue] = {"object_kind": kind, "resolved": resolved}
    walk.add(Action.TRANSACTION, ObjectResource(kind, "", name), facts)


def notify(walk: Statement, node: pb.Node) -> None:
    """NOTIFY channel, payload."""
    walk.tag = "NOTIFY"
    walk.add(Action.NOTIFY, ObjectResource("channel", "", node.notify_stmt.conditionname))


def listen(walk: Statement, node: pb.Node) -> None:
    """LISTEN channel."""
    walk.tag = "LISTEN"
    walk.add(Action.LISTEN, ObjectResource("channel", "", node.listen_stmt.conditionname))


def unlisten(walk: Statement, node: pb.Node) -> None:
    """UNLISTEN channel or `*`."""
    walk.tag = "UNLISTEN"
    walk.add(Action.LISTEN, ObjectResource("channel", "", node.unlisten_stmt.conditionname or "*"))


def do_block(walk: Statement, node: pb.Node) -> None:
    """DO: code that analysis cannot see into."""
    walk.tag = "DO"
    language = "plpgsql"
    for argument in node.do_stmt.args:
        if argument.def_elem.defname == "language":
            language = argument.def_elem.arg.string.sval
    walk.add(Action.DO, ObjectResource("language", "", language), {"object_kind": language})
    walk.used_known = walk.sinks_known = False
    walk.changes.add(SessionChange.OPAQUE)


def call(walk: Statement, node: pb.Node) -> None:
    """CALL procedure(…): a user's code; its OUT arguments may be anything."""
    walk.tag = "CALL"
    function = node.call_stmt.funccall
    schema, name = names.dotted(function.funcname)
    walk.stores(walk.exprs(function.args, Scope(None)))
    walk.call(schema, name, function.args, [])
    walk.outputs = Outputs(None)
    walk.used_known = walk.sinks_known = False
    walk.changes |= {SessionChange.OPAQUE, SessionChange.TRANSACTION}


def set_role_of(walk: Statement, role: pb.RoleSpec) -> RoleResource:
    """The role that a statement names; the special words keep their own names."""
    if role.roletype == pb.ROLESPEC_CSTRING:
        return RoleResource(role.rolename)
    return RoleResource(pb.RoleSpecType.Name(role.roletype).removeprefix("ROLESPEC_").lower())
