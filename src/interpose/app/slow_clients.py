"""HTTP connections whose client is slow: how long one may take to ask, and how many may be silent at once.

uvicorn waits for a request for ever, and everybody who waits counts against the number of connections that it serves. So a
connection has a deadline for the head of its request and one for all of it, and past a bound the one that has been silent longest
makes room: many that never speak keep nobody out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle
    from uvicorn.server import ServerState

HEAD: Final = 10.0
"""Seconds for the head of a request, from the moment that its connection is open or its first byte came; also for the TLS handshake."""
WHOLE: Final = 30.0
"""Seconds for the rest of it: bodies have 64 KiB at the most."""
SILENT: Final = 100
"""Connections on which nothing was asked yet; half of those that there may be at all."""


@dataclass(slots=True)
class Bounds:
    """How long and how many, of one server; `waiting` are the connections whose request is not here yet, in order of arrival."""

    head: float = HEAD
    whole: float = WHOLE
    silent: int = SILENT
    waiting: dict[PatientProtocol, None] = field(default_factory=dict)

    def protocol(self) -> type[asyncio.Protocol]:
        """What uvicorn makes one of for each connection."""
        return cast("type[asyncio.Protocol]", partial(PatientProtocol, self))

    def add(self, connection: PatientProtocol) -> None:
        """One more waits; the oldest makes room for it."""
        self.waiting[connection] = None
        if len(self.waiting) > self.silent:
            next(iter(self.waiting)).give_up()


class PatientProtocol(H11Protocol):
    """One connection."""

    def __init__(
        self,
        bounds: Bounds,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """As uvicorn makes it."""
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there; now they must ask."""
        super().connection_made(transport)
        self._bounds.add(self)
        self._within(self._bounds.head)

    def data_received(self, data: bytes) -> None:
        """Part of a request."""
        before: RequestResponseCycle | None = self.cycle
        idle = before is None or before.response_complete
        if idle and self._deadline is None:
            self._within(self._bounds.head)
        super().data_received(data)
        if idle and self.cycle is before:
            return  # the head is not whole yet: its deadline stays
        self._bounds.waiting.pop(self, None)
        if not self.cycle.more_body:
            self._stop()
        elif self.cycle is not before:
            self._within(self._bounds.whole)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._stop()
        self._bounds.waiting.pop(self, None)
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close at once: whoever does not read would not take a farewell either."""
        self._stop()
        self._bounds.waiting.pop(self, None)
        if not self.transport.is_closing():
            self.transport.abort()

    def _within(self, seconds: float) -> None:
        self._stop()
        self._deadline = self.loop.call_later(seconds, self.give_up)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
