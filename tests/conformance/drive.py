"""A driver without sockets: carries out what a relay asks for, and holds it to the proofs as the real one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from interpose.model.command import Command
from interpose.model.decisions import Obligations
from interpose.model.proofs import Clearance, Permit
from interpose.model.refusal import Refusal
from interpose.protocols.contract import Relay
from interpose.protocols.intents import (
    Allowed,
    Answer,
    Ask,
    Close,
    Control,
    Deliver,
    Ended,
    Forward,
    Intent,
    Part,
    Refused,
    Reply,
    Show,
    ShowAnswer,
    Showing,
)
from tests.conformance.subjects import SEAL, SESSION, Subject

NO = Refused(Refusal("forbidden", "policy says no", "ask somebody"))


def deny(command: Command) -> Answer:
    """Nothing is permitted."""
    return NO


class Drive:
    """One session. `decisions` is every command that was judged, `up` what went up, `down` what the client got."""

    def __init__(
        self,
        subject: Subject,
        judge: Callable[[Command], Answer] | None = None,
        show: Callable[[Show], ShowAnswer] | None = None,
        *,
        max_buffer: int = 1 << 20,
        slow: bool = False,
    ) -> None:
        """With `slow` the server's answers wait for `settle`."""
        self.subject = subject
        self.relay: Relay = subject.relay(max_buffer=max_buffer)
        self.server = subject.server()
        self.judge = judge or self.allow
        self.show = show or (lambda show: Showing(Clearance(SEAL, SESSION, False), None))
        self.decisions: list[tuple[object, ...]] = []
        self.controls: list[str] = []
        self.forwarded = b""
        self.down = b""
        self.allowed: list[Allowed] = []
        self.ended: list[Ended] = []
        self.closed: str | None = None
        self._slow = slow
        self._waiting: list[bytes | None] = []
        self.carry_out(self.relay.start())
        self.down = b""

    def allow(self, command: Command, *, describe: bool = False) -> Answer:
        """Everything is permitted."""
        answer = Allowed(
            Permit(SEAL, len(self.allowed) + 1), self.subject.analyse(command), Obligations(), False, describe
        )
        self.allowed.append(answer)
        return answer

    def feed(self, data: bytes, sizes: Iterable[int] = ()) -> None:
        """The client sends `data`, cut into pieces of these sizes and then the rest."""
        position = 0
        for size in sizes:
            self.carry_out(self.relay.client_bytes(data[position : position + size]))
            position += size
        self.carry_out(self.relay.client_bytes(data[position:]))

    def carry_out(self, intents: list[Intent]) -> None:
        """As `net.session` does; the server answers at once."""
        while intents:
            following: list[Intent] = []
            for intent in intents:
                assert self.closed is None, "an intent behind Close"
                match intent:
                    case Ask(command):
                        self.decisions.append((command.kind, command.text, command.parameters, command.context.path))
                        following += self.relay.answered(self.judge(command))
                    case Forward(permit, data):
                        permit.spend()
                        self.forwarded += data
                        following += self._answer(data)
                    case Part(permit, data):
                        permit.check_part()
                        self.forwarded += data
                        following += self._answer(data)
                    case Control(kind, data):
                        self.controls.append(kind)
                        following += self._answer(data)
                    case Show():
                        following += self.relay.shown(self.show(intent))
                    case Deliver(_, data) | Reply(data):
                        self.down += data
                    case Ended():
                        self.ended.append(intent)
                    case Close(reason, _):
                        self.closed = reason
            intents = following
            while not intents and self._waiting and not self._slow and self.closed is None:
                intents = self._next()

    def _answer(self, data: bytes) -> list[Intent]:
        self._waiting.append(self.server.receive(data))
        if self.server.terminated:
            self._waiting.append(None)
        return [] if self._slow else self._next()

    def _next(self) -> list[Intent]:
        answer = self._waiting.pop(0)
        return self.relay.upstream_closed() if answer is None else self.relay.upstream_bytes(answer) if answer else []

    def settle(self) -> None:
        """Hand over the answers that wait, and those to what they set off, until there are none."""
        while self._waiting and self.closed is None:
            self.carry_out(self._next())
