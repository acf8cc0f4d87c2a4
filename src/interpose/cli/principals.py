"""`interpose principals`: who is known, and who is disabled. Works on the state folder, as whoever may write there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from interpose.cli.local import local_state, operator, run
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from interpose.cli.output import console, print_json, print_table
from interpose.engine.directory import NOBODY, Directory
from interpose.engine.forgetting import forget
from interpose.engine.snapshot import SnapshotHolder

if TYPE_CHECKING:
    from interpose.app.loading import Loaded
    from interpose.app.state import State
    from interpose.engine.ports import DirectoryEntry

app = typer.Typer(no_args_is_help=True, help="List, disable, enable and forget principals.")


@app.command("list")
def list_principals(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List everybody: of the principals file, and whom identity providers vouched for."""
    with local_state(config, "principals list") as (loaded, state):
        directory = _directory(loaded, state)
        run(directory.refresh)
        entries = {entry.principal.name: entry for entry in directory.all()}
        gone = run(lambda: _deactivated(loaded, state, directory.all()))
    rows: list[list[str]] = []
    records = []
    everybody = {each.name: each for each in loaded.principals.all}
    everybody.update({name: entry.principal for name, entry in entries.items() if entry.provider != NOBODY})
    put_out = (
        name for name, entry in entries.items() if entry.disabled
    )  # the others without a provider were forgotten
    names = sorted({*everybody, *put_out, *loaded.principals.disabled})
    for name in names:
        entry, principal = entries.get(name), everybody.get(name)
        source = entry.provider if entry is not None and entry.provider != NOBODY else "principals file"
        disabled = entry.disabled if entry is not None else ""
        if name in gone:
            disabled = disabled or "deactivated at its provider"
        if name in loaded.principals.disabled:
            disabled = "in the principals file"
        kind = "" if principal is None else principal.kind.value
        groups = () if principal is None else tuple(sorted(principal.groups))
        rows.append([name, kind, ", ".join(groups), source, f"disabled: {disabled}" if disabled else ""])
        records.append({"name": name, "kind": kind, "groups": groups, "source": source, "disabled": disabled})
    if as_json:
        print_json(records)
        return
    print_table("", ["name", "kind", "groups", "from", ""], rows, "there are no principals")


async def _deactivated(loaded: Loaded, state: State, entries: Iterable[DirectoryEntry]) -> set[str]:
    """The names of those whom their provider's SCIM source has deactivated: the directory still knows them, no login of theirs counts."""
    sources = {each.name: getattr(each, "scim", None) for each in loaded.settings.identity.providers}
    gone = set()
    for entry in entries:
        source = sources.get(entry.provider)
        if source is not None:
            asked: dict[str, str | bool] = {source.subject: entry.subject, "exact": True}
            _, found = await state.provisioning.users(entry.provider, asked)
            if found and not found[0].active:
                gone.add(entry.principal.name)
    return gone


@app.command()
def disable(
    name: str,
    config: ConfigOption = DEFAULT_CONFIG,
    reason: Annotated[str, typer.Option("--reason", "-r", help="why; stands in the audit")] = "",
) -> None:
    """Disable a principal: no login, no vote, and live sessions end within five seconds."""
    _change(config, "principals disable", lambda directory: directory.disable(name, by=operator(), reason=reason))
    console().print(f"{name} is disabled; live sessions end within five seconds", markup=False)


@app.command()
def enable(name: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Undo `disable`. What `disabled: true` in the principals file says is not undone."""
    _change(config, "principals enable", lambda directory: directory.enable(name, by=operator()))
    console().print(f"{name} is enabled", markup=False)


@app.command("forget")
def forget_principal(name: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Give back a name that an identity provider gave: another person may have it. Its tokens and certificates are revoked, live sessions end."""
    with local_state(config, "principals forget") as (loaded, state):
        directory, by = _directory(loaded, state), operator()
        revoked = run(
            lambda: forget(
                name,
                by=by,
                directory=directory,
                tokens=state.tokens,
                renewals=state.renewals,
                audit=state.record.chain,
                clock=state.clock,
            )
        )
    told = f"{name} is forgotten ({revoked} tokens and certificates revoked); live sessions end within five seconds"
    console().print(told, markup=False)


def _change(config: ConfigOption, command: str, work: Callable[[Directory], Awaitable[None]]) -> None:
    with local_state(config, command) as (loaded, state):
        directory = _directory(loaded, state)
        run(lambda: work(directory))


def _directory(loaded: Loaded, state: State) -> Directory:
    return Directory(SnapshotHolder(loaded.snapshot), state.directory, state.record.chain, state.bus, state.clock)
