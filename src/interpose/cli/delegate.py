"""`interpose delegate`: start an agent that acts for whoever is logged in, with a short-lived token that can be narrowed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Annotated

import typer

from interpose.api.views import DelegationView
from interpose.app.quantities import parse_duration
from interpose.cli.client import AdminClient
from interpose.cli.options import ServerOption
from interpose.cli.output import console, good_for
from interpose.model.errors import ClientError


def delegate(
    agent: str,
    command: Annotated[
        list[str] | None,
        typer.Argument(help="the agent's program and its arguments, after `--`; it gets INTERPOSE_TOKEN"),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="what it is to do; policy and audit see it")] = None,
    connection: Annotated[
        list[str] | None, typer.Option("--connection", help="the only connection that its token opens; may be repeated")
    ] = None,
    ttl: Annotated[str, typer.Option("--ttl", help="how long the token is good for, eight hours at most")] = "1h",
    server: ServerOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print the token only")] = False,
) -> None:
    """Make a token with which an agent acts for you, and start the agent with it when a command is given.

    The agent may do what policy permits to it and to you. The token ends when yours does.
    """
    seconds = parse_duration(ttl)
    if seconds is None:
        raise ClientError(f"`{ttl}` is no duration", hint="write `30m` or `2h`")
    program = shutil.which(command[0]) if command else None
    if command and program is None:
        raise ClientError(f"there is no command `{command[0]}`", hint="install it, or give another one after `--`")
    body = {"agent": agent, "task": task, "connections": connection or None, "ttl": seconds}
    made = AdminClient(server).post("/v1/delegations", DelegationView, body)
    if command and program is not None:
        # In the place of this process. The person's own login is not handed on in the environment.
        os.execve(program, command, {**os.environ, "INTERPOSE_TOKEN": made.token})  # noqa: S606 -- what the caller asked for
    if quiet:
        sys.stdout.write(made.token + "\n")
        return
    console().print(made.token, markup=False)
    left = "" if made.expires_at is None else f", {good_for(made.expires_at - time.time(), seconds)}"
    where = "wherever both may" if made.connections is None else ", ".join(made.connections)
    console().print(
        f"token {made.id} of {made.principal} for {made.acting_for}{left}, on {where}. It is not shown again.",
        markup=False,
    )
