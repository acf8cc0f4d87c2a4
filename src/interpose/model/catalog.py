"""What is known of an upstream database's objects, and the question that analysis asks of it.

A `CatalogView` answers from memory only. What it does not hold is `ABSENT_FROM_CACHE`; analysis then stops with
`NeedsCatalog`, the engine fetches exactly those names over the gateway's own connection and analysis runs again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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

    Of a domain they are those of the type below it, as `RowDescription` has them. `computed_from` are the columns of the same
    table that a generated column is computed from.
    """

    name: str
    number: int
    type_oid: int
    generated: bool = False
    type_modifier: int = -1
    computed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation with its columns in order.

    `kind` is `table`, `view`, `matview`, `foreign`, `sequence`, `partitioned`, `index` or `composite`.
    `definition` is the query of a view or materialized view (from `pg_get_viewdef`, fully qualified), else None.
    `parents` are the (schema, name) of inheritance parents or the partitioned table. `mark` changes whenever anything that
    this was read from is written again, so that a change and a change back are seen. `ruled`: it has rewrite rules, which make
    other statements of those that write it.
    """

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[CatalogColumn, ...]
    definition: str | None = None
    parents: tuple[tuple[str, str], ...] = ()
    temporary: bool = False
    mark: str = ""
    ruled: bool = False

    @property
    def schema_shown(self) -> str:
        """The schema by which policy knows it: which number a session's temporary schema has means nothing."""
        return "pg_temp" if self.temporary else self.schema


@dataclass(frozen=True, slots=True)
class Routine:
    """All overloads of one function name in one schema, folded together at their most dangerous.

    `kind` is the set of `pg_proc.prokind`; `volatility` the worst of `i`, `s`, `v`; `security_definer` if any is;
    `language` the set of language names; `extension` the owning extension, if one. `marks` change as a relation's `mark` does.
    """

    schema: str
    name: str
    kinds: frozenset[str]
    volatility: str
    security_definer: bool
    languages: frozenset[str]
    builtin: bool
    extension: str | None = None
    marks: frozenset[str] = frozenset()


class Behind(Enum):
    """What runs a function without naming it."""

    OPERATOR = "operator"
    """An operator: the function that it stands for."""
    CAST = "cast"
    """A type's name: the functions that cast to it and, when it is not PostgreSQL's own, from it."""


BehindName = tuple[Behind, str | None, str]
"""What it is, its schema or None, its name."""

SchemaOf = tuple[str, str]
"""A role and a schema: whether the role may use it. No role (empty) is the one that the gateway itself logs in as."""


@dataclass(frozen=True, slots=True)
class CatalogNames:
    """Names to be looked up: (schema or None, name) pairs; None means: search the given path.

    `schemas` are asked whether they exist and the role has USAGE on them: the server passes over others in a path.

    Of `behind` only what is not PostgreSQL's own is answered: users' functions behind operators and casts.
    `definitions` is false when views' definitions are not wanted: to read one waits for whoever is changing the view.
    """

    relations: frozenset[tuple[str | None, str]] = frozenset()
    routines: frozenset[tuple[str | None, str]] = frozenset()
    oids: frozenset[int] = frozenset()
    schemas: frozenset[SchemaOf] = frozenset()
    behind: frozenset[BehindName] = frozenset()
    definitions: bool = True

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

    def schema(self, name: str, role: str = "") -> bool | Lookup:
        """Whether a schema of this name exists and `role` may use it; `NOT_CACHED` when that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """The upstream's answer to one lookup: what was found; what was asked and is absent here does not exist."""

    asked: CatalogNames
    path: tuple[str, ...]
    relations: tuple[Relation, ...] = ()
    routines: tuple[Routine, ...] = ()
    schemas: frozenset[SchemaOf] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    behind: tuple[tuple[Behind, str, str, Routine], ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogBasis:
    """What an analysis was made from: each name that it asked for, with the answer; None or False: there was no such thing.

    Names are (schema, name). A schema of the path in which nothing was found is in it too: something may appear there.
    """

    relations: Mapping[tuple[str, str], Relation | None] = field(default_factory=dict)
    routines: Mapping[tuple[str, str], Routine | None] = field(default_factory=dict)
    schemas: Mapping[SchemaOf, bool] = field(default_factory=dict)
    behind: Mapping[tuple[Behind, str, str], frozenset[Routine]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.relations or self.routines or self.schemas or self.behind)

    def names(self) -> CatalogNames:
        """What must be looked up to see whether all of it still holds."""
        return CatalogNames(
            frozenset(self.relations),
            frozenset(self.routines),
            schemas=frozenset(self.schemas),
            behind=frozenset(self.behind),
        )

    def broken(self, page: CatalogPage) -> str:
        """The first name whose answer in `page` is another one than here; empty when all of them are the same."""
        relations = {(found.schema, found.name): found for found in page.relations}
        for key, relation in self.relations.items():
            found = relations.get(key)
            # The marks tell whether a definition is another one.
            if (found and replace(found, definition=None)) != (relation and replace(relation, definition=None)):
                return ".".join(key)
        routines = {(found.schema, found.name): found for found in page.routines}
        for key, routine in self.routines.items():
            if routines.get(key) != routine:
                return ".".join(key)
        for use, usable in self.schemas.items():
            if (use in page.schemas) is not usable:
                return use[1]
        behind: dict[tuple[Behind, str, str], frozenset[Routine]] = {}
        for kind, schema, name, function in page.behind:
            behind[kind, schema, name] = behind.get((kind, schema, name), frozenset()) | {function}
        for place, functions in self.behind.items():
            if behind.get(place, frozenset()) != functions:
                return f"{place[1]}.{place[2]}"
        return ""

    def appeared(self, earlier: CatalogBasis) -> str:
        """A name that is another relation here than in `earlier`, where there was none or one with another oid.

        A server that prepared a text under `earlier` does not notice this: what it had found is still there. A temporary relation can
        only have been dropped by now, and that it notices.
        """
        for key, before in earlier.relations.items():
            now = self.relations.get(key)
            if now is not None and (before is None or (before.oid != now.oid and not before.temporary)):
                return ".".join(key)
        return ""


NO_BASIS = CatalogBasis()
"""The basis of what needs no catalog."""
