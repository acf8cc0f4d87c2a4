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
from interpose.masking.types import TYPES, Family, type_of
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape
from tests.support.database import Database

KEY = Pseudonyms(b"k" * 32)
TRANSFORMS = (
    "null", "redact", "fixed", "fixed:7", "fixed:t", "fixed:2001-02-03", "hash", "hash-email", "hash-card", "hash-form", "first:2", "last4",
    "last:1", "partial-email", "partial-phone", "partial-card", "partial-name", "date-year", "date-month", "date-week", "date-day",
    "bucket:10", "bucket:100000", "json:$.a", "json:$.a[*]=last4;$.**.mail=hash-email", "json:$.**=null",
)  # fmt: skip

SAMPLES: dict[str, tuple[str, ...]] = {
    "bool": ("true", "false"),
    "bytea": (r"'\x00ff41'", "''"),
    '"char"': ("'x'",),
    "int2vector": ("'1 2'", "''"),
    "regproc": ("'now'",),
    "tid": ("'(7,8)'",),
    "oidvector": ("'1 2'", "''"),
    "name": ("'ada@example.com'", "repeat('ä', 31)"),
    "lseg": ("'[(1,2),(3,4)]'",),
    "path": ("'[(1,2),(3,4)]'", "'((1,2),(3,4))'"),
    "box": ("'(3,4),(1,2)'",),
    "polygon": ("'((1,2),(3,4),(5,6))'",),
    "line": ("'{1,2,3}'",),
    "circle": ("'<(1,2),3>'",),
    "refcursor": ("'Ada Lovelace'",),
    "regprocedure": ("'now()'",),
    "regoper": ("'||/'",),
    "regoperator": ("'+(int4,int4)'",),
    "regclass": ("'pg_class'",),
    "regtype": ("'int4'",),
    "regconfig": ("'english'",),
    "regdictionary": ("'simple'",),
    "regnamespace": ("'pg_catalog'",),
    "regrole": ("'postgres'",),
    "regcollation": ("'\"C\"'",),
    "jsonpath": ("'$.a[*] ? (@ > 1)'",),
    "txid_snapshot": ("'10:20:10,14,15'",),
    "pg_snapshot": ("'10:20:10,14,15'",),
    "int8": ("4111111111111111", "'-9223372036854775808'", "9223372036854775807", "1234567890123"),
    "int2": ("'-32768'", "32767"),
    "int4": ("'-2147483648'", "2147483647", "12345678"),
    "text": ("'ada@example.com'", "'Ada Lovelace'", "'+49 170 1234567'", "'4111111111111111'", "'1985-07-21 10:20:30+02'", "'{\"a\": [4711471147114711], \"mail\": \"ada@example.com\"}'", "'-47.5'", "''", "E'a\\tb\\nc\\\\d\"'"),
    "oid": ("4294967295",),
    "xid": ("'7'",),
    "cid": ("'7'",),
    "json": ("""'{"a": ["4111111111111111", 4111111111111111, -1.5e3, true, null], "mail": "ada@example.com", "a": {}}'""", """'{"a": [1, "x"]}'""", """'"Ada Lovelace"'""", """'"\\u00e4\\ud800"'"""),
    "xml": ("'<a>x</a>'",),
    "point": ("'(1,2)'",),
    "cidr": ("'10.0.0.0/8'", "'2001:db8::/32'"),
    "float4": ("1.5", "'NaN'", "'-Infinity'"),
    "float8": ("1e300", "'NaN'"),
    "macaddr8": ("'08:00:2b:01:02:03:04:05'",),
    "money": ("12.34", "'-$1,234,567.89'"),
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
    "jsonb": ("""'{"a": ["4111111111111111", 4111111111111111, -1.5e3, true, null], "b": {"mail": "ada@example.com"}}'""", """'{"a": [1, "x"]}'""", """'"ada@example.com"'"""),
    "xid8": ("'7'",),
    "int4range": ("'[1,5)'", "'[-2147483648,47)'"),
    "numrange": ("'[1.5,)'", "'(-15,NaN]'"),
    "tsrange": ("'[2001-01-01 10:20:30.5,2002-01-01)'", "'[2001-01-01,infinity)'", "'[4714-11-24 BC,4713-01-01 BC]'"),
    "tstzrange": ("'empty'", "'[2001-01-01 01:00+02,2002-01-01]'"),
    "daterange": ("'[2001-01-01,)'", "'[2001-03-05,2001-11-12]'"),
    "int8range": ("'(,)'", "'[9223372036854775800,)'"),
    "int4multirange": ("'{[1,5),[47,1000)}'",),
    "nummultirange": ("'{[1.5,5],(7,)}'",),
    "tsmultirange": ("'{}'", "'{[2001-01-01 10:20:30,2001-03-01),[2001-05-01,2002-01-01)}'"),
    "tstzmultirange": ("'{}'", "'{[2001-01-01 10:20:30+02,2001-03-01)}'"),
    "datemultirange": ("'{[2001-01-01,)}'", "'{[2001-01-01,2001-02-03),[2001-03-03,2004-03-04)}'"),
    "int8multirange": ("'{[1,5)}'",),
}  # fmt: skip


