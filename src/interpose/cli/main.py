"""The `interpose` command: every subcommand, and errors told as one sentence with what to do next.

Only the part that was asked for is imported, so that approving a command does not load a SQL parser; the overview imports none.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import typer

from interpose.cli.output import print_error
from interpose.model.errors import InterposeError

PARTS: Final[Mapping[str, str]] = {
    "config": "config",
    "policy": "policy",
    "classify": "classify",
    "principals": "principals",
    "token": "tokens",
    "service": "services",
    "secret": "secrets",
    "credential": "credentials",
    "ca": "authority",
    "ssh": "ssh",
    "approvals": "approvals",
    "sessions": "sessions",
    "audit": "audit",
}
"""Subcommands with commands of their own, and the modules of this package that hold them."""

COMMANDS: Final[Mapping[str, str]] = {
    "bootstrap": "bootstrap",
    "connect": "connect",
    "delegate": "delegate",
    "login": "login",
    "logout": "login",
    "serve": "gateway",
    "reload": "gateway",
    "whoami": "gateway",
    "version": "gateway",
}
"""Commands at the top, and the modules that hold them."""

SUMMARIES: Final[Mapping[str, str]] = {
    "bootstrap": "Get the first access token: the one-time token is asked for without echo, or read from standard input.",
    "connect": "Start a client (`psql`, `pg_dump`, `ssh`, an application) that reaches a connection through the gateway.",
    "delegate": "Make a token with which an agent acts for you, and start the agent with it when a command is given.",
    "login": "Sign in with a browser, and keep an access token for the other commands.",
    "logout": "Revoke the access token of `interpose login`, and forget it.",
    "serve": "Run the gateway until SIGTERM; SIGHUP or a changed file reloads.",
    "reload": "Load configuration and policy anew; a bad one leaves the old serving and says why.",
    "whoami": "Show who the gateway takes you for.",
    "version": "Show the version, and which masking kernel this installation has: `compiled`, or the slower `python`.",
    "config": "Check the configuration.",
    "policy": "Check, test and explain policy.",
    "classify": "Propose classifications.",
    "principals": "List, disable, enable and forget principals.",
    "token": "Create, list and revoke access tokens.",
    "service": "Rotate the keys of service accounts.",
    "secret": "Keep upstream credentials encrypted in the state folder.",
    "credential": "Get and revoke client certificates.",
    "ca": "Show and rotate the authority of client certificates.",
    "ssh": "Get SSH certificates, and configure the SSH client.",
    "approvals": "See, approve and deny held commands.",
    "sessions": "List, replay, search, export and end sessions.",
    "audit": "Verify and export the audit chain.",
}
"""What the overview says of each, in the words of its module (a test holds them together)."""


def build(names: Iterable[str] = (*PARTS, *COMMANDS)) -> typer.Typer:
    """The application with these subcommands (all of them when none is named)."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Interpose: a layer-7, identity-aware access gateway.",
    )

    @app.callback()
    def root() -> None:
        """Interpose: a layer-7, identity-aware access gateway."""

    for name in names:
        if name in PARTS:
            app.add_typer(importlib.import_module(f"interpose.cli.{PARTS[name]}").app, name=name)
        else:
            module = importlib.import_module(f"interpose.cli.{COMMANDS[name]}")
            app.command(name)(getattr(module, name))
    return app


def overview() -> typer.Typer:
    """The application with the names and summaries of all subcommands and nothing behind them."""
    app = build(())
    for name in PARTS:
        app.add_typer(typer.Typer(help=SUMMARIES[name], no_args_is_help=True), name=name)
    for name in COMMANDS:
        app.command(name, help=SUMMARIES[name])(_nothing)
    return app


def _nothing() -> None:
    raise AssertionError("the overview runs no command")


def chosen(arguments: Sequence[str]) -> typer.Typer:
    """The application that these arguments need."""
    asked = arguments[0] if arguments else ""
    if asked in PARTS or asked in COMMANDS:
        return build([asked])
    # The first word is no subcommand, so none will run; after an option there may still come one.
    return overview() if asked == "--help" or not asked.startswith("-") else build()


def main() -> None:
    """Entry point of the console script."""
    try:
        chosen(sys.argv[1:])()
    except InterposeError as error:
        print_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
