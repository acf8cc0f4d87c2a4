"""The server's messages that the gateway must read or write itself (PostgreSQL 17 §53.7 and §53.8).

Reading is strict: what is not exactly as the protocol says raises `BodyError`, and whoever reads fails closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct
from struct import error as struct_error
from typing import Final

from interpose.model.shape import ResultColumn, ResultShape
from interpose.protocols.postgres.wire import INT32, UINT32, BodyError, cstring, frame

READY: Final[Mapping[str, bytes]] = {state: frame(b"Z", state.encode()) for state in "ITE"}
"""ReadyForQuery for each transaction state."""

AUTHENTICATION_OK: Final = frame(b"R", INT32.pack(0))
CLEARTEXT_PASSWORD: Final = frame(b"R", INT32.pack(3))

_COLUMN: Final = Struct(">IhIhih")
_COUNT: Final = Struct(">h")
_COPY_HEAD: Final = Struct(">bh")


def _clean(text: str) -> str:
    """A text that fits into a field: NUL cannot be on the wire."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def fields_message(kind: bytes, fields: Iterable[tuple[str, str]]) -> bytes:
    """An ErrorResponse (`E`) or NoticeResponse (`N`) from (field type, text) pairs, empty texts left out."""
    body = b"".join(code.encode() + cstring(_clean(text)) for code, text in fields if text)
    return frame(kind, body + b"\0")


def error_message(
    severity: str, sqlstate: str, message: str, *, detail: str = "", hint: str = "", position: int | None = None
) -> bytes:
    """An ErrorResponse; `severity` is `ERROR` or `FATAL`, `position` the 1-based character position in the text."""
    return fields_message(
        b"E",
        (
            ("S", severity),
            ("V", severity),
            ("C", sqlstate),
            ("M", message),
            ("D", detail),
            ("H", hint),
            ("P", "" if position is None else str(position)),
        ),
    )


def notice_message(sqlstate: str, message: str, *, detail: str = "", hint: str = "") -> bytes:
    """A NoticeResponse of severity NOTICE."""
    return fields_message(
        b"N", (("S", "NOTICE"), ("V", "NOTICE"), ("C", sqlstate), ("M", message), ("D", detail), ("H", hint))
    )


def parameter_status(name: str, value: str) -> bytes:
    """A ParameterStatus."""
    return frame(b"S", cstring(name) + cstring(value))


def backend_key(key: bytes) -> bytes:
    """A BackendKeyData: 4 bytes of process id and the secret (4 bytes on 3.0, up to 256 on 3.2)."""
    return frame(b"K", key)


def negotiate_version(minor: int, unknown_options: Iterable[str]) -> bytes:
    """A NegotiateProtocolVersion for protocol 3.`minor`, naming the `_pq_` options that are not understood."""
    names = tuple(unknown_options)
    body = UINT32.pack(3 << 16 | minor) + UINT32.pack(len(names)) + b"".join(cstring(name) for name in names)
    return frame(b"v", body)


def read_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse; text that is not UTF-8 is shown with replacement characters."""
    fields: dict[str, str] = {}
    position = 0
    while position < len(body) and body[position]:
        end = body.find(b"\0", position)
        if end < 0:
            raise BodyError("unterminated field")
        fields[chr(body[position])] = body[position + 1 : end].decode(errors="replace")
        position = end + 1
    if position != len(body) - 1:
        raise BodyError("fields do not end the message")
    return fields


def read_strings(body: bytes, count: int) -> tuple[str, ...]:
    """Exactly `count` NUL-terminated strings; raises `BodyError`."""
    parts = body.split(b"\0")
    if len(parts) != count + 1 or parts[-1]:
        raise BodyError(f"expected {count} strings")
    return tuple(part.decode(errors="replace") for part in parts[:-1])


def read_row_description(body: bytes) -> ResultShape:
    """The shape that a RowDescription (`T`) gives; raises `BodyError`."""
    try:
        (count,) = _COUNT.unpack_from(body, 0)
        position = 2
        columns: list[ResultColumn] = []
        for _ in range(count):
            end = body.find(b"\0", position)
            if end < 0:
                raise BodyError("unterminated column name")
            table, number, type_oid, size, modifier, code = _COLUMN.unpack_from(body, end + 1)
            columns.append(
                ResultColumn(body[position:end].decode(errors="replace"), table, number, type_oid, size, modifier, code)
            )
            position = end + 1 + _COLUMN.size
    except struct_error as error:
        raise BodyError("row description is cut short") from error
    if count < 0 or position != len(body):
        raise BodyError("row description has trailing bytes")
    return ResultShape(tuple(columns))


def read_copy_shape(body: bytes) -> ResultShape:
    """The shape that a CopyOutResponse (`H`) or CopyInResponse (`G`) gives: formats only; raises `BodyError`."""
    try:
        overall, count = _COPY_HEAD.unpack_from(body, 0)
        codes: tuple[int, ...] = Struct(f">{count}h").unpack_from(body, 3) if count >= 0 else ()
    except struct_error as error:
        raise BodyError("copy response is cut short") from error
    if count < 0 or overall not in (0, 1) or len(body) != 3 + 2 * count or any(code not in (0, 1) for code in codes):
        raise BodyError("copy response is malformed")
    return ResultShape(tuple(ResultColumn("", 0, 0, 0, -1, -1, code) for code in codes), copy=True)


def read_cells(body: bytes) -> list[bytes | None]:
    """The values of a DataRow (`D`), None for NULL; raises `BodyError`."""
    try:
        (count,) = _COUNT.unpack_from(body)
        position = 2
        cells: list[bytes | None] = []
        for _ in range(count):
            (size,) = INT32.unpack_from(body, position)
            position += 4
            if size < -1 or size > len(body) - position:
                raise BodyError("row is malformed")
            cells.append(None if size < 0 else body[position : position + size])
            position += max(size, 0)
    except struct_error as error:
        raise BodyError("row is cut short") from error
    if count < 0 or position != len(body):
        raise BodyError("row is malformed")
    return cells
