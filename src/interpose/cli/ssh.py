"""`interpose ssh`: a short-lived SSH certificate into the running agent, and what the client's own configuration needs."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from interpose.api.views import CredentialView
from interpose.app.quantities import parse_duration
from interpose.cli.client import AdminClient
from interpose.cli.native import ssh_options
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.output import console, good_for
from interpose.cli.own_name import name_for_ssh
from interpose.cli.private_file import check_place, write_private
from interpose.cli.public_client import PublicClient
from interpose.cli.reach import find_reach
from interpose.cli.ssh_agent import add_to_agent, check_agent
from interpose.cli.stored_login import read_login
from interpose.identity.ssh_client import ClientKey
from interpose.model.errors import ClientError

app = typer.Typer(no_args_is_help=True, help="Get SSH certificates, and configure the SSH client.")

_LOGIN_FIRST: Final = "run `interpose login` first, or set INTERPOSE_TOKEN"


@app.command()
def login(
    ttl: Annotated[str, typer.Option("--ttl", help="how long it is good for, a day at most")] = "8h",
    out: Annotated[
        Path | None, typer.Option("--out", help="write key and certificate to this file and FILE-cert.pub instead")
    ] = None,
    server: ServerOption = None,
) -> None:
    """Get an SSH certificate for a new key, and put both into the running ssh-agent until it expires."""
    seconds = parse_duration(ttl)
    if seconds is None:
        raise ClientError(f"`{ttl}` is no duration", hint="write `8h` or `30m`")
    file = None if out is None else out.expanduser()
    # First of all: a certificate that can be put nowhere would be good for hours all the same.
    if file is None:
        check_agent()
    else:
        check_place(file)
        check_place(_beside(file))
    key = ClientKey()
    made = get_certificate(key, seconds, server)
    left = int(made.expires_at - time.time())
    if left <= 0:
        raise ClientError("the certificate is over already", hint="is this machine's clock right?")
    if file is None:
        add_to_agent(key.agent_request(made.certificate, f"interpose {made.principal}", left))
        where = "in the ssh-agent"
    else:
        write_private(file, key.private_pem())
        write_private(_beside(file), made.certificate.encode() + b"\n")
        where = f"in {file}"
    console().print(f"certificate {made.serial} of {made.principal} {where}, {good_for(left, seconds)}", markup=False)


def get_certificate(key: ClientKey, seconds: float, server: str | None) -> CredentialView:
    """A certificate for this key: at the public address with the login of `interpose login`, else at the admin API."""
    if os.environ.get("INTERPOSE_TOKEN") or server is not None:
        made = AdminClient(server).post(
            "/v1/credentials", CredentialView, {"ssh_public_key": key.public.line, "ttl": seconds}
        )
    else:
        made = _by_login(key, seconds)
    key.checked(made.certificate)
    return made


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}-cert.pub")


def _by_login(key: ClientKey, seconds: float) -> CredentialView:
    stored = read_login()
    if stored is None:
        raise ClientError("you are not signed in", hint=_LOGIN_FIRST)
    if stored.expired:
        raise ClientError(f"your login as {stored.principal} is over", hint="run `interpose login`")
    form = {"token": stored.token, "public_key": key.public.line, "ttl": str(seconds)}
    answer = PublicClient(stored.url).post("/ssh/certificate", form)
    certificate, expires = answer.get("certificate"), answer.get("expires_at")
    if not isinstance(certificate, str) or not isinstance(expires, (int, float)):
        raise ClientError("the gateway's answer is not understood")
    return CredentialView(certificate, str(answer.get("serial")), str(answer.get("principal")), float(expires))


@app.command("config")
def show_config(
    connections: Annotated[list[str], typer.Argument(help="the connections, as `ssh CONNECTION` names them")],
    config: ConfigOption = DEFAULT_CONFIG,
    gateway: Annotated[
        str | None,
        typer.Option("--gateway", envvar="INTERPOSE_SSH_GATEWAY", help="the SSH listener, `host:port`"),
    ] = None,
    principal: Annotated[
        str | None, typer.Option("--as", help="the principal's name; else that of the token or the login")
    ] = None,
    server: ServerOption = None,
) -> None:
    """Print what ~/.ssh/config and ~/.ssh/known_hosts need to reach connections through the gateway."""
    name = name_for_ssh(principal, server)
    lines = []
    for connection in connections:
        reach = find_reach(connection, "ssh", gateway, config, None, os.environ)
        options = "".join(f"    {key} {value}\n" for key, value in ssh_options(connection, name, reach))
        lines.append(f"Host {connection}\n{options}")
    sys.stdout.write("\n".join(lines))
    stored = read_login()
    if stored is not None:
        known = PublicClient(stored.url).text("/ca/ssh")
        sys.stdout.write("\n# and in ~/.ssh/known_hosts:\n" + "".join(f"# {line}\n" for line in known.splitlines()))
