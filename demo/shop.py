"""Load the shop into a PostgreSQL: schema, rows and the role that the gateway logs in with.

The rows come from `demo.shop_rows`, the schema from `shop.sql`; one psql run loads both with COPY, in about a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from demo.shop_rows import Table, copy_text, shop
from tests.support.postgres import PostgresServer

GATEWAY_ROLE: Final = "interpose_gateway"
GATEWAY_PASSWORD: Final = "upstream-password-that-no-client-ever-sees"

_SCHEMA: Final = Path(__file__).with_name("shop.sql")
_WITH_IDENTITY: Final = ("customers", "products", "orders", "payments", "support_notes")


def load_shop(server: PostgresServer, database: str = "shop", *, password: str = GATEWAY_PASSWORD) -> None:
    """Create `database` with everything in it, owned by `interpose_gateway`, whose password becomes `password`.

    The role owns the shop, so it may do to it whatever SQL can: only the gateway's policy stands between a client and a
    `drop table`. It is no superuser. The database must not exist; the role may.
    """
    if server.psql(f"select 1 from pg_roles where rolname = '{GATEWAY_ROLE}'"):
        server.psql(f"alter role {GATEWAY_ROLE} password '{password.replace(chr(39), chr(39) * 2)}'")
    else:
        server.create_role(GATEWAY_ROLE, password)
    server.create_database(database, owner=GATEWAY_ROLE)
    # Since PostgreSQL 15 the schema `public` is the database owner's; before, anybody could create in it.
    server.psql(f"alter schema public owner to {GATEWAY_ROLE}", database=database)
    server.psql(shop_script(), database=database)


def shop_script() -> str:
    """The whole load as one psql script."""
    parts = [f"set role {GATEWAY_ROLE};\nbegin;\n", _SCHEMA.read_text(encoding="utf-8")]
    parts += [_copy(table) for table in shop()]
    parts += [
        f"select setval(pg_get_serial_sequence('{name}', 'id'), (select max(id) from {name})) \\g /dev/null\n"
        for name in _WITH_IDENTITY
    ]
    parts.append("commit;\nanalyze;\n")
    return "".join(parts)


def _copy(table: Table) -> str:
    rows = "".join("\t".join(map(copy_text, row)) + "\n" for row in table.rows)
    return f"copy {table.name} ({', '.join(table.columns)}) from stdin;\n{rows}\\.\n"
