"""One running session: a client's connection, the upstream's behind it, and the channels between them. Its end is decided here."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.forwards import Forwards
from interpose.bridges.ssh.leases import Tunnelled
from interpose.bridges.ssh.relaying import Counts
from interpose.bridges.ssh.stalls import Stall
from interpose.bridges.ssh.words import FAULT, UPSTREAM_GONE, refusal_line, said_line
from interpose.engine.sessions import RECORD_LOST
from interpose.engine.waits import Wait
from interpose.model.command import HostContext
from interpose.model.errors import RecordingError
from interpose.protocols.intents import Allowed, Ended, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from interpose.bridges.ssh.ends import ClientEnd
    from interpose.bridges.ssh.entering import Entered
    from interpose.bridges.ssh.parts import Parts
    from interpose.model.audit import AuditValue
    from interpose.model.command import Command, FileRequest, ForwardRequest
    from interpose.model.refusal import HoldNotice, Refusal
    from interpose.protocols.intents import Answer

    class Channel(Protocol):
        """One of the client's channels."""

        def end(self, refusal: Refusal) -> None:
            """The session ends: a last word, and close."""
            ...

        def tell(self, text: str) -> None:
            """A line to whoever is at the client, beside the program's output."""
            ...


_REASONS: Final = {"draining": "drained", "audit_unavailable": "record_failed"}
_LINGER: Final = 2.0
"""Seconds that last words have to arrive before the client's socket is cut."""
_NUDGE: Final = 2.0
"""Seconds between messages without content to a client whose command is held: a master of OpenSSH (`ssh -M`) whose client at the terminal was killed tells so
only after it has heard something."""
_MOST_UNSAID: Final = 16
_DISCONNECT_BY_APPLICATION: Final = 11


class Judging:
    """One judgement under way, which its client may void."""

    __slots__ = ("_done", "_nudges", "_wait")

    def __init__(self, session: SshSession, command: Command, on_hold: Callable[[HoldNotice], None]) -> None:
        """Begins at once."""
        loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = loop.create_future()
        self._nudges: asyncio.TimerHandle | None = None

        def held(notice: HoldNotice) -> None:
            self._nudges = loop.call_later(_NUDGE, nudge)
            on_hold(notice)

        def nudge() -> None:
            session.client.nudge()
            self._nudges = loop.call_later(_NUDGE, nudge)

        def over() -> None:
            if self._nudges is not None:
                self._nudges.cancel()
            self._done.set_result(None)

        work = session.parts.gate.judge(session.session, command, held)
        self._wait: Wait[Answer] = Wait(loop, work, f"judge {session.session.id}", over)

    def void(self) -> None:
        """Nothing of it is to be sent any more."""
        self._wait.cancel()

    async def answer(self) -> Answer | None:
        """The answer, or None when it was voided in time. Raises what judging raised."""
        await asyncio.shield(self._done)
        answer = self._wait.answer
        return None if self._wait.cancelled and not isinstance(answer, Allowed) else answer

    @property
    def voided(self) -> bool:
        """Whether it was voided, perhaps too late."""
        return self._wait.cancelled


