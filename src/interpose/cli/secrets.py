"""`interpose secret`: the encrypted store of upstream credentials."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from interpose.app.config import read_settings
from interpose.app.protocols import SPOKEN
from interpose.app.secrets import open_vault
from interpose.cli.local import local_state, operator
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console, print_table
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import ClientError
from interpose.secrets.vault import make_key_file

app = typer.Typer(no_args_is_help=True, help="Keep upstream credentials encrypted in the state folder.")


@app.command("set")
def set_secret(name: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Store a credential, read from the terminal without echo or from standard input."""
    if sys.stdin.isatty():
        value = getpass.getpass(f"credential for `{name}` (not shown): ")
    else:
        value = sys.stdin.read().removesuffix("\n")
    if not value:
        raise ClientError("the credential is empty", hint="type it, or pipe it to standard input")
    with local_state(config, "secret set") as (loaded, state):
        vault = open_vault(loaded.settings)
        state.record.chain.append(
            AuditEvent(AuditKind.SECRET_CHANGED, None, operator(), {"secret": name, "how": "set"})
        )
        vault.set(name, value, os.urandom(12))
    console().print(f"stored; refer to it with `secret: store:{name}`", markup=False)


@app.command("list")
def list_secrets(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the names of stored credentials."""
    names = open_vault(read_settings(config, SPOKEN)).names()
    print_table("", ["name"], [[name] for name in names], "nothing is stored")


@app.command("delete")
def delete_secret(name: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Delete a stored credential."""
    with local_state(config, "secret delete") as (loaded, state):
        vault = open_vault(loaded.settings)
        state.record.chain.append(
            AuditEvent(AuditKind.SECRET_CHANGED, None, operator(), {"secret": name, "how": "deleted"})
        )
        found = vault.remove(name)
    if not found:
        raise ClientError(f"there is no secret `{name}`", hint="see `interpose secret list`")
    console().print(f"{name} is deleted", markup=False)


@app.command("key")
def make_key(path: Annotated[Path, typer.Argument(help="where the new key goes; must not exist")]) -> None:
    """Make a key for the encrypted store in a file that only its owner can read."""
    make_key_file(path, os.urandom(32))
    console().print(f"made; put `secrets: {{key: file:{path}}}` into the configuration", markup=False)
