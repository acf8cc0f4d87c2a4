"""What a command acts on: the resources of policy, one closed union.

Names are in canonical form (as the upstream's catalog spells them, after case folding and truncation). A resource
that could not be resolved keeps the name as written and says `resolved=False`.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    | ConnectionResource
)
