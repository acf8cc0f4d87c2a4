"""An answer that takes time, and whose cancellation is insisted on."""

from __future__ import annotations

import asyncio

import pytest

from interpose.engine.waits import Wait


async def _over(wait_for: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await wait_for.wait()


async def test_an_answer_is_told_once_it_is_there() -> None:
    over = asyncio.Event()

    async def work() -> str:
        await asyncio.sleep(0)
        return "yes"

    wait = Wait(asyncio.get_running_loop(), work(), "work", over.set)
    await _over(over)
    assert wait.answer == "yes"
    assert not wait.cancelled


async def test_a_cancelled_wait_has_no_answer() -> None:
    over = asyncio.Event()
    wait = Wait(asyncio.get_running_loop(), asyncio.Event().wait(), "work", over.set)
    wait.cancel()
    wait.cancel()
    await _over(over)
    assert wait.answer is None
    assert wait.cancelled


async def test_a_cancellation_that_is_swallowed_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpose.engine.waits._INSIST", 0.01)
    over = asyncio.Event()
    swallowed = 0

    async def stubborn() -> str:
        nonlocal swallowed
        while swallowed < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
        return "late"

    wait = Wait(asyncio.get_running_loop(), stubborn(), "work", over.set)
    await asyncio.sleep(0)
    wait.cancel()
    await _over(over)
    assert swallowed == 2
    assert wait.answer == "late"
    assert wait.cancelled


async def test_what_the_work_raised_is_raised_where_the_answer_is_wanted() -> None:
    over = asyncio.Event()

    async def work() -> None:
        raise ValueError("no")

    wait = Wait(asyncio.get_running_loop(), work(), "work", over.set)
    await _over(over)
    with pytest.raises(ValueError, match="no"):
        _ = wait.answer
