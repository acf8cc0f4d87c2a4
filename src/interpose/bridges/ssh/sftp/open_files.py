"""What is open on one channel: the gateway's own handles, what may be done with each, and what went over it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from interpose.bridges.ssh.sftp.wire.names import judged

if TYPE_CHECKING:
    from interpose.bridges.ssh.sftp.places import Place
    from interpose.model.audit import AuditValue
    from interpose.protocols.intents import Allowed


class OpenFile:
    """A file or folder that the upstream has opened under one permit, which stays open until it is closed."""

    __slots__ = (
        "_digest",
        "_next",
        "answer",
        "bytes_read",
        "bytes_written",
        "channel",
        "failed",
        "folder",
        "handle",
        "names",
        "place",
        "readable",
        "upstream",
        "writable",
    )

    def __init__(
        self,
        handle: bytes,
        upstream: bytes,
        answer: Allowed,
        place: Place,
        *,
        folder: bool,
        readable: bool,
        writable: bool,
        hashed: bool,
    ) -> None:
        """`handle` is the gateway's, `upstream` the host's."""
        self.handle = handle
        self.upstream = upstream
        self.answer = answer
        self.place = place
        self.folder = folder
        self.readable = readable
        self.writable = writable
        self.bytes_read = 0
        self.bytes_written = 0
        self.names = 0
        self.failed = False
        self.channel: int | None = None
        # INVARIANT: a hash is told only of a file that went over from its first byte, in order and one way.
        self._digest = hashlib.sha256() if hashed and readable is not writable else None
        self._next = 0

    def went(self, offset: int, data: bytes | memoryview) -> None:
        """Data went over, either way."""
        if self._digest is not None:
            if offset == self._next:
                self._digest.update(data)
                self._next += len(data)
            else:
                self._digest = None

    def unhashed(self) -> None:
        """Something of it came another way."""
        self._digest = None

    def failed_once(self) -> None:
        """Something of it failed at the host."""
        self.failed = True
        self._digest = None

    def facts(self) -> dict[str, AuditValue]:
        """What the audit chain is told when it is closed."""
        facts: dict[str, AuditValue] = {"path": judged(self.place.real)}
        if self.folder:
            facts["names"] = self.names
            return facts
        if self.writable:
            facts["direction"] = "both" if self.readable and self.bytes_read else "upload"
            facts["bytes_written"] = self.bytes_written
        else:
            facts["direction"] = "download"
        if self.readable:
            facts["bytes_read"] = self.bytes_read
        if self._digest is not None:
            facts["sha256"] = self._digest.hexdigest()
        return facts

    def tag(self) -> str:
        """The same in a few words, for the recording."""
        if self.folder:
            return f"{self.names} names"
        parts = []
        if self.writable:
            parts.append(f"{self.bytes_written} bytes written")
        if self.readable:
            parts.append(f"{self.bytes_read} bytes read")
        if self._digest is not None:
            parts.append(f"sha256:{self._digest.hexdigest()}")
        return ", ".join(parts)
