"""The contract's methods: each hands bytes or an answer to a half of the relay and returns what that asks for.

INVARIANT: no method raises, whatever the bytes; a fault of ours closes the session after what was decided before it.
"""

from __future__ import annotations

from collections.abc import Callable

from interpose.model.refusal import HoldNotice, Refusal
from interpose.protocols.contract import Login, SessionFacts
from interpose.protocols.intents import Answer, Intent, Reply, ShowAnswer
from interpose.protocols.postgres.backend import READY, backend_key, error_message, parameter_status
from interpose.protocols.postgres.dial import Dialled
from interpose.protocols.postgres.login import PostgresLogin
from interpose.protocols.postgres.refusals import hold_message, refusal_message
from interpose.protocols.postgres.relay.client import Client
from interpose.protocols.postgres.relay.results import UpstreamFault
from interpose.protocols.postgres.wire import BodyError


class PostgresRelay(Client):
    """The command loop of one PostgreSQL session."""

    __slots__ = ("_answer", "_cancel_key")

    def __init__(self, dialled: object, login: Login, facts: SessionFacts) -> None:
        """`dialled` is what `PostgresDial` ended with; raises `TypeError` for anything else (our bug)."""
        if not isinstance(dialled, Dialled):
            raise TypeError("a PostgreSQL relay needs what the PostgreSQL dial ended with")
        super().__init__(dialled, facts)
        # Protocol 3.0 has room for 8 bytes of key (PostgreSQL 18 §54.7, BackendKeyData).
        long = isinstance(login, PostgresLogin) and login.minor >= 2
        # The engine's answer on its way to `_go_on`: a closure would cost more.
        self._answer: Answer | None = None
        self._cancel_key = facts.cancel_key if long else facts.cancel_key[:8]

    def start(self) -> list[Intent]:
        """The upstream's parameter reports, the gateway's own cancel key, and ready."""
        return self._guarded(self._begin)

    def client_bytes(self, data: bytes) -> list[Intent]:
        """Bytes from the client, cut anywhere."""
        if self._closed or self._no_input:
            return []
        box = self._client
        box.add(data)
        if self._blocked:
            if len(box) > self._facts.max_buffer:
                return self._guarded(self._overflow)
            return []
        return self._guarded(self._pump)

    def upstream_bytes(self, data: bytes) -> list[Intent]:
        """Bytes from the upstream, cut anywhere."""
        if self._closed:
            return []
        self._upstream.add(data)
        return self._guarded(self._down)

    def answered(self, answer: Answer) -> list[Intent]:
        """The engine's answer to the last `Ask`."""
        if self._closed:
            return []
        self._answer = answer
        return self._guarded(self._go_on)

    def shown(self, answer: ShowAnswer) -> list[Intent]:
        """The engine's answer to the last `Show`."""
        return self._guarded(lambda: self._show_on(answer))

    def holding(self, notice: HoldNotice) -> list[Intent]:
        """The last `Ask` is held: a notice, at once."""
        return self._guarded(lambda: self._hold(notice))

    def client_closed(self) -> list[Intent]:
        """The client is gone."""
        return self._guarded(lambda: self._close("client_closed"))

    def upstream_closed(self) -> list[Intent]:
        """The upstream is gone: the client is told, and nothing is tried again."""
        return self._guarded(self._upstream_gone)

    def end(self, refusal: Refusal) -> list[Intent]:
        """The gateway ends the session."""
        return self._guarded(lambda: self._close(refusal.code, "", refusal_message(refusal, "FATAL")))

    @property
    def buffered(self) -> int:
        """Bytes kept while waiting: the client's behind a command that waits, the upstream's behind a result that does."""
        kept = len(self._client) if self._blocked else 0
        return kept if self._showing is None else kept + len(self._upstream)

    @property
    def idle(self) -> bool:
        """Whether no command is under way and no transaction is open."""
        return (
            self._asking is None
            and not self._queue
            and self._status == "I"
            and not self._batch_open
            and not self._blocked
        )

    # --- within

    def _guarded(self, work: Callable[[], None]) -> list[Intent]:
        if self._closed:
            return []
        try:
            work()
        except (UpstreamFault, BodyError) as error:
            word = error_message("FATAL", "08P01", "the upstream broke the protocol; the session ends")
            self._close("upstream_protocol_error", str(error), word)
        except Exception as error:  # noqa: BLE001 - INVARIANT: any exception in a session closes it
            word = error_message("FATAL", "XX000", "internal error in the gateway; the session ends")
            self._close("internal_error", type(error).__name__, word)
        return self._take()

    def _begin(self) -> None:
        reports = b"".join(parameter_status(name, value) for name, value in self._parameters.items())
        self._out.append(Reply(reports + backend_key(self._cancel_key) + READY[self._status]))

    def _down(self) -> None:
        box = self._upstream
        while True:
            before = len(box)
            self._walk()
            if not box.in_pieces or len(box) == before:
                break
        if self._blocked and self._asking is None:
            self._pump()

    def _go_on(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            self._answered(answer)
        self._pump()

    def _show_on(self, answer: ShowAnswer) -> None:
        self._shown(answer)
        self._down()

    def _hold(self, notice: HoldNotice) -> None:
        self._holding = True
        self._say(hold_message(notice))
        if len(self._client) > self._facts.max_buffer:
            self._overflow()

    def _overflow(self) -> None:
        message = "too much data was sent while a command waits"
        hint = "wait for the answer before sending more"
        self._close("buffer_full", "", error_message("FATAL", "53200", message, hint=hint))

    def _upstream_gone(self) -> None:
        if self._terminated:
            self._close("client_terminated")
            return
        word = error_message(
            "FATAL", "57P01", "the upstream closed the connection; the gateway repeats nothing", hint="connect again"
        )
        self._close("upstream_closed", "", word)
