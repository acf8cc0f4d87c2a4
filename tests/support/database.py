"""One database on a test server: what the fixture `fresh_database` hands to a test."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.postgres import PostgresServer


@dataclass(frozen=True, slots=True)
class Database:
    """A database that exists for one test only."""

    server: PostgresServer
    name: str

    def dsn(self, user: str = "postgres", password: str | None = None, **parameters: str) -> str:
        """A URI to this database; see `PostgresServer.dsn`."""
        return self.server.dsn(self.name, user, password, **parameters)

    def psql(self, sql: str) -> str:
        """Run SQL here as superuser; see `PostgresServer.psql`."""
        return self.server.psql(sql, database=self.name)
