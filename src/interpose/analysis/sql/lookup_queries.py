"""The SQL with which the gateway reads an upstream's catalog over its own connection, and the reading of the rows.

Pure text in, rows of text in, values out; works on PostgreSQL 14 to 18. Every query is one simple query message of several
statements: the first pins what the answer depends on (an empty search path makes `pg_get_viewdef` qualify every name).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from interpose.analysis.sql.catalog import folded
from interpose.model.catalog import Behind, CatalogColumn, CatalogNames, CatalogPage, Relation, Routine, SchemaOf

Row = Sequence[str | None]

_PINNED = "SET search_path = ''; SET client_encoding = 'UTF8'; SET statement_timeout = '10s'; SET lock_timeout = '2s'; "

_KINDS = {
    "r": "table",
    "p": "partitioned",
    "v": "view",
    "m": "matview",
    "f": "foreign",
    "S": "sequence",
    "i": "index",
    "I": "index",
    "c": "composite",
    "t": "table",
}
"""`pg_class.relkind` in our words."""

_MARK = """\
hashtextextended(concat_ws(' ', CASE WHEN c.relpersistence <> 't' THEN c.xmin END, n.xmin,
 (SELECT string_agg(a.attnum || ':' || a.xmin, ',' ORDER BY a.attnum) FROM pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0),
 (SELECT string_agg(r.oid || ':' || r.xmin, ',' ORDER BY r.oid) FROM pg_rewrite r WHERE r.ev_class = c.oid),
 (SELECT string_agg(i.inhrelid || ':' || i.inhparent || ':' || i.xmin, ',' ORDER BY i.inhrelid, i.inhparent)
  FROM pg_inherits i WHERE i.inhrelid = c.oid OR i.inhparent = c.oid),
 CASE WHEN c.relkind IN ('v', 'm') THEN
  (SELECT string_agg(rc.oid || ':' || rc.xmin || ':' || rn.xmin || ':' ||
    (SELECT coalesce(string_agg(ra.attnum || ':' || ra.xmin, ',' ORDER BY ra.attnum), '') FROM pg_attribute ra
     WHERE ra.attrelid = rc.oid AND ra.attnum > 0), ',' ORDER BY rc.oid)
   FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace WHERE rc.oid IN
    (SELECT d.refobjid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
     WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND r.ev_class = c.oid)) END), 0)::text"""
"""Of a relation: which transactions have last written the rows that it was read from, and for a view the rows of what it reads.

