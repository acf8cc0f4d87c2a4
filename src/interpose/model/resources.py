"""What a command acts on: the resources of policy, one closed union.

Names are in canonical form (as the upstream's catalog spells them, after case folding and truncation). A resource
that could not be resolved keeps the name as written and says `resolved=False`.
"""

from __future__ import annotations

from dataclasses import dataclass

from interpose.model.paths import is_canonical


@dataclass(frozen=True, slots=True)
class DatabaseResource:
    """The database of a connection; for effects that touch no smaller thing."""

    name: str


@dataclass(frozen=True, slots=True)
class SchemaResource:
    """A schema (namespace) in the connection's database."""

    name: str


@dataclass(frozen=True, slots=True)
class TableResource:
    """A table, view, materialized view, foreign table, sequence or partition.

    `kind` is `table`, `view`, `matview`, `foreign`, `sequence`, `temp` or `unresolved`.
    """

    schema: str
    name: str
    kind: str = "table"

    @property
    def resolved(self) -> bool:
        """Whether the catalog knew the name."""
        return self.kind != "unresolved"


@dataclass(frozen=True, slots=True)
class ColumnResource:
    """One column of a table; the unit of classification."""

    schema: str
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class FunctionResource:
    """A function, procedure, aggregate or operator function; `builtin` when it is in `pg_catalog` or its like."""

    schema: str
    name: str
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class SettingResource:
    """A session setting, e.g. `search_path`, lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class RoleResource:
    """A role of the upstream database."""

    name: str


@dataclass(frozen=True, slots=True)
class ObjectResource:
    """Any other database object (type, trigger, extension, publication …); `kind` says which, in lower case."""

    kind: str
    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class HostResource:
    """The host behind an SSH connection: shells, terminals, environment, agent and X11 forwarding, and what is not about a smaller thing."""


@dataclass(frozen=True, slots=True)
class ProgramResource:
    """A program by the word that runs it: `rm` as it is looked up in PATH, or a path as in `/usr/bin/rm` (canonical where absolute).

    `name` is the name that a permit may trust: the last part for a bare word and for a program in one of the system's own folders
    (`SYSTEM_FOLDERS`), else the whole word. `basename` is always the last part, for rules that forbid.
    """

    word: str

    @property
    def path(self) -> str:
        """The word where it is a path, else empty text."""
        return self.word if "/" in self.word else ""

    @property
    def basename(self) -> str:
        """The last part of the word."""
        return self.word.rpartition("/")[2]

    @property
    def name(self) -> str:
        """The basename when the system keeps the program or looks it up, else the word."""
        folder, slash, name = self.word.rpartition("/")
        return name if not slash or folder in SYSTEM_FOLDERS else self.word

    @property
    def builtin(self) -> bool:
        """Whether the name is the basename: a bare word, or a program of a system's own folder."""
        return self.name == self.basename


@dataclass(frozen=True, slots=True)
class PathResource:
    """A file or folder. `path` is absolute and canonical (`model.paths`), or as it was written when it could not be made so.

    `resolved` is false when the path is only as much as is known: a relative path under an unknown working directory, the
    folder before a pattern, the text of a path with `..` in it (a symbolic link may lead elsewhere).
    INVARIANT: a path that begins with `/` is canonical; another one is never `resolved`.
    """

    path: str
    resolved: bool = True

    def __post_init__(self) -> None:
        """Raises `ValueError` for an absolute path that is not canonical, and for a relative one that claims to be resolved."""
        if not is_canonical(self.path) and (self.path.startswith("/") or self.resolved):
            raise ValueError("a path must be canonical")


@dataclass(frozen=True, slots=True)
class DestinationResource:
    """Where a forward leads or listens: a host and TCP port, or a local socket when `socket` is its path (then the others are empty and 0).

    The host is in lower case, as the client named it: which address it stands for is a matter of resolution.
    """

    host: str
    port: int
    socket: str = ""

    @property
    def name(self) -> str:
        """`db:5432`, `[::1]:5432` or the socket's path."""
        if self.socket:
            return self.socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


SYSTEM_FOLDERS = frozenset({"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"})
"""Where a system keeps its own programs; only root writes there."""


@dataclass(frozen=True, slots=True)
class ConnectionResource:
    """The connection itself: `connect`, and everything that is not about a smaller thing."""


Resource = (
    DatabaseResource
    | SchemaResource
    | TableResource
    | ColumnResource
    | FunctionResource
    | SettingResource
    | RoleResource
    | ObjectResource
    | HostResource
    | ProgramResource
    | PathResource
    | DestinationResource
    | ConnectionResource
)
