"""Listening: accepting clients, bounding those that are not yet admitted, draining. It knows no protocol and no policy."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Final

from interpose.engine.limits import address_group
from interpose.net.login import LoginDriver
from interpose.net.wire import Wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from interpose.net.admittance import Admittance
    from interpose.net.cancels import Cancels
    from interpose.net.journal import Journal
    from interpose.net.login import Service, SessionStarter
    from interpose.net.options import ListenerOptions, SessionOptions

_ACCEPTS_AT_ONCE: Final = 64
_OUT_OF_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Pending:
    """Clients that are not yet admitted, over all listeners of a worker, bounded in all and for each address.

    Past a bound the client that has been silent longest makes room, so that many that never speak keep nobody out.
    """

    __slots__ = ("_all", "_by_address", "_options")

    def __init__(self, options: ListenerOptions) -> None:
        """The bounds are `max_pending` and `max_pending_per_address`."""
        self._options = options
        self._all: dict[LoginDriver, str] = {}  # in order of arrival
        self._by_address: dict[str, dict[LoginDriver, None]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def add(self, login: LoginDriver) -> bool:
        """Take one in; False when there is no room and nobody can make any."""
        address = address_group(login.peer)
        neighbours = self._by_address.get(address, {})
        if len(neighbours) >= self._options.max_pending_per_address and not self._evict_from(neighbours):
            return False
        if len(self._all) >= self._options.max_pending and not self._evict_from(self._all):
            return False
        self._all[login] = address
        self._by_address.setdefault(address, {})[login] = None
        return True

    def remove(self, login: LoginDriver) -> None:
        """Forget one; no harm when it is not there."""
        address = self._all.pop(login, None)
        if address is None:
            return
        neighbours = self._by_address[address]
        del neighbours[login]
        if not neighbours:
            del self._by_address[address]

    def close(self) -> None:
        """Close all whose turn it is to speak (the others are let in or refused by what they wait for)."""
        for login in [login for login in self._all if login.waits_for_client]:
            login.evict()

    def _evict_from(self, logins: dict[LoginDriver, str] | dict[LoginDriver, None]) -> bool:
        for login in logins:
            if login.waits_for_client:
                self.remove(login)
                login.evict()
                return True
        return False


class Listener:
    """Accepts clients of one service on one or more listening sockets."""

    __slots__ = (
        "_accepting",
        "_admittance",
        "_ask_cancel",
        "_cancels",
        "_journal",
        "_loop",
        "_options",
        "_pending",
        "_resumes",
        "_service",
        "_session_options",
        "_sockets",
        "_starter",
    )

    def __init__(
        self,
        sockets: list[socket.socket],
        service: Service,
        pending: Pending,
        *,
        admittance: Admittance,
        starter: SessionStarter,
        cancels: Cancels,
        ask_cancel: Callable[[bytes], bool],
        journal: Journal,
        options: ListenerOptions,
        session_options: SessionOptions,
    ) -> None:
        """`sockets` listen already and do not block; the listener owns them."""
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._service = service
        self._pending = pending
        self._admittance = admittance
        self._starter = starter
        self._cancels = cancels
        self._ask_cancel = ask_cancel
        self._journal = journal
        self._options = options
        self._session_options = session_options
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

    async def _welcome(self, sock: socket.socket) -> None:
        options = self._session_options
        wire = Wire(self._loop, high_water=options.high_water, linger=options.linger)
        # Within `connection_made`, so that the first bytes already find their login.
        wire.on_made = lambda: self._begin(wire)
        try:
            await self._loop.connect_accepted_socket(lambda: wire, sock)
        except OSError:
            # Gone between accept and here.
            sock.close()

    def _begin(self, wire: Wire) -> None:
        login = LoginDriver(
            wire,
            self._service,
            admittance=self._admittance,
            starter=self._starter,
            cancels=self._cancels,
            ask_cancel=self._ask_cancel,
            journal=self._journal,
            options=self._options,
            on_over=self._pending.remove,
        )
        if self._pending.add(login):
            login.start()
        else:
            login.evict()
