"""Captures psql: every backslash command that asks the server, of clients 14 to 18, against servers 14 to 18."""

from __future__ import annotations

import subprocess
import sys
from typing import Final, cast

from tests.corpus.tools.capture.stage import Query, Stage, distinct, stage, write
from tests.support.postgres_binaries import MAJORS, Major, obtain

_TABLES: Final = (
    "customers products orders order_items payments support_notes customer_overview stock.shelves stock.moves stock.moves_2025 stock.parent"
    " stock.child stock.full_shelves stock.per_size stock.remote stock.numbers shelves_missing stock.shelves_lower stock.place"
    ' stock."Mixed Case" orders_out_missing'
).split(" ")
_LISTS: Final = (
    "d dA dAc dAf dAo dAp db dc dC dconfig dd dD ddp dE des det deu dew dF dFd dFp dFt df dfa dfn dfp dft dfw dg di dl dL dm dn do"
    " dO dp dP dPi dPt dPn drds drg dRp dRs ds dt dT du dv dx dX dy l lo_list z dS dtS diS dvS dfS dTS doS dnS dCS dLS dis dtvms"
).split()
_MORE: Final = (
    r"\sf stock.shelf_count",
    r"\sf+ stock.tidy",
    r"\sf customer_contact",
    r"\sv customer_overview",
    r"\sv+ stock.full_shelves",
    r"\df *count*",
    r"\df+ stock.*",
    r"\df sum integer",
    r"\do = integer integer",
    r"\do stock.*",
    r"\dt public.*",
    r"\dt+ stock.*",
    r"\dt *.*",
    r"\di+ stock.*",
    r"\d stock.*",
    r"\d+ stock.*",
    r"\d o?d*",
    r"\dT+ size",
    r"\dT+ stock.*",
    r"\dD+ code",
    r"\dp stock.*",
    r"\dp customers",
    r"\dn+ stock",
    r"\dO+ german",
    r"\dF+ stock.words",
    r"\dF+ english",
    r"\dAo+ btree integer_ops",
    r"\dAp+ btree integer_ops",
    r"\dAc btree integer",
    r"\dAf btree integer",
    r"\dC+ size",
    r"\dd stock.*",
    r"\dconfig work_mem",
    r"\dconfig+ *",
    r"\drds interpose*",
    r"\dRp+ orders_out",
    r"\dRp+ everything",
    r"\dx+ hstore",
    r"\dX stock.*",
    r"\dy+ watched",
    r"\l shop",
    r"\dl+",
    r"\du+ interpose*",
    r"\conninfo",
    r"\encoding UTF8",
    r"\encoding",
    "select * from customers where id < 4 \\gdesc",
    "select 'select 1' \\gexec",
    "select count(*) as n from orders \\gset",
    "select id, status, 1 as n from orders where id < 5 \\crosstabview",
    r"\copy products (id, sku) to /dev/null",
    r"\copy (select id, status from orders) to /dev/null csv header",
    r"\set FETCH_COUNT 100",
    "select id, status from orders order by id",
    r"\set FETCH_COUNT 0",
    r"\set ON_ERROR_ROLLBACK on",
    "begin",
    "select id, placed from orders where id = 1",
    "commit",
    r"\timing on",
    "explain (analyze, buffers) select id from orders where id = 1",
    "select 1 \\bind \\g",
)


def _commands() -> list[str]:
    tables = [f"\\{command} {table}" for table in _TABLES for command in ("d", "d+", "dp", "dt+")]
    lists = [f"\\{command}{more}" for command in _LISTS for more in ("", "+")]
    return [*lists, *tables, *_MORE]


def _run(at: Stage, client: Major, commands: list[str]) -> list[Query]:
    script = "".join(
        f"/*@@ [psql {client}] {command} */ show port;\n{command}{'' if command[0] == chr(92) or chr(92) in command else ';'}\n"
        for command in commands
    )
    subprocess.run(
        [str(obtain(client).bin / "psql"), "-X", "-q", "-f", "-"],
        input=script.encode(),
        env=at.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )
    return [query for query in at.taken() if "/*@@" not in query.sql]


def main() -> None:
    """For each server, what each client sends that no client before it sent."""
    for major in [cast(Major, int(word)) for word in sys.argv[1:]] or MAJORS:
        with stage(major) as at:
            seen: set[tuple[str, int]] = set()
            queries: list[Query] = []
            for client in MAJORS:
                queries += distinct(_run(at, client, _commands()), seen)
        header = {
            "tool": "psql 14 to 18",
            "server": str(major),
            "as": "developers",
            "captured": f"psql's backslash commands against PostgreSQL {major}, from the server's log; capture/psql.py",
        }
        write(f"psql/server-{major}.sql", header, queries)


if __name__ == "__main__":
    main()
