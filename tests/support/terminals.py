"""Streams for terminals: hostile ones for properties, and real ones from programs under a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from hypothesis import strategies as st

ATTACKS = [
    b"\x1b]0;title\x07", b"\x1b]2;title\x1b\\", b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", b"\x1b]52;c;ZXZpbA==\x07",
    b"\x1b]4;1;rgb:00/00/00\x07", b"\x1b]10;?\x07", b"\x1b]1337;File=:AAAA\x07", b"\x1b]777;notify;a;b\x07",
    b"\x1bP$q\"p\x1b\\", b"\x1bP+q544e\x1b\\", b"\x1bPq#0;2;0;0;0~\x1b\\", b"\x1b_Gf=100;AAAA\x1b\\", b"\x1b^pm\x1b\\", b"\x1bXsos\x1b\\",
    b"\x1b[c", b"\x1b[>c", b"\x1b[=c", b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[18t", b"\x1b[21t", b"\x1b[20t", b"\x05", b"\x1bZ",
    b"\x1b[x", b"\x1b[?2004h", b"\x1b[200~rm -rf /\r\x1b[201~", b"\x1b[?1000h", b"\x1b[?1006h", b"\x1b[?9h", b"\x1b[?1h", b"\x1b=",
    b"\x1b>", b"\x1b[>4;2m", b"\x1b[>1u", b"\x1bc", b"\x1b[!p", b"\x1b(0", b"\x1b)0", b"\x0e", b"\x1b%@", b"\x1b%G", b"\x1b(K",
    b"\xc2\x9b6n", b"\xc2\x9d0;t\xc2\x9c", b"\xc2\x90q\xc2\x9c", b"\x9b6n", b"\x9d0;t\x07", b"\x1b[3J", b"\x1b[8mhidden\x1b[0m",
    b"\x1b[?3h", b"\x1b[?5h", b"\x1b[2;5y", b"\x1b[0q", b"\x1b[1;2;3;4;5T", b"\x1b[99999999999999A", b"\x1b[8;1;1t", b"\x1b[1 q",
    b"\x1b#3", b"\x1b#8", b"\x07", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[5;10r", b"\x1b[?6h", b"\x1b[4h", b"\x1b[?7l", b"\x1b[20h",
    "\u202eevil\u2066".encode(), "e\u0301".encode() * 4, "世界".encode(), b"\xff\xfe", b"\xe4\xb8",
]  # fmt: skip
"""What hostile programs send to terminals, and what decent ones do."""

HOSTILE = st.one_of(
    st.sampled_from(ATTACKS),
    st.binary(max_size=12),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(
        st.sampled_from(["", "?", ">", "<", "="]),
        st.lists(st.integers(-1, 70_000), max_size=5),
        st.sampled_from([";", ":"]),
        st.sampled_from(["", " ", "!", "$"]),
        st.integers(0x40, 0x7E),
    ).map(
        lambda parts: (
            f"\x1b[{parts[0]}{parts[2].join(str(n) if n >= 0 else '' for n in parts[1])}{parts[3]}{chr(parts[4])}"
        ).encode()
    ),
)


def cut(data: st.DataObject, whole: bytes) -> Iterator[bytes]:
    """The bytes in pieces of any sizes."""
    at = 0
    while at < len(whole):
        size = data.draw(st.integers(1, 7))
        yield whole[at : at + size]
        at += size


class Terminal:
    """A program under a pseudo-terminal, for a test to type to and to look at. Ended with the block, if it has not."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        columns: int = 80,
        rows: int = 24,
    ) -> None:
        """Begins at once."""
        self.output = b""
        self.typed = b""
        self._looked = 0
        self._handle, slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(environment or {})},
        )
        # Kept open, so that its modes can be read when the program is over.
        self._slave = slave

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._handle)
        os.close(self._slave)

    def resize(self, columns: int, rows: int) -> None:
        """The window has another size."""
        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """Press keys."""
        self.typed += keys
        os.write(self._handle, keys)

    def until(self, text: bytes, seconds: float = 60.0) -> bytes:
        """Wait until the program has shown this since the last such wait; answers all of it up to there."""
        return self.until_true(lambda new: text in new, repr(text), seconds)

    def until_true(self, condition: Callable[[bytes], bool], what: str, seconds: float = 60.0) -> bytes:
        """Wait until what the program showed since the last wait is so."""
        deadline = time.monotonic() + seconds
        while not condition(self.output[self._looked :]):
            ended = self._process.poll() is not None
            assert self._read(0.0 if ended else 0.2) or not ended, f"over without {what}: {self.output[-2000:]!r}"
            assert time.monotonic() < deadline, f"never {what}: {self.output[-2000:]!r}"
        new = self.output[self._looked :]
        self._looked = len(self.output)
        return new

    def end(self, seconds: float = 60.0) -> int:
        """Wait for its end; answers the exit status."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            self._read(0.2)
            assert time.monotonic() < deadline, f"it does not end: {self.output[-2000:]!r}"
        while self._read(0.0):
            pass
        return self._process.returncode

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def look(self, seconds: float) -> None:
        """Take in what it shows for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self.running:
            self._read(left)

    @property
    def modes(self) -> list[object]:
        """The terminal's modes now."""
        return list(termios.tcgetattr(self._slave))

    def _read(self, seconds: float) -> bool:
        if not select.select([self._handle], [], [], seconds)[0]:
            return False
        data = os.read(self._handle, 65536)
        self.output += data
        return bool(data)
