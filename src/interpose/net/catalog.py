"""Catalog lookups over a connection of the gateway's own: one kept open for each upstream, used by one lookup at a time.

Implements the engine's port `CatalogSource` by the protocol's own dialogues; knows no protocol and keeps no answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpose.model.catalog import CatalogPage
from interpose.model.errors import SecretError, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from interpose.engine.ports import Secrets
    from interpose.model.catalog import CatalogNames
    from interpose.model.connection import Connection
    from interpose.model.ids import ConnectionName
    from interpose.model.proofs import Grant
    from interpose.net.upstream import Dialer, Dialled
    from interpose.protocols.contract import ProtocolSpec
    from interpose.protocols.dialogue import Dialogue


class _Line:
    """The gateway's own connection to one upstream, closed after some time without use.

    It is closed sooner, after `linger`, once nobody has a session on that upstream: an open connection keeps a database
    from being dropped, renamed or copied, and PostgreSQL waits 5 s for those of others (17, `CountOtherDBBackends`).
    """

    __slots__ = ("_idle", "_in_use", "_linger", "_used", "connection", "dialled", "lock", "timer")

    def __init__(self, idle: float, linger: float, in_use: Callable[[], bool]) -> None:
        self._idle = idle
        self._linger = min(linger, idle)
        self._in_use = in_use
        self._used = 0.0
        self.lock = asyncio.Lock()
        self.connection: Connection | None = None
        self.dialled: Dialled | None = None
        self.timer: asyncio.TimerHandle | None = None

    def kept(self, connection: Connection) -> Dialled | None:
        """The open connection, if it was made for exactly these settings and is not known to be dead."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.dialled is not None and (self.connection != connection or not self.dialled.wire.usable):
            self.drop()
        return self.dialled

    def keep(self, connection: Connection, dialled: Dialled) -> None:
        loop = asyncio.get_running_loop()
        self.connection, self.dialled, self._used = connection, dialled, loop.time()
        self.timer = loop.call_later(self._linger, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        if self._in_use() and loop.time() - self._used < self._idle:
            self.timer = loop.call_later(self._linger, self._look)
        else:
            self.drop()

    def drop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        dialled, self.dialled, self.connection = self.dialled, None, None
        if dialled is not None:
            dialled.wire.abort()


class UpstreamCatalogs:
    """Asks upstreams for what analysis needs to know."""

    __slots__ = ("_deadline", "_dialer", "_grant", "_idle", "_in_use", "_lines", "_linger", "_secrets", "_specs")

    def __init__(
        self,
        dialer: Dialer,
        secrets: Secrets,
        specs: Mapping[str, ProtocolSpec],
        grant: Callable[[Connection], Grant],
        in_use: Callable[[ConnectionName], bool],
        *,
        deadline: float = 10.0,
        idle: float = 300.0,
        linger: float = 2.0,
    ) -> None:
        """`specs` by protocol name; `grant` mints the engine's grant for the gateway's own use of a connection; `in_use`
        says whether a client has a session there.

        `deadline`: seconds for one lookup, after dialling; `idle`: seconds after which an unused connection is closed;
        `linger`: the same when no session is left that could need it.
        """
        self._dialer = dialer
        self._secrets = secrets
        self._specs = specs
        self._grant = grant
        self._deadline = deadline
        self._in_use = in_use
        self._idle = idle
        self._linger = linger
        self._lines: dict[ConnectionName, _Line] = {}

    async def lookup(self, connection: Connection, names: CatalogNames, path: tuple[str, ...]) -> CatalogPage:
        """Ask for names; raises `UpstreamError`."""
        spec = self._specs[connection.protocol]
        page = await self._ask(connection, lambda: spec.lookup(names, path))
        if not isinstance(page, CatalogPage):
            raise _useless(connection, "a catalog lookup ended without a page")
        return page

    async def fingerprint(self, connection: Connection) -> str:
        """A text that changes when anybody changed the catalog; raises `UpstreamError`."""
        answer = await self._ask(connection, self._specs[connection.protocol].fingerprint)
        if not isinstance(answer, str):
            raise _useless(connection, "a fingerprint is no text")
        return answer

    def forget(self, connection: ConnectionName) -> None:
        """Close the connection to an upstream that is no longer configured."""
        line = self._lines.pop(connection, None)
        if line is not None:
            line.drop()

    def close(self) -> None:
        """Close all connections."""
        for name in list(self._lines):
            self.forget(name)

    async def _ask(self, connection: Connection, dialogue: Callable[[], Dialogue]) -> object:
        name = connection.name
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = _Line(self._idle, self._linger, lambda: self._in_use(name))
        async with line.lock:
            dialled = line.kept(connection)
            if dialled is not None:
                try:
                    return await self._converse(line, connection, dialled, dialogue())
                except UpstreamError:
                    # A kept connection may have died unseen. Lookups change nothing, so asking once more is safe.
                    line.drop()
            return await self._converse(line, connection, await self._dial(connection), dialogue())

    async def _converse(self, line: _Line, connection: Connection, dialled: Dialled, dialogue: Dialogue) -> object:
        try:
            async with asyncio.timeout(self._deadline):
                done = await self._dialer.converse(connection, dialled.wire, dialogue)
        except TimeoutError as error:
            dialled.wire.abort()
            raise _useless(connection, f"no answer within {self._deadline:g} s") from error
        except BaseException:
            # INVARIANT: a connection on which a dialogue was cut short is never used again.
            dialled.wire.abort()
            raise
        if done.leftover:
            dialled.wire.abort()
            raise _useless(connection, "bytes behind the end of a lookup")
        if self._lines.get(connection.name) is line:
            line.keep(connection, dialled)
        else:
            dialled.wire.abort()
        return done.result

    async def _dial(self, connection: Connection) -> Dialled:
        grant = self._grant(connection)
        try:
            credential = await self._secrets.fetch(grant, connection.secret)
        except SecretError as error:
            raise UpstreamError(error.public_message, detail=error.detail, hint=error.hint) from error
        dialogue = self._specs[connection.protocol].dial(connection, credential, {})
        dialled = await self._dialer.dial(connection, dialogue, grant)
        if dialled.leftover:
            dialled.wire.abort()
            raise _useless(connection, "bytes behind the end of the login")
        return dialled


def _useless(connection: Connection, detail: str) -> UpstreamError:
    return UpstreamError(
        f"the catalog of `{connection.name}` cannot be read",
        detail=detail,
        hint="try again, or ask the gateway's operator",
    )
