"""Accepting connections on listening sockets, for whoever welcomes them. It knows no protocol and no policy."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from interpose.net.journal import Journal
    from interpose.net.options import ListenerOptions

_ACCEPTS_AT_ONCE: Final = 64
_OUT_OF_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """Accepts on one or more sockets and hands every connection to `welcome` in a task of its own."""

    __slots__ = ("_accepting", "_journal", "_loop", "_options", "_resumes", "_sockets", "_welcome")

    def __init__(
        self,
        sockets: list[socket.socket],
        welcome: Callable[[socket.socket], Coroutine[Any, Any, None]],
        *,
        journal: Journal,
        options: ListenerOptions,
    ) -> None:
        """`sockets` listen already and do not block; the acceptor owns them. `welcome` owns what it is given, and never waits for the client."""
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._welcome = welcome
        self._journal = journal
        self._options = options
        self._accepting: set[asyncio.Task[None]] = set()
        self._resumes: dict[socket.socket, asyncio.TimerHandle] = {}

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Address and port of each socket."""
        return [sock.getsockname()[:2] for sock in self._sockets]

    def start(self) -> None:
        """Accept from now on."""
        for sock in self._sockets:
            self._loop.add_reader(sock, self._accept, sock)

    def close(self) -> None:
        """Stop accepting; clients that were accepted go on."""
        for timer in self._resumes.values():
            timer.cancel()
        self._resumes.clear()
        for sock in self._sockets:
            self._loop.remove_reader(sock)
            sock.close()
        self._sockets = []

    def _accept(self, listening: socket.socket) -> None:
        # Bounded, so that a storm of connections leaves time for sessions.
        for _ in range(_ACCEPTS_AT_ONCE):
            try:
                sock, _ = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _OUT_OF_ROOM:
                    self._pause(listening, error)
                    return
                # The client was gone before it was accepted (accept(2), "Error handling").
                continue
            sock.setblocking(False)
            task = self._loop.create_task(self._welcome(sock), name="accept")
            self._accepting.add(task)
            task.add_done_callback(self._accepting.discard)

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        """Accept nobody for a moment: the socket stays readable, and asking again at once would be a busy loop."""
        self._loop.remove_reader(listening)
        address = ":".join(map(str, listening.getsockname()[:2]))
        self._journal.accepting_paused(address, errno.errorcode.get(error.errno or 0, "unknown"))
        self._resumes[listening] = self._loop.call_later(self._options.accept_pause, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if self._resumes.pop(listening, None) is not None:
            self._loop.add_reader(listening, self._accept, listening)
