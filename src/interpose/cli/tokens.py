"""`interpose token`: access tokens. Works on the state folder, as whoever may write there."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Annotated

import typer

from interpose.app.quantities import parse_duration
from interpose.cli.local import local_state, operator, run
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from interpose.cli.output import ago, console, print_json, print_table, when
from interpose.engine.service_keys import is_due
from interpose.identity.tokens import TokenIssuer
from interpose.model.errors import ClientError
from interpose.model.ids import TokenId
from interpose.model.principal import PrincipalKind

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke access tokens.")


@app.command()
def create(
    principal: str,
    config: ConfigOption = DEFAULT_CONFIG,
    expires: Annotated[str, typer.Option("--expires", help="how long it is good for: `8h`, `90d`, or `never`")] = "90d",
    description: Annotated[str, typer.Option("--description", "-d", help="what it is for")] = "",
    acting_for: Annotated[str | None, typer.Option("--acting-for", help="the person an agent acts for")] = None,
    task: Annotated[str | None, typer.Option("--task", help="what an agent does with it")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print the token only")] = False,
) -> None:
    """Create a token and show it, this one time."""
    ttl = None if expires == "never" else parse_duration(expires)
    if ttl is None and expires != "never":
        raise ClientError(f"`{expires}` is no duration", hint="write `8h`, `90d` or `never`")
    with local_state(config, "token create") as (loaded, state):
        issuer = TokenIssuer(state.tokens, lambda: loaded.principals, state.record.chain, state.clock, state.ids)
        record, token = run(
            lambda: issuer.create(
                principal, by=operator(), ttl=ttl, description=description, acting_for=acting_for, task=task
            )
        )
    if quiet:
        sys.stdout.write(token + "\n")
        return
    console().print(token, markup=False)
    expiry = "does not expire" if record.expires_at is None else f"expires {when(record.expires_at)} UTC"
    console().print(
        f"token {record.id} of {record.principal}, {expiry}. It is not shown again: it is stored as a hash.",
        markup=False,
    )


@app.command("list")
def list_tokens(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List all tokens with their age, and which of a service are due for rotation; none of them is shown."""
    with local_state(config, "token list") as (loaded, state):
        records = run(state.tokens.all)
    now = time.time()
    services = {each.name for each in loaded.principals.all if each.kind is PrincipalKind.SERVICE}
    due = {each.id for each in records if each.principal in services and is_due(each, now)}
    if as_json:
        print_json([{**dataclasses.asdict(each), "due": each.id in due} for each in records])
        return
    rows = []
    for record in records:
        if record.revoked_at is not None:
            word = f"revoked {when(record.revoked_at)}"
        elif record.expires_at is None:
            word = "does not expire"
        else:
            word = "expired" if record.expires_at <= now else f"expires in {ago(record.expires_at - now)}"
        if record.id in due:
            word += f", due: interpose service rotate {record.principal}"
        age = ago(now - record.created_at)
        rows.append([record.id, record.principal, when(record.created_at), age, word, record.description])
    print_table("", ["id", "principal", "created (UTC)", "age", "", "description"], rows, "there are no tokens")


@app.command()
def revoke(token: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Revoke a token by its id; its live sessions end within five seconds."""
    with local_state(config, "token revoke") as (loaded, state):
        issuer = TokenIssuer(state.tokens, lambda: loaded.principals, state.record.chain, state.clock, state.ids)
        found = run(lambda: issuer.revoke(TokenId(token), by=operator()))
    if not found:
        raise ClientError(f"there is no token `{token}`", hint="see `interpose token list`; give the id, not the token")
    console().print(f"{token} is revoked; its sessions end within five seconds", markup=False)
