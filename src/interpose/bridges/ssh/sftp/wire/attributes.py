"""File attributes of SFTP version 3 (draft-ietf-secsh-filexfer-02 §5): read so that what they ask for is known, handed on as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from interpose.bridges.ssh.sftp.wire.packets import Fields, MalformedError

SIZE: Final = 1
UIDGID: Final = 2
PERMISSIONS: Final = 4
ACMODTIME: Final = 8
EXTENDED: Final = 0x80000000
_KNOWN: Final = SIZE | UIDGID | PERMISSIONS | ACMODTIME | EXTENDED
_MOST_EXTENDED: Final = 64
_TYPE_MASK: Final = 0o170000
_LINK: Final = 0o120000
_SPECIAL_BITS: Final = 0o7000


@dataclass(frozen=True, slots=True)
class Attributes:
    """`flags` says which are given. `raw` is the field as it came. `extended` says that there are attributes of a kind that nobody here knows."""

    raw: bytes
    flags: int
    size: int | None = None
    permissions: int | None = None
    extended: bool = False

    @property
    def is_link(self) -> bool | None:
        """Whether this is a symbolic link; None where the attributes do not say what it is."""
        if self.permissions is None or not self.permissions & _TYPE_MASK:
            return None
        return self.permissions & _TYPE_MASK == _LINK

    @property
    def special(self) -> bool:
        """Whether the set-user-id, set-group-id or sticky bit is among the permissions."""
        return self.permissions is not None and bool(self.permissions & _SPECIAL_BITS)

    @property
    def changes(self) -> bool:
        """Whether anything but the size is given."""
        return bool(self.flags & ~SIZE)


def read_attributes(fields: Fields) -> Attributes:
    """The next field as attributes; raises `MalformedError`."""
    start = fields.position
    flags = fields.u32()
    if flags & ~_KNOWN:
        raise MalformedError("attributes of a kind that version 3 does not have")
    size = fields.u64() if flags & SIZE else None
    if flags & UIDGID:
        fields.u64()
    permissions = fields.u32() if flags & PERMISSIONS else None
    if flags & ACMODTIME:
        fields.u64()
    if flags & EXTENDED:
        count = fields.u32()
        if count > _MOST_EXTENDED:
            raise MalformedError("too many extended attributes")
        for _ in range(2 * count):
            fields.string()
    return Attributes(fields.since(start), flags, size, permissions, bool(flags & EXTENDED))
