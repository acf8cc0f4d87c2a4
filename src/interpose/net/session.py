"""The driver of one session: it hands bytes to the relay and carries out what the relay asks for. It knows no protocol.

The common case (permit from cache) is judged, recorded and forwarded within the one callback that brought the bytes; only what
needs IO (a hold, a catalog lookup) becomes a task. Everything that goes to either side is collected and written once a callback.
"""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Final, assert_never

from interpose.engine.waits import Wait
from interpose.model.errors import RecordingError
from interpose.model.proofs import ProofError
from interpose.model.refusal import Refusal
from interpose.net.last_words import last_words
from interpose.net.pressure import Pressure
from interpose.net.underway import Underway
from interpose.protocols.intents import (
    Allowed,
    Ask,
    Close,
    Control,
    Deliver,
    Ended,
    Forward,
    Part,
    Refused,
    Reply,
    Show,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.engine.sessions import Session
    from interpose.model.refusal import HoldNotice
    from interpose.net.books import Books
    from interpose.net.cancels import Cancels
    from interpose.net.options import SessionOptions
    from interpose.net.ports import Judge, Shower
    from interpose.net.upstream import Dialled
    from interpose.net.wire import Wire
    from interpose.protocols.contract import ProtocolSpec, Relay
    from interpose.protocols.intents import Answer, Intent, ShowAnswer

CANCELLED: Final = Refusal(
    "cancelled", "the command was cancelled before it was sent", "nothing of it ran; send it again if you still want it"
)
_REASONS: Final = {"draining": "drained", "audit_unavailable": "record_failed"}
_PEER_LOST: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN})


