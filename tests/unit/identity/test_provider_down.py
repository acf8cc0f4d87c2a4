"""A provider that does not answer is asked once by all who wait for it: over real sockets, which are counted, of a provider that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from interpose.app.system import SystemClock, SystemIds
from interpose.engine.directory import Directory
from interpose.identity.fetching import Fetcher
from interpose.identity.mapping import ClaimMapping, ClaimPath
from interpose.identity.oidc import OidcProvider
from interpose.identity.workload import WorkloadTokens
from interpose.identity.workload_options import WorkloadOptions
from interpose.model.errors import ProviderError
from interpose.model.principal import PrincipalKind
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryDirectory
from tests.support.openid import OPTIONS
from tests.support.signing import private_key, signed

CLIENTS = 200


@asynccontextmanager
async def hanging() -> AsyncIterator[tuple[str, list[int]]]:
    """The address of somebody who takes connections and says nothing, and how many there were."""
    count = [0]
    gone = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count[0] += 1
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", count
    finally:
        gone.set()
        server.close()
        await server.wait_closed()


async def test_two_hundred_people_who_want_to_sign_in_are_one_question() -> None:
    async with hanging() as (issuer, count):
        options = replace(OPTIONS, issuer=issuer, allow_plaintext_on_loopback=True)
        provider = OidcProvider(options, None, SystemClock(), SystemIds(), fetcher=Fetcher(deadline=1.0))
        tried = (provider.depart("https://gateway.example/back") for _ in range(CLIENTS))
        answers = await asyncio.gather(*tried, return_exceptions=True)
        assert {type(each) for each in answers} == {ProviderError}
        assert count == [1]
        # And whoever comes right after asks nothing.
        answers = await asyncio.gather(provider.depart("https://gateway.example/back"), return_exceptions=True)
        assert (type(answers[0]), count) == (ProviderError, [1])
        await provider.close()


async def test_two_hundred_workloads_that_log_in_are_one_question() -> None:
    async with hanging() as (issuer, count):
        core = Core(clock=SystemClock())
        mapping = ClaimMapping(kind=PrincipalKind.SERVICE, name=ClaimPath(("sub",)))
        options = WorkloadOptions("ci", issuer, ("interpose",), mapping=mapping, allow_plaintext_keys_on_loopback=True)
        directory = Directory(core.holder, MemoryDirectory(), core.audit, MemoryBus(), core.clock)
        tokens = WorkloadTokens(
            [options], directory, lambda: core.holder.current.principals, core.clock, lambda *_: None
        )
        now = int(core.clock.wall())
        claims = {"iss": issuer, "aud": "interpose", "sub": "importer", "iat": now, "exp": now + 300}
        token = signed(claims, private_key(), kid="k1")
        answers = await asyncio.gather(*(tokens.bearer(token) for _ in range(CLIENTS)), return_exceptions=True)
        assert {type(each) for each in answers} == {ProviderError}
        assert count == [1]
        await tokens.close()
