"""Replies of an upstream: each must be one that its request can have, and well formed, before a client sees it. A server may be hostile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from interpose.bridges.ssh.sftp.wire.attributes import Attributes, read_attributes
from interpose.bridges.ssh.sftp.wire.names import is_entry, shown
from interpose.bridges.ssh.sftp.wire.packets import Fields, Kind, MalformedError, framed, string, u32, u64
from interpose.bridges.ssh.sftp.wire.requests import EXTENSIONS, Operation

MOST_NAMES: Final = 8192
"""Names in one reply."""

LARGEST_TRANSFER: Final = 255 * 1024
"""Bytes that a client may ask for or send in one packet, so that packets stay within `packets.MOST_PACKET`."""

_NAMES: Final = frozenset({Operation.READDIR, Operation.REALPATH, Operation.READLINK, Operation.EXPAND_PATH})
_ATTRIBUTES: Final = frozenset({Operation.STAT, Operation.LSTAT, Operation.FSTAT})
_VFS: Final = frozenset({Operation.STATVFS, Operation.FSTATVFS})
_VFS_FIELDS: Final = 11
_LIMITS_FIELDS: Final = 4


@dataclass(frozen=True, slots=True)
class Name:
    """One entry of a NAME reply."""

    name: bytes
    long: bytes
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that was checked. `data` is the framed packet for the client, under the client's own id.

    `code` is that of a STATUS, else None. `handle` is the upstream's own, for the gateway to keep: then `data` is empty.
    """

    data: bytes
    code: int | None = None
    handle: bytes | None = None
    names: tuple[Name, ...] = ()
    attributes: Attributes | None = None


class HostileError(Exception):
    """A reply that no honest server gives to this request; the message is safe to show."""


def read_reply(packet: bytes, operation: Operation, number: int) -> Reply:
    """Check the reply to a request (other than READ) and put it under the client's id; raises `HostileError` and `MalformedError`."""
    fields = Fields(packet)
    kind = fields.byte()
    fields.u32()
    if kind == Kind.STATUS:
        return _status(fields, number)
    if kind == Kind.HANDLE and operation in (Operation.OPEN, Operation.OPENDIR):
        handle = fields.string()
        fields.end()
        if len(handle) > 256:
            raise MalformedError("a handle is too long")
        return Reply(b"", handle=handle)
    if kind == Kind.NAME and operation in _NAMES:
        return _names(fields, operation, number)
    if kind == Kind.ATTRS and operation in _ATTRIBUTES:
        given = read_attributes(fields)
        fields.end()
        return Reply(framed(Kind.ATTRS, u32(number), given.raw), attributes=given)
    if kind == Kind.EXTENDED_REPLY and operation in _VFS:
        values = [fields.u64() for _ in range(_VFS_FIELDS)]
        fields.end()
        return Reply(framed(Kind.EXTENDED_REPLY, u32(number), *map(u64, values)))
    if kind == Kind.EXTENDED_REPLY and operation is Operation.LIMITS:
        packet_size, read, write, handles = (fields.u64() for _ in range(_LIMITS_FIELDS))
        fields.end()
        least = (min(packet_size, LARGEST_TRANSFER + 1024), min(read, LARGEST_TRANSFER), min(write, LARGEST_TRANSFER))
        return Reply(framed(Kind.EXTENDED_REPLY, u32(number), *map(u64, (*least, handles))))
    raise HostileError("the host answered with what was not asked for")


def _status(fields: Fields, number: int) -> Reply:
    code = fields.u32()
    # Some servers leave out the message and its language, as version 2 of the protocol had it.
    message = b"" if fields.ended else fields.string()
    language = b"" if fields.ended else fields.string()
    fields.end()
    words = [string(shown(message[:1024])), string(shown(language[:64]))]
    return Reply(framed(Kind.STATUS, u32(number), u32(code), *words), code=code)


def _names(fields: Fields, operation: Operation, number: int) -> Reply:
    count = fields.u32()
    if count > MOST_NAMES:
        raise HostileError("the host sent too many names at once")
    listing = operation is Operation.READDIR
    names = []
    for _ in range(count):
        name, long = fields.string(), fields.string()
        names.append(Name(name, shown(long), read_attributes(fields)))
    fields.end()
    if not listing and count != 1:
        raise HostileError("the host answered with several paths where one was asked for")
    for each in names:
        if listing and not is_entry(each.name):
            raise HostileError("the host lists a name that no file in a folder can have")
        if b"\0" in each.name or not each.name:
            raise HostileError("the host answered with a path that is none")
        if operation in (Operation.REALPATH, Operation.EXPAND_PATH) and not each.name.startswith(b"/"):
            raise HostileError("the host answered with a path that is not absolute")
    parts = [u32(number), u32(count)]
    for each in names:
        parts += [string(each.name), string(each.long), each.attributes.raw]
    return Reply(framed(Kind.NAME, *parts), names=tuple(names))


def read_version(packet: bytes) -> tuple[int, dict[bytes, bytes]]:
    """The version and extensions of an INIT or VERSION packet; raises `MalformedError`."""
    fields = Fields(packet)
    if fields.byte() not in (Kind.INIT, Kind.VERSION):
        raise MalformedError("the conversation does not begin with a version")
    version = fields.u32()
    extensions = {}
    while not fields.ended:
        name = fields.string()
        extensions[name] = fields.string()
        if len(extensions) > 64:
            raise MalformedError("too many extensions")
    return version, extensions


def common_extensions(offered: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Those of the upstream's extensions that the gateway understands in this version."""
    return {name: version for name, version in EXTENSIONS.items() if version in offered.get(name, b"").split(b",")}
