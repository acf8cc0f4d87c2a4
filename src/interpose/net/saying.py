"""Messages of operators to the client of a session: written between its commands, where the protocol has a place for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from interpose.net.wire import Wire
    from interpose.protocols.contract import Relay

RETRY: Final = 0.25
"""Seconds after which it is looked again whether the session is idle."""
MOST_WAITING: Final = 16
"""Messages that wait for one session; more are dropped, oldest first (each is in the recording)."""


class Sayings:
    """Takes a session's `on_say`. A client gets a message as soon as no command is under way and no transaction is open."""

    __slots__ = ("_client", "_encode", "_relay", "_timer", "_waiting")

    def __init__(self, relay: Relay, client: Wire, encode: Callable[[str], bytes]) -> None:
        """`encode` makes bytes for the client of a text."""
        self._relay = relay
        self._client = client
        self._encode = encode
        self._waiting: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def say(self, text: str) -> None:
        """Write it now or later; a session that is over before does not show it."""
        self._waiting = [*self._waiting, self._encode(text)][-MOST_WAITING:]
        if self._timer is None:
            self._try()

    def _try(self) -> None:
        self._timer = None
        if self._client.gone or self._client.closed:
            return
        # INVARIANT: only an idle relay has sent whole messages, so that nothing is written into the middle of one.
        if self._relay.idle:
            waiting, self._waiting = self._waiting, []
            self._client.write(waiting)
        else:
            self._timer = asyncio.get_running_loop().call_later(RETRY, self._try)
