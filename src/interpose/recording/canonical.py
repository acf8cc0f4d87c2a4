"""The one way in which an audit event becomes bytes: canonical JSON after RFC 8785 (JCS).

Keys sorted, no insignificant white space, UTF-8, the shortest escapes, no floating point. Knows nothing of chains.
One difference from RFC 8785: whole numbers are written in full, not as IEEE doubles; times are in microseconds, so that
they stay below 2**53 and every JSON reader sees the same number.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Final

import msgspec

from interpose.model.audit import AuditValue

VERSION: Final = 1
"""The value of `v` in every event."""

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_PLAIN: Final = frozenset({str, int, bool, NoneType, tuple})

JsonValue = str | int | bool | None | tuple["JsonValue", ...] | list["JsonValue"] | Mapping[str, "JsonValue"]
"""What may stand in canonical JSON here."""


class _Event(msgspec.Struct, gc=False):
    """One event on its way to its bytes. INVARIANT: the members stand in the order of their names, as canonical JSON has them."""

    actor: str
    boot: str
    fields: Mapping[str, AuditValue]
    kind: str
    mono: int
    node: str
    prev: str
    seq: int
    session: str | None
    ts: int
    v: int = VERSION


def canonical(value: JsonValue) -> bytes:
    """A value in canonical form; raises `TypeError` for a float or anything else that has no single form."""
    _refuse_inexact(value)
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_without_surrogates(value))


def encode_event(
    *,
    seq: int,
    ts: int,
    mono: int,
    node: str,
    boot: str,
    kind: str,
    session: str | None,
    actor: str,
    fields: Mapping[str, AuditValue],
    prev: str,
) -> bytes:
    """One audit event in canonical form, without a line end. `ts` and `mono` are whole microseconds, `prev` is hex.

    This is on the path of every statement: it checks the types of the fields in one C loop and encodes once.
    Raises `TypeError` for a field that is no `AuditValue`.
    """
    if not _PLAIN.issuperset(map(type, fields.values())):
        _refuse_inexact(fields)
    event = _Event(actor, boot, fields, kind, mono, node, prev, seq, session, ts)
    try:
        return _ENCODER.encode(event)
    except UnicodeEncodeError:
        return _ENCODER.encode(_without_surrogates(msgspec.structs.asdict(event)))


def _refuse_inexact(value: object) -> None:
    """Raise `TypeError` for what has no single canonical form."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError("a key of canonical JSON must be text")
            _refuse_inexact(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            _refuse_inexact(item)
    elif not isinstance(value, (str, int, NoneType)):
        raise TypeError(f"`{type(value).__name__}` has no canonical form")


def _without_surrogates(value: object) -> object:
    """The same with lone surrogates, which UTF-8 cannot carry, replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_without_surrogates(item) for item in value]
    return value
