"""What is carried from statement to statement of one command, and the questions to the catalog.

Knows when a name may no longer be resolved; does not know statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from interpose.analysis.sql.catalog import folded, temporary
from interpose.analysis.sql.guard import Limits
from interpose.model.analysis import Analysis, SessionChange
from interpose.model.catalog import (
    Behind,
    BehindName,
    CatalogBasis,
    CatalogNames,
    CatalogView,
    Lookup,
    Relation,
    Routine,
    SchemaOf,
)
from interpose.model.command import SqlContext

if TYPE_CHECKING:
    from interpose.analysis.sql.expressions import Columns
    from interpose.analysis.sql.queries import Queries

_FORGETS_CATALOG: Final = frozenset({SessionChange.CATALOG, SessionChange.OPAQUE})


class Refused(Exception):  # noqa: N818
    """A statement that must not be judged at all: `reason` and `message` as in `Unanalysable`."""

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        """`message` is safe to show."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.hint = hint


class CommandState:
    """One command under analysis.

    INVARIANT: a name that the catalog has not answered is never treated as known; it is collected in `wanted`, and
    the analysis that was made without it is thrown away.

    `text` is the statement that is walked now. `default_schema` stands in for the path inside view definitions, which name everything else with its schema.
    """

    __slots__ = (
        "_asked_behind",
        "_asked_relations",
        "_asked_routines",
        "_asked_schemas",
        "_wanted_behind",
        "_wanted_relations",
        "_wanted_routines",
        "_wanted_schemas",
        "catalog",
        "context",
        "cursors",
        "default_schema",
        "depends_on_literals",
        "depends_on_session",
        "depth",
        "limits",
        "path",
        "prepared",
        "text",
        "trusts_catalog",
        "views",
        "walked_views",
    )

    def __init__(self, context: SqlContext, catalog: CatalogView, limits: Limits) -> None:
        """`catalog` must answer from memory."""
        self.context = context
        self.catalog = catalog
        self.limits = limits
        self.path = context.path
        self.text = ""
        self.trusts_catalog = True
        self.default_schema: str | None = None
        self.prepared: Mapping[str, Analysis] = context.prepared
        self.cursors: Mapping[str, Analysis] = context.cursors
        self.depends_on_literals = False
        self.depends_on_session = False
        self.depth = 0
        self.views: list[tuple[str, str]] = []
        self.walked_views: dict[tuple[int, str, bool], tuple[Queries | None, Columns | None]] = {}
        self._asked_relations: dict[tuple[str, str], Relation | None] = {}
        self._asked_routines: dict[tuple[str, str], Routine | None] = {}
        self._asked_schemas: dict[SchemaOf, bool] = {}
        self._asked_behind: dict[tuple[Behind, str, str], frozenset[Routine]] = {}
        self._wanted_behind: set[BehindName] = set()
        self._wanted_relations: set[tuple[str | None, str]] = set()
        self._wanted_routines: set[tuple[str | None, str]] = set()
        self._wanted_schemas: set[SchemaOf] = set()

    def wanted(self) -> CatalogNames:
        """Names that the catalog view must learn before this analysis can be made."""
        return CatalogNames(
            frozenset(self._wanted_relations),
            frozenset(self._wanted_routines),
            schemas=frozenset(self._wanted_schemas),
            behind=frozenset(self._wanted_behind),
        )

    def basis(self) -> CatalogBasis:
        """What the catalog has answered so far."""
        return CatalogBasis(
            dict(self._asked_relations), dict(self._asked_routines), dict(self._asked_schemas), dict(self._asked_behind)
        )

    def build_on(self, basis: CatalogBasis) -> None:
        """What was analysed before, and is run now, counts with what it was made from."""
        self._asked_relations.update(basis.relations)
        self._asked_routines.update(basis.routines)
        self._asked_schemas.update(basis.schemas)
        self._asked_behind.update(basis.behind)

    def relation(self, schema: str | None, name: str) -> Relation | None:
        """The relation that a name means, or None when it has none or when that cannot be told."""
        schema = named = schema or self.default_schema
        if not self.trusts_catalog or (schema is None and self.path is None):
            return None
        if schema == "pg_temp":
            schema = self.temporary_schema()
        if (schema is None and named) or (
            schema is not None and temporary(schema) and schema != self.temporary_schema()
        ):
            # Another session's, or one that is not known.
            return None
        for place in self._places(schema):
            found = self.catalog.relation(place, name, ())
            if found is Lookup.NOT_CACHED:
                self._wanted_relations.add((self._asked_in(schema, place), name))
                return None
            self._asked_relations[place, name] = found if isinstance(found, Relation) else None
            if isinstance(found, Relation):
                return found
        return None

    def routine(self, schema: str | None, name: str) -> Routine | Lookup:
        """The functions that a name means; NOT_CACHED when that cannot be told now."""
        schema = schema or self.default_schema
        if not self.trusts_catalog or (schema is None and self.path is None) or schema == "pg_temp":
            return Lookup.NOT_CACHED
        answer: list[Routine] = []
        for place in self._places(schema):
            if temporary(place):
                continue
            found = self.catalog.routine(place, name, ())
            if found is Lookup.NOT_CACHED:
                self._wanted_routines.add((self._asked_in(schema, place), name))
                return found
            self._asked_routines[place, name] = found if isinstance(found, Routine) else None
            if isinstance(found, Routine):
                answer.append(found)
        return folded(answer) if answer else Lookup.NOT_FOUND

    def behind(self, kind: Behind, schema: str | None, name: str) -> tuple[Routine, ...] | None:
        """The users' functions that an operator or a type of this name may run; None when that cannot be told now."""
        schema = schema or self.default_schema
        if not self.trusts_catalog or (schema is None and self.path is None) or (schema or "").startswith("pg_temp"):
            return None
        answer: tuple[Routine, ...] = ()
        for place in self._places(schema):
            if kind is Behind.OPERATOR and temporary(place):
                continue
            found = self.catalog.behind(kind, place, name, ())
            if isinstance(found, Lookup):
                self._wanted_behind.add((kind, self._asked_in(schema, place), name))
                return None
            self._asked_behind[kind, place, name] = frozenset(found)
            answer += found
        return answer

    def _places(self, schema: str | None) -> tuple[str, ...]:
        """Where to look: a schema that is named, or those of the path that the current role may use (namespace.c)."""
        if schema is not None:
            return (schema,)
        places = [place for place in self.path or () if place != "pg_temp" and (temporary(place) or self._uses(place))]
        # Without USAGE on it the server puts pg_catalog in front, wherever the path has it: then nothing is known.
        return tuple(places) if "pg_catalog" in places else ()

    def _asked_in(self, schema: str | None, place: str) -> str | None:
        """The schema that a name is looked up in: None lets the whole path of the session be asked at once."""
        return schema if schema is not None or self.path == self.context.path else place

    def _uses(self, schema: str) -> bool:
        """Whether the server looks for unqualified names in this schema. One that is not known yet is asked for, and counts until then."""
        found = self.catalog.schema(schema, self.context.role)
        if isinstance(found, Lookup):
            self._wanted_schemas.add((self.context.role, schema))
            return True
        self._asked_schemas[self.context.role, schema] = found
        return found

    def temporary_schema(self) -> str | None:
        """What `pg_temp` means in this session, when it has temporary objects already."""
        for schema in self.path or ():
            if schema.startswith("pg_temp_"):
                return schema
        return None

    def creation_schema(self) -> str:
        """Where an unqualified name is created: the first schema of the path that can be used (PostgreSQL 17 §5.10.3).

        Empty when that is not known. A schema that this very text may have made or dropped counts as one that exists.
        """
        for schema in self.path or ():
            if schema == "pg_catalog" or schema.startswith("pg_temp"):
                continue
            if not self.trusts_catalog or self._uses(schema):
                return schema
        return ""

    def after(self, changes: frozenset[SessionChange], *, moves_path: bool) -> None:
        """A statement with these changes stands before the next one: forget what it may have changed."""
        if changes & _FORGETS_CATALOG:
            self.trusts_catalog = False
        if moves_path or SessionChange.OPAQUE in changes:
            self.path = None

    def follow_path(self, schemas: tuple[str, ...]) -> None:
        """A literal `SET search_path` stands before the next statement."""
        own = self.temporary_schema()
        implied: list[str] = []
        if own is not None and "pg_temp" not in schemas:
            implied.append(own)
        if "pg_catalog" not in schemas:
            implied.append("pg_catalog")
        named = [own if schema == "pg_temp" else schema for schema in schemas]
        self.path = (*implied, *(schema for schema in named if schema is not None))
