"""Masked values against a real server: it takes every one of them back as a value of the same type, in both formats."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import pq

from interpose.masking.cells import cell_mask
from interpose.masking.copy_lines import CSV_OPTIONS, CopyFormat, CopyOptions
from interpose.masking.copying import CopyStream
from interpose.masking.plan import build_plan
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.transforms import parse_transform
from interpose.masking.types import TYPES, Family
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape
from tests.support.database import Database

KEY = Pseudonyms(b"k" * 32)
TRANSFORMS = (
    "null", "redact", "fixed", "fixed:7", "fixed:t", "fixed:2001-02-03", "hash", "first:2", "last4", "last:1",
    "partial-email", "partial-phone", "partial-card", "partial-name", "date-year", "date-month",
)  # fmt: skip

SAMPLES: dict[str, tuple[str, ...]] = {
    "bool": ("true", "false"),
    "bytea": (r"'\x00ff41'", "''"),
    '"char"': ("'x'",),
    "name": ("'ada@example.com'", "repeat('ä', 31)"),
    "int8": ("'-9223372036854775808'", "9223372036854775807", "1234567890123"),
    "int2": ("'-32768'", "32767"),
    "int4": ("'-2147483648'", "2147483647", "12345678"),
    "text": ("'ada@example.com'", "'Ada Lovelace'", "'+49 170 1234567'", "'4111111111111111'", "'1985-07-21'", "''", "E'a\\tb\\nc\\\\d\"'"),
    "oid": ("4294967295",),
    "xid": ("'7'",),
    "cid": ("'7'",),
    "json": ("""'{"a": [1, "x"]}'""", """'"Ada Lovelace"'""", """'"\\u00e4\\ud800"'"""),
    "xml": ("'<a>x</a>'",),
    "point": ("'(1,2)'",),
    "cidr": ("'10.0.0.0/8'", "'2001:db8::/32'"),
    "float4": ("1.5", "'NaN'", "'-Infinity'"),
    "float8": ("1e300", "'NaN'"),
    "macaddr8": ("'08:00:2b:01:02:03:04:05'",),
    "money": ("12.34",),
    "macaddr": ("'08:00:2b:01:02:03'",),
    "inet": ("'10.1.2.3'", "'2001:db8::1'"),
    "bpchar": ("'ada'",),
    "varchar": ("'ada'",),
    "date": ("'1985-07-21'", "'0044-03-15 BC'", "'infinity'", "'5874897-12-31'", "'4714-11-24 BC'", "'4712-01-01 BC'"),
    "time": ("'10:20:30.5'",),
    "timestamp": ("'1985-07-21 10:20:30.5'", "'infinity'", "'4714-11-24 BC'", "'294276-12-31 23:59:59'"),
    "timestamptz": ("'1985-07-21 10:20:30.5+03:30'", "'-infinity'", "'0001-01-01 BC'", "'294276-12-31 23:59:59+00'"),
    "interval": ("'1 year 2 days'",),
    "timetz": ("'10:20:30+02'",),
    "bit": ("B'1'",),
    "varbit": ("B'1011'",),
    "numeric": ("0", "-12345.678", "1e-10", "123456789012345678901234567890.5", "'NaN'", "12345678"),
    "uuid": ("'550e8400-e29b-41d4-a716-446655440000'",),
    "pg_lsn": ("'16/B374D848'",),
    "tsvector": ("'a:1 b:2'",),
    "tsquery": ("'a & b'",),
    "jsonb": ("""'{"a": [1, "x"]}'""", """'"ada@example.com"'"""),
    "xid8": ("'7'",),
    "int4range": ("'[1,5)'",),
    "numrange": ("'[1.5,)'",),
    "tsrange": ("'[2001-01-01,2002-01-01)'",),
    "tstzrange": ("'empty'",),
    "daterange": ("'[2001-01-01,)'",),
    "int8range": ("'(,)'",),
    "int4multirange": ("'{[1,5)}'",),
    "nummultirange": ("'{[1,5)}'",),
    "tsmultirange": ("'{}'",),
    "tstzmultirange": ("'{}'",),
    "datemultirange": ("'{[2001-01-01,)}'",),
    "int8multirange": ("'{[1,5)}'",),
}  # fmt: skip


@pytest.fixture
def connection(fresh_database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(fresh_database.dsn(), autocommit=True) as opened:
        yield opened


def one(connection: psycopg.Connection, sql: str, wire_format: int) -> tuple[bytes | None, int, int]:
    """The one value, its type and its type modifier, as the server sent them."""
    result = connection.pgconn.exec_params(sql.encode(), None, result_format=wire_format)
    assert result.status == pq.ExecStatus.TUPLES_OK, (sql, result.error_message)
    return result.get_value(0, 0), result.ftype(0), result.fmod(0)


def taken_back(connection: psycopg.Connection, oid: int, name: str, value: bytes, wire_format: int) -> bytes | None:
    """What the server reads in these bytes, as text; fails when it refuses them."""
    result = connection.pgconn.exec_params(
        f"SELECT ($1::{name})::text".encode(), [value], param_types=[oid], param_formats=[wire_format]
    )
    assert result.status == pq.ExecStatus.TUPLES_OK, (name, wire_format, value, result.error_message)
    return result.get_value(0, 0)


def test_the_table_of_types_is_the_servers(connection: psycopg.Connection) -> None:
    rows = connection.execute("SELECT oid::int, typname::text, typarray::int, typlen::int FROM pg_type").fetchall()
    server = {oid: (name, array, length) for oid, name, array, length in rows}
    for oid, known in TYPES.items():
        if known.element is not None or oid not in server:
            continue
        name, array, length = server[oid]
        assert known.name.strip('"') == name
        assert known.size in (0, length)
        if array:
            assert TYPES[array].element == known


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("wire_format", [0, 1])
def test_every_masked_value_is_a_value_of_its_type(connection: psycopg.Connection, name: str, wire_format: int) -> None:
    samples = [f"{sample}::{name}" for sample in SAMPLES[name]]
    if name not in ("xid", "cid", "cidr"):
        samples.append(f"ARRAY[[{SAMPLES[name][0]}, NULL]]::{name}[]")
    for sample in samples:
        value, oid, modifier = one(connection, f"SELECT {sample}", wire_format)
        assert value is not None
        written = f"{name}[]" if sample.endswith("[]") else name
        for transform in TRANSFORMS:
            masked = cell_mask(parse_transform(transform), oid, modifier, wire_format, KEY)(value)
            if transform == "null" and not sample.endswith("[]"):
                assert masked is None
            elif masked is not None:
                taken_back(connection, oid, written, masked, wire_format)
            else:
                assert TYPES[oid].family is Family.BIT or transform == "null"


@pytest.mark.parametrize(
    "declared", ["varchar(5)", "char(4)", "char(30)", "numeric(5,2)", "numeric(3,3)", "bit(11)", "varbit(3)"]
)
def test_masked_values_fit_the_length_of_their_column(connection: psycopg.Connection, declared: str) -> None:
    connection.execute(f"CREATE TABLE narrow (v {declared})")
    literal = {"b": "'1'", "v": "'1'", "c": "'ada'", "n": "0.5"}[declared[0]]
    connection.execute(f"INSERT INTO narrow VALUES ({literal}::{declared})")
    for wire_format in (0, 1):
        value, oid, modifier = one(connection, "SELECT v FROM narrow", wire_format)
        assert value is not None
        for transform in TRANSFORMS:
            masked = cell_mask(parse_transform(transform), oid, modifier, wire_format, KEY)(value)
            result = connection.pgconn.exec_params(
                b"INSERT INTO narrow VALUES ($1)", [masked], param_types=[oid], param_formats=[wire_format]
            )
            assert result.status == pq.ExecStatus.COMMAND_OK, (declared, transform, masked, result.error_message)


@pytest.mark.parametrize(
    ("clause", "options"),
    [
        ("", CopyOptions()),
        ("(DELIMITER '|', NULL 'nil')", CopyOptions(delimiter=b"|", null=b"nil")),
        ("(FORMAT csv)", CSV_OPTIONS),
        ("(FORMAT csv, HEADER, DELIMITER ';', QUOTE '''', ESCAPE E'\\\\', FORCE_QUOTE *)",
         CopyOptions(CopyFormat.CSV, b";", b"", b"'", b"\\", header=True)),
        ("(FORMAT binary)", CopyOptions(CopyFormat.BINARY)),
    ],
)  # fmt: skip
def test_masked_copy_data_is_taken_back(connection: psycopg.Connection, clause: str, options: CopyOptions) -> None:
    connection.execute("CREATE TABLE source (id int, mail text, born date, doc jsonb, tags text[], free text)")
    connection.execute("CREATE TABLE target (LIKE source)")
    connection.execute(
        """INSERT INTO source SELECT n, 'ada' || n || '@example.com', date '1985-07-21' + n, jsonb_build_object('k', n),
           ARRAY['a b', NULL, E'q"\\\\'], CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN E'x\\t|;"''\\\\\\r\\n' || n ELSE '' END
           FROM generate_series(1, 50) n"""
    )
    wire_format = int(options.format is CopyFormat.BINARY)
    names = [("id", 23), ("mail", 25), ("born", 1082), ("doc", 3802), ("tags", 1009), ("free", 25)]
    shape = ResultShape(tuple(ResultColumn(n, 0, 0, oid, -1, -1, wire_format) for n, oid in names), copy=True)
    rules = (None, "partial-email", "date-year", "redact", "hash", None)
    plan = build_plan(shape, [MaskRule(rule) if rule else None for rule in rules], {}, b"k" * 32)
    assert plan is not None
    stream = CopyStream(plan, options, 1 << 20)
    shown: list[bytes] = []
    with connection.cursor().copy(f"COPY (SELECT * FROM source ORDER BY id) TO STDOUT {clause}") as out:
        shown += [stream.feed(bytes(data))[0] for data in out]
    stream.finish()
    assert b"ada7@" not in b"".join(shown)
    with connection.cursor().copy(f"COPY target FROM STDIN {clause.replace(', FORCE_QUOTE *', '')}") as into:
        for data in shown:
            into.write(data)
    rows = connection.execute(
        """SELECT count(*), bool_and(t.free IS NOT DISTINCT FROM s.free), bool_and(t.mail = 'a***@e***.com'),
           bool_and(t.born IN ('1985-01-01')), bool_and(t.doc = '"[redacted]"'),
           bool_and(array_length(t.tags, 1) = 3 AND t.tags[2] IS NULL AND t.tags[1] LIKE 'h\\_%')
           FROM target t JOIN source s USING (id)"""
    ).fetchall()
    assert rows == [(50, True, True, True, True, True)]
