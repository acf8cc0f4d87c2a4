"""Turns: how many at once, in which order, and what becomes of one that nobody wants any more."""

from __future__ import annotations

import asyncio

from interpose.bridges.ssh.turns import Turn, Turns


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def begin(turns: Turns, *kinds: str) -> tuple[list[str], dict[str, Turn], list[asyncio.Task[None]]]:
    """Who has had a turn, in order, after each of these has asked for one."""
    order: list[str] = []
    taken: dict[str, Turn] = {}

    async def one(name: str) -> None:
        taken[name] = await turns.take(name.partition("-")[0])
        order.append(name)

    tasks = [asyncio.create_task(one(name)) for name in kinds]
    await settle()
    return order, taken, tasks


async def test_only_so_many_have_a_turn_at_once() -> None:
    turns = Turns(2)
    order, taken, _ = await begin(turns, "a-1", "a-2", "a-3", "a-4")
    assert order == ["a-1", "a-2"]
    assert len(turns) == 2
    taken["a-1"].end()
    taken["a-1"].end()  # it ends once
    await settle()
    assert order == ["a-1", "a-2", "a-3"]


async def test_a_crowd_delays_nobody_but_itself() -> None:
    turns = Turns(1)
    order, taken, _ = await begin(turns, "crowd-1", "crowd-2", "crowd-3", "crowd-4", "b-1", "c-1")
    for _ in range(5):
        taken[order[-1]].end()
        await settle()
    assert order == ["crowd-1", "crowd-2", "b-1", "c-1", "crowd-3", "crowd-4"]


async def test_who_leaves_the_line_has_no_turn_and_takes_none() -> None:
    turns = Turns(1)
    order, taken, tasks = await begin(turns, "a-1", "a-2", "b-1")
    tasks[1].cancel()
    await settle()
    assert len(turns) == 1
    taken["a-1"].end()
    await settle()
    assert order == ["a-1", "b-1"]
    taken["b-1"].end()
    assert turns.idle


async def test_a_turn_that_is_given_to_somebody_who_leaves_goes_to_the_next() -> None:
    turns = Turns(1)
    order, taken, tasks = await begin(turns, "a-1", "a-2", "a-3")
    taken["a-1"].end()
    tasks[1].cancel()  # its turn has come, and it does not know yet
    await settle()
    assert order == ["a-1", "a-3"]
