"""Renders pgAdmin 4's own SQL templates for the objects of the shop, and keeps what the server runs.

`TOOLS_PGADMIN` is an unpacked wheel of PyPI's `pgadmin4`, `jinja2` must be there. pgAdmin is under the PostgreSQL licence; what is
kept is the rendered SQL. Only the queries that look (properties, nodes, counts, statistics, privileges …) are rendered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jinja2
import psycopg

from demo.shop import GATEWAY_PASSWORD, GATEWAY_ROLE
from tests.corpus.tools.capture.stage import Query, Stage, distinct, stage, write

_ROOT: Final = Path(os.environ.get("TOOLS_PGADMIN", "."))
_WRITES: Final = re.compile(
    r"create|delete|update|alter|grant|revoke|drop|truncate|reset|refresh|reassign|vacuum|debug|breakpoint|enable_|/tests/|ppas|pgagent|dbms_|pgd|/tools/debugger|backend_support|schema_diff"
)
_KEEP: Final = re.compile(
    r"/(properties|nodes?|count|stats|coll_\w*stats|get_\w+|acl|defacl|depend\w*|dependents|variables|sql|schema|functions|tokens|parser|dictionaries|templates|types?|is_catalog|view_id|rule_id|oid|getoid|handlers|validators|locks|activity|dashboard_stats|config|prepared|search|role_dependencies|replication\w*|keywords|columns|tables|constraints|sqlpane|keyword_cache)\.sql$"
)
_CATALOGS: Final = {
    "tid": "'stock.shelves'::regclass",
    "vid": "'stock.full_shelves'::regclass",
    "foid": "'stock.remote'::regclass",
    "seid": "'stock.numbers'::regclass",
    "scid": "'stock'::regnamespace",
    "did": "(select oid from pg_database where datname = current_database())",
    "idx": "'stock.shelves_lower'::regclass",
    "fnid": "'stock.shelf_count'::regproc",
    "trid": "(select oid from pg_trigger where tgname = 'shelves_touch')",
    "cid": "(select oid from pg_constraint where conname = 'code_again')",
    "rid": "(select oid from pg_rewrite where rulename = 'quiet')",
}
_FIXED: Final = {
    "datlastsysoid": 16383,
    "lastsysoid": 16383,
    "clid": 1,
    "attnum": 2,
    "show_system_objects": False,
    "schema_name": "stock",
    "table": "shelves",
    "name": "shelves",
}


def _filters(environment: jinja2.Environment) -> None:
    def literal(value: object, *_: object) -> str:
        return "'" + str(value).replace("'", "''") + "'"

    def identifier(*parts: object) -> str:
        return ".".join('"' + str(part) + '"' for part in parts if not hasattr(part, "cursor"))

    environment.filters |= {
        "qtLiteral": literal,
        "qtIdent": lambda value, *rest: identifier(value, *rest),
        "qtTypeIdent": identifier,
        "hasAny": lambda *_: False,
        "reformat": str,
    }
    environment.globals["_"] = str


def _templates() -> Iterator[tuple[str, str, Path]]:
    """Area, file name and the path of the newest version of each template for the server, as pgAdmin chooses."""
    best: dict[tuple[str, str], tuple[int, Path]] = {}
    for path in sorted(_ROOT.rglob("*.sql")):
        text = str(path.relative_to(_ROOT))
        if "/templates/" not in text or _WRITES.search(text) or not _KEEP.search(text):
            continue
        found = re.search(r"/(\d+)_plus/|/default/", text)
        version = int(found[1]) if found and found[1] else 0
        area = re.sub(r"/(\d+_plus|default)/", "/", text)
        if version <= 17:
            best[area, ""] = max(best.get((area, ""), (-1, path)), (version, path))
    for (area, _), (_, path) in sorted(best.items()):
        yield area.split("/templates/", 1)[1].removesuffix(".sql"), path.name, path


def _queries(at: Stage) -> Iterator[Query]:
    with psycopg.connect(at.server.dsn("shop", GATEWAY_ROLE, GATEWAY_PASSWORD), autocommit=True) as session:
        oids: dict[str, Any] = {}
        for name, sql in _CATALOGS.items():
            row = session.execute(f"select {sql}::oid::int".encode()).fetchone()
            oids[name] = row[0] if row else 0
        values = {
            **oids,
            **_FIXED,
            "conn": object(),
            "doid": oids["did"],
            "fid": oids["fnid"],
            "pid": oids["tid"],
            "parent_id": oids["tid"],
            "table_id": oids["tid"],
            "oid": oids["tid"],
            "scids": [oids["scid"]],
            "chart_names": ["session_stats", "tps_stats", "ti_stats", "to_stats", "bio_stats"],
        }
        for area, name, path in _templates():
            roots = [
                path.parent,
                *[parent for parent in path.parents if parent.name == "templates"],
                *sorted(_ROOT.rglob("templates")),
            ]
            environment = jinja2.Environment(
                loader=jinja2.FileSystemLoader(roots), extensions=["jinja2.ext.do"], autoescape=False
            )
            _filters(environment)
            try:
                text = environment.get_template(name).render(**values).strip()
            except (jinja2.TemplateError, TypeError, ValueError, KeyError):
                continue
            text = "\n".join(line.rstrip() for line in text.split("\n") if line.strip())
            if not text or not re.match(r"(/\*.*?\*/|--[^\n]*\n|\s)*(select|with)\b", text, re.I | re.S):
                continue
            try:
                session.execute(text.encode(), prepare=False)
            except psycopg.Error:
                continue  # it wants values that are not given here
            yield Query(area, at.named(text))


def main() -> None:
    """One file: every template that the server runs."""
    version = next(iter(re.findall(r"pgadmin4-([\d.]+)", str(_ROOT))), os.environ.get("TOOLS_PGADMIN_VERSION", ""))
    with stage(17) as at:
        queries = distinct(_queries(at), set())
    header = {
        "tool": f"pgadmin4 {version}",
        "server": "17",
        "as": "developers",
        "captured": "pgAdmin's SQL templates rendered for the shop's objects; capture/pgadmin.py",
    }
    write("pgadmin/browser.sql", header, queries)


if __name__ == "__main__":
    main()
