"""`interpose credential`: short-lived client certificates. The private key is made here and goes nowhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from interpose.api.views import CredentialView
from interpose.app.quantities import parse_duration
from interpose.cli.client import AdminClient
from interpose.cli.local import local_state, operator, run
from interpose.cli.native import CERTIFICATE, KEY, KEY_DER
from interpose.cli.options import CREDENTIAL_VARIABLE, DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.output import console, good_for
from interpose.cli.private_file import check_place, write_private
from interpose.identity.certificates import new_request, revoke_certificate
from interpose.identity.ssh_client import ClientKey
from interpose.model.errors import ClientError

app = typer.Typer(no_args_is_help=True, help="Get and revoke client certificates.")


@app.command()
def issue(
    out: Annotated[
        Path, typer.Option("--out", envvar=CREDENTIAL_VARIABLE, help="the folder for certificate and key")
    ] = Path("~/.interpose/credential"),
    ttl: Annotated[str, typer.Option("--ttl", help="how long it is good for, a day at most")] = "8h",
    ssh: Annotated[bool, typer.Option("--ssh", help="an SSH certificate, as `id` and `id-cert.pub`")] = False,
    source_address: Annotated[
        list[str] | None, typer.Option("--source-address", help="with `--ssh`: good from this address or network only")
    ] = None,
    server: ServerOption = None,
) -> None:
    """Get a client certificate for whoever holds the token in INTERPOSE_TOKEN, or is signed in."""
    seconds = parse_duration(ttl)
    if seconds is None:
        raise ClientError(f"`{ttl}` is no duration", hint="write `8h` or `30m`")
    if source_address and not ssh:
        raise ClientError("only SSH certificates are bound to addresses", hint="add `--ssh`")
    folder = out.expanduser()
    for name in ("id", "id-cert.pub") if ssh else (KEY, KEY_DER, CERTIFICATE):
        check_place(folder / name)
    if ssh:
        _issue_ssh(folder, seconds, source_address or [], server)
        return
    request, key, key_der = new_request()
    made = AdminClient(server).post("/v1/credentials", CredentialView, {"request": request, "ttl": seconds})
    for name, data in ((KEY, key), (KEY_DER, key_der), (CERTIFICATE, made.certificate.encode())):
        write_private(folder / name, data)
    console().print(
        f"certificate {made.serial} of {made.principal} in {folder}, {good_for(made.expires_at - time.time(), seconds)}",
        markup=False,
    )


@app.command()
def revoke(serial: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Revoke a certificate by its serial number; its live sessions end within five seconds."""
    with local_state(config, "credential revoke") as (_, state):
        found = run(lambda: revoke_certificate(serial, operator(), state.tokens, state.record.chain, state.clock))
    if not found:
        raise ClientError(f"there is no certificate `{serial[:80]}`", hint="see `interpose token list`")
    console().print(f"{serial} is revoked; its sessions end within five seconds", markup=False)


def _issue_ssh(folder: Path, seconds: float, addresses: list[str], server: str | None) -> None:
    key = ClientKey()
    asked = {"ssh_public_key": key.public.line, "ttl": seconds, "source_addresses": addresses}
    made = AdminClient(server).post("/v1/credentials", CredentialView, asked)
    key.checked(made.certificate)
    write_private(folder / "id", key.private_pem())
    write_private(folder / "id-cert.pub", made.certificate.encode() + b"\n")
    console().print(
        f"certificate {made.serial} of {made.principal} in {folder / 'id'}, {good_for(made.expires_at - time.time(), seconds)}",
        markup=False,
    )