class SshSession:
    """A session from its admission to its seal."""

    def __init__(self, parts: Parts, end: ClientEnd, entered: Entered) -> None:
        """Begins at once: from now on both connections are this session's."""
        self.parts = parts
        self.session = entered.session
        self.upstream = entered.upstream
        # A command begins in the account's folder; where that is not known, no relative path is.
        self.options = entered.options
        self.context = HostContext(entered.options.user, entered.options.home, entered.options.home)
        self._unsaid: list[str] = []
        self.counts = Counts(parts.traffic)
        self.client = end
        self._loop = asyncio.get_running_loop()
        self._opened_at = self._loop.time()
        self._channels: set[Channel] = set()
        self._numbers = 0
        self._draining: Refusal | None = None
        self._closed = False
        self.over = asyncio.Event()
        self.forwards = Forwards(self)
        self._stall = Stall(end, lambda: self.counts.to_client, parts.bounds.write_stall, self._stalled)
        parts.live.add(self)
        parts.journal.session_opened(self.session, "ssh", "ssh")
        self.session.on_end = self._end_asked
        self.session.on_say = self._say
        self._watch = self._loop.create_task(self._watch_upstream(), name=f"upstream of {self.session.id}")
        if self.session.ended_with is not None:
            self._end_asked(self.session.ended_with)

    # --- channels

    def add(self, channel: Channel, *, speaks: bool = True) -> int:
        """A channel of the client begins; its number in the recording. One that speaks is told what nobody could be told before."""
        self._channels.add(channel)
        if speaks:
            unsaid, self._unsaid = self._unsaid, []
            for line in unsaid:
                channel.tell(line)
        return self.number()

    def number(self) -> int:
        """The next number of the recording's channels; a file whose contents are kept has one, too."""
        self._numbers += 1
        return self._numbers

    def remove(self, channel: Channel) -> None:
        """It is over."""
        self._channels.discard(channel)
        if not self._channels and self._draining is not None:
            self.session.end(self._draining)

    def announce(self, line: str) -> None:
        """A line about what belongs to no channel with words of its own: on every channel that has, or else on the next one."""
        if not self.client.is_closed():
            self.client.send_debug(line, always_display=True)
        speaking = [channel for channel in self._channels if not isinstance(channel, Tunnelled)]
        if not speaking and len(self._unsaid) < _MOST_UNSAID:
            self._unsaid.append(line)
        for channel in speaking:
            channel.tell(line)

    def judge(self, command: Command, on_hold: Callable[[HoldNotice], None]) -> Judging:
        """Judge one command of this session; of one that is over nothing is judged: whoever asks then is told that it is cancelled.

        A client that is told why the session ended is still there for a moment, and may ask.
        """
        judging = Judging(self, command, on_hold)
        if self._is_over:
            judging.void()
        return judging

    @property
    def _is_over(self) -> bool:
        return self._closed or self.session.ended_with is not None

    def context_of(self, request: FileRequest | ForwardRequest) -> HostContext:
        """The context of a command that is about this."""
        return replace(self.context, request=request)

    def judge_now(self, command: Command) -> Answer | None:
        """Judge without waiting; None when something must be awaited: then `judge`."""
        return None if self._is_over else self.parts.gate.judge_now(self.session, command)

    def ended(
        self,
        answer: Allowed,
        outcome: str,
        tag: str = "",
        error_class: str = "",
        facts: Mapping[str, AuditValue] | None = None,
    ) -> None:
        """A permitted command is over; `facts` are for the audit chain."""
        self.session.command_ended(Ended(answer, outcome, tag, error_class, facts=facts))

    def note_refusal(self, refusal: Refusal) -> None:
        """A permitted command is cut by the gateway: the recording says why."""
        try:
            self.session.recorder.note("refusal", refusal.message)
        except RecordingError as error:
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """Something of ours failed in this session: it ends."""
        if isinstance(error, RecordingError):
            self.session.end(RECORD_LOST)
        else:
            self.parts.faults(self.session.id, error)
            self.session.end(FAULT)

    # --- the end

    def drain(self, refusal: Refusal) -> None:
        """End as soon as no channel is open; now, if none is."""
        self._draining = refusal
        if not self._channels:
            self.session.end(refusal)

    def cut(self, refusal: Refusal) -> None:
        """End now, whatever runs."""
        self.session.end(refusal)

    def client_left(self) -> None:
        """The client's connection is gone."""
        self._shut("client_closed")

    def _stalled(self) -> None:
        """The client takes nothing any more: it would not take a last word either."""
        self.client.abort()
        self._shut("write_stall")

    def _end_asked(self, refusal: Refusal) -> None:
        # Never at once: the engine may ask from within what a channel is in the middle of.
        self._loop.call_soon(self._end_now, refusal)

    def _end_now(self, refusal: Refusal) -> None:
        if not self._closed:
            self._say_goodbye(refusal)
            self._shut(_REASONS.get(refusal.code, refusal.code))

    async def _watch_upstream(self) -> None:
        await self.upstream.wait_closed()
        if not self._closed:
            self._say_goodbye(UPSTREAM_GONE)
            self._shut("upstream_closed")

    def _say_goodbye(self, refusal: Refusal) -> None:
        """A last word on every channel, then the connection is closed; it has a moment to arrive."""
        for channel in list(self._channels):
            channel.end(refusal)
        end = self.client
        line = refusal_line(refusal)

        def disconnect() -> None:
            if not end.is_closed():
                end.disconnect(_DISCONNECT_BY_APPLICATION, line)

        self._loop.call_later(_LINGER, disconnect)

    def _say(self, text: str) -> None:
        """A message of an operator, on every channel: nobody knows at which of them somebody looks."""
        for channel in list(self._channels):
            channel.tell(said_line(text))

    def _shut(self, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        self.session.on_end = self.session.on_say = None
        for channel in list(self._channels):
            channel.end(FAULT)
        self.forwards.close()
        self.upstream.abort()
        self._watch.cancel()
        self._stall.stop()
        try:
            self.session.close(reason)
        except Exception as error:  # noqa: BLE001 -- told, and the session leaves the books all the same
            self.parts.faults(self.session.id, error)
        seconds = self._loop.time() - self._opened_at
        self.parts.journal.session_closed(self.session, reason, self.counts.from_client, self.counts.to_client, seconds)
        self.parts.live.remove(self)
        self.over.set()


def refused(answer: Answer | None) -> Refusal | None:
    """The refusal in an answer, None for a permission."""
    return answer.refusal if isinstance(answer, Refused) else None
