"""The client's agent and display, as one channel asks for them: each is judged in its turn, and ends with the channel.

A display's secret goes by unread: OpenSSH's client makes one up for the host, and exchanges it for the real one when a connection comes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from interpose.bridges.ssh.leases import Lease, Tunnelled
from interpose.bridges.ssh.wanted_forwards import AGENT, DISPLAY
from interpose.bridges.ssh.words import FAULT, NOT_LENT, refusal_line
from interpose.protocols.intents import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from interpose.bridges.ssh.channels import UpstreamChannel
    from interpose.bridges.ssh.ports import Faults
    from interpose.bridges.ssh.session import SshSession

REQUESTS: Final = {"auth-agent-req@openssh.com": AGENT, "x11-req": DISPLAY}
"""What each request of a channel asks for."""


class Asking(Protocol):
    """The channel that asks."""

    def tell(self, text: str) -> None:
        """A line on standard error."""
        ...


class Lending:
    """What one channel has been lent."""

    def __init__(self, asking: Asking, faults: Faults) -> None:
        """Nothing yet."""
        self._asking = asking
        self._faults = faults
        self._session: SshSession | None = None
        self._granted: list[tuple[str, bytes]] = []
        self._leases: list[Lease] = []
        self._pending: Tunnelled | None = None
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def ask(
        self,
        name: str,
        arguments: bytes,
        enter: Callable[[], Awaitable[SshSession | Refused]] | None,
        answer: Callable[[bool], None],
    ) -> None:
        """Judge one request; `answer` is called later, unless the channel is closed before. Without `enter` it is too late to ask.

        INVARIANT: each is lent once a channel, whatever is asked for.
        """
        if any(granted == name for granted, _ in self._granted):
            enter = None
        self._task = asyncio.get_running_loop().create_task(
            self._judge(name, arguments, enter, answer), name="ssh lending"
        )

    async def _judge(
        self,
        name: str,
        arguments: bytes,
        enter: Callable[[], Awaitable[SshSession | Refused]] | None,
        answer: Callable[[bool], None],
    ) -> None:
        lent = False
        try:
            entered = await enter() if enter is not None else None
            if entered is not None and not isinstance(entered, Refused) and not self._closed:
                self._session = entered
                pending = self._pending = Tunnelled(entered)
                lease = await entered.forwards.lend(pending, REQUESTS[name])
                self._pending = None
                if not isinstance(lease, Lease):
                    self._asking.tell(refusal_line(lease))
                else:
                    lent = True
                    self._leases.append(lease)
                    self._granted.append((name, arguments))
        except Exception as error:  # noqa: BLE001 -- INVARIANT: a fault closes what it arose on, and is told
            self._faults(None if self._session is None else self._session.session.id, error)
            self._asking.tell(refusal_line(FAULT))
        if self._closed:
            self._take_back()
        else:
            answer(lent)

    async def hand_over(self, upstream: UpstreamChannel) -> None:
        """Ask the host's side of the channel for what was granted, before anything is started."""
        for name, arguments in self._granted:
            if not await upstream.ask(name, arguments):
                self._asking.tell(refusal_line(NOT_LENT))

    def close(self) -> None:
        """The channel is over. Idempotent."""
        self._closed = True
        self.void()
        self._take_back()

    def void(self) -> bool:
        """What is held is not wanted any more; whether anything was."""
        if self._pending is None:
            return False
        self._pending.stop()
        return True

    def _take_back(self) -> None:
        leases, self._leases = self._leases, []
        for lease in leases:
            if self._session is not None:
                self._session.forwards.take_back(lease)
