"""A host that lies about files: run by sshd in the place of its SFTP server or of `scp -f`. The first argument says how it lies.

Only the standard library: it runs as a script of its own.
"""

from __future__ import annotations

import os
import struct
import sys


def string(value: bytes) -> bytes:
    """A string field."""
    return struct.pack(">I", len(value)) + value


def send(kind: int, *fields: bytes) -> None:
    """One packet."""
    body = bytes([kind]) + b"".join(fields)
    os.write(1, struct.pack(">I", len(body)) + body)


def receive() -> bytes:
    """The next packet."""
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        sys.exit(0)
    return sys.stdin.buffer.read(struct.unpack(">I", head)[0])


HOMES = {"home-relative": b"../..", "home-nul": b"/home/me\0", "home-nameless": b""}
"""What no folder of an account is called."""


def sftp(how: str) -> None:
    """An SFTP server that keeps to the protocol but for one thing."""
    folder = struct.pack(">II", 4, 0o040755)
    plain = struct.pack(">II", 4, 0o100644)
    listed = False
    while True:
        packet = receive()
        kind, number = packet[0], packet[1:5]
        if kind == 1:
            send(2, struct.pack(">I", 6 if how == "version" else 3))
        elif kind == 16 and how in HOMES:
            send(104, number, struct.pack(">I", 1), string(HOMES[how]), string(b"x"), struct.pack(">I", 0))
        elif kind == 16:
            send(104, number, struct.pack(">I", 1), string(b"/home/me"), string(b"x"), struct.pack(">I", 0))
        elif kind in (7, 17, 8):
            send(105, number, plain if b"file" in packet else folder)
        elif kind in (3, 11):
            send(102, number, string(b"h"))
        elif kind == 12 and not listed:
            listed = True
            names = {
                "slash": b"../../outside",
                "absolute": b"/srv/outside",
                "escape": b"a\x1b]0;x\x07",
                "nul": b"outside\0",
                "nameless": b"",
            }
            name = names.get(how, b"plain")
            send(104, number, struct.pack(">I", 1), string(name), string(b"-rw \x1b[2J " + name), plain)
        elif kind == 5 and how == "more":
            send(103, number, string(b"x" * 100_000))
        elif kind == 5 and how == "wrong-id":
            send(103, b"\xff\xff\xff\xfe", string(b"x"))
        elif kind == 5 and how == "wrong-kind":
            send(104, number, struct.pack(">I", 1), string(b"x"), string(b"x"), plain)
        elif kind == 5 and how == "huge":
            os.write(1, b"\xff\xff\xff\xff")
        elif kind == 4:
            send(101, number, struct.pack(">I", 0), string(b""), string(b""))
        else:
            send(101, number, struct.pack(">I", 1), string(b"\x1b[2Jend"), string(b""))


SCP = {
    "other-name": b"C0644 5 .bashrc\nowned\0",
    "dots": b"C0644 5 ..\nowned\0",
    "slash": b"C0644 5 ../outside\nowned\0",
    "folder": b"D0755 0 wanted\nC0644 5 wanted\nowned\0E\n",
    "negative": b"C0644 -5 wanted\nowned\0",
    "huge": b"C0644 99999999999999999999 wanted\nowned\0",
    "escape": b"C0644 5 wan\x1b]0;x\x07ted\nowned\0",
    "second": b"C0644 5 wanted\nowned\0C0644 5 other\nowned\0",
    "end": b"E\n",
    "junk": b"X" * 10_000,
    "times": b"T1 0 1 0\nC0644 5 wanted\nowned\0",
}
SCP_WORDS = b"\x01scp: \x1b[2J\x1b]0;owned\x07no such file\n"
"""An honest refusal in words that a terminal would obey (CVE-2019-6109)."""


def scp(how: str) -> None:
    """A source that sends something else than it was asked for, without waiting."""
    sys.stdin.buffer.read(1)
    if how == "words":
        os.write(1, SCP_WORDS)
        sys.exit(1)
    os.write(1, SCP[how])
    sys.stdin.buffer.read()


if __name__ == "__main__":
    chosen = sys.argv[1]
    if chosen.startswith("scp-"):
        scp(chosen.removeprefix("scp-"))
    else:
        sftp(chosen)
