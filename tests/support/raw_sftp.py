"""A hand-written SFTP client over the real `ssh -s`: it sends what no ordinary client would."""

from __future__ import annotations

import os
import subprocess
from types import TracebackType
from typing import Self

from interpose.bridges.ssh.sftp.wire.packets import Fields, Kind, Splitter, framed, string, u32, u64
from tests.support.ssh_scene import SshScene


class RawSftp:
    """One channel. Requests get the ids that the test gives them."""

    def __init__(self, scene: SshScene, principal: str, connection: str = "web-1") -> None:
        """Start the subsystem; nothing is said yet."""
        words = [*scene.arguments("-s"), scene.target(principal, connection), "sftp"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            words, env=scene.environment(principal), stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0
        )
        self._splitter = Splitter()
        self._packets: list[bytes] = []

    def __enter__(self) -> Self:
        """Greet."""
        self.send(framed(Kind.INIT, u32(3)))
        assert self.packet()[0] == Kind.VERSION
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self._process.kill()
        self._process.communicate()

    def send(self, *packets: bytes) -> None:
        """Send whole packets, or anything else."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"".join(packets))

    def packet(self) -> bytes:
        """The next packet without its length; `EOFError` when the channel is closed."""
        assert self._process.stdout is not None
        while not self._packets:
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise EOFError
            self._packets += self._splitter.feed(data)
        return self._packets.pop(0)

    def ask(self, kind: int, *fields: bytes, number: int = 1) -> bytes:
        """One request and the reply to it."""
        self.send(framed(kind, u32(number), *fields))
        reply = self.packet()
        assert int.from_bytes(reply[1:5], "big") == number
        return reply

    def code(self, kind: int, *fields: bytes) -> tuple[int, str]:
        """The status that a request gets, and its words."""
        reply = Fields(self.ask(kind, *fields))
        assert reply.byte() == Kind.STATUS
        reply.u32()
        return reply.u32(), reply.string().decode()

    def open(self, path: bytes, flags: int) -> bytes:
        """Open a file; its handle."""
        reply = Fields(self.ask(Kind.OPEN, string(path), u32(flags), u32(0)))
        assert reply.byte() == Kind.HANDLE, reply.rest()
        reply.u32()
        return reply.string()

    def write(self, handle: bytes, offset: int, data: bytes) -> tuple[int, str]:
        """Write; the status."""
        return self.code(Kind.WRITE, string(handle), u64(offset), string(data))

    def ended(self) -> str:
        """Read to the end of the channel; what was said on standard error."""
        assert self._process.stdout is not None and self._process.stderr is not None
        self._process.stdout.read()
        return self._process.stderr.read().decode()
