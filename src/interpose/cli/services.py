"""`interpose service`: keys of service accounts that rotate. Works on the state folder, as whoever may write there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from interpose.app.quantities import parse_duration
from interpose.cli.local import local_state, operator, run
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console, when
from interpose.engine.directory import Directory
from interpose.engine.service_keys import Rotated, ServiceKeys
from interpose.engine.snapshot import SnapshotHolder
from interpose.identity.tokens import TokenIssuer
from interpose.model.errors import ClientError

if TYPE_CHECKING:
    from interpose.app.loading import Loaded
    from interpose.app.state import State

app = typer.Typer(no_args_is_help=True, help="Rotate the keys of service accounts.")


@app.callback()
def service() -> None:
    """Rotate the keys of service accounts."""


@app.command()
def rotate(
    name: str,
    config: ConfigOption = DEFAULT_CONFIG,
    grace: Annotated[str, typer.Option("--grace", help="how long the older tokens are still good")] = "1h",
    ttl: Annotated[str, typer.Option("--ttl", help="how long the new one is good")] = "30d",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print the token only")] = False,
) -> None:
    """Make a new token for a service; its older tokens and certificates, and sessions opened with them, end after the grace."""
    seconds = {"--grace": parse_duration(grace), "--ttl": parse_duration(ttl)}
    kept, lives = seconds["--grace"], seconds["--ttl"]
    if kept is None or lives is None:
        wrong = next(option for option, value in seconds.items() if value is None)
        raise ClientError(f"`{wrong}` is no duration", hint="write `30m`, `1h` or `30d`")
    with local_state(config, "service rotate") as (loaded, state):
        made = run(lambda: _rotate(loaded, state, name, lives, kept))
    if quiet:
        sys.stdout.write(made.token + "\n")
        return
    console().print(made.token, markup=False)
    console().print(
        f"token {made.record.id} of {made.record.principal}, expires {when(made.record.expires_at)} UTC. It is not shown again.",
        markup=False,
    )
    if made.older:
        console().print(
            f"older, good until {when(made.until)} UTC at the latest: {', '.join(made.older)}", markup=False
        )


async def _rotate(loaded: Loaded, state: State, name: str, ttl: float, grace: float) -> Rotated:
    """A service that an identity provider vouches for is one, too: the directory is looked at as it is now."""
    holder = SnapshotHolder(loaded.snapshot)
    await Directory(holder, state.directory, state.record.chain, state.bus, state.clock).refresh()
    chain = state.record.chain
    issuer = TokenIssuer(state.tokens, lambda: holder.current.principals, chain, state.clock, state.ids)
    keys = ServiceKeys(state.tokens, lambda: holder.current.principals, issuer, chain, state.clock)
    return await keys.rotate(name, by=operator(), ttl=ttl, grace=grace)
