"""A command: one thing that the client asks the upstream to do, as its protocol decoded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from interpose.model.actions import Action
from interpose.model.analysis import Analysis


class CommandKind(Enum):
    """How a command reaches the upstream."""

    QUERY = "query"
    """A text that is executed at once (simple query protocol); may hold several statements."""
    PREPARE = "prepare"
    """A text that is only planned (`Parse`); a hold does not apply until it is executed."""
    EXECUTE = "execute"
    """The execution of something prepared, with its parameters bound."""
    EXEC = "exec"
    """A command line for the login shell of a host (SSH `exec`)."""
    SHELL = "shell"
    """An interactive shell (SSH `shell`)."""
    MANAGED_SHELL = "managed_shell"
    """A shell of the gateway's own in the place of the host's: each line of it is an EXEC."""
    PTY = "pty"
    """A terminal for the program that is started next."""
    ENVIRONMENT = "environment"
    """A variable for the program that is started next; the text is `NAME=value`."""
    SUBSYSTEM = "subsystem"
    """A subsystem other than sftp; the text is its name."""
    FILE = "file"
    """One operation on files (SFTP, SCP), as `FileRequest` says."""
    FORWARD = "forward"
    """A connection through the host, or a port, agent or display of the client's, as `ForwardRequest` says."""


@dataclass(frozen=True, slots=True)
class SqlContext:
    """The part of a PostgreSQL session that decides what a text means.

    `path` is the effective schema search path in order (`pg_temp` and `pg_catalog` included where implied), or None
    when the gateway does not know it (then no unqualified name may be resolved); the session's own temporary schema stands in it
    by its real name once that is known. `role` is the current role: a schema that it may not use is passed over. `prepared` maps the names of
    prepared statements, from SQL and protocol alike, to their analysis; `cursors` does so for cursors and portals.
    `in_transaction` is `I`, `T` or `E` as in ReadyForQuery. `server_version` is the major version, e.g. 17.
    """

    path: tuple[str, ...] | None
    server_version: int
    prepared: Mapping[str, Analysis] = field(default_factory=dict, hash=False)
    cursors: Mapping[str, Analysis] = field(default_factory=dict, hash=False)
    in_transaction: str = "I"
    role: str = ""


_NO_SESSION: Final = SqlContext((), 0)


@dataclass(frozen=True, slots=True)
class FileRequest:
    """One operation on files. `action` is one of the group `file_read` or `file_write`.

    `path` is canonical and absolute where the gateway could resolve it, else as the client wrote it, and then `resolved` is false.
    `path_to` is where a rename or link leads, by the same rule with `resolved_to`. `size` is in bytes, where it is known before the transfer.
    `also` and `also_to` are what these paths are as well, such as the file that a symbolic link leads to: the same is judged of them.
    `more` are further actions on the same path. `passed` are folders that the path leads through and out of again, by `..`.
    """

    action: Action
    path: str
    resolved: bool = True
    path_to: str = ""
    resolved_to: bool = True
    size: int | None = None
    recursive: bool = False
    also: tuple[str, ...] = ()
    also_to: tuple[str, ...] = ()
    more: tuple[Action, ...] = ()
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """A tunnel. `action` is one of the group `tunnel`; `host` and `port`, or `socket`, say where it leads or listens (neither for an agent or display).

    `host` is canonical (`model.destinations`). `address` is the canonical address that the gateway resolved it to and will send instead,
    empty when the host resolves it.
    """

    action: Action
    host: str = ""
    port: int = 0
    socket: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class HostContext:
    """What of an SSH session decides what a command line means.

    `user` is the account on the host. `home` and `cwd` are canonical absolute paths, or empty text when the gateway does not know
    them: then what is relative to them stays unresolved. `request` is given for FILE and FORWARD.
    """

    user: str
    home: str = ""
    cwd: str = ""
    request: FileRequest | ForwardRequest | None = None


@dataclass(slots=True)
class Command:
    """What is judged. `text` is exactly what the client sent, decoded as UTF-8.

    Made on the hot path, so it is slotted but not frozen; nobody changes one.

    `parameters` are the bound values as they came (None for SQL NULL); `parameter_formats` their format codes (0 text,
    1 binary). `analysis` is given for an EXECUTE whose text was analysed when it was prepared.
    """

    kind: CommandKind
    text: str
    context: SqlContext | HostContext
    parameters: tuple[bytes | None, ...] = ()
    parameter_formats: tuple[int, ...] = ()
    analysis: Analysis | None = None

    @property
    def sql(self) -> SqlContext:
        """The session of a SQL command; an empty one, in which nothing is known, for a command of another protocol."""
        return self.context if isinstance(self.context, SqlContext) else _NO_SESSION
