"""`interpose ca`: the built-in certificate authority. Works on the state folder, as whoever may write there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from interpose.app.system import SystemClock, SystemIds
from interpose.cli.local import local_state, operator
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console, when
from interpose.identity.authority import Authority
from interpose.identity.ssh_authority import SshAuthority, SshRole
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import ClientError

app = typer.Typer(no_args_is_help=True, help="Show and rotate the authority of client certificates.")


SshOption = Annotated[
    SshRole | None,
    typer.Option("--ssh", help="the SSH authority instead: of `user`s, of the gateway as a `host`, for `upstream`s"),
]


@app.command()
def show(
    config: ConfigOption = DEFAULT_CONFIG,
    ssh: SshOption = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--for", help="with `--ssh host`: the gateway's name, or a pattern of known_hosts"),
    ] = None,
) -> None:
    """Print the roots that are believed, as PEM; with `--ssh` the keys, as the files of OpenSSH have them."""
    if ssh is not None:
        sys.stdout.write(_ssh(config, ssh, names))
        return
    from interpose.app.loading import load

    bundle = Authority(load(config).settings.state, SystemClock(), SystemIds()).bundle()
    if not bundle:
        raise ClientError(
            "there is no certificate authority yet",
            hint="it is made when a gateway starts with `client_certificates: true` on a listener",
        )
    sys.stdout.write(bundle)


def _ssh(config: Path, role: SshRole, names: list[str] | None) -> str:
    # The pages that publish the same come with it.
    from interpose.app.ssh_identity import Published, public_patterns

    with local_state(config, "ca show") as (loaded, state):
        settings = loaded.settings
        published = Published(settings.state, state.clock, state.ids)
        authority = SshAuthority(role, settings.state, state.clock, state.ids)
        what: dict[str, AuditValue] = {"what": "ensure_authority", "authority": f"ssh {role.value}"}
        state.record.chain.append(AuditEvent(AuditKind.ADMINISTERED, None, operator(), what))
        authority.ensure()
    if role is not SshRole.HOST:
        return published.keys(role)
    patterns = tuple(names or ()) or public_patterns(settings)
    if not patterns:
        raise ClientError("for which name?", hint="give it with `--for gateway.example.com`")
    return published.known_hosts(patterns)


@app.command()
def rotate(
    config: ConfigOption = DEFAULT_CONFIG,
    ssh: SshOption = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="with `--ssh`: the old key was stolen, nothing that it signed is believed")
    ] = False,
) -> None:
    """Make a new root. Certificates of the one before are taken until they expire, for a day at most.

    With `--ssh host` and `--ssh upstream` the new key is published now and signs in a week: known_hosts and upstreams need it by then.
    """
    if ssh is not None:
        _rotate_ssh(config, ssh, at_once=at_once)
        return
    if at_once:
        raise ClientError(
            "`--at-once` is for the SSH authorities", hint="revoke certificates with `interpose credential revoke`"
        )
    with local_state(config, "ca rotate") as (loaded, state):
        state.record.chain.append(AuditEvent(AuditKind.ADMINISTERED, None, operator(), {"what": "rotate_authority"}))
        root = Authority(loaded.settings.state, state.clock, state.ids).rotate()
    console().print(
        f"root {root.number} signs in a few seconds; the one before is believed until its last certificate has expired",
        markup=False,
    )


def _rotate_ssh(config: Path, role: SshRole, *, at_once: bool) -> None:
    with local_state(config, "ca rotate") as (loaded, state):
        what: dict[str, AuditValue] = {"what": "rotate_authority", "authority": f"ssh {role.value}", "at_once": at_once}
        state.record.chain.append(AuditEvent(AuditKind.ADMINISTERED, None, operator(), what))
        root = SshAuthority(role, loaded.settings.state, state.clock, state.ids).rotate(at_once=at_once)
    console().print(
        f"SSH key {root.number} for {role.value} signs from {when(root.signs_from)} UTC on: {root.public.line}",
        markup=False,
        soft_wrap=True,
    )
