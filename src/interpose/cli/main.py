"""The `interpose` command: every subcommand, and errors told as one sentence with what to do next."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from interpose import __version__
from interpose.app.loading import load
from interpose.app.serve import serve as run_gateway
from interpose.cli import approvals, audit, policy, secrets, sessions, tokens
from interpose.cli.client import AdminClient
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.output import console, print_error
from interpose.model.errors import InterposeError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Interpose: a layer-7, identity-aware access gateway.",
)
config_app = typer.Typer(no_args_is_help=True, help="Check the configuration.")
app.add_typer(config_app, name="config")
app.add_typer(policy.app, name="policy")
app.add_typer(tokens.app, name="token")
app.add_typer(secrets.app, name="secret")
app.add_typer(approvals.app, name="approvals")
app.add_typer(sessions.app, name="sessions")
app.add_typer(audit.app, name="audit")


@app.command()
def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    worker: Annotated[int | None, typer.Option("--worker", hidden=True)] = None,
) -> None:
    """Run the gateway until SIGTERM; SIGHUP or a changed file reloads."""
    raise typer.Exit(run_gateway(config, worker))


@app.command()
def reload(server: ServerOption = None) -> None:
    """Load configuration and policy anew; a bad one leaves the old serving and says why."""
    answer = AdminClient(server).post("/v1/reload", dict[str, str], {})
    console().print(f"snapshot {answer['snapshot'][:12]} serves", markup=False)


@app.command()
def whoami(server: ServerOption = None) -> None:
    """Show who the gateway takes you for."""
    answer = AdminClient(server).get("/v1/whoami", dict[str, str | list[str] | None])
    for name, value in answer.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        if shown:
            console().print(f"{name:12} {shown}", markup=False)


@app.command()
def version() -> None:
    """Show the version."""
    console().print(__version__, markup=False)


@config_app.command("check")
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check configuration, policy, principals and the policy's tests together, as `serve` and a reload do."""
    loaded = load(config)
    names = ", ".join(connection.name for connection in loaded.settings.connections)
    console().print(
        f"ok: connections {names}; {len(loaded.principals)} principals; {loaded.tests} policy tests passed; "
        f"snapshot {loaded.snapshot.digest[:12]}",
        markup=False,
    )


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except InterposeError as error:
        print_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
