"""What the gateway knows of each upstream's catalog, and how it stays fresh.

One cache a connection; misses are asked of the `CatalogSource`, one lookup a connection at a time. Knowledge is dropped after a
command that may have changed the catalog, and when the upstream's own fingerprint of it has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from interpose.analysis.sql.catalog import CatalogCache
from interpose.model.actions import Action
from interpose.model.analysis import SessionChange
from interpose.model.catalog import CatalogNames, CatalogPage, CatalogView
from interpose.model.errors import UpstreamError
from interpose.model.resources import ColumnResource, ObjectResource, TableResource

if TYPE_CHECKING:
    from interpose.engine.ports import CatalogSource
    from interpose.engine.sessions import Session, SessionRegistry
    from interpose.engine.snapshot import Snapshot
    from interpose.model.analysis import Analysis
    from interpose.model.catalog import CatalogBasis
    from interpose.model.connection import Connection
    from interpose.model.ids import ConnectionName
    from interpose.protocols.contract import Ended

_DEFINES = frozenset({Action.CREATE, Action.ALTER, Action.UNKNOWN, Action.ADMINISTER_SERVER})
_MAY_CHANGE_CATALOG = frozenset({SessionChange.CATALOG, SessionChange.OPAQUE})


class LearnedCatalog(CatalogView, Protocol):
    """A catalog view that learns: what analysis brings for its protocol (for SQL: `analysis.sql.catalog.CatalogCache`)."""

    def absorb(self, page: CatalogPage) -> None:
        """Keep an answer of the upstream."""
        ...

    def forget(self) -> None:
        """Drop everything; the version grows."""
        ...


class Catalogs:
    """One learned catalog a connection.

    A session with an uncommitted change of the catalog is *dirty*: the gateway's own connection cannot see what the session
    sees, so the gate and the release then trust no lineage (`Session.catalog_dirty`) but that of the system catalog, and not even that
    when code ran that nobody saw (`Session.catalog_opaque`).
    """

    def __init__(self, source: CatalogSource, make: Callable[[], LearnedCatalog] = CatalogCache) -> None:
        """Nothing is known yet of any upstream; `make` makes an empty catalog."""
        self._source = source
        self._make = make
        self._caches: dict[ConnectionName, LearnedCatalog] = {}
        self._locks: dict[ConnectionName, asyncio.Lock] = {}
        self._fingerprints: dict[ConnectionName, str] = {}

    def of(self, connection: Connection) -> LearnedCatalog:
        """What is known of this connection's catalog now."""
        cache = self._caches.get(connection.name)
        if cache is None:
            cache = self._caches[connection.name] = self._make()
        return cache

    async def learn(self, connection: Connection, names: CatalogNames, path: tuple[str, ...]) -> None:
        """Ask the upstream for these names and absorb the answer; raises `UpstreamError`.

        An answer that was overtaken by a change of the catalog is thrown away: the caller's next try asks again.
        """
        cache = self.of(connection)
        lock = self._locks.setdefault(connection.name, asyncio.Lock())
        version = cache.version
        async with lock:
            if cache.version != version:
                return
            page = await self._source.lookup(connection, names, path)
            if self._caches.get(connection.name) is cache and cache.version == version:
                cache.absorb(page)

    async def changed(self, connection: Connection, *bases: CatalogBasis) -> str:
        """The first name of these that the upstream has otherwise now; empty when it has all of it as it was.

        Raises `UpstreamError`. What has changed is forgotten.
        """
        asked = [basis.names() for basis in bases]
        names = CatalogNames(
            frozenset().union(*(each.relations for each in asked)),
            frozenset().union(*(each.routines for each in asked)),
            schemas=frozenset().union(*(each.schemas for each in asked)),
            behind=frozenset().union(*(each.behind for each in asked)),
            definitions=False,
        )
        if not names:
            return ""
        page = await self._source.lookup(connection, names, ())
        for basis in bases:
            name = basis.broken(page)
            if name:
                self.forget(connection.name)
                return name
        return ""

    def forget(self, connection: ConnectionName) -> None:
        """Drop what is known: something may have changed it."""
        cache = self._caches.get(connection)
        if cache is not None:
            cache.forget()

    def command_ended(self, session: Session, ended: Ended) -> None:
        """Look at what a command did to the catalog (the session calls this for commands that changed anything)."""
        changes = ended.answer.analysis.changes
        if changes & _MAY_CHANGE_CATALOG:
            if not session.catalog_dirty and only_undoes(ended.answer.analysis):
                # Nothing that this transaction did to the catalog is undone, since it did nothing.
                return
            self.forget(session.connection.name)
            session.catalog_dirty = True
            session.catalog_opaque = session.catalog_opaque or _makes_code(ended.answer.analysis)
        elif session.catalog_dirty and SessionChange.TRANSACTION in changes:
            self.forget(session.connection.name)

    def settle(self, session: Session, in_transaction: str) -> None:
        """Before a judgement: outside a transaction a dirty session's changes are committed or gone, so they can be seen."""
        if in_transaction == "I":
            session.catalog_dirty = session.catalog_opaque = False
            self.forget(session.connection.name)

    def snapshot_swapped(self, old: Snapshot, new: Snapshot) -> None:
        """Forget connections whose upstream is another one now."""
        for name in list(self._caches):
            before, after = old.connections.get(name), new.connections.get(name)
            if before is None or after is None or _upstream(before) != _upstream(after):
                self._caches.pop(name).forget()
                self._fingerprints.pop(name, None)

    async def poll(self, connections: Mapping[ConnectionName, Connection]) -> None:
        """Compare each connection's fingerprint with the last one, and forget what changed or could not be asked.

        An upstream that does not answer makes its catalog stale, and what is stale is not judged by.
        """
        for name, connection in connections.items():
            try:
                now = await self._source.fingerprint(connection)
            except UpstreamError:
                self._fingerprints.pop(name, None)
                self.forget(name)
                continue
            before = self._fingerprints.get(name)
            self._fingerprints[name] = now
            if before != now:
                self.forget(name)


def only_undoes(analysis: Analysis) -> bool:
    """Whether nothing but ROLLBACK, or ROLLBACK TO, is why a command may change the catalog."""
    changing = [statement for statement in analysis.statements if statement.changes & _MAY_CHANGE_CATALOG]
    return bool(changing) and all(statement.tag == "ROLLBACK" for statement in changing)


class CatalogWatch:
    """Polls the catalogs of connections that are in use."""

    def __init__(
        self,
        catalogs: Catalogs,
        registry: SessionRegistry,
        interval: float,
        connections: Callable[[], Mapping[ConnectionName, Connection]],
    ) -> None:
        """`interval` in seconds; `connections` gives the connections of the current snapshot."""
        self._catalogs = catalogs
        self._registry = registry
        self._interval = interval
        self._connections = connections

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            known = self._connections()
            used = {session.connection.name for session in self._registry.live()}
            await self._catalogs.poll({name: known[name] for name in used if name in known})


def _makes_code(analysis: Analysis) -> bool:
    """Whether more than relations may be other ones now: a function that gets another name may be called by one of the system's."""
    if SessionChange.OPAQUE in analysis.changes:
        return True
    return any(
        effect.action in _DEFINES
        and not isinstance(effect.resource, TableResource | ColumnResource)
        and not (isinstance(effect.resource, ObjectResource) and effect.resource.kind == "index")
        for effect in analysis.effects
    )


def _upstream(connection: Connection) -> tuple[object, ...]:
    return (connection.protocol, connection.address, connection.options, connection.secret)
