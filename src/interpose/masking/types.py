"""PostgreSQL's built-in types by oid, as masking sees them: a family each.

The families say which transforms make sense and how a value is written in both wire formats. An oid that is not here
(enum, composite, array of a domain, extension type) is `Family.OPAQUE`: its values can only become NULL.
Oids are those of `pg_type.dat`, fixed since the type exists (PostgreSQL 17, `src/include/catalog/pg_type.dat`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

TEXT_FORMAT = 0
"""The format code of text values (PostgreSQL 17 §55.7, RowDescription)."""
BINARY_FORMAT = 1
"""The format code of binary values."""


class Family(Enum):
    """Types that are masked alike."""

    TEXT = "text"
    CHAR = "char"
    """The internal one-byte type `"char"`."""
    INTEGER = "integer"
    OID = "oid"
    FLOAT = "float"
    NUMERIC = "numeric"
    MONEY = "money"
    BOOL = "bool"
    BYTEA = "bytea"
    UUID = "uuid"
    DATE = "date"
    TIME = "time"
    TIMETZ = "timetz"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INTERVAL = "interval"
    JSON = "json"
    JSONB = "jsonb"
    XML = "xml"
    INET = "inet"
    CIDR = "cidr"
    MACADDR = "macaddr"
    MACADDR8 = "macaddr8"
    BIT = "bit"
    VARBIT = "varbit"
    GEOMETRY = "geometry"
    """`point`, `line`, `lseg`, `box`, `path`, `polygon`, `circle`."""
    TSVECTOR = "tsvector"
    TSQUERY = "tsquery"
    JSONPATH = "jsonpath"
    LSN = "lsn"
    SYSTEM = "system"
    """The server's own: `tid`, `pg_snapshot`, `txid_snapshot`, `int2vector`, `oidvector`."""
    RANGE = "range"
    MULTIRANGE = "multirange"
    ARRAY = "array"
    OPAQUE = "opaque"
    """Nothing is known of how its values are written."""


@dataclass(frozen=True, slots=True)
class PgType:
    """One type. `size` is the bytes of a fixed-size binary value, else 0.

    `element` is the element type of an array, `bound` the type of a range's or multirange's bounds, else None.
    """

    oid: int
    name: str
    family: Family
    size: int = 0
    element: PgType | None = None
    bound: PgType | None = None