A view's definition names what it reads by today's names, so those may change without any row of the view itself. The row of a
temporary relation itself is left out, since TRUNCATE writes it: nothing is read from it that is not compared anyway.
"""

_DEFINITION = "CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END"

_COMPUTED_FROM = """\
CASE WHEN a.attgenerated = '' THEN 'false'::json ELSE (
   SELECT coalesce(json_agg(DISTINCT ra.attname), '[]') FROM pg_depend d
   JOIN pg_attribute ra ON ra.attrelid = d.refobjid AND ra.attnum = d.refobjsubid
   WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid > 0 AND d.refobjsubid <> a.attnum
    AND (d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = a.attnum
     OR d.classid = 'pg_attrdef'::regclass AND d.objid IN
      (SELECT ad.oid FROM pg_attrdef ad WHERE ad.adrelid = c.oid AND ad.adnum = a.attnum))) END"""
"""What a generated column is computed from. PostgreSQL 14 notes it at the column, later ones at its expression."""

_RELATIONS = f"""\
SELECT 'relation', c.oid::text, n.nspname, c.relname, c.relkind::text, c.relpersistence::text,
 (SELECT json_agg(json_build_array(a.attname, a.attnum, {_COMPUTED_FROM}, CASE t.typtype WHEN 'd' THEN (
   WITH RECURSIVE below AS (SELECT t.typbasetype AS type, t.typtypmod AS modifier
    UNION ALL SELECT d.typbasetype, d.typtypmod FROM below JOIN pg_type d ON d.oid = below.type WHERE d.typtype = 'd')
   SELECT json_build_array(below.type::bigint, below.modifier)
   FROM below JOIN pg_type d ON d.oid = below.type WHERE d.typtype <> 'd')
   ELSE json_build_array(a.atttypid::bigint, a.atttypmod) END) ORDER BY a.attnum)
  FROM pg_attribute a LEFT JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text,
 {_DEFINITION},
 (SELECT json_agg(json_build_array(pn.nspname, pc.relname) ORDER BY i.inhseqno)
  FROM pg_inherits i JOIN pg_class pc ON pc.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = pc.relnamespace
  WHERE i.inhrelid = c.oid)::text,
 {_MARK},
 EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1')::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE """  # noqa: S608 -- constants

_ROUTINE = """\
pn.nspname, p.proname, p.prokind::text, p.provolatile::text, p.prosecdef::text, l.lanname,
 (p.oid < 16384 AND pn.nspname IN ('pg_catalog', 'information_schema'))::text,
 (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'),
 concat_ws(':', p.oid, p.xmin, pn.xmin)
FROM pg_proc p JOIN pg_namespace pn ON pn.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang """
"""The columns of a function, and where they come from."""

_BEHIND = {
    Behind.OPERATOR: (
        "o.oprname",
        "JOIN pg_operator o ON o.oprcode = p.oid JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid >= 16384 AND ",
    ),
    Behind.CAST: (
        "t.typname",
        """JOIN pg_cast k ON k.castfunc = p.oid
 JOIN pg_type t ON k.casttarget IN (t.oid, t.typbasetype) OR t.oid >= 16384 AND k.castsource IN (t.oid, t.typbasetype)
 JOIN pg_namespace n ON n.oid = t.typnamespace WHERE k.oid >= 16384 AND """,
    ),
}
"""Which functions stand behind names of this kind: the column with the name, and the joins. PostgreSQL's own are left out."""

FINGERPRINT = (
    _PINNED  # noqa: S608 -- constants
    + """\
WITH temporary AS (SELECT oid FROM pg_class WHERE relpersistence = 't'),
marks AS (
 SELECT oid::text || xmin::text AS mark FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't' AND relkind <> 't'
 UNION ALL SELECT 'a' || attrelid::text || attnum::text || xmin::text FROM pg_attribute
  WHERE attrelid >= 16384 AND attnum > 0 AND attrelid NOT IN (SELECT oid FROM temporary)
 UNION ALL SELECT 'w' || oid::text || xmin::text FROM pg_rewrite
  WHERE oid >= 16384 AND ev_class NOT IN (SELECT oid FROM temporary)
 UNION ALL SELECT 'p' || oid::text || xmin::text FROM pg_proc WHERE oid >= 16384
 UNION ALL SELECT 'o' || oid::text || xmin::text FROM pg_operator WHERE oid >= 16384
 UNION ALL SELECT 'c' || oid::text || xmin::text FROM pg_cast WHERE oid >= 16384
 UNION ALL SELECT 'n' || oid::text || xmin::text || coalesce(has_schema_privilege(oid, 'USAGE')::text, '')
  FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
 UNION ALL SELECT 'm' || roleid::text || member::text || xmin::text FROM pg_auth_members
 UNION ALL SELECT 'i' || inhrelid::text || inhparent::text || xmin::text FROM pg_inherits
)
SELECT count(*)::text || ':' || coalesce(sum(hashtextextended(mark, 0)::numeric), 0)::text FROM marks"""
)
"""One row with one text that changes when anybody changes a relation, column, view, function, operator, cast, schema or inheritance,
or who may use a schema."""


def lookup_query(names: CatalogNames, path: tuple[str, ...]) -> str:
    """The text that asks for these names; unqualified ones in every schema of `path`."""
    parts: list[str] = []
    relations = _condition("n.nspname", "c.relname", names.relations, path)
    if names.oids:
        oids = ", ".join(str(int(oid)) for oid in sorted(names.oids))
        relations = f"{relations} OR c.oid IN ({oids})" if relations else f"c.oid IN ({oids})"
    if relations:
        parts.append(
            f"{_RELATIONS}c.oid IN ({_with_what_views_read(relations)})"
            if names.definitions
            else _RELATIONS.replace(_DEFINITION, "NULL") + relations
        )
    routines = _condition("pn.nspname", "p.proname", names.routines, path)
    if routines:
        parts.append(f"SELECT 'routine', {_ROUTINE}WHERE {routines}")
    for kind, (column, joins) in _BEHIND.items():
        asked = frozenset((schema, name) for each, schema, name in names.behind if each is kind)
        condition = _condition("n.nspname", column, asked, path)
        if condition:
            parts.append(f"SELECT 'behind', '{kind.value}', n.nspname, {column}, {_ROUTINE}{joins}({condition})")
    for role in sorted({role for role, _ in names.schemas}):
        wanted = ", ".join(_literal(schema) for asked, schema in sorted(names.schemas) if asked == role)
        parts.append(_usable(role, wanted))
    return _PINNED + "; ".join(parts)


def read_page(asked: CatalogNames, path: tuple[str, ...], rows: Iterable[Row]) -> CatalogPage:
    """The rows of `lookup_query`'s results, all of them, as a page; raises `ValueError` for a row of another shape."""
    relations: list[Relation] = []
    routines: dict[tuple[str, str], Routine] = {}
    schemas: set[SchemaOf] = set()
    behind: list[tuple[Behind, str, str, Routine]] = []
    for row in rows:
        match row:
            case ["schema", str(role), str(name)]:
                schemas.add((role, name))
            case [
                "relation",
                str(oid),
                str(schema),
                str(name),
                str(kind),
                str(persistence),
                columns,
                definition,
                parents,
                str(mark),
                ruled,
            ]:
                made = _relation(oid, schema, name, kind, persistence, columns, definition, parents, mark)
                relations.append(replace(made, ruled=ruled == "true"))
            case ["routine", *rest]:
                overload = _routine(rest)
                key = (overload.schema, overload.name)
                routines[key] = folded([routines[key], overload]) if key in routines else overload
            case ["behind", str(kind), str(schema), str(name), *rest]:
                behind.append((Behind(kind), schema, name, _routine(rest)))
            case _:
                raise ValueError("an answer about the catalog is not understood")
    return CatalogPage(
        asked, path, tuple(relations), tuple(routines.values()), frozenset(schemas), behind=tuple(behind)
    )


def _routine(row: Row) -> Routine:
    match row:
        case [
            str(schema),
            str(name),
            str(kind),
            str(volatility),
            definer,
            str(language),
            builtin,
            extension,
            str(mark),
        ]:
            return Routine(
                schema,
                name,
                frozenset({kind}),
                volatility,
                definer == "true",
                frozenset({language}),
                builtin == "true",
                extension,
                frozenset({mark}),
            )
        case _:
            raise ValueError("an answer about a function is not understood")


def _relation(
    oid: str,
    schema: str,
    name: str,
    kind: str,
    persistence: str,
    columns: str | None,
    definition: str | None,
    parents: str | None,
    mark: str,
) -> Relation:
    try:
        listed = tuple(map(_column, json.loads(columns) if columns else []))
        above = tuple((str(parent), str(place)) for parent, place in (json.loads(parents) if parents else []))
    except TypeError as error:
        raise ValueError("an answer about a relation is not understood") from error
    return Relation(
        int(oid),
        schema,
        name,
        _KINDS.get(kind, "unknown"),
        listed,
        definition,
        above,
        persistence == "t",
        mark,
    )


def _column(entry: tuple[str, int, bool | list[str], tuple[int, int]]) -> CatalogColumn:
    name, number, computed, (type_oid, modifier) = entry
    sources = tuple(map(str, computed)) if isinstance(computed, list) else ()
    return CatalogColumn(str(name), int(number), int(type_oid), computed is not False, int(modifier), sources)


def _with_what_views_read(relations: str) -> str:
    """The oids of these relations, of what the views among them read, and so on down: one answer for views on views on views."""
    return f"""WITH RECURSIVE found AS (
 SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {relations}
 UNION SELECT d.refobjid FROM found f JOIN pg_rewrite r ON r.ev_class = f.oid JOIN pg_depend d ON d.objid = r.oid
 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass)
SELECT oid FROM found"""  # noqa: S608 -- built of literals


def _usable(role: str, wanted: str) -> str:
    """Asks which of the schemas `wanted` a role has USAGE on. One that does not exist has none."""
    if not role:
        return f"SELECT 'schema', '', nspname FROM pg_namespace WHERE nspname IN ({wanted}) AND has_schema_privilege(oid, 'USAGE')"  # noqa: S608 -- literals
    return (
        f"SELECT 'schema', r.rolname, n.nspname FROM pg_namespace n, pg_roles r WHERE r.rolname = {_literal(role)} "  # noqa: S608 -- literals
        f"AND n.nspname IN ({wanted}) AND has_schema_privilege(r.oid, n.oid, 'USAGE')"
    )


def _condition(
    schema_column: str, name_column: str, names: frozenset[tuple[str | None, str]], path: tuple[str, ...]
) -> str:
    by_schema: dict[str, set[str]] = {}
    for schema, name in names:
        for candidate in (schema,) if schema is not None else path:
            by_schema.setdefault(candidate, set()).add(name)
    return " OR ".join(
        f"({schema_column} = {_literal(schema)} AND {name_column} IN ({', '.join(map(_literal, sorted(found)))}))"
        for schema, found in sorted(by_schema.items())
    )


def _literal(text: str) -> str:
    """A text as an SQL literal. INVARIANT: `standard_conforming_strings` is on at the gateway's own connection (pinned at dial)."""
    return "'" + text.replace("'", "''") + "'"
