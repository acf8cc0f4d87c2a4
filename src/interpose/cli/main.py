"""The `interpose` command: every subcommand, and errors told as one sentence with what to do next.

Only the part that was asked for is imported, so that approving a command does not load a SQL parser.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
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


def main() -> None:
    """Entry point of the console script."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        (build([asked]) if asked in PARTS or asked in COMMANDS else build())()
    except InterposeError as error:
        print_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
