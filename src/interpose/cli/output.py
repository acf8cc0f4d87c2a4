"""How the command line prints: tables for people, JSON for programs, errors as one sentence on stderr.

The library that draws is loaded by what draws: a program that asks for JSON or for a bare token does not wait for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from interpose.model.errors import ConfigurationError, InterposeError

if TYPE_CHECKING:
    from rich.console import Console

_GAP: Final = 2
_LEAST: Final = 20
"""What the last column of a table has at least."""
_WIDEST: Final = 10_000
"""Columns of what is no terminal."""


def console(*, stderr: bool = False) -> Console:
    """The standard output for people, or the standard error."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """A table, or the sentence `empty` when there are no rows. Cells are data: markup in them is not obeyed.

    Only the last column is folded, and only on a terminal: ids and times are there to be copied, so they stay whole however narrow it is.
    """
    if not rows:
        console().print(empty, markup=False)
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title or None, box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns, 1):
        table.add_column(column, overflow="fold", no_wrap=number < len(columns))
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    out = Console(highlight=False)
    whole = sum(max(map(cell_len, cells)) + _GAP for cells in list(zip(columns, *rows, strict=True))[:-1])
    folds = out.is_terminal or "COLUMNS" in os.environ
    out.width = max(out.width, whole + _LEAST) if folds else _WIDEST
    out.print(table)


def print_json(value: object) -> None:
    """One JSON document, indented."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_error(error: InterposeError) -> None:
    """An error on stderr: the sentence, every problem, and what to do next."""
    from rich.console import Console
    from rich.markup import escape

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


def good_for(left: float, asked: float) -> str:
    """How long something is good for that was asked for `asked` seconds; says so where it is shorter."""
    told = f"good for {ago(left)}"
    # A minute: clocks differ.
    return told if left > asked - 60 else f"{told} and not for the {ago(asked)} that you asked for: you get no more"


def ago(seconds: float) -> str:
    """A duration in words that a person reads at a glance."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if abs(seconds) >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
