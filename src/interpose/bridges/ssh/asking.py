"""What keyboard-interactive asks one client: its access token, or to wait until its person has confirmed it in a browser.

Knows nothing of messages: what it answers are the library's values, a question or a verdict. INVARIANT: whoever was confirmed is let in by
the client's own answer to the question that showed the code, and by nothing else; whatever comes between makes the confirmation void.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from interpose.bridges.ssh.words import FAULT, NOT_ENTERED, ONE_CODE, confirm_text
from interpose.protocols.contract import BrowserLogin
from interpose.protocols.intents import Evidence, Refused

if TYPE_CHECKING:
    from interpose.bridges.ssh.parts import Parts
    from interpose.model.principal import Identity
    from interpose.model.refusal import ConfirmationNotice, Refusal

Question = tuple[str, str, str, list[tuple[str, bool]]]
"""Name, instruction, language and prompts (with whether what is typed is shown), as RFC 4256 §3.2 has them."""

_ASK: Final = "Interpose access token: "
_ASK_OR_BROWSER: Final = "Interpose access token, or Enter to log in with a browser: "


class Asked(Protocol):
    """The client that is asked; `peer` is its address without the port."""

    peer: str

    async def token(self, token: str) -> bool:
        """Whether this is a right one."""
        ...

    def confirmed(self, identity: Identity, at: float) -> bool:
        """Take whoever was confirmed, at this time of the event loop's clock; False when nobody may be taken any more."""
        ...

    def give_time(self, seconds: float, refusal: Refusal) -> None:
        """From now on the client has so long to be let in, and no other bound; then it is told this."""
        ...

    def refuse(self, refusal: Refusal) -> None:
        """Close the connection with these words."""
        ...


class Questions:
    """One client's. At most one login by a browser comes of one connection, so that it bounds how long a client may stay unknown."""

    def __init__(self, parts: Parts, asked: Asked) -> None:
        """Nothing was asked."""
        self._parts = parts
        self._asked = asked
        self._browser = parts.browser if parts.confirm is not None else BrowserLogin.NEVER
        self._begun = False
        self._waiting: asyncio.Task[Identity | Refused] | None = None
        self._at = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether it is a person's turn, at a browser."""
        return self._waiting is not None

    @property
    def takes_tokens(self) -> bool:
        """Whether an access token lets anybody in here."""
        return self._browser is not BrowserLogin.ALWAYS

    async def first(self, evidence: Evidence) -> Question | bool:
        """The client wants to be asked, for the first time or again. `evidence` is without a token."""
        self.void()
        if self._browser is BrowserLogin.ALWAYS:
            return await self._begin(evidence)
        if self._browser is BrowserLogin.NEVER or self._begun:
            return _question(_ASK)
        return _question(_ASK_OR_BROWSER)

    async def answered(self, evidence: Evidence, answers: list[str]) -> Question | bool:
        """The client answered the last question."""
        if len(answers) != 1:
            self.void()
            return False
        text = answers[0].strip()
        if self._waiting is not None and not (text and self.takes_tokens):
            return await self._outcome(self._waiting)
        self.void()
        if text or self._begun or self._browser is BrowserLogin.NEVER:
            return self.takes_tokens and await self._asked.token(answers[0])
        return await self._begin(evidence)

    def void(self) -> None:
        """Nobody waits any more: the client left, or logs in otherwise."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()

    async def _begin(self, evidence: Evidence) -> Question | bool:
        """The page and the code, or the refusal of both."""
        confirm, loop = self._parts.confirm, asyncio.get_running_loop()
        if self._begun or confirm is None:
            self._asked.refuse(ONE_CODE)
            return False
        self._begun = True
        told: asyncio.Future[ConfirmationNotice] = loop.create_future()
        task = loop.create_task(confirm(evidence, self._asked.peer, told.set_result), name="ssh login by a browser")
        self._waiting = task
        task.add_done_callback(self._over)
        try:
            await asyncio.wait((told, task), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.void()
            raise
        if not told.done() or self._waiting is not task:
            return False
        notice = told.result()
        # The wait ends by itself; what comes on top is for a store that is slow to say so.
        self._asked.give_time(notice.expires_in + self._parts.bounds.handshake, NOT_ENTERED)
        instruction, prompt = confirm_text(notice, token=self.takes_tokens)
        return _question(prompt, instruction)

    async def _outcome(self, waiting: asyncio.Task[Identity | Refused]) -> bool:
        try:
            await asyncio.wait((waiting,))
        except asyncio.CancelledError:
            # The client left, or has begun another kind of login.
            self.void()
            raise
        if self._waiting is not waiting or waiting.exception() is not None:
            return False
        self._waiting = None
        answer = waiting.result()
        return not isinstance(answer, Refused) and self._asked.confirmed(answer, self._at)

    def _over(self, task: asyncio.Task[Identity | Refused]) -> None:
        """The wait has ended, whether the client is at its prompt or has answered it already."""
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._parts.faults(None, error)
        if task is not self._waiting:
            return
        answer = Refused(FAULT) if error is not None else task.result()
        if isinstance(answer, Refused):
            self._waiting = None
            self._asked.refuse(answer.refusal)
        else:
            # INVARIANT: a proof that nobody takes up is soon too old to open a session by.
            self._at = asyncio.get_running_loop().time()
            self._asked.give_time(self._parts.bounds.choice, NOT_ENTERED)


def _question(prompt: str, instruction: str = "") -> Question:
    return "", instruction, "en", [(prompt, False)]