class SessionDriver:
    """Drives one relay between a client's wire and an upstream's."""

    __slots__ = (
        "_attention",
        "_books",
        "_buffer_high",
        "_cancels",
        "_client",
        "_closed",
        "_closing",
        "_dialled",
        "_draining",
        "_gate",
        "_id",
        "_judging",
        "_leaving",
        "_loop",
        "_on_over",
        "_pressure",
        "_reason",
        "_relay",
        "_release",
        "_session",
        "_showing",
        "_spec",
        "_underway",
        "_upstream",
        "_upstream_gone",
    )

    def __init__(
        self,
        session: Session,
        spec: ProtocolSpec,
        relay: Relay,
        client: Wire,
        dialled: Dialled,
        *,
        gate: Judge,
        release: Shower,
        cancels: Cancels,
        books: Books,
        options: SessionOptions,
        on_over: Callable[[SessionDriver], None],
    ) -> None:
        """`on_over` is called when the books and both sockets are closed."""
        self._loop = asyncio.get_running_loop()
        self._session = session
        self._id = session.id
        self._spec = spec
        self._relay = relay
        self._client = client
        self._dialled = dialled
        self._upstream = dialled.wire
        self._gate = gate
        self._release = release
        self._cancels = cancels
        self._books = books
        self._on_over = on_over
        self._buffer_high = options.buffer_high
        self._underway = Underway()
        self._judging: Wait[Answer] | None = None
        self._showing: Wait[ShowAnswer] | None = None
        self._draining: Refusal | None = None
        self._closing: str | None = None  # a reason once the relay said `Close`
        self._leaving: str | None = None  # a reason once a side left or the gateway ends the session: it counts first
        self._closed = False
        self._reason = ""
        self._upstream_gone = False
        self._attention = False
        self._pressure = Pressure(
            relay,
            client,
            dialled.wire,
            options,
            on_stall=lambda: self._abort("write_stall"),
        )

    def start(self, behind: bytes) -> None:
        """Begin; `behind` are client bytes that arrived after the login's evidence."""
        session, client, upstream = self._session, self._client, self._upstream
        client.on_bytes = self._client_bytes
        client.on_lost = self._client_lost
        client.on_writable = self._pressure.client_writable
        upstream.on_bytes = self._upstream_bytes
        upstream.on_lost = self._upstream_lost
        upstream.on_writable = self._pressure.upstream_writable
        client.on_closed = upstream.on_closed = self._seal
        session.on_end = self._end_asked
        session.on_cancel = self._cancel_asked
        self._guarded(self._relay.start)
        leftover, self._dialled.leftover = self._dialled.leftover, b""
        if leftover and not self._closed:
            self._upstream_bytes(leftover)
        if behind and not self._closed:
            self._client_bytes(behind)
        if session.ended_with is not None:
            self._end_asked(session.ended_with)
        if self._closed:
            return
        if client.gone:
            self._client_lost(None)
        elif upstream.gone:
            self._upstream_lost(None)
        else:
            self._attend()

    def drain(self, refusal: Refusal) -> None:
        """End the session as soon as nothing is under way; now, if nothing is."""
        self._draining = refusal
        self._attention = True
        if not self._closed and self._relay.idle:
            self._session.end(refusal)

    def cut(self, refusal: Refusal) -> None:
        """End the session now, whatever is under way; the client still gets a last word."""
        self._session.end(refusal)

    # --- what the wires call

    def _client_bytes(self, data: bytes) -> None:
        self._books.came(len(data))
        try:
            self._carry_out(self._relay.client_bytes(data))
        except Exception as error:  # noqa: BLE001 -- INVARIANT: any exception in a session closes both of its sides
            self._broken(error)

    def _upstream_bytes(self, data: bytes) -> None:
        try:
            self._carry_out(self._relay.upstream_bytes(data))
        except Exception as error:  # noqa: BLE001 -- as above
            self._broken(error)

    def _client_lost(self, error: Exception | None) -> None:
        if self._closed:
            return
        lost = isinstance(error, OSError) and error.errno in _PEER_LOST
        self._leave(self._relay.client_closed, "peer_lost" if lost else "client_closed", stop=True)

    def _upstream_lost(self, error: Exception | None) -> None:
        if self._closed:
            return
        if self._showing is not None:
            # What the upstream said before it went is still with the relay: show that first.
            self._upstream_gone = True
            return
        self._leave(self._relay.upstream_closed, "upstream_closed", stop=False)

    # --- what the engine calls

    def _end_asked(self, refusal: Refusal) -> None:
        # Never at once: the engine may ask from within what this driver is in the middle of.
        self._loop.call_soon(self._end_now, refusal)

    def _end_now(self, refusal: Refusal) -> None:
        if not self._closed:
            reason = _REASONS.get(refusal.code, refusal.code)
            self._leave(lambda: self._relay.end(refusal), reason, stop=True)

    def _cancel_asked(self) -> None:
        if self._closed:
            return
        if self._judging is not None:
            # Voids the hold; `_judged` tells the client.
            self._judging.cancel()
        elif self._underway:
            self._cancels.start(self._dialled, self._spec.cancel)

    def _held(self, notice: HoldNotice) -> None:
        if not self._closed:
            self._pressure.held = True
            self._guarded(lambda: self._relay.holding(notice))
            self._pressure.balance()

    # --- carrying out

    def _guarded(self, intents: Callable[[], list[Intent]]) -> None:
        try:
            self._carry_out(intents())
        except Exception as error:  # noqa: BLE001 -- as above
            self._broken(error)

    def _carry_out(self, intents: list[Intent]) -> None:
        up: list[bytes] = []
        down: list[bytes] = []
        while intents:
            following: list[Intent] = []
            for intent in intents:
                if isinstance(intent, Deliver):
                    if intent.clearance.session != self._id:
                        raise ProofError("a clearance is good for its own session")
                    data = intent.data
                    # INVARIANT: recorded before it is written; a record that fails shows nothing.
                    self._session.recorder.delivered(self._underway.current, data)
                    down.append(data)
                    if intent.clearance.masked:
                        self._books.masked(intent.rows)
                elif isinstance(intent, Ask):
                    answer = self._gate.judge_now(self._session, intent.command)
                    if answer is None:
                        self._judge(intent)
                    else:
                        following += self._relay.answered(answer)
                elif isinstance(intent, Forward):
                    # INVARIANT: `Forward`, `Part` and `Control` are the only intents whose bytes go up, and here they do.
                    intent.permit.spend()
                    self._underway.sent(intent.permit.sequence)
                    up.append(intent.data)
                elif isinstance(intent, Ended):
                    self._underway.ended(intent.answer.permit.sequence)
                    self._session.command_ended(intent)
                elif isinstance(intent, Control):
                    up.append(intent.data)
                elif isinstance(intent, Show):
                    self._underway.answers(intent.answer.permit.sequence)
                    shown = self._release.show_now(self._session, intent)
                    if shown is None:
                        self._show(intent)
                    else:
                        following += self._relay.shown(shown)
                elif isinstance(intent, Reply):
                    down.append(intent.data)
                elif isinstance(intent, Part):
                    intent.permit.check_part()
                    up.append(intent.data)
                elif isinstance(intent, Close):
                    self._closing = intent.reason
                    if intent.reason == "internal_error":
                        self._books.failed(intent.detail)
                    following = []
                    break
                else:
                    assert_never(intent)
            intents = following
        if up:
            self._upstream.write(up)
        if down:
            self._books.went(sum(map(len, down)))
            self._client.write(down)
        if self._closing is not None:
            self._shut(self._leaving or self._closing)
        elif self._attention or self._relay.buffered > self._buffer_high:
            self._attend()

    def _judge(self, ask: Ask) -> None:
        if self._judging is not None:
            raise RuntimeError("a relay asks for one command at a time")
        work = self._gate.judge(self._session, ask.command, self._held)
        self._judging = Wait(self._loop, work, f"judge {self._id}", self._judged)

    def _judged(self) -> None:
        wait, self._judging = self._judging, None
        self._pressure.held = False
        if self._closed or wait is None:
            self._seal()
        else:
            self._guarded(lambda: self._relay.answered(self._answer_of(wait)))

    def _answer_of(self, wait: Wait[Answer]) -> Answer:
        answer = wait.answer
        if answer is None or wait.cancelled:
            if isinstance(answer, Allowed):
                # Permitted at the very moment in which the client cancelled: it is not sent, and the record says so.
                self._session.command_ended(Ended(answer, "cut"))
            return Refused(CANCELLED)
        return answer

    def _show(self, show: Show) -> None:
        if self._showing is not None:
            raise RuntimeError("a relay shows one result at a time")
        self._showing = Wait(self._loop, self._release.show(self._session, show), f"show {self._id}", self._shown)
        self._pressure.showing = True
        self._attention = True

    def _shown(self) -> None:
        wait, self._showing = self._showing, None
        self._pressure.showing = False
        if wait is not None and not self._closed:
            # None only when it was cancelled, and only a session that is over cancels it.
            self._guarded(lambda: [] if (answer := wait.answer) is None else self._relay.shown(answer))
            if self._upstream_gone and self._showing is None:
                self._upstream_lost(None)
        self._seal()

    def _attend(self) -> None:
        """What is not of every callback: reading less or more, and a drain that waits for quiet."""
        self._pressure.balance()
        self._attention = self._pressure.over or self._draining is not None
        if self._draining is not None and not self._closed and self._relay.idle:
            self._session.end(self._draining)

    # --- the end

    def _leave(self, intents: Callable[[], list[Intent]], reason: str, *, stop: bool) -> None:
        """One side is gone or the gateway ends the session: hear the relay's last words, then close.

        `stop`: cancel what runs. Closing a connection does not: the upstream would notice only at its next write.
        """
        self._leaving = reason
        running = bool(self._underway) and not self._relay.idle
        self._drop_waits()
        self._guarded(intents)
        if running and stop:
            self._cancels.start(self._dialled, self._spec.cancel)
        self._shut(reason)

    def _drop_waits(self) -> None:
        for wait in (self._judging, self._showing):
            if wait is not None:
                wait.cancel()

    def _broken(self, error: BaseException) -> None:
        self._books.failed(error)
        words = b"" if self._closed else last_words(self._relay, self._books.failed)
        self._abort("record_failed" if isinstance(error, RecordingError) else "internal_error", words)

    def _abort(self, reason: str, words: bytes = b"") -> None:
        """Close both sides at once, dropping what waits but these last words, and stop what runs on the upstream."""
        if self._closed:
            return
        if self._underway:
            self._cancels.start(self._dialled, self._spec.cancel)
        self._client.write([words]) if words else self._client.abort()
        self._upstream.abort()
        self._shut(reason)

    def _shut(self, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        self._reason = reason
        self._drop_waits()
        self._pressure.stop()
        self._client.finish()
        self._upstream.finish()
        self._session.on_end = self._session.on_cancel = None
        self._seal()

    def _seal(self) -> None:
        """Close the books, once and only after a cancelled hold has written that it was; over when both wires are closed."""
        if not self._closed or self._judging is not None or self._showing is not None:
            return
        self._books.close(self._reason)
        if self._client.closed and self._upstream.closed:
            self._on_over(self)
