"""`interpose connect`: the native client, pointed at a connection and logged in."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from interpose.cli.native import CERTIFICATE, SSH_CLIENTS, Entry, by_hand, environment, ssh_words
from interpose.cli.options import CREDENTIAL_VARIABLE, DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.own_name import TOKEN_VARIABLE, name_for_ssh, token_name
from interpose.cli.reach import Reach, find_reach, probe
from interpose.cli.stored_login import StoredLogin, read_login
from interpose.model.errors import ClientError

_GET_ONE: Final = "get one with `interpose credential issue`"


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
    credential: Annotated[
        Path | None,
        typer.Option(
            "--credential",
            envvar=CREDENTIAL_VARIABLE,
            help="folder with a client certificate (`interpose credential issue`), in the place of a token",
        ),
    ] = None,
    server: ServerOption = None,
    show: Annotated[bool, typer.Option("--print", help="print how to do it by hand, and start nothing")] = False,
    show_secret: Annotated[bool, typer.Option("--show-secret", help="with `--print`: print the token as well")] = False,
) -> None:
    """Start a client (`psql`, `pg_dump`, `ssh`, an application) that reaches a connection through the gateway."""
    if command and Path(command[0]).name in SSH_CLIENTS:
        reach = find_reach(connection, "ssh", gateway, config, None, os.environ)
        _connect_by_ssh(connection, command, reach, name_for_ssh(principal, server), show)
        return
    reach = find_reach(connection, "postgres", gateway, config, authority, os.environ)
    if credential is not None:
        folder = credential.expanduser().resolve()
        entry = Entry(connection, reach, _certified_name(folder, principal, reach), credential=folder)
    else:
        name, token = _token_and_name(principal, server, reach)
        variable = TOKEN_VARIABLE if os.environ.get(TOKEN_VARIABLE) else None
        entry = Entry(connection, reach, name, token, token_variable=variable)
    _show_or_start(entry, command or ["psql"], show=show, show_secret=show_secret)


def _connect_by_ssh(connection: str, command: list[str], reach: Reach, principal: str, show: bool) -> None:
    """The client's own agent and files prove who comes: `interpose ssh login` puts a certificate there."""
    words = ssh_words(command, connection, principal, reach)
    if show:
        sys.stdout.write(shlex.join(words) + "\n")
        return
    program = _program(words[0])
    probe(reach)
    os.execve(program, words, os.environ)  # noqa: S606 -- what the caller asked for, without a shell


def _program(word: str) -> str:
    program = shutil.which(word)
    if program is None:
        raise ClientError(f"there is no command `{word}`", hint="install it, or give another one after `--`")
    return program


def _token_and_name(principal: str | None, server: str | None, reach: Reach) -> tuple[str, str]:
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        stored = _stored_login(reach)
        token, principal = stored.token, principal or stored.principal
    return principal or token_name(server), token


def _certified_name(folder: Path, principal: str | None, reach: Reach) -> str:
    """The name in the certificate; refuses one that could not log in."""
    # Only here: it loads a library that nothing else of this command needs.
    from interpose.identity.certificates import certificate_name

    try:
        name, expires_at = certificate_name((folder / CERTIFICATE).read_bytes())
    except OSError as error:
        raise ClientError(f"there is no client certificate in `{folder}`", detail=str(error), hint=_GET_ONE) from error
    if expires_at <= time.time():
        raise ClientError("your client certificate has expired", hint=_GET_ONE)
    if principal is not None and principal != name:
        raise ClientError(f"the certificate is `{name}`'s, not `{principal}`'s", hint=_GET_ONE)
    if not reach.tls:
        raise ClientError("this listener has no TLS, so it takes no certificate", hint=f"set {TOKEN_VARIABLE} instead")
    return name


def _show_or_start(entry: Entry, words: list[str], *, show: bool, show_secret: bool) -> None:
    if show:
        sys.stdout.write(by_hand(entry, show_secret=show_secret))
        return
    program = _program(words[0])
    probe(entry.reach)
    # In the place of this process: the client has the terminal, gets the signals, and its exit status is ours.
    os.execve(program, words, environment(entry, os.environ))  # noqa: S606 -- what the caller asked for, without a shell


def _stored_login(reach: Reach) -> StoredLogin:
    """The login of `interpose login`, when it may go to this listener."""
    stored = read_login()
    host = f"[{reach.host}]" if ":" in reach.host else reach.host
    if stored is None or not stored.is_for(f"{'https' if reach.tls else 'http'}://{host}:{reach.port}"):
        raise ClientError("there is no access token", hint=f"run `interpose login`, or set {TOKEN_VARIABLE}")
    if stored.expired:
        raise ClientError(f"your login as {stored.principal} is over", hint="run `interpose login`")
    return stored