NEVER_SHOWN: frozenset[str] = frozenset({
    # What a client could not send back: no input, or nothing known of their form. They become NULL.
    "aclitem", "gtsvector", "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "pg_dependencies", "pg_mcv_list", "pg_ndistinct",
    "pg_node_tree",
})  # fmt: skip


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


def test_every_type_of_the_server_is_thought_of(connection: psycopg.Connection) -> None:
    """A type that a new major brings fails here until it has samples, or is known to become NULL."""
    rows = connection.execute(
        """SELECT t.oid::int, t.typname::text, t.typarray::int, r.rngsubtype::int, m.rngsubtype::int FROM pg_type t
           LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
           WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm', 'd', 'e')
           AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)"""
    ).fetchall()
    assert len(rows) > 80
    for oid, name, array, range_bound, multirange_bound in rows:
        known = type_of(oid)
        if name in NEVER_SHOWN:
            assert known.family is Family.OPAQUE
            assert type_of(array).family is Family.OPAQUE
            continue
        assert f'"{name}"' in SAMPLES or name in SAMPLES, f"{name} has no samples"
        assert known.family is not Family.OPAQUE
        assert (known.bound.oid if known.bound else None) == (range_bound or multirange_bound)
        assert not array or type_of(array).element == known


def array_of(name: str, sample: str) -> str:
    """An array of two dimensions with lower bounds of its own, which holds the sample and a NULL."""
    if name in ("int2vector", "oidvector"):
        return f"'[2:2][-1:0]={{{{\"1 2\",NULL}}}}'::{name}[]"
    separator = ";" if name == "box" else ","
    return f"('[2:2][-1:0]={{{{' || to_json(({sample}::{name})::text)::text || '{separator}NULL}}}}')::{name}[]"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_masked_value_is_a_value_of_its_type(connection: psycopg.Connection, name: str) -> None:
    """In both formats, and the server reads the same in both; of arrays too."""
    samples = [f"{sample}::{name}" for sample in SAMPLES[name]]
    samples.append(array_of(name, SAMPLES[name][0]))
    for sample in samples:
        is_array = sample.endswith("[]")
        written = f"{name}[]" if is_array else name
        sent = [one(connection, f"SELECT {sample}", wire_format) for wire_format in (0, 1)]
        for transform in TRANSFORMS:
            read: list[bytes | None] = []
            for wire_format, (value, oid, modifier) in enumerate(sent):
                assert value is not None
                masked = cell_mask(parse_transform(transform), oid, modifier, wire_format, KEY)(value)
                if masked is None:
                    assert transform == "null" or TYPES[oid].family is Family.BIT, (
                        sample,
                        transform,
                    )
                    read.append(None)
                else:
                    assert transform != "null"
                    read.append(taken_back(connection, oid, written, masked, wire_format))
            assert read[0] == read[1], (sample, transform)


def masked_text(connection: psycopg.Connection, transform: str, sql: str, name: str, wire_format: int) -> bytes | None:
    """What the server reads in the masked value of this expression."""
    value, oid, modifier = one(connection, f"SELECT ({sql})::{name}", wire_format)
    assert value is not None
    masked = cell_mask(parse_transform(transform), oid, modifier, wire_format, KEY)(value)
    return None if masked is None else taken_back(connection, oid, name, masked, wire_format)


@pytest.mark.parametrize("wire_format", [0, 1])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_coarse_dates_are_what_date_trunc_gives(connection: psycopg.Connection, wire_format: int, zone: str) -> None:
    connection.execute(f"SET TimeZone = '{zone}'")
    moments = ("1985-07-21 23:30:00.25+02", "1985-01-01 00:10:00+05", "0044-03-15 10:00:00+00 BC", "1850-06-01 12:00:00+00",
               "5000-12-31 23:59:59+00", "2024-12-30 00:00:00+00")  # fmt: skip
    for moment in moments:
        for unit in ("year", "month", "week", "day"):
            for name, sql in (
                ("timestamptz", f"date_trunc('{unit}', '{moment}'::timestamptz, 'UTC')"),
                ("timestamp", f"date_trunc('{unit}', '{moment}'::timestamptz AT TIME ZONE 'UTC')"),
                ("date", f"date_trunc('{unit}', '{moment}'::timestamptz AT TIME ZONE 'UTC')::date"),
            ):
                source = (
                    f"'{moment}'::timestamptz"
                    if name == "timestamptz"
                    else f"'{moment}'::timestamptz AT TIME ZONE 'UTC'"
                )
                expected = one(connection, f"SELECT ({sql})::text", 0)[0]
                if (name, unit) == ("date", "day"):
                    expected = b"1970-01-01"  # a date has no time of day that could be hidden: it is hidden whole
                assert masked_text(connection, f"date-{unit}", source, name, wire_format) == expected, (
                    moment,
                    unit,
                    name,
                )


