"""`interpose ca`: the built-in certificate authority. Works on the state folder, as whoever may write there."""

from __future__ import annotations

import sys

import typer

from interpose.app.loading import load
from interpose.app.system import SystemClock, SystemIds
from interpose.cli.local import local_state, operator
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console
from interpose.identity.authority import Authority
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import ClientError

app = typer.Typer(no_args_is_help=True, help="Show and rotate the authority of client certificates.")


@app.command()
def show(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Print the roots that are believed, as PEM."""
    bundle = Authority(load(config).settings.state, SystemClock(), SystemIds()).bundle()
    if not bundle:
        raise ClientError(
            "there is no certificate authority yet",
            hint="it is made when a gateway starts with `client_certificates: true` on a listener",
        )
    sys.stdout.write(bundle)


@app.command()
def rotate(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make a new root. Certificates of the one before are taken until they expire, for a day at most."""
    with local_state(config, "ca rotate") as (loaded, state):
        state.record.chain.append(AuditEvent(AuditKind.ADMINISTERED, None, operator(), {"what": "rotate_authority"}))
        root = Authority(loaded.settings.state, state.clock, state.ids).rotate()
    console().print(
        f"root {root.number} signs in a few seconds; the one before is believed until its last certificate has expired",
        markup=False,
    )
