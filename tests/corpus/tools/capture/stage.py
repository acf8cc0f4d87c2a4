"""The server that tools are pointed at while they are captured, and the corpus' files that its log becomes.

A tool says what it does next by sending a statement that begins with `/*@@ label */`; what follows is filed under that label.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.shop import GATEWAY_PASSWORD, GATEWAY_ROLE, load_shop
from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import Major

HERE: Final = Path(__file__).parent.parent
_MARK: Final = re.compile(r"/\*@@ (.*?) \*/")
_NUMBER: Final = re.compile(r"(?<![\w.])\d{5,}(?![\w.])")
_PARAMETER: Final = re.compile(r"\$\d+ = (NULL|'((?:[^']|'')*)')", re.S)
_LOG: Final = {"log_destination": "csvlog", "logging_collector": "on", "log_statement": "all"}
_OIDS: Final = """
select oid, 'pg_class', oid::regclass::text from pg_class where oid >= 16384 and relkind not in ('t') and relnamespace <> 99
union all select oid, 'pg_type', oid::regtype::text from pg_type where oid >= 16384
union all select oid, 'pg_proc', oid::regprocedure::text from pg_proc where oid >= 16384
union all select oid, 'pg_namespace', nspname from pg_namespace where oid >= 16384
union all select oid, 'pg_roles', rolname from pg_roles where oid >= 16384
union all select oid, 'pg_database', '' from pg_database where datname = current_database()
union all select oid, 'pg_publication', pubname from pg_publication
union all select oid, 'pg_foreign_server', srvname from pg_foreign_server
union all select oid, 'pg_statistic_ext', stxname from pg_statistic_ext
union all select oid, 'pg_ts_config', cfgname from pg_ts_config where oid >= 16384
union all select oid, 'pg_collation', collname from pg_collation where oid >= 16384
union all select oid, 'pg_trigger', tgname from pg_trigger where oid >= 16384 and not tgisinternal
union all select oid, 'pg_constraint', conname from pg_constraint where oid >= 16384
"""
"""Objects that a tool may name by a number, which is another one elsewhere."""


@dataclass(frozen=True, slots=True)
class Query:
    """One statement as the server got it: what the tool was doing, its text and its parameters as text."""

    label: str
    sql: str
    parameters: tuple[str | None, ...] = ()


def make_shop(server: PostgresServer, database: str = "shop") -> None:
    """The demo's shop with everything in it that introspection may ask for."""
    load_shop(server, database)
    server.psql((HERE / "extras.sql").read_text(encoding="utf-8"), database=database)


def oids(server: PostgresServer, database: str = "shop") -> dict[str, str]:
    """What `{{catalog name}}` in the corpus stands for in this database."""
    rows = (line.split("|", 2) for line in server.psql(_OIDS, database=database).splitlines())
    return {"{{" + f"{catalog} {name}".strip() + "}}": oid for oid, catalog, name in rows}


class Stage:
    """A server with the shop, whose log is read between two moments."""

    def __init__(self, server: PostgresServer) -> None:
        """On a running server that logs every statement as CSV."""
        self.server = server
        make_shop(server)
        self._names = {oid: name for name, oid in oids(server).items()}
        self._seen = 0
        self.taken()

    @property
    def environment(self) -> dict[str, str]:
        """What libpq, and the programs here, connect with."""
        return {
            **os.environ,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGUSER": GATEWAY_ROLE,
            "PGPASSWORD": GATEWAY_PASSWORD,
            "PGDATABASE": "shop",
            "PGSSLMODE": "disable",
        }

    def taken(self) -> list[Query]:
        """What the gateway's role sent since the last call, in order."""
        end = f"end-{time.monotonic_ns()}"
        self.server.psql(f"select '{end}'")
        while end not in (text := self._log()):
            time.sleep(0.05)
        rows = list(csv.reader(io.StringIO(text)))
        fresh, self._seen = rows[self._seen :], len(rows)
        return list(self._queries(fresh))

    def _log(self) -> str:
        files = sorted((self.server.data / "log").glob("*.csv"))
        return "".join(file.read_text(encoding="utf-8") for file in files)

    def _queries(self, rows: Iterable[list[str]]) -> Iterator[Query]:
        label = ""
        for row in rows:
            if row[1] != GATEWAY_ROLE:
                continue
            found = re.match(r"(?:statement|execute (?!fetch from)[^:]*): (.*)", row[13], re.S)
            if found is None or row[11] != "LOG":
                continue
            sql = found[1].strip()
            mark = _MARK.match(sql)
            if mark is not None:
                label = mark[1]
                continue
            values = tuple(
                None if value[1] == "NULL" else self.named(value[2].replace("''", "'"))
                for value in _PARAMETER.finditer(row[14])
            )
            yield Query(label, self.named(sql), values)

    def named(self, text: str) -> str:
        """Numbers of objects become their names: they differ from server to server."""
        return _NUMBER.sub(lambda number: self._names.get(number[0], number[0]), text)


@contextmanager
def stage(major: Major = 17) -> Iterator[Stage]:
    """A stage of its own."""
    with PostgresServer(major, tls="off", settings=_LOG) as server:
        yield Stage(server)


def distinct(queries: Iterable[Query], seen: set[tuple[str, int]]) -> list[Query]:
    """Without what is in `seen`, to which they are added: the same text with the same number of parameters.

    A transaction stays whole, for its cursors and savepoints.
    """
    kept = []
    within = False
    for query in queries:
        key = (query.sql, len(query.parameters))
        word = query.sql.split(None, 1)[0].upper().rstrip(";") if query.sql else ""
        begins, ends = word in ("BEGIN", "START"), word in ("COMMIT", "ROLLBACK", "END", "ABORT")
        ends = ends and " TO " not in query.sql.upper()
        if within or begins or key not in seen:
            within = (within or begins) and not ends
            seen.add(key)
            kept.append(query)
    return kept


def write(path: str, header: dict[str, str], queries: Iterable[Query]) -> None:
    """A file of the corpus, below `tests/corpus/tools`."""
    lines = [f"-- {name}: {value}" for name, value in header.items()]
    last = None
    count = 0
    for query in queries:
        label = "".join(f" {query.label}" if query.label != last else "")
        last = query.label
        lines += ["", f"-- query:{label}"]
        if query.parameters:
            lines.append(f"-- parameters: {json.dumps(query.parameters, ensure_ascii=False)}")
        lines.append(query.sql.rstrip().rstrip(";").rstrip() + ";")
        count += 1
    target = HERE / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {count} queries")
