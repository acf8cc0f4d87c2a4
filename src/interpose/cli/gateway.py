"""The commands at the top: run the gateway, reload it, ask who one is, the version."""

from __future__ import annotations

from typing import Annotated

import typer

from interpose import __version__
from interpose.cli.client import AdminClient
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.output import console


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="processes; wins over the configuration")
    ] = None,
    worker: Annotated[int | None, typer.Option("--worker", hidden=True)] = None,
) -> None:
    """Run the gateway until SIGTERM; SIGHUP or a changed file reloads."""
    from interpose.app.serve import serve as run_gateway

    raise typer.Exit(run_gateway(config, worker, workers))


def reload(server: ServerOption = None) -> None:
    """Load configuration and policy anew; a bad one leaves the old serving and says why."""
    answer = AdminClient(server).post("/v1/reload", dict[str, str], {})
    console().print(f"snapshot {answer['snapshot'][:12]} serves", markup=False)


def whoami(server: ServerOption = None) -> None:
    """Show who the gateway takes you for."""
    answer = AdminClient(server).get("/v1/whoami", dict[str, str | list[str] | None])
    for name, value in answer.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        if shown:
            console().print(f"{name:12} {shown}", markup=False)


def version() -> None:
    """Show the version, and which masking kernel this installation has: `compiled`, or the slower `python`."""
    from interpose.masking.kernel import KERNEL

    console().print(f"{__version__}\nmasking kernel: {KERNEL}", markup=False)
