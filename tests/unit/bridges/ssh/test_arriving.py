"""How long a client may take to log in: its own time counts, the gateway's does not. On virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

from interpose.bridges.ssh.arriving import SILENT, Arrival
from interpose.bridges.ssh.parts import Bounds
from interpose.bridges.ssh.turns import Turn, Turns
from interpose.bridges.ssh.words import NO_ROOM, TOO_SLOW
from interpose.model.refusal import Refusal
from tests.support.virtual import run


class Around:
    """What an arrival uses of its parts, and what became of it."""

    def __init__(self) -> None:
        self.bounds = Bounds(handshake=5.0)
        self.exchanges = Turns(1)
        self.hosts = Turns(1)
        self.pending: Any = self
        self.entrance: Any = self
        self.here: list[Arrival] = []
        self.refused: list[Refusal] = []
        self.busy = False

    def add(self, arrival: Arrival) -> bool:
        self.here.append(arrival)
        return True

    def remove(self, arrival: Arrival) -> None:
        if arrival in self.here:
            self.here.remove(arrival)

    async def line_up(self, connection: str, peer: str) -> Turn:
        return await self.hosts.take(peer)

    def arrival(self, peer: str = "192.0.2.1") -> Arrival:
        parts: Any = self
        made = Arrival(parts, peer, lambda: self.busy, self.refused.append)
        assert made.take_place()
        made.begin()
        return made


def test_a_client_that_never_acts_is_told_that_it_took_too_long() -> None:
    async def scenario() -> None:
        around = Around()
        around.arrival()
        await asyncio.sleep(4.9)
        assert around.refused == []
        await asyncio.sleep(0.2)
        assert around.refused == [TOO_SLOW]
        assert around.here == []

    run(scenario())


def test_the_wait_for_a_turn_is_not_the_clients_time_and_what_it_took_before_is() -> None:
    async def scenario() -> None:
        around = Around()
        other = await around.exchanges.take("192.0.2.9")
        client = around.arrival()
        await asyncio.sleep(3.0)
        waiting = asyncio.create_task(client.turn())
        await asyncio.sleep(60.0)
        assert around.refused == []
        assert not client.waits_for_client, "nobody in the line is closed to make room"
        other.end()
        await waiting
        await asyncio.sleep(1.9)
        assert around.refused == []
        await asyncio.sleep(0.2)
        assert around.refused == [TOO_SLOW]

    run(scenario())


def test_whoever_has_a_turn_and_does_not_act_loses_it_to_the_next() -> None:
    async def scenario() -> None:
        around = Around()
        silent, next_one = around.arrival(), around.arrival("192.0.2.2")
        await silent.turn()
        began = asyncio.get_running_loop().time()
        await next_one.turn()
        assert asyncio.get_running_loop().time() - began == SILENT

    run(scenario())


def test_only_a_client_that_is_silent_is_closed_to_make_room() -> None:
    async def scenario() -> None:
        around = Around()
        client = around.arrival()
        assert not client.waits_for_client
        await asyncio.sleep(SILENT)
        assert client.waits_for_client
        client.acted()
        assert not client.waits_for_client
        await asyncio.sleep(SILENT)
        around.busy = True
        assert not client.waits_for_client, "something else is awaited than the client"
        client.evict()
        client.evict()
        assert around.refused == [NO_ROOM]

    run(scenario())


def test_the_time_for_a_login_stands_still_in_the_line_for_the_host() -> None:
    async def scenario() -> None:
        around = Around()
        other = await around.hosts.take("192.0.2.9")
        client = around.arrival()
        client.give(10.0)
        await asyncio.sleep(9.0)
        waiting = asyncio.create_task(client.line_up("web-1"))
        await asyncio.sleep(60.0)
        assert around.refused == []
        other.end()
        assert await waiting
        await asyncio.sleep(0.9)
        assert around.refused == []
        await asyncio.sleep(0.2)
        assert around.refused == [TOO_SLOW]

    run(scenario())


def test_the_line_for_the_host_has_an_end_where_a_proof_gets_old() -> None:
    async def scenario() -> None:
        around = Around()
        await around.hosts.take("192.0.2.9")
        client = around.arrival()
        client.over()
        assert not await client.line_up("web-1", asyncio.get_running_loop().time() + 60.0)
        assert len(around.hosts) == 0

    run(scenario())


def test_whoever_leaves_gives_back_what_it_has_and_what_it_waits_for() -> None:
    async def scenario() -> None:
        around = Around()
        client, late = around.arrival(), around.arrival("192.0.2.2")
        await client.turn()
        assert await client.line_up("web-1")
        waiting = asyncio.create_task(late.turn())
        await asyncio.sleep(0)
        late.gone()
        client.gone()
        await asyncio.wait((waiting,))
        assert waiting.cancelled()
        assert around.exchanges.idle
        assert around.hosts.idle
        assert around.here == []
        await asyncio.sleep(60.0)
        assert around.refused == []

    run(scenario())
