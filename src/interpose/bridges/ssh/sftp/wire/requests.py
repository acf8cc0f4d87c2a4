"""Requests of SFTP: a closed vocabulary. Each is read into one value, and sent on as bytes that are made from that value.

An extension that is not in `EXTENSIONS` is not understood, and is never sent on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from interpose.bridges.ssh.sftp.wire.attributes import Attributes, read_attributes
from interpose.bridges.ssh.sftp.wire.packets import Fields, Kind, MalformedError, framed, string, u32, u64


class Operation(Enum):
    """What a request asks for."""

    OPEN = "open"
    CLOSE = "close"
    READ = "read"
    WRITE = "write"
    LSTAT = "lstat"
    FSTAT = "fstat"
    SETSTAT = "setstat"
    FSETSTAT = "fsetstat"
    OPENDIR = "opendir"
    READDIR = "readdir"
    REMOVE = "remove"
    MKDIR = "mkdir"
    RMDIR = "rmdir"
    REALPATH = "realpath"
    STAT = "stat"
    RENAME = "rename"
    READLINK = "readlink"
    SYMLINK = "symlink"
    POSIX_RENAME = "posix-rename@openssh.com"
    STATVFS = "statvfs@openssh.com"
    FSTATVFS = "fstatvfs@openssh.com"
    HARDLINK = "hardlink@openssh.com"
    FSYNC = "fsync@openssh.com"
    LSETSTAT = "lsetstat@openssh.com"
    LIMITS = "limits@openssh.com"
    EXPAND_PATH = "expand-path@openssh.com"
    COPY_DATA = "copy-data"
    HOME_DIRECTORY = "home-directory"
    UNKNOWN = "unknown"
    """An extension, or a type of packet, that is not understood."""


EXTENSIONS: Final = {
    operation.value.encode(): version
    for operation, version in {
        Operation.POSIX_RENAME: b"1",
        Operation.STATVFS: b"2",
        Operation.FSTATVFS: b"2",
        Operation.HARDLINK: b"1",
        Operation.FSYNC: b"1",
        Operation.LSETSTAT: b"1",
        Operation.LIMITS: b"1",
        Operation.EXPAND_PATH: b"1",
        Operation.COPY_DATA: b"1",
        Operation.HOME_DIRECTORY: b"1",
    }.items()
}
"""The extensions that are understood, with the version of each (OpenSSH's PROTOCOL file, section 4). `users-groups-by-id@openssh.com` is not."""

_BY_EXTENSION: Final = {name: Operation(name.decode()) for name in EXTENSIONS}
_PLAIN: Final = {
    kind: Operation[kind.name] for kind in Kind if kind.name in Operation.__members__ and kind.name != "UNKNOWN"
}
_ONE_PATH: Final = frozenset(
    {
        Operation.LSTAT,
        Operation.STAT,
        Operation.OPENDIR,
        Operation.REMOVE,
        Operation.RMDIR,
        Operation.REALPATH,
        Operation.READLINK,
        Operation.STATVFS,
        Operation.EXPAND_PATH,
        Operation.HOME_DIRECTORY,
    }
)
_PATH_AND_ATTRIBUTES: Final = frozenset({Operation.MKDIR, Operation.SETSTAT, Operation.LSETSTAT})
_TWO_PATHS: Final = frozenset({Operation.RENAME, Operation.SYMLINK, Operation.POSIX_RENAME, Operation.HARDLINK})
_HANDLE: Final = frozenset(
    {Operation.CLOSE, Operation.FSTAT, Operation.READDIR, Operation.FSYNC, Operation.FSTATVFS, Operation.FSETSTAT}
)

READ_FLAG: Final = 0x01
WRITE_FLAG: Final = 0x02
APPEND_FLAG: Final = 0x04
CREATE_FLAG: Final = 0x08
TRUNCATE_FLAG: Final = 0x10
EXCLUSIVE_FLAG: Final = 0x20
_FLAGS: Final = 0x3F

NO_ATTRIBUTES: Final = Attributes(u32(0), 0)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Only the fields that its operation has are set; `path` and `second` are bytes as they came.

    `second` is the new name of RENAME, and the *second path on the wire* of SYMLINK, which with OpenSSH is where the link is made.
    """

    id: int
    operation: Operation
    path: bytes = b""
    second: bytes = b""
    handle: bytes = b""
    flags: int = 0
    attributes: Attributes = field(default=NO_ATTRIBUTES)
    offset: int = 0
    length: int = 0
    to_handle: bytes = b""
    to_offset: int = 0


def read_request(packet: bytes) -> Request:
    """A request from a packet that is neither INIT nor READ nor WRITE; raises `MalformedError`.

    What is not understood becomes `Operation.UNKNOWN`: its id is known, so it can be answered.
    """
    fields = Fields(packet)
    kind = fields.byte()
    number = fields.u32()
    if kind == Kind.EXTENDED:
        operation = _BY_EXTENSION.get(fields.string(), Operation.UNKNOWN)
    else:
        operation = _PLAIN.get(Kind(kind), Operation.UNKNOWN) if kind in _REQUESTS else Operation.UNKNOWN
    if operation is Operation.UNKNOWN:
        return Request(number, operation)
    request = _read(number, operation, fields)
    fields.end()
    return request


def _read(number: int, operation: Operation, fields: Fields) -> Request:
    if operation in _ONE_PATH:
        return Request(number, operation, path=fields.string())
    if operation in _HANDLE:
        handle = fields.string()
        given = read_attributes(fields) if operation is Operation.FSETSTAT else NO_ATTRIBUTES
        return Request(number, operation, handle=handle, attributes=given)
    if operation in _PATH_AND_ATTRIBUTES:
        return Request(number, operation, path=fields.string(), attributes=read_attributes(fields))
    if operation in _TWO_PATHS:
        return Request(number, operation, path=fields.string(), second=fields.string())
    if operation is Operation.OPEN:
        path, flags, given = fields.string(), fields.u32(), read_attributes(fields)
        if flags & ~_FLAGS:
            return Request(number, Operation.UNKNOWN)
        return Request(number, operation, path=path, flags=flags, attributes=given)
    if operation is Operation.COPY_DATA:
        handle, offset, length = fields.string(), fields.u64(), fields.u64()
        return Request(
            number,
            operation,
            handle=handle,
            offset=offset,
            length=length,
            to_handle=fields.string(),
            to_offset=fields.u64(),
        )
    if operation is Operation.LIMITS:
        return Request(number, operation)
    raise MalformedError("a request that is read elsewhere")


def write_request(request: Request, number: int) -> bytes:
    """The framed packet that says exactly what `request` says, under another id."""
    operation = request.operation
    body: list[bytes]
    if operation in _ONE_PATH:
        body = [string(request.path)]
    elif operation in _HANDLE:
        body = [string(request.handle)]
        if operation is Operation.FSETSTAT:
            body.append(request.attributes.raw)
    elif operation in _PATH_AND_ATTRIBUTES:
        body = [string(request.path), request.attributes.raw]
    elif operation in _TWO_PATHS:
        body = [string(request.path), string(request.second)]
    elif operation is Operation.OPEN:
        body = [string(request.path), u32(request.flags), request.attributes.raw]
    elif operation is Operation.COPY_DATA:
        source = [string(request.handle), u64(request.offset), u64(request.length)]
        body = [*source, string(request.to_handle), u64(request.to_offset)]
    elif operation is Operation.LIMITS:
        body = []
    else:
        raise ValueError("not a request that is sent on")
    name = operation.value.encode()
    if name in EXTENSIONS:
        return framed(Kind.EXTENDED, u32(number), string(name), *body)
    return framed(Kind[operation.name], u32(number), *body)


_REQUESTS: Final = frozenset(_PLAIN)
