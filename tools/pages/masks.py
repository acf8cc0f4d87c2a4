"""Tables of docs/reference/policy.md about masking: each transform with an example, and what each makes of each kind of type.

Every example is made by the code that masks; a transform or a kind of type without a sample here is an error.
"""

from __future__ import annotations

from interpose.masking.cells import cell_mask
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.strictness import STRICTNESS
from interpose.masking.transforms import EXAMPLES, TRANSFORM_NAMES, VALID_FOR, parse_transform
from interpose.masking.types import TYPES, Family, type_of
from tools.pages.tables import code, table

_TEXT, _JSONB = 25, 3802
_KEY = Pseudonyms(b"an example's own key")

_SAMPLES = {
    "null": ("ada@example.com", "nothing, not even the type's form"),
    "redact": ("ada@example.com", "that there is a value"),
    "fixed": ("ada@example.com", "that there is a value"),
    "fixed:TEXT": ("ada@example.com", "that there is a value"),
    "hash": ("ada@example.com", "whether two values are equal"),
    "hash-email": ("ada@example.com", "that, and that it is an e-mail address"),
    "hash-card": (
        "4111 1111 1111 1111",
        "that, the number of digits and the separators; begins with 9, check digit valid",
    ),
    "hash-form": ("Ab-1234/x", "that, and where its letters, digits and marks are"),
    "partial-email": ("ada@example.com", "first letters of both halves, the top-level domain"),
    "partial-phone": ("+49 170 1234567", "separators, the last four digits (two of a short number)"),
    "partial-card": ("4111 1111 1111 1111", "separators, the last four digits and, of 15 or more, the first six"),
    "partial-name": ("Ada King Lovelace", "initials of at most four words"),
    "last4": ("DE89370400440532013000", "the last four characters, of at least eight"),
    "last:N": ("DE89370400440532013000", "the last N characters, of at least 2 N; N from 1 to 32"),
    "first:N": ("DE89370400440532013000", "the first N characters, of at least 2 N; N from 1 to 32"),
    "date-year": ("1985-07-21", "the year"),
    "date-month": ("1985-07-21", "year and month"),
    "date-week": ("1985-07-21", "the week, by its Monday"),
    "date-day": ("1985-07-21 10:20:30", "the day; a value without time of day is redacted"),
    "bucket:N": ("1985.50", "the multiple of N below the number; N from 2 to 10^15"),
    "json:PATHS": (
        '{"mail": "ada@example.com", "cards": ["4111111111111111"], "n": 1}',
        "everything but what is at the paths",
    ),
}

_TYPES: dict[Family, tuple[int, str]] = {
    Family.TEXT: (25, "ada@example.com"),
    Family.CHAR: (18, "x"),
    Family.INTEGER: (20, "4111111111111111"),
    Family.OID: (2205, "customers"),
    Family.FLOAT: (701, "1985.5"),
    Family.NUMERIC: (1700, "1985.50"),
    Family.MONEY: (790, "$1,985.50"),
    Family.BOOL: (16, "t"),
    Family.BYTEA: (17, "\\x616461"),
    Family.UUID: (2950, "550e8400-e29b-41d4-a716-446655440000"),
    Family.DATE: (1082, "1985-07-21"),
    Family.TIME: (1083, "10:20:30"),
    Family.TIMETZ: (1266, "10:20:30+02"),
    Family.TIMESTAMP: (1114, "1985-07-21 10:20:30"),
    Family.TIMESTAMPTZ: (1184, "1985-07-21 10:20:30+02"),
    Family.INTERVAL: (1186, "1 year 2 days"),
    Family.JSON: (114, '{"mail": "ada@example.com"}'),
    Family.JSONB: (3802, '{"mail": "ada@example.com"}'),
    Family.XML: (142, "<a>ada</a>"),
    Family.INET: (869, "10.1.2.3"),
    Family.CIDR: (650, "10.0.0.0/8"),
    Family.MACADDR: (829, "08:00:2b:01:02:03"),
    Family.MACADDR8: (774, "08:00:2b:01:02:03:04:05"),
    Family.BIT: (1560, "101"),
    Family.VARBIT: (1562, "1011"),
    Family.GEOMETRY: (600, "(1,2)"),
    Family.TSVECTOR: (3614, "'ada':1"),
    Family.TSQUERY: (3615, "'ada'"),
    Family.JSONPATH: (4072, '$."ada"'),
    Family.LSN: (3220, "16/B374D848"),
    Family.SYSTEM: (27, "(7,8)"),
    Family.RANGE: (3912, "[1985-07-21,1990-01-05)"),
    Family.MULTIRANGE: (4451, "{[1100,2500),[3100,7700)}"),
    Family.ARRAY: (1009, "{ada@example.com,NULL}"),
    Family.OPAQUE: (0, "glad"),
}

