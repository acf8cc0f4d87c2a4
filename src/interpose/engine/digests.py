"""Digests that bind a decision or an approval to exactly one command, without keeping its text.

Keyed by the session's own salt, so that nobody can find a short text or a value again by trying.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable

from interpose.model.command import Command

_NULL = b"\xff\xff\xff\xff"
_length = struct.Struct(">I").pack


def command_digest(salt: bytes, command: Command) -> str:
    """HMAC-SHA256 (hex) over kind, text and parameters.

    INVARIANT: the encoding is injective (each part has its length before it), so two commands with one digest are one command.
    A text that is no Unicode (lone surrogates) is hashed as it is and refused elsewhere.
    """
    text = command.text.encode("utf-8", "surrogatepass")
    payload = command.kind.value.encode() + b"\0" + _length(len(text)) + text
    if command.parameters:
        payload += parameters_bytes(command)
    return hmac.digest(salt, payload, "sha256").hex()


def parameters_bytes(command: Command) -> bytes:
    """The bound values and their format codes, injectively."""
    values = (_NULL if value is None else _length(len(value)) + value for value in command.parameters)
    formats = (_length(code) for code in command.parameter_formats)
    return b"".join((_length(len(command.parameters)), *values, *formats))


def approval_digest(salt: bytes, command: Command, bound: Iterable[str]) -> str:
    """HMAC-SHA256 (hex) over a command, the session state that gives it its meaning, and whatever else binds an approval."""
    context = command.context
    words = [
        command_digest(salt, command),
        *bound,
        "" if context.path is None else "path",
        *(context.path or ()),
        str(context.server_version),
        context.in_transaction,
    ]
    payload = b"".join(_length(len(part)) + part for part in (word.encode("utf-8", "surrogatepass") for word in words))
    return hmac.digest(salt, payload, "sha256").hex()
