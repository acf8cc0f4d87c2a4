"""Listening for clients of a protocol that is driven by its relay: from an accepted socket to a login."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpose.net.accepting import Acceptor
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
    from interpose.net.pending import Pending


class Listener:
    """Accepts clients of one service on one or more listening sockets."""

    __slots__ = (
        "_acceptor",
        "_admittance",
        "_ask_cancel",
        "_cancels",
        "_journal",
        "_loop",
        "_options",
        "_pending",
        "_service",
        "_session_options",
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
        self._acceptor = Acceptor(sockets, self._welcome, journal=journal, options=options)
        self._service = service
        self._pending = pending
        self._admittance = admittance
        self._starter = starter
        self._cancels = cancels
        self._ask_cancel = ask_cancel
        self._journal = journal
        self._options = options
        self._session_options = session_options

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Address and port of each socket."""
        return self._acceptor.addresses

    def start(self) -> None:
        """Accept from now on."""
        self._acceptor.start()

    def close(self) -> None:
        """Stop accepting; clients that were accepted go on."""
        self._acceptor.close()

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
