"""`interpose connect`: the native client, pointed at a connection and logged in."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated, Final

import typer

from interpose.cli.client import AdminClient, ServerError
from interpose.cli.native import Entry, by_hand, environment
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.reach import Reach, find_reach, probe
from interpose.cli.stored_login import StoredLogin, read_login
from interpose.model.errors import ClientError

_TOKEN_VARIABLE: Final = "INTERPOSE_TOKEN"  # noqa: S105 -- a name


def connect(
    connection: str,
    command: Annotated[
        list[str] | None, typer.Argument(help="the client and its arguments, after `--`; `psql` when there are none")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    gateway: Annotated[
        str | None,
        typer.Option(
            "--gateway", envvar="INTERPOSE_GATEWAY", help="the listener, `host:port`; wins over the configuration"
        ),
    ] = None,
    principal: Annotated[
        str | None, typer.Option("--as", help="the principal's name; asked from the admin API when it is not given")
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option(
            "--ca-file", envvar="INTERPOSE_CA_FILE", help="PEM file that the gateway's certificate is checked with"
        ),
    ] = None,
    server: ServerOption = None,
    show: Annotated[bool, typer.Option("--print", help="print how to do it by hand, and start nothing")] = False,
    show_secret: Annotated[bool, typer.Option("--show-secret", help="with `--print`: print the token as well")] = False,
) -> None:
    """Start a client (`psql`, `pg_dump`, an application) that reaches a connection through the gateway."""
    reach = find_reach(connection, "postgres", gateway, config, authority, os.environ)
    token = os.environ.get(_TOKEN_VARIABLE, "")
    if not token:
        stored = _stored_login(reach)
        token, principal = stored.token, principal or stored.principal
    entry = Entry(connection, reach, principal or _own_name(server), token)
    if show:
        sys.stdout.write(by_hand(entry, show_secret=show_secret))
        return
    words = command or ["psql"]
    program = shutil.which(words[0])
    if program is None:
        raise ClientError(f"there is no command `{words[0]}`", hint="install it, or give another one after `--`")
    probe(reach)
    # In the place of this process: the client has the terminal, gets the signals, and its exit status is ours.
    os.execve(program, words, environment(entry, os.environ))  # noqa: S606 -- what the caller asked for, without a shell


def _stored_login(reach: Reach) -> StoredLogin:
    """The login of `interpose login`, when it may go to this listener."""
    stored = read_login()
    host = f"[{reach.host}]" if ":" in reach.host else reach.host
    if stored is None or not stored.is_for(f"{'https' if reach.tls else 'http'}://{host}:{reach.port}"):
        raise ClientError("there is no access token", hint=f"run `interpose login`, or set {_TOKEN_VARIABLE}")
    if stored.expired:
        raise ClientError(f"your login as {stored.principal} is over", hint="run `interpose login`")
    return stored


def _own_name(server: str | None) -> str:
    """Whose token it is: the gateway says so, and refuses one that is not valid any more."""
    try:
        answer = AdminClient(server).get("/v1/whoami", dict[str, str | list[str] | None])
    except ServerError as error:
        if error.code == "authentication_failed":
            raise ClientError(
                f"the access token in {_TOKEN_VARIABLE} is not valid, or not any more",
                hint="tokens expire and can be revoked: get a new one",
            ) from error
        raise ClientError(
            "the gateway could not be asked whose token this is",
            detail=error.public_message,
            hint="give your principal's name with `--as`, or the admin API's address with `--server`",
        ) from error
    return str(answer["name"])
