"""The gateway's own catalog connections: kept, serialised, mended, closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from interpose.model.catalog import CatalogNames
from interpose.model.connection import Connection
from interpose.model.errors import SecretError, UpstreamError
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.proofs import Grant
from interpose.net.catalog import UpstreamCatalogs
from interpose.net.certificates import ClientContexts
from interpose.net.options import DialOptions, SessionOptions
from interpose.net.upstream import Dialer
from interpose.protocols.contract import Credential
from tests.unit.net.toy import SEAL, SPEC, ToyLookup, ToyUpstream, connection, eventually


class Secrets:
    """Answers the reference itself."""

    def __init__(self) -> None:
        self.fetched = 0
        self.broken = False

    async def fetch(self, grant: Grant, reference: str) -> Credential:
        self.fetched += 1
        if self.broken:
            raise SecretError("the credential cannot be had")
        return Credential(reference)


def catalogs(
    secrets: Secrets | None = None,
    asks: str = "fingerprint",
    in_use: Callable[[ConnectionName], bool] = lambda name: True,
    **options: float,
) -> UpstreamCatalogs:
    dialer = Dialer(ClientContexts(asyncio.get_running_loop().time), DialOptions(dial_deadline=0.3), SessionOptions())
    spec = replace(SPEC, fingerprint=lambda: ToyLookup(asks))

    def grant(to: Connection) -> Grant:
        return Grant(SEAL, SessionId("gateway"), to.name)

    return UpstreamCatalogs(dialer, secrets or Secrets(), {"toy": spec}, grant, in_use, **options)  # type: ignore[arg-type]


async def test_one_connection_is_kept_and_used_by_one_lookup_at_a_time() -> None:
    async with ToyUpstream() as upstream:
        secrets, toy = Secrets(), connection(upstream.port)
        made = catalogs(secrets)
        answers = await asyncio.gather(*(made.fingerprint(toy) for _ in range(5)))
        assert answers == ["fingerprint 1"] * 5
        assert (upstream.count, secrets.fetched) == (1, 1)
        made.close()
        await eventually(lambda: upstream.gone)


async def test_a_connection_that_died_is_made_anew() -> None:
    async with ToyUpstream() as upstream:
        made, toy = catalogs(), connection(upstream.port)
        assert await made.fingerprint(toy) == "fingerprint 1"
        for task in upstream._tasks:
            task.cancel()
        await eventually(lambda: upstream.gone)
        assert await made.fingerprint(toy) == "fingerprint 2"
        made.close()


async def test_a_changed_connection_is_dialled_anew() -> None:
    async with ToyUpstream() as upstream:
        made, toy = catalogs(), connection(upstream.port)
        await made.fingerprint(toy)
        assert await made.fingerprint(replace(toy, labels={"env": "prod"})) == "fingerprint 2"
        made.close()


async def test_an_unused_connection_is_closed() -> None:
    async with ToyUpstream() as upstream:
        made = catalogs(idle=0.05)
        await made.fingerprint(connection(upstream.port))
        await eventually(lambda: upstream.gone == ["1"])


async def test_a_connection_that_no_session_needs_is_closed_long_before_an_unused_one() -> None:
    """It would keep the database from being dropped: `DROP DATABASE` waits 5 s for the connections of others."""
    async with ToyUpstream() as upstream:
        asked: list[ConnectionName] = []

        def in_use(name: ConnectionName) -> bool:
            asked.append(name)
            return len(asked) < 3

        toy = connection(upstream.port)
        made = catalogs(in_use=in_use, linger=0.01)
        await made.fingerprint(toy)
        await eventually(lambda: upstream.gone == ["1"])
        assert asked == [toy.name] * 3
        assert await made.fingerprint(toy) == "fingerprint 2"
        made.close()


@pytest.mark.parametrize("asks", ["nothing", "drop"])
async def test_what_fails_twice_is_an_error_and_the_connection_is_gone(asks: str) -> None:
    async with ToyUpstream() as upstream:
        made = catalogs(asks=asks)
        with pytest.raises(UpstreamError):
            await made.fingerprint(connection(upstream.port))
        await eventually(lambda: len(upstream.gone) == upstream.count)


async def test_a_lookup_has_a_deadline() -> None:
    async with ToyUpstream() as upstream:
        made, toy = catalogs(deadline=0.05), connection(upstream.port)
        await made.fingerprint(toy)
        upstream.silent = True
        with pytest.raises(UpstreamError):
            await made.fingerprint(toy)
        upstream.silent = False
        assert (await made.fingerprint(toy)).startswith("fingerprint ")
        made.close()


async def test_a_lookup_that_is_abandoned_does_not_spoil_the_next() -> None:
    async with ToyUpstream() as upstream:
        made, toy = catalogs(), connection(upstream.port)
        await made.fingerprint(toy)
        upstream.silent = True
        task = asyncio.create_task(made.fingerprint(toy))
        await eventually(lambda: upstream.received > 40)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        upstream.silent = False
        assert await made.fingerprint(toy) == "fingerprint 2"
        made.close()


async def test_a_page_must_be_a_page() -> None:
    async with ToyUpstream() as upstream:
        made = catalogs()
        with pytest.raises(UpstreamError, match="catalog"):
            await made.lookup(connection(upstream.port), CatalogNames(), ("public",))
        assert upstream.lines == ["look public"]
        made.close()


async def test_without_a_credential_nothing_is_dialled() -> None:
    async with ToyUpstream() as upstream:
        secrets: Any = Secrets()
        secrets.broken = True
        with pytest.raises(UpstreamError, match="credential"):
            await catalogs(secrets).fingerprint(connection(upstream.port))
        assert upstream.count == 0
