"""`interpose credential`: short-lived client certificates. The private key is made here and goes nowhere."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from interpose.api.views import CredentialView
from interpose.app.strict_yaml import parse_duration
from interpose.cli.client import AdminClient
from interpose.cli.local import local_state, operator, run
from interpose.cli.native import CERTIFICATE, KEY, KEY_DER
from interpose.cli.options import CREDENTIAL_VARIABLE, DEFAULT_CONFIG, ConfigOption, ServerOption
from interpose.cli.output import ago, console
from interpose.identity.certificates import new_request, revoke_certificate
from interpose.model.errors import ClientError

app = typer.Typer(no_args_is_help=True, help="Get and revoke client certificates.")


@app.command()
def issue(
    out: Annotated[
        Path, typer.Option("--out", envvar=CREDENTIAL_VARIABLE, help="the folder for certificate and key")
    ] = Path("~/.interpose/credential"),
    ttl: Annotated[str, typer.Option("--ttl", help="how long it is good for, a day at most")] = "8h",
    server: ServerOption = None,
) -> None:
    """Get a client certificate for whoever holds the token in INTERPOSE_TOKEN."""
    seconds = parse_duration(ttl)
    if seconds is None:
        raise ClientError(f"`{ttl}` is no duration", hint="write `8h` or `30m`")
    request, key, key_der = new_request()
    made = AdminClient(server).post("/v1/credentials", CredentialView, {"request": request, "ttl": seconds})
    folder = out.expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, data in ((KEY, key), (KEY_DER, key_der), (CERTIFICATE, made.certificate.encode())):
            _write(folder / name, data)
    except OSError as error:
        raise ClientError(
            f"`{folder}` cannot be written", detail=str(error), hint="give another with `--out`"
        ) from error
    console().print(
        f"certificate {made.serial} of {made.principal} in {folder}, good for {ago(made.expires_at - time.time())}",
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


def _write(path: Path, data: bytes) -> None:
    """Put a file in its place with mode 0600 from its first moment on (libpq refuses a key that others can read)."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
