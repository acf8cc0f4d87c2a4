"""Errors and notices without free text, for when hidden values are within a command's reach.

Names of tables, columns and constraints go too: code in the server can raise an error with anything in those fields.

What a command reaches by itself is known before it runs. What the server does in its course (a trigger, a cascade, a default that
calls a function) is not; but PostgreSQL says in an error's context (`W`) that other code raised it, and names the table whose row
it is about. PostgreSQL 17 §53.8.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from interpose.masking.scrub import scrub_message, scrub_sqlstate
from interpose.protocols.postgres.backend import fields_message

_SEVERITIES: Final = frozenset({"ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "DEBUG", "INFO", "LOG"})


_ANALYSIS: Final = frozenset(
    {
        "analyze.c",
        "parse_agg.c",
        "parse_clause.c",
        "parse_coerce.c",
        "parse_collate.c",
        "parse_cte.c",
        "parse_expr.c",
        "parse_func.c",
        "parse_oper.c",
        "parse_relation.c",
        "parse_target.c",
    }
)
"""Files of the server that resolve the names and types of a statement before it runs. `parse_type.c` is not among them: a cast to
`regtype` runs it on a value."""


def names_only(fields: Mapping[str, str]) -> bool:
    """Whether an error is about the names and types in the statement itself, as in `column "x" does not exist`.

    Code that runs in the server always adds a context, and cannot choose the file that an error comes from.
    """
    return not fields.get("W") and fields.get("C", "").startswith("42") and fields.get("F", "") in _ANALYSIS


def from_elsewhere(fields: Mapping[str, str], hidden: Collection[tuple[str, str]]) -> bool:
    """Whether an error or notice comes from other code than the command itself, or is about a row of one of these tables."""
    return bool(fields.get("W")) or (fields.get("s", ""), fields.get("t", "")) in hidden


def scrubbed(kind: str, fields: Mapping[str, str]) -> bytes:
    """The ErrorResponse (`E`) or NoticeResponse (`N`) that stands for one with these fields: severity, code and position."""
    severity = fields.get("V", fields.get("S", ""))
    if severity not in _SEVERITIES:
        severity = "ERROR" if kind == "E" else "NOTICE"
    sqlstate = scrub_sqlstate(fields.get("C", "XX000"))
    position = fields.get("P", "")
    return fields_message(
        kind.encode(),
        (
            ("S", severity),
            ("V", severity),
            ("C", sqlstate),
            ("M", scrub_message(sqlstate)),
            ("P", position if position.isascii() and position.isdigit() and len(position) <= 9 else ""),
        ),
    )
