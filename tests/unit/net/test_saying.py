"""Messages to a session's client."""

from __future__ import annotations

import asyncio

from interpose.net.saying import MOST_WAITING, Sayings


class Busy:
    """A relay that is idle or not."""

    idle = False


class Client:
    """A wire that keeps what is written."""

    def __init__(self) -> None:
        self.gone = self.closed = False
        self.written: list[bytes] = []
        self.heard = asyncio.Event()

    def write(self, chunks: list[bytes]) -> None:
        self.written += chunks
        self.heard.set()


async def test_a_message_waits_until_no_command_is_under_way() -> None:
    relay, client = Busy(), Client()
    sayings = Sayings(relay, client, str.encode)  # type: ignore[arg-type]
    for number in range(MOST_WAITING + 2):
        sayings.say(str(number))
    assert client.written == []
    relay.idle = True
    async with asyncio.timeout(20):
        await client.heard.wait()
    assert client.written == [str(number).encode() for number in range(2, MOST_WAITING + 2)]
    sayings.say("now")
    assert client.written[-1] == b"now"


async def test_nothing_is_written_to_a_client_that_is_gone() -> None:
    relay, client = Busy(), Client()
    relay.idle, client.gone = True, True
    Sayings(relay, client, str.encode).say("x")  # type: ignore[arg-type]
    assert client.written == []
