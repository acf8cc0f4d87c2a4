"""What keyboard-interactive asks, what comes of the answers, and how long a client may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from interpose.bridges.ssh.asking import Questions
from interpose.bridges.ssh.parts import Bounds, Parts
from interpose.bridges.ssh.words import FAULT, NOT_ENTERED, ONE_CODE
from interpose.model.principal import Identity
from interpose.model.refusal import ConfirmationNotice, Refusal
from interpose.protocols.contract import BrowserLogin
from interpose.protocols.intents import Evidence, Refused
from tests.support.memory import person

EVIDENCE = Evidence("zoe", "web-1", "", {"client_version": "SSH-2.0-x"})
NOTICE = ConfirmationNotice("https://gw/confirm", "BBBB-CCCC", "zoe", "web-1", "192.0.2.1", 120.0)
ZOE = Identity(person("zoe"), "browser")
DENIED = Refused(Refusal("confirmation_denied", "denied"))


class Place:
    """The client, and the person at the browser."""

    def __init__(self, browser: BrowserLogin = BrowserLogin.OFFERED, *, tells: bool = True) -> None:
        self.peer = "192.0.2.1"
        self.asked_for: list[str] = []
        self.tokens: list[str] = []
        self.times: list[tuple[float, Refusal]] = []
        self.refusals: list[Refusal] = []
        self.taken: list[Identity] = []
        self.faults: list[BaseException] = []
        self.voided = 0
        self.answer: asyncio.Future[Identity | Refused] = asyncio.get_running_loop().create_future()
        self._tells = tells
        used: dict[str, Any] = {
            "faults": lambda session, error: self.faults.append(error),
            "bounds": Bounds(handshake=5.0, choice=60.0),
            "browser": browser,
            "confirm": self.confirm,
        }
        parts = Parts(**{**dict.fromkeys(Parts.__dataclass_fields__), **used})
        self.questions = Questions(parts, self)

    async def confirm(
        self, evidence: Evidence, peer: str, tell: Callable[[ConfirmationNotice], None]
    ) -> Identity | Refused:
        self.asked_for.append(f"{evidence.claimed_name}+{evidence.connection} from {peer}")
        if self._tells:
            tell(NOTICE)
        try:
            return await self.answer
        except asyncio.CancelledError:
            self.voided += 1
            raise

    async def token(self, token: str) -> bool:
        self.tokens.append(token)
        return token == "right"

    def confirmed(self, identity: Identity, at: float) -> bool:
        self.taken.append(identity)
        return True

    def give_time(self, seconds: float, refusal: Refusal) -> None:
        self.times.append((seconds, refusal))

    def refuse(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    async def to_the_code(self) -> None:
        first = await self.questions.first(EVIDENCE)
        assert isinstance(first, tuple)
        assert first[3] == [("Interpose access token, or Enter to log in with a browser: ", False)]
        second = await self.questions.answered(EVIDENCE, [""])
        assert isinstance(second, tuple)
        assert "BBBB-CCCC" in second[1]
        assert "BBBB-CCCC" in second[3][0][0]


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_enter_shows_a_code_and_the_next_one_lets_in() -> None:
    place = Place()
    await place.to_the_code()
    assert place.asked_for == ["zoe+web-1 from 192.0.2.1"]
    assert place.times == [(125.0, NOT_ENTERED)]
    waiting = asyncio.ensure_future(place.questions.answered(EVIDENCE, [" "]))
    await turns()
    assert place.questions.is_waiting and not waiting.done()
    place.answer.set_result(ZOE)
    assert await waiting is True
    assert (place.taken, place.tokens, place.questions.is_waiting) == ([ZOE], [], False)


async def test_a_confirmation_lets_nobody_in_without_the_clients_answer() -> None:
    place = Place()
    await place.to_the_code()
    place.answer.set_result(ZOE)
    await turns()
    assert place.taken == []
    assert place.times[-1] == (60.0, NOT_ENTERED)
    # Asked anew, the confirmation is void.
    assert isinstance(await place.questions.first(EVIDENCE), tuple)
    assert await place.questions.answered(EVIDENCE, [""]) is False
    assert place.taken == []


@pytest.mark.parametrize("answers", [[], ["", ""]])
async def test_an_answer_of_another_shape_voids_it(answers: list[str]) -> None:
    place = Place()
    await place.to_the_code()
    assert await place.questions.answered(EVIDENCE, answers) is False
    await turns()
    assert (place.voided, place.questions.is_waiting) == (1, False)


async def test_a_token_at_the_code_voids_it() -> None:
    place = Place()
    await place.to_the_code()
    assert await place.questions.answered(EVIDENCE, ["right"]) is True
    await turns()
    assert (place.voided, place.tokens, place.taken) == (1, ["right"], [])


async def test_one_connection_is_given_one_code() -> None:
    place = Place()
    await place.to_the_code()
    assert await place.questions.answered(EVIDENCE, ["wrong"]) is False
    again = await place.questions.first(EVIDENCE)
    assert isinstance(again, tuple)
    assert again[3] == [("Interpose access token: ", False)]
    assert await place.questions.answered(EVIDENCE, [""]) is False
    assert len(place.asked_for) == 1
    place = Place(BrowserLogin.ALWAYS)
    assert isinstance(await place.questions.first(EVIDENCE), tuple)
    assert await place.questions.first(EVIDENCE) is False
    assert place.refusals == [ONE_CODE]


async def test_a_refusal_closes_at_once_even_at_the_prompt() -> None:
    place = Place()
    await place.to_the_code()
    place.answer.set_result(DENIED)
    await turns()
    assert place.refusals == [DENIED.refusal]
    assert await place.questions.answered(EVIDENCE, [""]) is False


async def test_a_refusal_before_anything_is_shown() -> None:
    place = Place(tells=False)
    await place.questions.first(EVIDENCE)
    place.answer.set_result(DENIED)
    assert await place.questions.answered(EVIDENCE, [""]) is False
    assert (place.refusals, place.times) == ([DENIED.refusal], [])


async def test_our_own_fault_lets_nobody_in() -> None:
    place = Place()
    await place.to_the_code()
    waiting = asyncio.ensure_future(place.questions.answered(EVIDENCE, [""]))
    await turns()
    place.answer.set_exception(ValueError("broken"))
    assert await waiting is False
    assert (place.refusals, len(place.faults)) == ([FAULT], 1)


@pytest.mark.parametrize("shown", [True, False])
async def test_a_client_that_leaves_voids_it(shown: bool) -> None:
    place = Place(tells=shown)
    if shown:
        await place.to_the_code()
    waiting = asyncio.ensure_future(place.questions.answered(EVIDENCE, [""]))
    await turns()
    waiting.cancel()
    await turns()
    assert (waiting.cancelled(), place.voided, place.refusals) == (True, 1, [])


async def test_always_takes_no_token_and_never_shows_no_code() -> None:
    place = Place(BrowserLogin.ALWAYS)
    first = await place.questions.first(EVIDENCE)
    assert isinstance(first, tuple)
    assert "token" not in first[3][0][0]
    waiting = asyncio.ensure_future(place.questions.answered(EVIDENCE, ["right"]))
    await turns()
    assert (waiting.done(), place.tokens, place.questions.takes_tokens) == (False, [], False)
    waiting.cancel()
    place = Place(BrowserLogin.NEVER)
    assert isinstance(await place.questions.first(EVIDENCE), tuple)
    assert await place.questions.answered(EVIDENCE, [""]) is False
    assert (place.asked_for, place.tokens) == ([], [""])
