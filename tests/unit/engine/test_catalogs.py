"""Catalogs: asked once at a time, forgotten when they may have changed."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from interpose.engine.catalogs import Catalogs, CatalogWatch, only_undoes
from interpose.engine.sessions import Session, SessionRegistry
from interpose.model.actions import Action
from interpose.model.analysis import Effect, SessionChange
from interpose.model.catalog import CatalogNames, Lookup, Relation
from interpose.model.connection import Address
from interpose.model.errors import UpstreamError
from interpose.model.ids import ConnectionName
from interpose.model.resources import (
    ConnectionResource,
    FunctionResource,
    ObjectResource,
    Resource,
    SchemaResource,
    TableResource,
)
from interpose.protocols.intents import Allowed, Ended
from tests.support.catalog import analysed
from tests.support.gateway_core import Core
from tests.support.memory import CONTEXT, MemoryCatalog, MemoryUpstream, Rules, analysis, connection, query
from tests.support.virtual import run

PEOPLE = Relation(1, "public", "people", "table", ())
WANTED = CatalogNames(frozenset({(None, "people")}))
SHOP = connection()


def _known(catalogs: Catalogs) -> bool:
    return catalogs.of(SHOP).relation("public", "people", ()) is not Lookup.NOT_CACHED


def test_what_was_learned_is_known_and_absence_too() -> None:
    async def work() -> None:
        catalogs = Catalogs(MemoryUpstream(PEOPLE), MemoryCatalog)
        await catalogs.learn(SHOP, CatalogNames(frozenset({("public", "people"), ("public", "nobody")})), ())
        assert catalogs.of(SHOP).relation("public", "people", ()) == PEOPLE
        assert catalogs.of(SHOP).relation("public", "nobody", ()) is Lookup.NOT_FOUND

    run(work())


def test_an_answer_that_was_overtaken_by_a_change_is_thrown_away() -> None:
    async def work() -> None:
        catalogs = Catalogs(MemoryUpstream(PEOPLE), MemoryCatalog)
        catalogs.of(SHOP)
        learning = asyncio.ensure_future(catalogs.learn(SHOP, WANTED, ()))
        await asyncio.sleep(0.005)
        catalogs.forget(SHOP.name)
        await learning
        assert not _known(catalogs)

    run(work())


def test_an_upstream_that_is_down_is_said() -> None:
    async def work() -> None:
        upstream = MemoryUpstream()
        upstream.down = True
        with pytest.raises(UpstreamError):
            await Catalogs(upstream, MemoryCatalog).learn(SHOP, WANTED, ())

    run(work())


def test_a_changed_or_silent_fingerprint_forgets() -> None:
    async def work() -> None:
        upstream = MemoryUpstream(PEOPLE)
        catalogs = Catalogs(upstream, MemoryCatalog)
        polled = {SHOP.name: SHOP}
        await catalogs.poll(polled)
        await catalogs.learn(SHOP, WANTED, ())
        await catalogs.poll(polled)
        assert _known(catalogs)
        upstream.print = "2"
        await catalogs.poll(polled)
        assert not _known(catalogs)
        await catalogs.learn(SHOP, WANTED, ())
        upstream.down = True
        await catalogs.poll(polled)
        assert not _known(catalogs)

    run(work())


def test_a_reload_forgets_another_upstream_and_keeps_the_same() -> None:
    async def work() -> None:
        core = Core(upstream=MemoryUpstream(PEOPLE))
        old = core.holder.current
        await core.catalogs.learn(SHOP, WANTED, ())
        core.catalogs.snapshot_swapped(old, core.snapshot())
        assert _known(core.catalogs)
        core.connections[SHOP.name] = dataclasses.replace(SHOP, address=Address("other", 5432))
        core.catalogs.snapshot_swapped(old, core.snapshot())
        assert not _known(core.catalogs)

    run(work())


def test_only_connections_in_use_are_polled() -> None:
    async def work() -> None:
        core = Core(connections=(connection("shop"), connection("idle")))
        polled: list[set[ConnectionName]] = []

        async def poll(connections: dict[ConnectionName, object]) -> None:
            polled.append(set(connections))

        core.catalogs.poll = poll  # type: ignore[assignment, method-assign]
        await core.session()
        watch = CatalogWatch(core.catalogs, core.registry, 5.0, lambda: core.holder.current.connections)
        task = asyncio.ensure_future(watch.run())
        await asyncio.sleep(11)
        task.cancel()
        assert polled == [{"shop"}, {"shop"}]
        assert isinstance(core.registry, SessionRegistry)

    run(work())


@pytest.mark.parametrize(
    ("text", "undoes"),
    [
        ("rollback", True),
        ("rollback to s", True),
        ("begin; rollback", True),
        ("create table t (); rollback", False),
        ("do $$ begin end $$; rollback", False),
        ("commit prepared 'x'", False),
        ("drop table orders", False),
        ("select 1", False),
    ],
)
def test_a_rollback_by_itself_does_nothing_to_the_catalog(text: str, undoes: bool) -> None:
    assert only_undoes(analysed(text)) is undoes


CHANGES_CATALOG = frozenset({SessionChange.CATALOG})


@pytest.mark.parametrize(
    ("action", "resource", "opaque"),
    [
        (Action.CREATE, TableResource("public", "returns"), False),
        (Action.ALTER, TableResource("", "returns", "unresolved"), False),
        (Action.CREATE, ObjectResource("index", "public", "i"), False),
        (Action.DROP, FunctionResource("public", "f"), False),
        # A function that gets the name of one of the system's; what an extension, a type or a moved schema brings.
        (Action.ALTER, FunctionResource("public", "f"), True),
        (Action.CREATE, FunctionResource("public", "f"), True),
        (Action.CREATE, ObjectResource("extension", "", "hstore"), True),
        (Action.ALTER, SchemaResource("public"), True),
        (Action.UNKNOWN, ConnectionResource(), True),
    ],
)
def test_what_makes_code_is_told_from_what_makes_relations(action: Action, resource: Resource, opaque: bool) -> None:
    async def work() -> None:
        core, session = await _after(Effect(action, resource), CHANGES_CATALOG)
        assert (session.catalog_dirty, session.catalog_opaque) == (True, opaque)
        core.catalogs.settle(session, "T")
        assert session.catalog_opaque is opaque
        core.catalogs.settle(session, "I")
        assert (session.catalog_dirty, session.catalog_opaque) == (False, False)

    run(work())


def test_code_that_nobody_saw_may_have_made_anything_until_the_transaction_is_over() -> None:
    async def work() -> None:
        core, session = await _after(Effect(Action.DO, ConnectionResource()), frozenset(SessionChange))
        assert (session.catalog_dirty, session.catalog_opaque) == (True, True)
        _end(core, session, Effect(Action.CREATE, TableResource("public", "t")), CHANGES_CATALOG)
        assert session.catalog_opaque

    run(work())


async def _after(effect: Effect, changes: frozenset[SessionChange]) -> tuple[Core, Session]:
    core = Core(rules=Rules(set(Action)))
    session = await core.session()
    _end(core, session, effect, changes)
    return core, session


def _end(core: Core, session: Session, effect: Effect, changes: frozenset[SessionChange]) -> None:
    """The session has run a command with this effect."""
    core.analyst.table["q"] = dataclasses.replace(analysis(), effects=(effect,), changes=changes)
    answer = core.gate.judge_now(session, query("q", context=dataclasses.replace(CONTEXT, in_transaction="T")))
    assert isinstance(answer, Allowed)
    session.command_ended(Ended(answer, "ok"))
