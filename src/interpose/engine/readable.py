"""A held command as approvers read it: text, parameters, and what it would do."""

from __future__ import annotations

from interpose.model.analysis import Analysis
from interpose.model.command import Command

SHOWN_TEXT = 100_000
"""Characters of a command's text that an approver reads; that more was cut is said."""

SHOWN_VALUE = 1000
"""Bytes of one parameter that an approver reads."""


def readable_command(command: Command) -> str:
    """The command as an approver reads it: its text, cut when it is very long, and its parameters."""
    text = command.text
    if len(text) > SHOWN_TEXT:
        text = f"{text[:SHOWN_TEXT]}\n-- cut here: {len(text) - SHOWN_TEXT} more characters"
    lines = [text]
    formats = command.parameter_formats
    for index, value in enumerate(command.parameters):
        # One code stands for all parameters (PostgreSQL 17 §55.7, Bind); none at all means text.
        code = formats[index] if index < len(formats) and len(formats) > 1 else (formats[0] if formats else 0)
        if value is None:
            shown = "NULL"
        elif code:
            shown = f"binary {value[:SHOWN_VALUE].hex()}"
        else:
            shown = repr(value[:SHOWN_VALUE].decode(errors="replace"))
        cut = "" if value is None or len(value) <= SHOWN_VALUE else f" … ({len(value)} bytes)"
        lines.append(f"-- ${index + 1} = {shown}{cut}")
    return "\n".join(lines)


def readable_facts(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """What an approver reads beside the command's text: which effects it has."""
    effects = sorted({effect.action.value for effect in analysis.effects})
    tags = [statement.tag for statement in analysis.statements]
    return (("actions", ", ".join(effects)), ("statements", ", ".join(tags)))