_OTHERS = {
    Family.OPAQUE: "enums, composites and `record`, arrays of domains, types of extensions (`citext`, `hstore`) and of users, "
    "`aclitem`, `void`, …",
    Family.ARRAY: "arrays of all of these",
}


def masked(transform: str, oid: int, value: str) -> str:
    """What the client gets in text format for this value."""
    modifier = len(value) if type_of(oid).family is Family.BIT else -1
    shown = cell_mask(parse_transform(transform), oid, modifier, 0, _KEY)(value.encode())
    return "NULL" if shown is None else code(shown.decode()) or "empty"


def transforms() -> str:
    """Transforms with an example, the strictest first."""
    _same(set(TRANSFORM_NAMES), set(_SAMPLES))
    rows = []
    for name in sorted(TRANSFORM_NAMES, key=lambda each: -STRICTNESS[each.partition(":")[0]]):
        sample, left = _SAMPLES[name]
        written = EXAMPLES.get(name, name)
        shown = masked(written, _JSONB if written.startswith("json:") else _TEXT, sample)
        example = f"{code(sample)} → {shown}"
        if written != name:
            example = f"{code(written)}: {example}"
        rows.append(
            (
                code(name),
                str(STRICTNESS[name.partition(":")[0]]),
                example,
                left,
                _families(VALID_FOR[parse_transform(written).name]),
            )
        )
    return table(("transform", "strictness", "example", "what is left to see", "kinds of types"), rows)


def types() -> str:
    """What each transform makes of each kind of type, in text format; transforms that only redact are left out."""
    _same(set(Family), set(_TYPES))
    rows = []
    for family, (oid, sample) in _TYPES.items():
        own = [
            f"{code(EXAMPLES.get(name, name))} {masked(EXAMPLES.get(name, name), oid, sample)}"
            for name in TRANSFORM_NAMES
            if name not in ("null", "redact", "fixed", "fixed:TEXT", "last4")
            and family in VALID_FOR[parse_transform(EXAMPLES.get(name, name)).name]
            and masked(EXAMPLES.get(name, name), oid, sample) != masked("redact", oid, sample)
        ]
        names = _OTHERS.get(family) or ", ".join(code(each.name) for each in TYPES.values() if each.family is family)
        rows.append((family.value, names, code(sample), masked("redact", oid, sample), "; ".join(own) or "redact"))
    return table(("kind", "types", "for example", "`redact`", "other transforms"), rows)


def _families(families: frozenset[Family]) -> str:
    missing = frozenset(Family) - families
    if not missing:
        return "all"
    if len(missing) <= 2:
        return "all but " + ", ".join(sorted(family.value for family in missing))
    return ", ".join(family.value for family in Family if family in families)


def _same(names: set[str] | set[Family], told: set[str] | set[Family]) -> None:
    """Raise `ValueError` unless every name is told and nothing else is."""
    if names != told:
        raise ValueError(f"samples: {sorted(map(str, names ^ told))} must be in the code and here")
