"""When a client counts as stalled. On virtual time."""

from __future__ import annotations

import asyncio

from interpose.bridges.ssh.stalls import Stall
from tests.support.virtual import run


class Client:
    """A client for whom output waits, of which the test lets bytes go and answers questions."""

    def __init__(self) -> None:
        self.waiting = 0
        self.output_waits = True
        self.sent = 0
        self.lives = asyncio.Event()
        self.asked = 0
        self.stalled = 0
        self.stall = Stall(self, lambda: self.sent, 10.0, self._stalled)

    async def answers(self) -> None:
        self.asked += 1
        await self.lives.wait()

    def _stalled(self) -> None:
        self.stalled += 1


def test_who_takes_nothing_and_does_not_answer_is_stalled_once() -> None:
    async def scenario() -> None:
        client = Client()
        await asyncio.sleep(19.0)
        assert client.stalled == 0
        client.waiting += 100  # the gateway's own small words may still come on top
        await asyncio.sleep(2.0)
        assert client.stalled == 1
        await asyncio.sleep(100.0)
        assert client.stalled == 1
        assert client.asked == 1

    run(scenario())


def test_who_answers_may_stand_still() -> None:
    async def scenario() -> None:
        client = Client()
        client.lives.set()
        await asyncio.sleep(1000.0)
        assert client.stalled == 0
        client.lives.clear()
        await asyncio.sleep(25.0)
        assert client.stalled == 1

    run(scenario())


def test_a_question_that_waits_behind_what_goes_slowly_is_only_late() -> None:
    async def scenario() -> None:
        channel = Client()
        for _ in range(20):
            await asyncio.sleep(9.5)
            channel.sent += 1
        socket = Client()
        socket.waiting = 1000
        for _ in range(20):
            await asyncio.sleep(9.5)
            socket.waiting -= 1
            channel.sent += 1
        assert channel.stalled == socket.stalled == 0
        assert channel.asked == 1

    run(scenario())


def test_nobody_is_asked_for_whom_nothing_waits_or_after_the_end() -> None:
    async def scenario() -> None:
        client = Client()
        client.output_waits = False
        await asyncio.sleep(100.0)
        assert client.asked == client.stalled == 0
        client.output_waits = True
        await asyncio.sleep(11.0)
        client.stall.stop()
        await asyncio.sleep(100.0)
        assert client.asked == 1
        assert client.stalled == 0

    run(scenario())
