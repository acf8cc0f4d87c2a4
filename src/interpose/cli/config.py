"""`interpose config`: check everything that the configuration names, as `serve` and a reload do."""

from __future__ import annotations

import typer

from interpose.app.loading import load
from interpose.app.named_files import check_named_files
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console

app = typer.Typer(no_args_is_help=True, help="Check the configuration.")


@app.callback()
def config() -> None:
    """Check the configuration."""


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check configuration, policy, principals and the policy's tests together, as `serve` and a reload do; and the keys, certificates and
    credentials in files, so run it as the user that serves.

    No network is asked, and variables of the environment are not looked at."""
    loaded = load(config)
    warnings = check_named_files(loaded.settings)
    for warning in warnings:
        console(stderr=True).print(f"warning: {warning}", markup=False)
    names = ", ".join(connection.name for connection in loaded.settings.connections)
    console().print(
        f"ok: connections {names}; {len(loaded.principals)} principals; {loaded.tests} policy tests passed; "
        f"snapshot {loaded.snapshot.digest[:12]}",
        markup=False,
    )
