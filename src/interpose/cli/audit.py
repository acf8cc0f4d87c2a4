"""`interpose audit`: prove that nothing was altered, and hand the events to others. Works offline, on files alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from interpose import __version__
from interpose.app.config import read_settings
from interpose.app.protocols import SPOKEN
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console, when
from interpose.model.errors import ConfigurationError, RecordingError
from interpose.recording.cef import cef_line
from interpose.recording.export import audit_jsonl
from interpose.recording.ocsf import ocsf_line
from interpose.store.files.entries import audit_entries
from interpose.store.files.keys import read_verifier_keys
from interpose.store.files.layout import VERIFIER_KEY
from interpose.store.files.opening import AUDIT, RECORDINGS
from interpose.store.files.verification import RecordReport, verify_record

app = typer.Typer(no_args_is_help=True, help="Verify and export the audit chain.")

StateOption = Annotated[Path | None, typer.Option("--state", help="the state folder, instead of the configuration's")]


def _folder(state: Path | None, config: Path) -> Path:
    if state is not None:
        return state
    try:
        return read_settings(config, SPOKEN).state
    except ConfigurationError as error:
        raise ConfigurationError(
            error.public_message, problems=error.problems, hint="or give the state folder itself with --state"
        ) from error


@app.command()
def verify(
    config: ConfigOption = DEFAULT_CONFIG,
    state: StateOption = None,
    key: Annotated[Path | None, typer.Option("--key", help="file with the public keys, kept elsewhere")] = None,
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="the folder that checkpoints were copied to")
    ] = None,
) -> None:
    """Check every chain, checkpoint and recording; name the first broken record. Exit status 1 when anything is wrong."""
    folder = _folder(state, config)
    try:
        keys = read_verifier_keys(key or folder / AUDIT / VERIFIER_KEY)
        report = verify_record(folder / AUDIT, folder / RECORDINGS, keys, checkpoints)
    except OSError as error:
        raise RecordingError("the record cannot be read", detail=str(error)) from error
    _print(report)
    if key is None:
        console().print(
            "[dim]The public key was taken from the state folder itself: whoever could alter the record could alter it too. "
            "Keep a copy elsewhere and give it with --key.[/]"
        )
    raise typer.Exit(0 if report.ok else 1)


def _print(report: RecordReport) -> None:
    out = console()
    for chain in report.chains:
        if chain.finding is not None:
            out.print(f"[bold red]broken[/] {chain.head.name}: ", end="")
            out.print(str(chain.finding), markup=False)
            continue
        ends = "closed" if chain.closed else "still open, or ended without a stop"
        cut = f", {len(chain.cuts)} torn record(s) at its end cut off" if chain.cuts else ""
        out.print(
            f"ok {chain.head.name}: {chain.head.size} records to {when(chain.last_time / 1e6)} UTC, "
            f"{chain.proven} under {chain.checkpoints} signed checkpoint(s), {ends}{cut}",
            markup=False,
        )
    for link in report.links:
        out.print("[bold red]broken[/] ", end="")
        out.print(link, markup=False)
    for proof in report.recordings:
        out.print("[bold red]broken[/] ", end="")
        out.print(f"recording {proof.session}: {proof.problem}", markup=False)
    records = sum(chain.head.size for chain in report.chains)
    verdict = "[green]nothing was altered[/]" if report.ok else "[bold red]the record is not whole[/]"
    out.print(f"{verdict}: {len(report.chains)} chain(s), {records} records, {report.checked} recording(s)")


@app.command()
def export(
    config: ConfigOption = DEFAULT_CONFIG,
    state: StateOption = None,
    form: Annotated[str, typer.Option("--format", help="`jsonl`, `ocsf` or `cef`")] = "jsonl",
) -> None:
    """Print every audit event, chain by chain, a line each."""
    entries = audit_entries(_folder(state, config) / AUDIT)
    if form == "jsonl":
        sys.stdout.buffer.writelines(audit_jsonl(entries))
    elif form == "ocsf":
        sys.stdout.buffer.writelines(ocsf_line(entry, __version__) for entry in entries)
    elif form == "cef":
        sys.stdout.writelines(cef_line(entry, __version__) + "\n" for entry in entries)
    else:
        raise ConfigurationError(f"there is no format `{form}`", hint="use `jsonl`, `ocsf` or `cef`")


@app.command()
def key(config: ConfigOption = DEFAULT_CONFIG, state: StateOption = None) -> None:
    """Print the public key of the checkpoints: keep it where the gateway's operators cannot change it."""
    path = _folder(state, config) / AUDIT / VERIFIER_KEY
    if not path.is_file():
        raise RecordingError(f"there is no key in `{path.parent}` yet", hint="it is made when the gateway first starts")
    sys.stdout.write(path.read_text())
