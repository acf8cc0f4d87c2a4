"""Errors and notices without free text, for when hidden values are within a command's reach.

Names of tables, columns and constraints go too: code in the server can raise an error with anything in those fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interpose.masking.scrub import scrub_message, scrub_sqlstate
from interpose.protocols.postgres.backend import fields_message

_SEVERITIES: Final = frozenset({"ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "DEBUG", "INFO", "LOG"})


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
