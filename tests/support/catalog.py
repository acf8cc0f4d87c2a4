"""A small shop as a catalog view that answers from memory, and short words for effects: for tests of analysis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interpose.analysis.sql import PostgresAnalyst
from interpose.analysis.sql.reviewed import REVIEWED, builtin
from interpose.model.analysis import Analysis, Effect, NeedsCatalog, Unanalysable
from interpose.model.catalog import Behind, CatalogColumn, Lookup, Relation, Routine
from interpose.model.command import Command, CommandKind, SqlContext
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    DatabaseResource,
    FunctionResource,
    ObjectResource,
    Resource,
    RoleResource,
    SchemaResource,
    SettingResource,
    TableResource,
)

PATH: Final = ("pg_temp", "pg_catalog", "app", "public")


def relation(
    oid: int,
    name: str,
    columns: str,
    kind: str = "table",
    schema: str = "public",
    definition: str | None = None,
    parents: tuple[tuple[str, str], ...] = (),
) -> Relation:
    """A relation from the names of its columns; `c=a,b` is a generated column that is computed from `a` and `b`."""
    named = [column.partition("=") for column in columns.split()]
    listed = tuple(
        CatalogColumn(column, number, 25, bool(behind), -1, tuple(filter(None, behind.split(","))))
        for number, (column, _, behind) in enumerate(named, 1)
    )
    return Relation(oid, schema, name, kind, listed, definition, parents, ruled=name.startswith("ruled"))


RELATIONS: Final = {
    (each.schema, each.name): each
    for each in (
        relation(1, "customers", "id name email phone ssn card note", "partitioned"),
        relation(2, "customers_2024", "id name email phone ssn card note", parents=(("public", "customers"),)),
        relation(3, "orders", "id customer_id total status note"),
        relation(4, "payments", "id order_id card amount"),
        relation(5, "orders_id_seq", "last_value log_cnt is_called", "sequence"),
        relation(
            6,
            "customer_view",
            "id name contact tail",
            "view",
            definition=" SELECT c.id,\n    c.name,\n    c.email AS contact,\n    right(c.ssn, 4) AS tail\n"
            "   FROM public.customers c\n  WHERE c.card IS NOT NULL;",
        ),
        relation(
            7,
            "nested_view",
            "name contact",
            "view",
            definition=" SELECT v.name,\n    v.contact\n   FROM public.customer_view v;",
        ),
        relation(8, "loop_view", "a", "view", definition=" SELECT loop_view.a FROM public.loop_view;"),
        relation(9, "sealed_view", "a", "view"),
        relation(10, "totals", "customer_id total", "matview", definition=" SELECT 1 AS customer_id, 2 AS total;"),
        relation(11, "customers", "id nickname", schema="app"),
        relation(12, "log", "id message", schema="app"),
        relation(13, "Mixed Case", "Id ssn"),
        relation(14, "pg_class", "oid relname relnamespace relkind reloptions relpartbound", schema="pg_catalog"),
        relation(15, "pg_namespace", "oid nspname", schema="pg_catalog"),
        relation(16, "pg_stats", "schemaname tablename attname most_common_vals", "view", schema="pg_catalog"),
        relation(17, "pg_stat_activity", "pid usename query", "view", schema="pg_catalog"),
        relation(18, "pg_largeobject", "loid pageno data", schema="pg_catalog"),
        relation(19, "remote", "id secret", "foreign"),
        relation(20, "writing_view", "n", "view", definition=" SELECT nextval('public.orders_id_seq'::regclass) AS n;"),
        relation(23, "helped_view", "t", "view", definition=" SELECT public.tidy(o.id) AS t FROM public.orders o;"),
        relation(24, "touching_view", "t", "view", definition=" SELECT public.touch() AS t;"),
        relation(28, "ruled_table", "id ssn"),
        relation(25, "badges", "id ssn label=id,ssn", "partitioned"),
        relation(26, "badges_1", "id ssn label=id,ssn", parents=(("public", "badges"),)),
        relation(27, "pg_settings", "name setting", "view", schema="pg_catalog"),
        relation(22, "constant_view", "column1", "view", definition=" VALUES (1);"),
        relation(21, "x" * 63, "id"),
    )
}


def routine(name: str, volatility: str, language: str, schema: str = "public", **more: str) -> Routine:
    """A function of a user, or of an extension."""
    return Routine(
        schema,
        name,
        frozenset({more.get("kind", "f")}),
        volatility,
        False,
        frozenset({language}),
        schema == "pg_catalog",
        more.get("extension"),
    )


def _builtins() -> Iterator[Routine]:
    """PostgreSQL's own functions, as they were reviewed."""
    for name in REVIEWED:
        found = builtin(name)
        assert isinstance(found, Routine)
        yield found


