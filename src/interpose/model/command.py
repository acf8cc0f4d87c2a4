"""A command: one thing that the client asks the upstream to do, as its protocol decoded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from interpose.model.analysis import Analysis


class CommandKind(Enum):
    """How a command reaches the upstream."""

    QUERY = "query"
    """A text that is executed at once (simple query protocol); may hold several statements."""
    PREPARE = "prepare"
    """A text that is only planned (`Parse`); a hold does not apply until it is executed."""
    EXECUTE = "execute"
    """The execution of something prepared, with its parameters bound."""


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


@dataclass(slots=True)
class Command:
    """What is judged. `text` is exactly what the client sent, decoded as UTF-8.

    Made on the hot path, so it is slotted but not frozen; nobody changes one.

    `parameters` are the bound values as they came (None for SQL NULL); `parameter_formats` their format codes (0 text,
    1 binary). `analysis` is given for an EXECUTE whose text was analysed when it was prepared.
    """

    kind: CommandKind
    text: str
    context: SqlContext
    parameters: tuple[bytes | None, ...] = ()
    parameter_formats: tuple[int, ...] = ()
    analysis: Analysis | None = None
