"""`interpose config`: check everything that the configuration names, as `serve` and a reload do."""

from __future__ import annotations

import typer

from interpose.app.loading import load
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console

app = typer.Typer(no_args_is_help=True, help="Check the configuration.")


@app.callback()
def config() -> None:
    """Check the configuration."""


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check configuration, policy, principals and the policy's tests together, as `serve` and a reload do."""
    loaded = load(config)
    names = ", ".join(connection.name for connection in loaded.settings.connections)
    console().print(
        f"ok: connections {names}; {len(loaded.principals)} principals; {loaded.tests} policy tests passed; "
        f"snapshot {loaded.snapshot.digest[:12]}",
        markup=False,
    )
