"""The actions of policy and the groups that they are in, as one literal table.

INVARIANT: every action has exactly this parentage in the Cedar schema *and* in the entities that are handed to the
evaluator; a test compares the three (see DESIGN, section 2: a group that is only in the schema never matches).
"""

from __future__ import annotations

from enum import Enum


class Action(Enum):
    """One action; the value is the id of the Cedar action entity."""

    CONNECT = "connect"
    SELECT = "select"
    SHOW = "show"
    COPY_OUT = "copy_out"
    EXPLAIN = "explain"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    MERGE = "merge"
    COPY_IN = "copy_in"
    TRUNCATE = "truncate"
    LOCK = "lock"
    CREATE = "create"
    ALTER = "alter"
    DROP = "drop"
    COMMENT = "comment"
    GRANT = "grant"
    REVOKE = "revoke"
    SET = "set"
    SET_ROLE = "set_role"
    CALL = "call"
    DO = "do"
    TRANSACTION = "transaction"
    LISTEN = "listen"
    NOTIFY = "notify"
    MAINTAIN = "maintain"
    SERVER_FILE = "server_file"
    SERVER_PROGRAM = "server_program"
    ADMINISTER_SERVER = "administer_server"
    DYNAMIC_SQL = "dynamic_sql"
    OTHER_SERVER = "other_server"
    REVEAL = "reveal"
    INFER = "infer"
    APPROVE = "approve"
    REPLAY = "replay"
    AUDIT = "audit"
    ADMINISTER = "administer"
    UNKNOWN = "unknown"


ACTION_GROUPS: dict[Action, tuple[str, ...]] = {
    Action.CONNECT: (),
    Action.SELECT: ("read",),
    Action.SHOW: ("read",),
    Action.COPY_OUT: ("read",),
    Action.EXPLAIN: ("read",),
    Action.INSERT: ("write",),
    Action.UPDATE: ("write",),
    Action.DELETE: ("write",),
    Action.MERGE: ("write",),
    Action.COPY_IN: ("write",),
    Action.TRUNCATE: ("write",),
    Action.LOCK: ("session",),
    Action.CREATE: ("ddl",),
    Action.ALTER: ("ddl",),
    Action.DROP: ("ddl",),
    Action.COMMENT: ("ddl",),
    Action.GRANT: ("privilege",),
    Action.REVOKE: ("privilege",),
    Action.SET: ("session",),
    Action.SET_ROLE: ("privilege",),
    Action.CALL: (),
    Action.DO: (),
    Action.TRANSACTION: ("session",),
    Action.LISTEN: ("session",),
    Action.NOTIFY: ("session",),
    Action.MAINTAIN: ("admin",),
    Action.SERVER_FILE: ("admin",),
    Action.SERVER_PROGRAM: ("admin",),
    Action.ADMINISTER_SERVER: ("admin",),
    Action.DYNAMIC_SQL: ("admin",),
    Action.OTHER_SERVER: ("admin",),
    Action.REVEAL: (),
    Action.INFER: (),
    Action.APPROVE: ("gateway",),
    Action.REPLAY: ("gateway",),
    Action.AUDIT: ("gateway",),
    Action.ADMINISTER: ("gateway",),
    Action.UNKNOWN: (),
}
"""Each action's groups. Every group but `gateway` is in the group `any_command`, and so is every ungrouped command
action except `connect`, `reveal`, `infer` and `unknown`: these must be named to be permitted."""

COMMAND_GROUPS: tuple[str, ...] = ("read", "write", "ddl", "privilege", "session", "admin")
"""The groups whose parent is `any_command`."""

UNGROUPED_COMMANDS: tuple[Action, ...] = (Action.CALL, Action.DO)
"""Command actions that are directly in `any_command`."""
