"""Time, chance and ids of the real machine: what the engine's `Clock` and `Ids` ports are made of."""

from __future__ import annotations

import os
import secrets
import socket
import time

from interpose.model.ids import ApprovalId, SessionId

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no letter that reads like a digit or another letter."""


def _base32(number: int, digits: int) -> str:
    letters = []
    for _ in range(digits):
        number, low = divmod(number, 32)
        letters.append(_ALPHABET[low])
    return "".join(reversed(letters))


class SystemClock:
    """The machine's clocks: read ten times a command, so without a call of our own around each."""

    wall = staticmethod(time.time)
    """Wall-clock seconds since the epoch."""

    monotonic = staticmethod(time.monotonic)
    """Seconds that never go back."""


class SystemIds:
    """Ids from the machine's random source; session ids sort by time, as ULIDs do (48 bits of milliseconds, 80 of chance)."""

    def session(self) -> SessionId:
        """A new session id, e.g. `s_01jd…`, 28 characters."""
        return SessionId("s_" + _base32(time.time_ns() // 1_000_000, 10) + _base32(secrets.randbits(80), 16))

    def approval(self) -> ApprovalId:
        """A new approval id, e.g. `ap-7kq2mx`: short to type. It is a name, not a secret: votes are authenticated."""
        return ApprovalId("ap-" + _base32(secrets.randbits(30), 6))

    def secret_bytes(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        return secrets.token_bytes(count)


def node_name() -> str:
    """This machine's name as far as it can stand in a file's name; `gateway` when it has none."""
    name = "".join(
        letter for letter in socket.gethostname() if letter.isascii() and (letter.isalnum() or letter in "-_")
    )
    return name[:40] or "gateway"


def boot_name(worker: int | str) -> str:
    """A name for this start of a worker (or of a command by name), new at every start: time, who, process."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{worker}-{os.getpid()}-{secrets.token_hex(2)}"
