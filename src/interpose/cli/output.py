"""How the command line prints: tables for people, JSON for programs, errors as one sentence on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interpose.model.errors import ConfigurationError, InterposeError


def console() -> Console:
    """The standard output for people."""
    return Console(highlight=False, soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """A table, or the sentence `empty` when there are no rows. Cells are data: markup in them is not obeyed."""
    if not rows:
        console().print(escape(empty))
        return
    table = Table(title=title or None, box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console(highlight=False).print(table)


def print_json(value: object) -> None:
    """One JSON document, indented."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_error(error: InterposeError) -> None:
    """An error on stderr: the sentence, every problem, and what to do next."""
    out = Console(stderr=True, highlight=False, soft_wrap=True)
    out.print(f"[bold red]error:[/] {escape(error.public_message)}")
    if error.detail:
        out.print(f"  {escape(error.detail)}")
    if isinstance(error, ConfigurationError):
        for problem in error.problems:
            out.print(f"  {escape(str(problem))}")
    if error.hint:
        out.print(f"[dim]hint:[/] {escape(error.hint)}")


def when(seconds: float | None) -> str:
    """A wall-clock time in UTC, to the second; `-` for none."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(seconds: float) -> str:
    """A duration in words that a person reads at a glance."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if abs(seconds) >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
