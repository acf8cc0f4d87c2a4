"""`interpose bootstrap`: the first administrator's access token, for the one-time token that the gateway showed at its first start."""

from __future__ import annotations

import getpass
import sys
import time
from typing import Annotated

import typer

from interpose.api.views import BootstrapView
from interpose.cli.client import AdminClient
from interpose.cli.local import local_state, operator, run
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.output import ago, console
from interpose.model.errors import ClientError


def bootstrap(
    principal: Annotated[str | None, typer.Argument(help="who is to administer the gateway")] = None,
    new: Annotated[
        bool, typer.Option("--new", help="make another one-time token, on the gateway's machine; those before are void")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    server: ServerOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print the token only")] = False,
) -> None:
    """Get the first access token: the one-time token is asked for without echo, or read from standard input.

    Policy must permit the principal to `administer`: the token proves where its holder stands, and gives no right.
    """
    if new:
        _new(config, principal, quiet=quiet)
        return
    if principal is None:
        raise ClientError("for whom?", hint="give a principal's name, or `--new` for another one-time token")
    token = getpass.getpass("one-time token (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    body = {"token": token.strip(), "principal": principal}
    # There is no access token yet, and an old one is not sent along.
    made = AdminClient(server, anonymous=True).post("/v1/bootstrap", BootstrapView, body)
    if quiet:
        sys.stdout.write(made.token + "\n")
        return
    console().print(made.token, markup=False)
    left = "" if made.expires_at is None else f", good for {ago(made.expires_at - time.time())}"
    console().print(f"token {made.id} of {made.principal}{left}: export it as INTERPOSE_TOKEN", markup=False)


def _new(config: ConfigOption, principal: str | None, *, quiet: bool) -> None:
    if principal is not None:
        raise ClientError(
            "`--new` is for nobody in particular", hint="leave the name out, and give it when you redeem it"
        )
    from interpose.app.bootstrap import block
    from interpose.app.bootstrap import bootstrap as wired
    from interpose.engine.snapshot import SnapshotHolder

    with local_state(config, "bootstrap --new") as (loaded, state):
        made = wired(SnapshotHolder(loaded.snapshot), state, state.record.chain)
        token = run(lambda: made.new(operator()))
    sys.stdout.write(token + "\n" if quiet else block(token, first=False))