@pytest.mark.parametrize("wire_format", [0, 1])
def test_buckets_are_what_floor_gives(connection: psycopg.Connection, wire_format: int) -> None:
    for number in ("0", "9", "10", "-1", "-10", "-11.5", "1234.99", "99999"):
        for width in (10, 1000):
            for name in ("int4", "int8", "numeric", "float4", "float8"):
                sql = f"('{number}'::numeric)::{name}"
                expected = one(connection, f"SELECT (floor({sql}::numeric / {width}) * {width})::{name}::text", 0)[0]
                shown = masked_text(connection, f"bucket:{width}", sql, name, wire_format)
                assert shown == expected, (number, width, name)


@pytest.mark.parametrize("style", ["ISO, MDY", "German", "SQL, DMY", "SQL, MDY", "Postgres, DMY"])
def test_dates_in_any_style_are_hidden_and_stay_dates(connection: psycopg.Connection, style: str) -> None:
    connection.execute(f"SET DateStyle = '{style}'")
    sources = {"date": "'1985-07-21'", "timestamp": "'1985-07-21 10:20:30'", "timestamptz": "'1985-07-21 10:20:30'",
               "daterange": "'[1985-07-21,1986-02-03)'", "date[]": "'{1985-07-21}'"}  # fmt: skip
    for name, source in sources.items():
        for transform in ("redact", "fixed:2001-02-03", "hash", "date-year", "last4", "bucket:10"):
            for wire_format in (0, 1):
                shown = masked_text(connection, transform, source, name, wire_format)
                assert shown is not None
                assert not any(part in shown for part in (b"21", b"07", b"Jul")), (name, transform, shown)


def test_types_of_users(connection: psycopg.Connection) -> None:
    """A domain comes as the type below it, as the server describes it; what is not built in becomes NULL."""
    connection.execute(
        """CREATE DOMAIN mail AS varchar(30) CHECK (value LIKE '%@%'); CREATE TYPE mood AS ENUM ('sad', 'glad');
           CREATE TYPE pair AS (a int, b text); CREATE TYPE span AS RANGE (subtype = float8)"""
    )
    for wire_format in (0, 1):
        value, oid, modifier = one(connection, "SELECT 'ada@example.com'::mail", wire_format)
        assert (oid, modifier) == (1043, 34)
        assert value is not None
        assert cell_mask(parse_transform("partial-email"), oid, modifier, wire_format, KEY)(value) == b"a***@e***.com"
        for sql in ("'sad'::mood", "row(1, 'x')::pair", "row(1, 'x')", "'[1,2)'::span", "'{ada@example.com}'::mail[]", "'{sad}'::mood[]",
                    "array[row(1, 'x')::pair]", "acldefault('r', 10)", "pg_sleep(0)"):  # fmt: skip
            if "acl" in sql and wire_format:
                continue  # aclitem has no binary form
            value, oid, modifier = one(connection, f"SELECT {sql}", wire_format)
            assert value is not None
            for transform in TRANSFORMS:
                assert cell_mask(parse_transform(transform), oid, modifier, wire_format, KEY)(value) is None, sql


def test_jsonb_keeps_everything_beside_the_path(connection: psycopg.Connection) -> None:
    document = """{"customer": {"email": "ada@example.com", "vip": true}, "items": [{"card": "4111111111111111", "price": 12.50}], "z": [1, 2]}"""
    paths = "json:$.customer.email=partial-email;$.items[*].card=last4"
    for wire_format in (0, 1):
        value, oid, modifier = one(connection, f"SELECT '{document}'::jsonb", wire_format)
        assert value is not None
        masked = cell_mask(parse_transform(paths), oid, modifier, wire_format, KEY)(value)
        assert masked == value.replace(b"ada@example.com", b"a***@e***.com").replace(b"4111111111111111", b"***1111")
        taken_back(connection, oid, "jsonb", masked, wire_format)


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
