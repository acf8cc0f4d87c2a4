"""The SQL of a survey: every table with its columns, comments and foreign keys, and samples of values. And the reading of the rows.

Pure text in, rows of text in, values out; works on PostgreSQL 14 to 18. The session is made read-only before anything else is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from interpose.model.resources import ColumnResource
from interpose.model.survey import ColumnKind, Sample, SampleRequest, Survey, SurveyedColumn, SurveyedTable

Row = Sequence[str | None]

_PINNED: Final = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET default_transaction_read_only = on; SET search_path = ''; "
    "SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET lock_timeout = '2s'; "
)

_MAX_STORED: Final = 4 << 20
"""Bytes as stored (compressed) above which a value is not looked at: the server would have to unpack all of it."""

_KINDS: Final = {"r": "table", "p": "partitioned", "f": "foreign", "v": "view", "m": "matview"}

_MINE: Final = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

# A domain has the category of what it is over; its name is looked through once.
_TABLES: Final = """\
SELECT 'table', n.nspname, c.relname, c.relkind::text, c.reltuples::text, obj_description(c.oid, 'pg_class'),
 (SELECT json_agg(json_build_array(a.attname, coalesce(b.typname, t.typname), t.typcategory,
   coalesce(e.typcategory::text, ''), coalesce(e.typname::text, ''), format_type(a.atttypid, a.atttypmod), coalesce(col_description(c.oid, a.attnum), ''),
   has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')) ORDER BY a.attnum)
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
  LEFT JOIN pg_type e ON e.oid = coalesce(nullif(b.typelem, 0), t.typelem) AND t.typcategory = 'A'
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND (a.attislocal OR c.relkind IN ('v', 'm')))::text,
 (SELECT json_agg(DISTINCT jsonb_build_array(sn.nspname, s.relname, sa.attname))
  FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refobjsubid > 0
  JOIN pg_class s ON s.oid = d.refobjid JOIN pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_attribute sa ON sa.attrelid = s.oid AND sa.attnum = d.refobjsubid
  WHERE r.ev_class = c.oid AND s.oid <> c.oid AND c.relkind IN ('v', 'm'))::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND NOT c.relispartition AND """

_FOREIGN_KEYS: Final = """\
SELECT 'key', n.nspname, c.relname, a.attname, pn.nspname, pc.relname, pa.attname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class pc ON pc.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace,
 unnest(k.conkey, k.confkey) AS pair(child, parent)
JOIN pg_attribute a ON true JOIN pg_attribute pa ON true
WHERE k.contype = 'f' AND a.attrelid = c.oid AND a.attnum = pair.child AND pa.attrelid = pc.oid AND pa.attnum = pair.parent
 AND NOT c.relispartition AND NOT pc.relispartition ORDER BY 2, 3, 4, 5, 6, 7"""


def survey_query(schema: str | None) -> str:
    """The text that asks for every table, or for those of one schema; foreign keys are those of all schemas."""
    where = _MINE if schema is None else f"n.nspname = {_literal(schema)}"
    return f"{_PINNED}SET statement_timeout = '60s'; {_TABLES}{where} ORDER BY 2, 3; {_FOREIGN_KEYS}"


def read_survey(rows: Iterable[Row]) -> Survey:
    """The rows of `survey_query`'s results; raises `ValueError` for a row of another shape."""
    tables: list[SurveyedTable] = []
    joined: list[tuple[ColumnResource, ColumnResource]] = []
    for row in rows:
        match row:
            case ["table", str(schema), str(name), str(kind), str(estimate), comment, columns, reads]:
                listed = json.loads(columns) if columns else []
                read = json.loads(reads) if reads else []
                tables.append(
                    SurveyedTable(
                        schema,
                        name,
                        _KINDS[kind],
                        tuple(_column(each) for each in listed),
                        float(estimate),
                        comment or "",
                        frozenset(ColumnResource(str(s), str(t), str(c)) for s, t, c in read),
                    )
                )
            case ["key", str(schema), str(name), str(column), str(its_schema), str(its_name), str(its_column)]:
                joined.append((ColumnResource(schema, name, column), ColumnResource(its_schema, its_name, its_column)))
            case _:
                raise ValueError("an answer about the catalog is not understood")
    return Survey(tuple(tables), tuple(joined))


def _column(told: Sequence[object]) -> SurveyedColumn:
    name, type_name, category, element_category, element_name, written, comment, readable = told
    kind = _kind(str(type_name), str(category))
    if kind is ColumnKind.OTHER and category == "A":
        inner = _kind(str(element_name), str(element_category))
        kind = ColumnKind.TEXTS if inner in (ColumnKind.TEXT, ColumnKind.JSON) else ColumnKind.OTHER
    return SurveyedColumn(str(name), kind, str(written), str(comment), readable is True)


def _kind(type_name: str, category: str) -> ColumnKind:
    match type_name:
        case "json" | "jsonb":
            return ColumnKind.JSON
        case "bytea":
            return ColumnKind.BYTES
        case "hstore" | "xml" | "citext" | "ltree":
            return ColumnKind.TEXT
        case "bool":
            return ColumnKind.BOOL
        case "macaddr" | "macaddr8":
            return ColumnKind.NETWORK
        case "oid" | "regclass" | "regproc" | "money":
            return ColumnKind.OTHER
        case _:
            return {"S": ColumnKind.TEXT, "N": ColumnKind.NUMBER, "D": ColumnKind.TIME, "I": ColumnKind.NETWORK}.get(
                category, ColumnKind.OTHER
            )


def sample_query(request: SampleRequest) -> str:
    """The text that asks for a sample, in a read-only transaction with a timeout."""
    columns = ", ".join(_value(column, request.cell) for column in request.columns)
    table = f"{_identifier(request.table.schema)}.{_identifier(request.table.name)}"
    sampled = "" if request.percent is None else f" TABLESAMPLE SYSTEM ({request.percent:.6f}) REPEATABLE (0)"
    return (
        f"{_PINNED}SET statement_timeout = '10s'; "  # noqa: S608 -- identifiers are quoted
        f"SELECT {columns} FROM {table}{sampled} LIMIT {request.rows:d}"
    )


def _value(column: SurveyedColumn, cell: int) -> str:
    name = _identifier(column.name)
    text = (
        f"substr({name}, 1, {cell:d})::text"
        if column.kind is ColumnKind.BYTES
        else f"substr({name}::text, 1, {cell:d})"
    )
    return f"CASE WHEN pg_column_size({name}) <= {_MAX_STORED:d} THEN {text} END"


def read_sample(rows: Iterable[Row]) -> Sample:
    """The rows of `sample_query`'s result."""
    return Sample(tuple(tuple(row) for row in rows))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    """A text as an SQL literal. INVARIANT: `standard_conforming_strings` is on at the gateway's own connection (pinned at dial)."""
    return "'" + text.replace("'", "''") + "'"
