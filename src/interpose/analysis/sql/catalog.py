"""What has been learned of one PostgreSQL's catalog: names resolved as PostgreSQL resolves them, from memory only.

Knows pages of answers (`CatalogPage`), not how they were asked for. Bounded: when it holds too much it forgets everything.
"""

from __future__ import annotations

from interpose.model.catalog import Behind, CatalogPage, Lookup, Relation, Routine, SchemaOf

_Key = tuple[str, str]


class CatalogCache:
    """The `CatalogView` of one connection.

    `pg_temp` belongs to whoever says it: in a path it is passed over, and a name qualified with it is not found. Under its real name
    (`pg_temp_3`) a temporary schema is one like others for relations and types; functions and operators are not looked for in it.
    """

    def __init__(self, capacity: int = 50_000) -> None:
        """`capacity` is how many names are remembered, absent ones included."""
        self._capacity = capacity
        self._version = 1
        self._relations: dict[_Key, Relation | Lookup] = {}
        self._oids: dict[int, Relation | Lookup] = {}
        self._routines: dict[_Key, Routine | Lookup] = {}
        self._schemas: dict[SchemaOf, bool] = {}
        self._behind: dict[tuple[Behind, str, str], tuple[Routine, ...]] = {}

    @property
    def version(self) -> int:
        """Grows whenever anything that was answered before may have changed."""
        return self._version

    def relation(self, schema: str | None, name: str, path: tuple[str, ...]) -> Relation | Lookup:
        """The relation that this name means: in `schema`, or in the first schema of `path` that has it."""
        if schema is not None:
            if schema == "pg_temp":
                return Lookup.NOT_FOUND
            return self._relations.get((schema, name), Lookup.NOT_CACHED)
        for candidate in path:
            if candidate != "pg_temp":
                found = self._relations.get((candidate, name), Lookup.NOT_CACHED)
                if found is not Lookup.NOT_FOUND:
                    return found
        return Lookup.NOT_FOUND

    def relation_by_oid(self, oid: int) -> Relation | Lookup:
        """The relation with this oid."""
        return self._oids.get(oid, Lookup.NOT_CACHED)

    def routine(self, schema: str | None, name: str, path: tuple[str, ...]) -> Routine | Lookup:
        """The functions that this name means, folded together when it is not qualified.

        Overloads in all schemas of the path compete by their argument types, so that `lower(x)` may mean a user's function
        behind `pg_catalog` (PostgreSQL 17 §10.3). A function is never looked for in a temporary schema (§9.1).
        """
        if schema is not None:
            if temporary(schema):
                return Lookup.NOT_FOUND
            return self._routines.get((schema, name), Lookup.NOT_CACHED)
        found: list[Routine] = []
        for candidate in path:
            if not temporary(candidate):
                routine = self._routines.get((candidate, name), Lookup.NOT_CACHED)
                if routine is Lookup.NOT_CACHED:
                    return routine
                if isinstance(routine, Routine):
                    found.append(routine)
        return folded(found) if found else Lookup.NOT_FOUND

    def behind(
        self, kind: Behind, schema: str | None, name: str, path: tuple[str, ...]
    ) -> tuple[Routine, ...] | Lookup:
        """The users' functions that this operator or type may run; of all schemas of the path, since the types decide which one is meant."""
        found: tuple[Routine, ...] = ()
        for candidate in (schema,) if schema is not None else path:
            if candidate != "pg_temp" and (kind is Behind.CAST or not temporary(candidate)):
                here = self._behind.get((kind, candidate, name))
                if here is None:
                    return Lookup.NOT_CACHED
                found += here
        return found

    def schema(self, name: str, role: str = "") -> bool | Lookup:
        """Whether a schema of this name exists and `role` may use it."""
        return self._schemas.get((role, name), Lookup.NOT_CACHED)

    def absorb(self, page: CatalogPage) -> None:
        """Keep an answer. What was asked and is not in it does not exist."""
        if len(self._relations) + len(self._routines) + len(self._oids) + len(self._behind) > self._capacity:
            self.forget()
        for key in _expanded(page.asked.relations, page.path):
            self._relations[key] = Lookup.NOT_FOUND
        for key in _expanded(page.asked.routines, page.path):
            self._routines[key] = Lookup.NOT_FOUND
        for oid in page.asked.oids:
            self._oids[oid] = Lookup.NOT_FOUND
        for use in page.asked.schemas:
            self._schemas[use] = use in page.schemas
        for relation in page.relations:
            self._relations[relation.schema, relation.name] = relation
            self._oids[relation.oid] = relation
        for routine in page.routines:
            self._routines[routine.schema, routine.name] = routine
        for kind in Behind:
            asked = frozenset((schema, name) for each, schema, name in page.asked.behind if each is kind)
            for schema, name in _expanded(asked, page.path):
                self._behind[kind, schema, name] = ()
        for kind, schema, name, routine in page.behind:
            self._behind[kind, schema, name] = (*self._behind.get((kind, schema, name), ()), routine)

    def forget(self) -> None:
        """Drop everything; the version grows."""
        self._version += 1
        self._relations.clear()
        self._oids.clear()
        self._routines.clear()
        self._schemas.clear()
        self._behind.clear()


_WORST = {"i": 0, "s": 1, "v": 2}


def folded(routines: list[Routine]) -> Routine:
    """Functions of one name as one, at their most dangerous: built in only if all are, and named by the first that is not.

    They are of an extension when all that are not built in are of it.
    """
    if len(routines) == 1:
        return routines[0]
    named = next((routine for routine in routines if not routine.builtin), routines[0])
    extensions = {routine.extension for routine in routines if not routine.builtin}
    return Routine(
        named.schema,
        named.name,
        frozenset().union(*(routine.kinds for routine in routines)),
        max((routine.volatility for routine in routines), key=lambda letter: _WORST.get(letter, 2)),
        any(routine.security_definer for routine in routines),
        frozenset().union(*(routine.languages for routine in routines)),
        named.builtin,
        named.extension if len(extensions) == 1 else None,
        frozenset().union(*(routine.marks for routine in routines)),
    )


def temporary(schema: str) -> bool:
    """Whether this is the name of a temporary schema."""
    return schema == "pg_temp" or schema.startswith("pg_temp_")


def _expanded(names: frozenset[tuple[str | None, str]], path: tuple[str, ...]) -> list[_Key]:
    keys: list[_Key] = []
    for schema, name in names:
        if schema is not None:
            keys.append((schema, name))
        else:
            keys += [(candidate, name) for candidate in path if candidate != "pg_temp"]
    return keys
