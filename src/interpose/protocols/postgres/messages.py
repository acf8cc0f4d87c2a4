"""The client's messages as values, decoded strictly: what is accepted has exactly one encoding.

INVARIANT: for every body that `decode` accepts, `encode(decode(body)) == body`. So the relay may forward the bytes that it
judged, and they are the encoding of what it judged. Sources: PostgreSQL 17 §53.7 (message formats).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from struct import error as struct_error
from typing import Final

from interpose.protocols.postgres.wire import INT16, INT32, UINT32, BodyError, cstring, text_until_nul

_UNSIGNED16: Final = Struct(">H").unpack_from
_SIGNED32: Final = INT32.unpack_from
_SIGNED16: Final = INT16.unpack_from
_PACK_UNSIGNED16: Final = Struct(">H").pack


@dataclass(slots=True)
class Query:
    """`Q`: execute this text at once."""

    text: str


@dataclass(slots=True)
class Parse:
    """`P`: plan `text` as the prepared statement `name` (empty: the unnamed one)."""

    name: str
    text: str
    types: tuple[int, ...]


@dataclass(slots=True)
class Bind:
    """`B`: make `portal` from `statement` with these parameters (None is NULL)."""

    portal: str
    statement: str
    formats: tuple[int, ...]
    parameters: tuple[bytes | None, ...]
    result_formats: tuple[int, ...]


@dataclass(slots=True)
class Describe:
    """`D`: describe a statement (`kind` `S`) or a portal (`P`)."""

    kind: str
    name: str


@dataclass(slots=True)
class Execute:
    """`E`: run `portal`, at most `max_rows` rows (0: all)."""

    portal: str
    max_rows: int


@dataclass(slots=True)
class CloseName:
    """`C`: close a statement (`kind` `S`) or a portal (`P`)."""

    kind: str
    name: str


@dataclass(slots=True)
class Empty:
    """A message without a body: `H` Flush, `S` Sync, `X` Terminate, `c` CopyDone."""


@dataclass(slots=True)
class CopyData:
    """`d`: a piece of COPY data."""

    data: bytes


@dataclass(slots=True)
class CopyFail:
    """`f`: the client gives up its COPY, with a message for the server's error."""

    reason: str


@dataclass(slots=True)
class Password:
    """`p` where a cleartext password was asked for."""

    password: str


Message = Query | Parse | Bind | Describe | Execute | CloseName | Empty | CopyData | CopyFail | Password

_LENGTH_FAULT: Final = "invalid message format"


def _end(body: bytes, position: int) -> None:
    if position != len(body):
        raise BodyError(_LENGTH_FAULT)


def decode_query(body: bytes) -> Query:
    """Body of `Q`; raises `BodyError`."""
    if not body or body.find(b"\0") != len(body) - 1:
        raise BodyError(_LENGTH_FAULT)
    try:
        return Query(body[:-1].decode())
    except UnicodeDecodeError as error:
        raise BodyError('invalid byte sequence for encoding "UTF8"', "22021") from error


def decode_parse(body: bytes) -> Parse:
    """Body of `P`; raises `BodyError`."""
    name, position = text_until_nul(body, 0)
    text, position = text_until_nul(body, position)
    try:
        (count,) = _UNSIGNED16(body, position)
    except struct_error as error:
        raise BodyError(_LENGTH_FAULT) from error
    position += 2
    if len(body) != position + 4 * count:
        raise BodyError(_LENGTH_FAULT)
    types = Struct(f">{count}I").unpack_from(body, position) if count else ()
    return Parse(name, text, types)


def _formats(body: bytes, position: int, count: int) -> tuple[tuple[int, ...], int]:
    """`count` format codes (at least one) from `position` on, and the offset behind them."""
    formats: tuple[int, ...]
    formats = _SIGNED16(body, position) if count == 1 else Struct(f">{count}h").unpack_from(body, position)
    for code in formats:
        if code != 0 and code != 1:
            raise BodyError(f"unsupported format code: {code}", "22023")
    return formats, position + 2 * count


