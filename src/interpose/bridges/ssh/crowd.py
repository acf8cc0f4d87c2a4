"""Accepted sockets for which there is no room yet: they wait, address by address, and whoever cannot even wait is told so.

Nothing is read from them, and nothing but the descriptor is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

import asyncssh
from asyncssh.packet import Byte, String, UInt32

from interpose.bridges.ssh.words import NO_ROOM, refusal_line
from interpose.engine.limits import address_group

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from interpose.model.refusal import Refusal

MOST_WAITING: Final = 1024
"""Sockets of one listener that wait. Past it, the address with the most of them has one fewer."""
LONGEST_WAIT: Final = 120.0
"""Seconds after which a socket that waits is told that there is no room."""
_LOOK: Final = 0.05
"""Seconds between looks whether there is room."""
_LINGER: Final = 1.0
"""Seconds in which a client may take its refusal before its socket is closed."""


class Crowd:
    """The sockets of one listener. `room` says whether there is room for a peer, and `begin` welcomes it."""

    def __init__(
        self,
        version: str,
        room: Callable[[str], bool],
        begin: Callable[[socket.socket, str], Awaitable[None]],
        turned_away: Callable[[str, str], None],
        *,
        most: int = MOST_WAITING,
        longest: float = LONGEST_WAIT,
    ) -> None:
        """`version` is how the gateway's software greets. `turned_away` hears of peers and the code of the reason."""
        self._greeting = f"SSH-2.0-{version}\r\n".encode()
        self._room = room
        self._begin = begin
        self._turned_away = turned_away
        self._most = most
        self._longest = longest
        self._loop = asyncio.get_running_loop()
        self._lines: OrderedDict[str, deque[tuple[socket.socket, str, float]]] = OrderedDict()
        self._looking: asyncio.Task[None] | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(line) for line in self._lines.values())

    async def arrive(self, sock: socket.socket) -> None:
        """Take an accepted socket: it is welcomed, waits, or is refused."""
        try:
            peer = str((sock.getpeername() or ("",))[0])
        except OSError:
            # Gone between accept and here.
            sock.close()
            return
        group = address_group(peer)
        if group not in self._lines and self._room(peer):
            await self._begin(sock, peer)
            return
        if len(self) >= self._most:
            longest = max(self._lines, key=lambda each: len(self._lines[each]))
            if len(self._lines.get(group, ())) >= len(self._lines[longest]):
                self._refuse(sock, peer)
                return
            other, theirs, _ = self._lines[longest].pop()
            self._refuse(other, theirs)
        self._lines.setdefault(group, deque()).append((sock, peer, self._loop.time()))
        if self._looking is None:
            self._looking = self._loop.create_task(self._look(), name="ssh crowd")

    async def _look(self) -> None:
        """Let in whoever there is room for, one of each address after the other, until nobody waits."""
        try:
            while self._lines:
                await asyncio.sleep(_LOOK)
                await self._let_in()
        finally:
            self._looking = None

    async def _let_in(self) -> None:
        full: set[str] = set()
        while group := next((each for each in self._lines if each not in full), ""):
            line = self._lines[group]
            sock, peer, since = line[0]
            late = self._loop.time() - since > self._longest
            if not late and not self._room(peer):
                full.add(group)
                continue
            line.popleft()
            self._lines.move_to_end(group)
            if not line:
                del self._lines[group]
            if late:
                self._refuse(sock, peer)
            else:
                await self._begin(sock, peer)

    # --- saying no

    def _refuse(self, sock: socket.socket, peer: str) -> None:
        self._turned_away(peer, NO_ROOM.code)
        task = self._loop.create_task(self._say_no(sock, NO_ROOM), name="ssh refusal")
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)
        if len(self._goodbyes) > self._most:
            next(iter(self._goodbyes)).cancel()

    async def _say_no(self, sock: socket.socket, refusal: Refusal) -> None:
        """A greeting and a disconnect (RFC 4253 §11.1); then the client's own words are read away, since unread ones would cut these off."""
        try:
            async with asyncio.timeout(_LINGER):
                await self._loop.sock_sendall(sock, self._greeting + disconnect(refusal))
                sock.shutdown(1)
                while await self._loop.sock_recv(sock, 65536):
                    pass
        except (OSError, TimeoutError):
            return
        finally:
            sock.close()


def disconnect(refusal: Refusal) -> bytes:
    """A packet in clear, as before keys are exchanged (RFC 4253 §6): disconnect, with these words."""
    payload = Byte(1) + UInt32(asyncssh.DISC_TOO_MANY_CONNECTIONS) + String(refusal_line(refusal)) + String("en")
    padding = 8 - (5 + len(payload)) % 8
    padding += 8 if padding < 4 else 0
    return UInt32(1 + len(payload) + padding) + Byte(padding) + payload + bytes(padding)