# name, oid, oid of the array type, family, fixed binary size
_SCALARS: tuple[tuple[str, int, int, Family, int], ...] = (
    ("bool", 16, 1000, Family.BOOL, 1),
    ("bytea", 17, 1001, Family.BYTEA, 0),
    ('"char"', 18, 1002, Family.CHAR, 1),
    ("name", 19, 1003, Family.TEXT, 0),
    ("int8", 20, 1016, Family.INTEGER, 8),
    ("int2", 21, 1005, Family.INTEGER, 2),
    ("int4", 23, 1007, Family.INTEGER, 4),
    ("text", 25, 1009, Family.TEXT, 0),
    ("int2vector", 22, 1006, Family.SYSTEM, 0),
    ("regproc", 24, 1008, Family.OID, 4),
    ("oid", 26, 1028, Family.OID, 4),
    ("tid", 27, 1010, Family.SYSTEM, 6),
    ("xid", 28, 1011, Family.OID, 4),
    ("cid", 29, 1012, Family.OID, 4),
    ("oidvector", 30, 1013, Family.SYSTEM, 0),
    ("json", 114, 199, Family.JSON, 0),
    ("xml", 142, 143, Family.XML, 0),
    ("point", 600, 1017, Family.GEOMETRY, 16),
    ("lseg", 601, 1018, Family.GEOMETRY, 32),
    ("path", 602, 1019, Family.GEOMETRY, 0),
    ("box", 603, 1020, Family.GEOMETRY, 32),
    ("polygon", 604, 1027, Family.GEOMETRY, 0),
    ("line", 628, 629, Family.GEOMETRY, 24),
    ("circle", 718, 719, Family.GEOMETRY, 24),
    ("cidr", 650, 651, Family.CIDR, 0),
    ("float4", 700, 1021, Family.FLOAT, 4),
    ("float8", 701, 1022, Family.FLOAT, 8),
    ("macaddr8", 774, 775, Family.MACADDR8, 8),
    ("money", 790, 791, Family.MONEY, 8),
    ("macaddr", 829, 1040, Family.MACADDR, 6),
    ("inet", 869, 1041, Family.INET, 0),
    ("bpchar", 1042, 1014, Family.TEXT, 0),
    ("varchar", 1043, 1015, Family.TEXT, 0),
    ("date", 1082, 1182, Family.DATE, 4),
    ("time", 1083, 1183, Family.TIME, 8),
    ("timestamp", 1114, 1115, Family.TIMESTAMP, 8),
    ("timestamptz", 1184, 1185, Family.TIMESTAMPTZ, 8),
    ("interval", 1186, 1187, Family.INTERVAL, 16),
    ("timetz", 1266, 1270, Family.TIMETZ, 12),
    ("bit", 1560, 1561, Family.BIT, 0),
    ("varbit", 1562, 1563, Family.VARBIT, 0),
    ("numeric", 1700, 1231, Family.NUMERIC, 0),
    ("refcursor", 1790, 2201, Family.TEXT, 0),
    ("regprocedure", 2202, 2207, Family.OID, 4),
    ("regoper", 2203, 2208, Family.OID, 4),
    ("regoperator", 2204, 2209, Family.OID, 4),
    ("regclass", 2205, 2210, Family.OID, 4),
    ("regtype", 2206, 2211, Family.OID, 4),
    ("uuid", 2950, 2951, Family.UUID, 16),
    ("txid_snapshot", 2970, 2949, Family.SYSTEM, 0),
    ("pg_lsn", 3220, 3221, Family.LSN, 8),
    ("tsvector", 3614, 3643, Family.TSVECTOR, 0),
    ("tsquery", 3615, 3645, Family.TSQUERY, 0),
    ("regconfig", 3734, 3735, Family.OID, 4),
    ("regdictionary", 3769, 3770, Family.OID, 4),
    ("jsonb", 3802, 3807, Family.JSONB, 0),
    ("jsonpath", 4072, 4073, Family.JSONPATH, 0),
    ("regnamespace", 4089, 4090, Family.OID, 4),
    ("regrole", 4096, 4097, Family.OID, 4),
    ("regcollation", 4191, 4192, Family.OID, 4),
    ("pg_snapshot", 5038, 5039, Family.SYSTEM, 0),
    ("xid8", 5069, 271, Family.OID, 8),
    ("int4range", 3904, 3905, Family.RANGE, 0),
    ("numrange", 3906, 3907, Family.RANGE, 0),
    ("tsrange", 3908, 3909, Family.RANGE, 0),
    ("tstzrange", 3910, 3911, Family.RANGE, 0),
    ("daterange", 3912, 3913, Family.RANGE, 0),
    ("int8range", 3926, 3927, Family.RANGE, 0),
    ("int4multirange", 4451, 6150, Family.MULTIRANGE, 0),
    ("nummultirange", 4532, 6151, Family.MULTIRANGE, 0),
    ("tsmultirange", 4533, 6152, Family.MULTIRANGE, 0),
    ("tstzmultirange", 4534, 6153, Family.MULTIRANGE, 0),
    ("datemultirange", 4535, 6155, Family.MULTIRANGE, 0),
    ("int8multirange", 4536, 6157, Family.MULTIRANGE, 0),
    # Pseudo-types that reach a client as text: an untyped literal of old servers, and the output of *out functions.
    ("unknown", 705, 0, Family.TEXT, 0),
    ("cstring", 2275, 1263, Family.TEXT, 0),
)


# oid of a range or multirange to the oid of the type of its bounds (`pg_range`)
_BOUNDS: dict[int, int] = {
    3904: 23, 3906: 1700, 3908: 1114, 3910: 1184, 3912: 1082, 3926: 20,
    4451: 23, 4532: 1700, 4533: 1114, 4534: 1184, 4535: 1082, 4536: 20,
}  # fmt: skip


def _table() -> dict[int, PgType]:
    types: dict[int, PgType] = {}
    for name, oid, array_oid, family, size in _SCALARS:
        # The bounds' types stand above the ranges in the list.
        scalar = PgType(oid, name, family, size, bound=types[_BOUNDS[oid]] if oid in _BOUNDS else None)
        types[oid] = scalar
        if array_oid:
            types[array_oid] = PgType(array_oid, f"{name}[]", Family.ARRAY, 0, scalar)
    return types


TYPES: dict[int, PgType] = _table()
"""Every type that is known, by oid."""

BOX = 603
"""`box`: the one type whose array elements stand apart by `;`."""
BPCHAR = 1042
"""`character(n)`: padded with blanks to its length."""
VARCHAR = 1043
"""`character varying(n)`."""
NAME = 19
"""`name`: at most 63 bytes (PostgreSQL 17 §8.3)."""


def type_of(oid: int) -> PgType:
    """The type with this oid; one of family OPAQUE when it is not built in."""
    known = TYPES.get(oid)
    return known if known is not None else PgType(oid, f"oid {oid}", Family.OPAQUE)


def character_limit(pg_type: PgType, type_modifier: int) -> int | None:
    """How many characters a text value may have (`varchar(n)`, `char(n)`, `name`), None for any number.

    The modifier of both is n + 4 (`VARHDRSZ`), -1 when there is none.
    """
    if pg_type.oid in (BPCHAR, VARCHAR):
        return type_modifier - 4 if type_modifier >= 4 else None
    if pg_type.oid == NAME:
        return 63
    return None