ROUTINES: Final = {
    (each.schema, each.name): each
    for each in (
        *_builtins(),
        routine("made_up_in_version_19", "i", "internal", "pg_catalog"),
        routine("touch", "v", "plpgsql"),
        routine("tidy", "i", "sql"),
        routine("get_rows", "s", "plpgsql"),
        routine("close_month", "v", "plpgsql", kind="p"),
        routine("digest", "i", "c", extension="pgcrypto"),
        routine("set_limit", "v", "c", extension="pg_trgm"),
        routine("dblink", "v", "c", extension="dblink"),
        routine("crosstab", "s", "c", extension="tablefunc"),
        routine("shadowed", "v", "plpgsql"),
        routine("shadowed", "i", "internal", "pg_catalog"),
    )
}


BEHIND: Final = {
    (Behind.OPERATOR, "public", "@@@"): (routine("leak", "i", "sql"),),
    (Behind.OPERATOR, "public", "%%"): (routine("similarity_op", "s", "c", extension="pg_trgm"),),
    (Behind.OPERATOR, "public", "/~"): (routine("pg_read_file", "v", "internal", "pg_catalog"),),
    (Behind.CAST, "public", "leaky"): (routine("to_leaky", "s", "plpgsql"),),
}


class ShopCatalog:
    """A `CatalogView` of the shop. Names in `unasked` are not cached yet."""

    def __init__(self, unasked: frozenset[str] = frozenset()) -> None:
        """Knows everything but what is `unasked`."""
        self.version = 7
        self.unasked = unasked

    def relation(self, schema: str | None, name: str, path: tuple[str, ...]) -> Relation | Lookup:
        """The relation in its schema, or the first in the path."""
        if name in self.unasked:
            return Lookup.NOT_CACHED
        for candidate in (schema,) if schema is not None else path:
            found = RELATIONS.get((candidate, name))
            if found is not None:
                return found
        return Lookup.NOT_FOUND

    def relation_by_oid(self, oid: int) -> Relation | Lookup:
        """The relation with this oid."""
        return next((each for each in RELATIONS.values() if each.oid == oid), Lookup.NOT_FOUND)

    def routine(self, schema: str | None, name: str, path: tuple[str, ...]) -> Routine | Lookup:
        """The functions of this name; a user's before a built-in one."""
        if name in self.unasked:
            return Lookup.NOT_CACHED
        places = (schema,) if schema is not None else path
        found = [each for place in places if (each := ROUTINES.get((place or "", name)))]
        return next((each for each in found if not each.builtin), found[0]) if found else Lookup.NOT_FOUND

    def behind(
        self, kind: Behind, schema: str | None, name: str, path: tuple[str, ...]
    ) -> tuple[Routine, ...] | Lookup:
        """The users' functions behind an operator or a type."""
        if name in self.unasked:
            return Lookup.NOT_CACHED
        places = (schema,) if schema is not None else path
        return tuple(found for place in places for found in BEHIND.get((kind, place or "", name), ()))

    def schema(self, name: str, role: str = "") -> bool | Lookup:
        """Every schema exists."""
        return True


def answer(text: str, context: SqlContext | None = None) -> Analysis | NeedsCatalog | Unanalysable:
    """What the analyst says of a text in the shop."""
    return PostgresAnalyst().analyse(Command(CommandKind.QUERY, text, context or SqlContext(PATH, 17)), ShopCatalog())


def analysed(text: str, context: SqlContext | None = None) -> Analysis:
    """The analysis of a text that has one."""
    found = answer(text, context)
    assert isinstance(found, Analysis), found
    return found


def word(resource: Resource) -> str:
    """A resource in one word or two: `public.orders`, `public.orders.id`, `function public.f`, `setting x`."""
    match resource:
        case TableResource():
            name = f"{resource.schema}.{resource.name}".lstrip(".")
            return name if resource.kind == "table" else f"{name}:{resource.kind}"
        case ColumnResource():
            return f"{resource.schema}.{resource.table}.{resource.name}"
        case FunctionResource():
            return f"function {resource.schema}.{resource.name}".replace(" .", " ")
        case SettingResource():
            return f"setting {resource.name}"
        case RoleResource():
            return f"role {resource.name}"
        case SchemaResource():
            return f"schema {resource.name}"
        case DatabaseResource():
            return f"database {resource.name}"
        case ObjectResource():
            return f"{resource.kind} {resource.schema}.{resource.name}".replace(" .", " ").rstrip()
        case ConnectionResource():
            return "connection"


def effect_words(effect: Effect) -> str:
    """An effect as `action resource`."""
    return f"{effect.action.value} {word(effect.resource)}"