def decode_bind(body: bytes) -> Bind:
    """Body of `B`; raises `BodyError`. A column length below -1 is a fault, as it is for the server."""
    # On the hot path: the common shapes (no name, few formats) take the short ways.
    size = len(body)
    if size and body[0] == 0:
        portal, position = "", 1
    else:
        portal, position = text_until_nul(body, 0)
    statement, position = text_until_nul(body, position)
    formats: tuple[int, ...] = ()
    result_formats: tuple[int, ...] = ()
    try:
        (count,) = _UNSIGNED16(body, position)
        position += 2
        if count:
            formats, position = _formats(body, position, count)
        (count,) = _UNSIGNED16(body, position)
        position += 2
        if len(formats) > 1 and len(formats) != count:
            raise BodyError(f"bind message has {len(formats)} parameter formats but {count} parameters")
        parameters: list[bytes | None] = []
        for _ in range(count):
            (length,) = _SIGNED32(body, position)
            position += 4
            if length >= 0:
                end = position + length
                if end > size:
                    raise BodyError("insufficient data left in message")
                parameters.append(body[position:end])
                position = end
            elif length == -1:
                parameters.append(None)
            else:
                raise BodyError("insufficient data left in message")
        (count,) = _UNSIGNED16(body, position)
        position += 2
        if count:
            result_formats, position = _formats(body, position, count)
    except struct_error as error:
        raise BodyError("insufficient data left in message") from error
    if position != size:
        raise BodyError(_LENGTH_FAULT)
    return Bind(portal, statement, formats, tuple(parameters), result_formats)


def _kind_and_name(body: bytes, what: str) -> tuple[str, str]:
    if body[:1] not in (b"S", b"P"):
        raise BodyError(f"invalid {what} message subtype")
    name, position = text_until_nul(body, 1)
    _end(body, position)
    return chr(body[0]), name


def decode_describe(body: bytes) -> Describe:
    """Body of `D`; raises `BodyError`."""
    kind, name = _kind_and_name(body, "DESCRIBE")
    return Describe(kind, name)


def decode_close(body: bytes) -> CloseName:
    """Body of `C`; raises `BodyError`."""
    kind, name = _kind_and_name(body, "CLOSE")
    return CloseName(kind, name)


def decode_execute(body: bytes) -> Execute:
    """Body of `E`; raises `BodyError`."""
    portal, position = text_until_nul(body, 0)
    if len(body) != position + 4:
        raise BodyError(_LENGTH_FAULT)
    (max_rows,) = _SIGNED32(body, position)
    return Execute(portal, max_rows)


def decode_empty(body: bytes) -> Empty:
    """Body of `H`, `S`, `X` and `c`; raises `BodyError`."""
    _end(body, 0)
    return Empty()


def decode_copy_data(body: bytes) -> CopyData:
    """Body of `d`: any bytes."""
    return CopyData(body)


def decode_copy_fail(body: bytes) -> CopyFail:
    """Body of `f`; raises `BodyError`."""
    reason, position = text_until_nul(body, 0)
    _end(body, position)
    return CopyFail(reason)


def decode_password(body: bytes) -> Password:
    """Body of `p` after a request for a cleartext password; raises `BodyError`."""
    password, position = text_until_nul(body, 0)
    _end(body, position)
    return Password(password)


DECODERS: Final[dict[bytes, Callable[[bytes], Message]]] = {
    b"Q": decode_query,
    b"P": decode_parse,
    b"B": decode_bind,
    b"D": decode_describe,
    b"E": decode_execute,
    b"C": decode_close,
    b"H": decode_empty,
    b"S": decode_empty,
    b"X": decode_empty,
    b"d": decode_copy_data,
    b"c": decode_empty,
    b"f": decode_copy_fail,
    b"p": decode_password,
}
"""The decoder of each message type that a client may send after startup."""


def _codes(values: tuple[int, ...]) -> bytes:
    return _PACK_UNSIGNED16(len(values)) + b"".join(INT16.pack(value) for value in values)


def encode(message: Message) -> bytes:
    """The one body that decodes to `message`; raises `ValueError` when a string in it holds a NUL."""
    match message:
        case Query(text):
            return cstring(text)
        case Parse(name, text, types):
            return cstring(name) + cstring(text) + Struct(f">H{len(types)}I").pack(len(types), *types)
        case Bind(portal, statement, formats, parameters, result_formats):
            cells = [b"\xff\xff\xff\xff" if value is None else UINT32.pack(len(value)) + value for value in parameters]
            return b"".join(
                (
                    cstring(portal),
                    cstring(statement),
                    _codes(formats),
                    _PACK_UNSIGNED16(len(cells)),
                    *cells,
                    _codes(result_formats),
                )
            )
        case Describe(kind, name) | CloseName(kind, name):
            return kind.encode() + cstring(name)
        case Execute(portal, max_rows):
            return cstring(portal) + INT32.pack(max_rows)
        case Empty():
            return b""
        case CopyData(data):
            return data
        case CopyFail(reason):
            return cstring(reason)
        case Password(password):
            return cstring(password)
