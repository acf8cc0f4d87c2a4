"""`interpose classify`: propose which columns of a connection carry which data classes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer

from interpose.app.classify import ScanOutcome, connection_named, scan_connection
from interpose.cli.local import local_state, operator, run
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from interpose.cli.output import print_error, print_json
from interpose.engine.classify import MAX_SAMPLE
from interpose.model.errors import InterposeError
from interpose.policy.classifications import spell_column

app = typer.Typer(no_args_is_help=True, help="Propose classifications.")


@app.callback()
def classify() -> None:
    """Propose classifications."""


@app.command()
def scan(
    connection: Annotated[str, typer.Argument(help="the connection's name")],
    config: ConfigOption = DEFAULT_CONFIG,
    sample: Annotated[
        int, typer.Option("--sample", min=1, max=MAX_SAMPLE, help="rows of each table that are looked at")
    ] = 100,
    schema: Annotated[str | None, typer.Option("--schema", help="only this schema")] = None,
    no_content: Annotated[bool, typer.Option("--no-content", help="look at no values, only at the catalog")] = False,
    excepted: Annotated[
        list[str] | None, typer.Option("--except", help="propose nothing for this column; `*` and `?` are wildcards")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="change `classifications.yaml`, too")] = False,
    as_json: JsonOption = False,
) -> None:
    """Propose classifications as a diff to `classifications.yaml`.

    Exit status 0: nothing new, or written with `--write`; 1: something is proposed; 2: the scan failed. No value of the
    database is printed or kept, only counts.
    """
    try:
        with local_state(config, "classify scan") as (loaded, state):
            found = connection_named(loaded, connection)
            outcome = run(
                lambda: scan_connection(
                    loaded,
                    state,
                    found,
                    operator(),
                    schema=schema,
                    sample=0 if no_content else sample,
                    excepted=tuple(excepted or ()),
                    progress=_progress(),
                )
            )
        if write and outcome.diff:
            outcome.write()
    except InterposeError as error:
        print_error(error)
        raise typer.Exit(2) from error
    if as_json:
        print_json(_told(outcome, connection))
    else:
        sys.stdout.write(_safe(outcome.diff))
    _summary(outcome, written=write)
    raise typer.Exit(1 if outcome.report.proposals and not write else 0)


def _progress() -> Callable[[int, int, str], None]:
    """Tables done, on stderr: rewritten in place on a terminal, else a line every few seconds."""
    terminal = sys.stderr.isatty()
    told = time.monotonic()

    def progress(done: int, total: int, name: str) -> None:
        nonlocal told
        if terminal:
            sys.stderr.write(f"\r\x1b[K{done}/{total} tables{'  ' + _safe(name)[:60] if name else ''}")
            if not name:
                sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        elif name and time.monotonic() - told > 5.0:
            told = time.monotonic()
            sys.stderr.write(f"{done}/{total} tables\n")

    return progress


def _told(outcome: ScanOutcome, connection: str) -> dict[str, object]:
    report = outcome.report
    return {
        "connection": connection,
        "proposals": [
            {"column": spell_column(each.column), "data_classes": each.classes, "evidence": each.evidence}
            for each in report.proposals
        ],
        "notes": report.notes,
        "not_sampled": [{"table": table, "why": why} for table, why in report.unread],
        "tables": report.tables,
        "columns": report.columns,
        "diff": outcome.diff,
    }


def _summary(outcome: ScanOutcome, *, written: bool) -> None:
    report = outcome.report
    lines = [f"note: {note}" for note in report.notes]
    lines += [f"not sampled: {table}: {why}" for table, why in report.unread]
    count = len(report.proposals)
    what = "nothing new" if not count else f"{count} column{'s' if count > 1 else ''} to classify"
    lines.append(f"{report.tables} tables with {report.columns} columns: {what}")
    if count:
        lines.append(
            f"written to {outcome.file}"
            if written
            else f"apply the diff in {outcome.file.parent} with `patch -p1`, or run this again with `--write`"
        )
    sys.stderr.write("".join(f"{_safe(line)}\n" for line in lines))


def _safe(text: str) -> str:
    """Names are data: nothing in them moves the cursor."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
