"""Streams for terminals: hostile ones for properties, and real ones from programs under a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence

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


def under_a_terminal(
    command: Sequence[str],
    keys: Sequence[tuple[bytes, bytes]] = (),
    *,
    columns: int = 80,
    rows: int = 24,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60.0,
) -> list[tuple[str, bytes]]:
    """Run a program under a pseudo-terminal: what was typed and shown, in order, as (`i` or `o`, bytes).

    `keys` are pairs: when all output since the last keys holds the first, the second is typed. Ends with the program.
    """
    child, handle = pty.fork()
    if child == 0:
        os.environ.update(
            {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PS1": "$ ", "HISTFILE": "", **(environment or {})}
        )
        os.execvp(command[0], list(command))
    fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    events: list[tuple[str, bytes]] = []
    waiting, since = list(keys), b""
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if not select.select([handle], [], [], 1.0)[0]:
                continue
            try:
                data = os.read(handle, 65536)
            except OSError:
                break
            if not data:
                break
            events.append(("o", data))
            since += data
            if waiting and waiting[0][0] in since:
                typed = waiting.pop(0)[1]
                events.append(("i", typed))
                os.write(handle, typed)
                since = b""
        assert not waiting, f"the program never showed {waiting[0][0]!r}, but {since[-500:]!r}"
    finally:
        os.close(handle)
        os.waitpid(child, 0)
    return events
