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
    EXEC = "exec"
    EXEC_DYNAMIC = "exec_dynamic"
    SHELL = "shell"
    MANAGED_SHELL = "managed_shell"
    PTY = "pty"
    SET_ENV = "set_env"
    SUBSYSTEM = "subsystem"
    READ_FILE = "read_file"
    LIST_FILES = "list_files"
    WRITE_FILE = "write_file"
    RENAME_FILE = "rename_file"
    REMOVE_FILE = "remove_file"
    LINK_FILE = "link_file"
    CHANGE_FILE = "change_file"
    FORWARD = "forward"
    FORWARD_LISTEN = "forward_listen"
    FORWARD_AGENT = "forward_agent"
    FORWARD_X11 = "forward_x11"
    REVEAL = "reveal"
    INFER = "infer"
    ACT_FOR = "act_for"
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
    Action.EXEC: ("run",),
    Action.EXEC_DYNAMIC: (),
    Action.SHELL: ("run",),
    Action.MANAGED_SHELL: ("run",),
    Action.PTY: ("run",),
    Action.SET_ENV: ("run",),
    Action.SUBSYSTEM: (),
    Action.READ_FILE: ("file_read",),
    Action.LIST_FILES: ("file_read",),
    Action.WRITE_FILE: ("file_write",),
    Action.RENAME_FILE: ("file_write",),
    Action.REMOVE_FILE: ("file_write",),
    Action.LINK_FILE: ("file_write",),
    Action.CHANGE_FILE: ("file_write",),
    Action.FORWARD: ("tunnel",),
    Action.FORWARD_LISTEN: ("tunnel",),
    Action.FORWARD_AGENT: ("tunnel",),
    Action.FORWARD_X11: ("tunnel",),
    Action.REVEAL: (),
    Action.INFER: (),
    Action.ACT_FOR: (),
    Action.APPROVE: ("gateway",),
    Action.REPLAY: ("gateway",),
    Action.AUDIT: ("gateway",),
    Action.ADMINISTER: ("gateway",),
    Action.UNKNOWN: (),
}
"""Each action's groups. Every group but those of `NAMED_GROUPS` is in the group `any_command`, and so are the actions of
`UNGROUPED_COMMANDS`. `connect`, `reveal`, `infer`, `act_for`, `unknown`, `exec_dynamic` and `subsystem` are in no group: they must be named to be
permitted."""

COMMAND_GROUPS: tuple[str, ...] = (
    "read",
    "write",
    "ddl",
    "privilege",
    "session",
    "admin",
    "run",
    "file_read",
    "file_write",
)
"""The groups whose parent is `any_command`."""

NAMED_GROUPS: tuple[str, ...] = ("tunnel", "gateway")
"""The groups outside of `any_command`: a rule must name them. What goes through a tunnel is not judged any further."""

UNGROUPED_COMMANDS: tuple[Action, ...] = (Action.CALL, Action.DO)
"""Command actions that are directly in `any_command`."""
