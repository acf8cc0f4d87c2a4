"""Databases and a gateway for replaying the tools' corpus: for each file two databases reached directly, one a mode through the gateway."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from ruamel.yaml import YAML

from demo.shop import GATEWAY_PASSWORD, GATEWAY_ROLE
from tests.corpus.tools.capture.stage import make_shop, oids
from tests.support.access_tokens import make_token
from tests.support.empty_store import give_empty_store
from tests.support.gateway import GatewayProcess
from tests.support.postgres import PostgresServer
from tests.support.tool_corpus import CORPUS, Player, ToolFile

MODES: Final = ("output", "strict")
PEOPLE: Final = {"support": "alice", "developers": "bob", "dba": "carol"}
_EXAMPLES: Final = Path(__file__).parent.parent.parent / "examples"


class ToolStage:
    """One server of one major with the shop four times for each file, so that what one tool wrote no other meets; and one gateway with the example policy."""

    def __init__(self, server: PostgresServer, folder: Path, files: Sequence[ToolFile]) -> None:
        """Make the databases and the gateway's configuration."""
        self.server = server
        make_shop(server, "tools_template")
        self._oids = oids(server, "tools_template")
        self._database_oids: dict[str, str] = {}
        for file in files:
            for side in ("direct", "again", *MODES):
                name = database_of(file, side)
                server.create_database(name, owner=GATEWAY_ROLE, template="tools_template")
                server.psql(f"alter role {GATEWAY_ROLE} in database {name} set work_mem = '8MB'")
                self._database_oids[name] = server.psql(f"select oid from pg_database where datname = '{name}'")
        policy = {
            str(file.relative_to(_EXAMPLES / "policy")): file.read_text(encoding="utf-8")
            for file in sorted((_EXAMPLES / "policy").iterdir())
            if file.suffix in (".cedar", ".yaml")
        }
        policy |= {file.name: file.read_text(encoding="utf-8") for file in CORPUS.glob("policy/*.cedar")}
        self.gateway = GatewayProcess(
            folder,
            {
                f"{mode}-{place}": {
                    "protocol": "postgres",
                    "address": f"127.0.0.1:{server.port}",
                    "secret": "env:SHOP_PASSWORD",
                    "labels": {"team": "shop", "env": "staging", "mode": mode},
                    "options": {"database": database_of(file, mode), "user": GATEWAY_ROLE, "tls": "insecure-plaintext"},
                }
                for place, file in enumerate(files)
                for mode in MODES
            },
            policy=policy,
            principals=(_EXAMPLES / "principals.yaml").read_text(encoding="utf-8"),
            environment={"SHOP_PASSWORD": GATEWAY_PASSWORD},
        )
        give_empty_store(self.gateway.state)
        self._places = {file.name: place for place, file in enumerate(files)}
        self._tokens: dict[str, str] = {}

    def token(self, principal: str) -> str:
        """This person's token."""
        if principal not in self._tokens:
            self._tokens[principal] = make_token(self.gateway.config, principal, "1h")[1]
        return self._tokens[principal]

    def direct(self, file: ToolFile, side: str) -> Player:
        """A session past the gateway, as the role that the gateway logs in with; `side` is `direct` or `again`."""
        name = database_of(file, side)
        session: psycopg.Connection[Any] = psycopg.connect(
            self.server.dsn(name, GATEWAY_ROLE, GATEWAY_PASSWORD), autocommit=True
        )
        return Player(session, self._numbers(name))

    def classified(self, file: ToolFile) -> set[tuple[int, int]]:
        """Table oid and number of every column that the example classifications name."""
        listed = YAML(typ="safe").load((_EXAMPLES / "policy" / "classifications.yaml").read_text(encoding="utf-8"))
        names = [name for entry in listed["classifications"] for name in entry["columns"]]
        values = ", ".join("('{}', '{}')".format(*name.rsplit(".", 1)) for name in names)
        rows = self.server.psql(
            f"select attrelid, attnum from pg_attribute join (values {values}) v (t, c) on attrelid = t::regclass and attname = c",
            database=database_of(file, "direct"),
        )
        return {(int(oid), int(number)) for oid, number in (row.split("|") for row in rows.splitlines())}

    def _numbers(self, database: str) -> dict[str, str]:
        return {**self._oids, "{{pg_database}}": self._database_oids[database]}

    def through(self, file: ToolFile, mode: str) -> Player:
        """A session through the gateway, as somebody of the group that the file names."""
        principal = PEOPLE[file.header["as"]]
        session: psycopg.Connection[Any] = psycopg.connect(
            host="127.0.0.1",
            port=self.gateway.port,
            user=principal,
            password=self.token(principal),
            dbname=f"{mode}-{self._places[file.name]}",
            sslmode="disable",
            autocommit=True,
        )
        return Player(session, self._numbers(database_of(file, mode)))


def database_of(file: ToolFile, side: str) -> str:
    """The database of one file on one side."""
    return f"tools_{file.name.removesuffix('.sql').replace('/', '_').replace('-', '_')}_{side}"


@contextmanager
def tool_stage(server: PostgresServer, files: Sequence[ToolFile]) -> Iterator[ToolStage]:
    """A stage whose gateway runs; the server is the stage's own, and keeps what was made in it."""
    with tempfile.TemporaryDirectory(prefix="interpose-tools-") as folder:
        stage = ToolStage(server, Path(folder) / "gateway", files)
        try:
            stage.gateway.start(timeout=90)
            yield stage
        finally:
            stage.gateway.kill()
