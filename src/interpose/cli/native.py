"""How the native client of a protocol is told where to go and as whom: environment, command line, JDBC URL.

Values only; nothing is read, sent or started here. Sources: PostgreSQL 17 §32.15 (environment variables), the PgJDBC manual.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from interpose.cli.reach import Reach

CERTIFICATE, KEY, KEY_DER = "client.crt", "client.key", "client.pk8"
"""The files of a credential's folder: PEM for libpq, and the key once more as PKCS #8 DER for JDBC."""

SSH_CLIENTS: Final = ("ssh", "sftp")
"""Clients that are told the gateway as options before the host's name."""

MISLEADING: Final = (
    "PGHOSTADDR",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGPASSFILE",
    "PGREQUIRESSL",
    "PGPASSWORD",
    "PGSSLCERT",
    "PGSSLKEY",
)
"""Variables that libpq would follow past what is set here; they are taken away."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in: who comes to which connection, and with what: `token` is the password, `credential` a folder with a client certificate.

    `token_variable` names the variable that the token was taken from, so that it can be told without being shown; None for the login
    that `interpose login` keeps.
    """

    connection: str
    reach: Reach
    principal: str
    token: str = field(default="", repr=False)
    credential: Path | None = None
    token_variable: str | None = "INTERPOSE_TOKEN"  # noqa: S105 -- a name


def postgres_variables(entry: Entry) -> dict[str, str]:
    """What libpq is told, the password included. TLS is checked in full wherever there is any."""
    variables = {
        "PGHOST": entry.reach.host,
        "PGPORT": str(entry.reach.port),
        "PGDATABASE": entry.connection,
        "PGUSER": entry.principal,
        "PGSSLMODE": "verify-full" if entry.reach.tls else "disable",
    }
    if entry.reach.authority is not None:
        variables["PGSSLROOTCERT"] = entry.reach.authority
    if entry.credential is None:
        variables["PGPASSWORD"] = entry.token
    else:
        variables["PGSSLCERT"] = str(entry.credential / CERTIFICATE)
        variables["PGSSLKEY"] = str(entry.credential / KEY)
    return variables


def ssh_options(connection: str, principal: str, reach: Reach) -> list[tuple[str, str]]:
    """What the SSH client is told, as options of ssh_config(5). The connection stands in the user's name."""
    return [("HostName", reach.host), ("Port", str(reach.port)), ("User", f"{principal}+{connection}")]


def ssh_words(words: list[str], connection: str, principal: str, reach: Reach) -> list[str]:
    """The command line of `ssh` or `sftp` with what the caller gave behind it."""
    options = [
        word for name, value in ssh_options(connection, principal, reach)[1:] for word in ("-o", f"{name}={value}")
    ]
    return [words[0], *options, reach.host, *words[1:]]


def environment(entry: Entry, current: Mapping[str, str]) -> dict[str, str]:
    """The current environment, pointed at the gateway."""
    kept = {name: value for name, value in current.items() if name not in MISLEADING}
    return {**kept, **postgres_variables(entry)}


def by_hand(entry: Entry, *, show_secret: bool) -> str:
    """The same as lines for a shell, with the psql line and the JDBC URL as comments. The secret stands in it only when asked for."""
    lines = [f"# {entry.connection}, as {entry.principal}"]
    lines.append(f"unset {' '.join(MISLEADING)}")
    for name, value in postgres_variables(entry).items():
        if name == "PGPASSWORD" and not show_secret:
            known = entry.token_variable
            lines.append("# PGPASSWORD is missing" if known is None else f'export PGPASSWORD="${known}"')
        else:
            lines.append(f"export {name}={shlex.quote(value)}")
    lines.append(f"# psql {shlex.quote(_keywords(entry))}")
    lines.append(f"# {_jdbc(entry)}")
    if entry.credential is None and not show_secret:
        where = "of your login" if entry.token_variable is None else f"in {entry.token_variable}"
        lines.append(f"# the password is the access token {where}; `--show-secret` prints it")
    return "\n".join(lines) + "\n"


def _settings(entry: Entry) -> dict[str, str]:
    settings = {"user": entry.principal, "sslmode": "verify-full" if entry.reach.tls else "disable"}
    if entry.reach.authority is not None:
        settings["sslrootcert"] = entry.reach.authority
    if entry.credential is not None:
        settings["sslcert"] = str(entry.credential / CERTIFICATE)
        settings["sslkey"] = str(entry.credential / KEY)
    return settings


def _keywords(entry: Entry) -> str:
    """A libpq connection string (PostgreSQL 17 §32.1.1.1): values in quotes where they need any."""
    words = {"host": entry.reach.host, "port": str(entry.reach.port), "dbname": entry.connection, **_settings(entry)}
    return " ".join(f"{name}={_quoted(value)}" for name, value in words.items())


def _quoted(value: str) -> str:
    if value and not set(value) & set(" '\\"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _jdbc(entry: Entry) -> str:
    host = f"[{entry.reach.host}]" if ":" in entry.reach.host else entry.reach.host
    settings = _settings(entry)
    if entry.credential is not None:
        settings["sslkey"] = str(entry.credential / KEY_DER)  # PgJDBC reads PKCS #8 in DER
    query = urlencode(settings, quote_via=quote)
    return f"jdbc:postgresql://{host}:{entry.reach.port}/{quote(entry.connection, safe='')}?{query}"
