"""What is known of an upstream database's objects, and the question that analysis asks of it.

A `CatalogView` answers from memory only. What it does not hold is `ABSENT_FROM_CACHE`; analysis then stops with
`NeedsCatalog`, the engine fetches exactly those names over the gateway's own connection and analysis runs again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class Lookup(Enum):
    """Answers of a catalog view that are not an object."""

    NOT_CACHED = "not_cached"
    """Nothing is known yet: ask the upstream."""
    NOT_FOUND = "not_found"
    """The upstream was asked and has no such object that is visible to the gateway."""


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """A live column: its name, attribute number (`pg_attribute.attnum`), type oid and type modifier (-1 for none).

    Of a domain they are those of the type below it, as `RowDescription` has them.
    """

    name: str
    number: int
    type_oid: int
    generated: bool = False
    type_modifier: int = -1


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation with its columns in order.

    `kind` is `table`, `view`, `matview`, `foreign`, `sequence`, `partitioned`, `index` or `composite`.
    `definition` is the query of a view or materialized view (from `pg_get_viewdef`, fully qualified), else None.
    `parents` are the (schema, name) of inheritance parents or the partitioned table.
    """

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[CatalogColumn, ...]
    definition: str | None = None
    parents: tuple[tuple[str, str], ...] = ()
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Routine:
    """All overloads of one function name in one schema, folded together at their most dangerous.

    `kind` is the set of `pg_proc.prokind`; `volatility` the worst of `i`, `s`, `v`; `security_definer` if any is;
    `language` the set of language names; `extension` the owning extension, if one.
    """

    schema: str
    name: str
    kinds: frozenset[str]
    volatility: str
    security_definer: bool
    languages: frozenset[str]
    builtin: bool
    extension: str | None = None


class Behind(Enum):
    """What runs a function without naming it."""

    OPERATOR = "operator"
    """An operator: the function that it stands for."""
    CAST = "cast"
    """A type's name: the functions that cast to it and, when it is not PostgreSQL's own, from it."""


BehindName = tuple[Behind, str | None, str]
"""What it is, its schema or None, its name."""


@dataclass(frozen=True, slots=True)
class CatalogNames:
    """Names to be looked up: (schema or None, name) pairs; None means: search the given path. `schemas` are asked whether they exist.

    Of `behind` only what is not PostgreSQL's own is answered: users' functions behind operators and casts.
    """

    relations: frozenset[tuple[str | None, str]] = frozenset()
    routines: frozenset[tuple[str | None, str]] = frozenset()
    oids: frozenset[int] = frozenset()
    schemas: frozenset[str] = frozenset()
    behind: frozenset[BehindName] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.relations or self.routines or self.oids or self.schemas or self.behind)


class CatalogView(Protocol):
    """A consistent view of one connection's catalog at `version`; lookups never do IO.

    `path` is the list of schemas to search, in order, `pg_catalog` included where it is implied.
    """

    @property
    def version(self) -> int:
        """Grows whenever anything that was answered before may have changed."""
        ...

    def relation(self, schema: str | None, name: str, path: tuple[str, ...]) -> Relation | Lookup:
        """The relation that this name means, or why there is none."""
        ...

    def relation_by_oid(self, oid: int) -> Relation | Lookup:
        """The relation with this oid (`RowDescription` names origins by oid)."""
        ...

    def routine(self, schema: str | None, name: str, path: tuple[str, ...]) -> Routine | Lookup:
        """The functions that this name means, or why there are none."""
        ...

    def behind(
        self, kind: Behind, schema: str | None, name: str, path: tuple[str, ...]
    ) -> tuple[Routine, ...] | Lookup:
        """The functions, not PostgreSQL's own use of its own, that this operator or type may run."""
        ...

    def schema(self, name: str) -> bool | Lookup:
        """Whether a schema of this name exists; `NOT_CACHED` when that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """The upstream's answer to one lookup: what was found; what was asked and is absent here does not exist."""

    asked: CatalogNames
    path: tuple[str, ...]
    relations: tuple[Relation, ...] = ()
    routines: tuple[Routine, ...] = ()
    schemas: frozenset[str] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    behind: tuple[tuple[Behind, str, str, Routine], ...] = ()
