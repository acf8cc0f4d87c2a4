"""Permits of tunnels, and the connections under them: what each covers, how long, and what the records say at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.tunnels import Accounts, Tunnel
from interpose.bridges.ssh.wanted_forwards import command_for
from interpose.bridges.ssh.words import CANCELLED, NOT_MASKABLE, hold_line
from interpose.model.actions import Action
from interpose.model.errors import RecordingError
from interpose.protocols.intents import Allowed, Refused

if TYPE_CHECKING:
    from interpose.bridges.ssh.session import Judging, SshSession
    from interpose.model.command import ForwardRequest
    from interpose.model.refusal import HoldNotice, Refusal

_LENT: Final = frozenset({Action.FORWARD_AGENT, Action.FORWARD_X11})


class Lease:
    """What a permit for a tunnel covers, for as long as it does: one connection, or all that come to a listener, an agent or a display."""

    def __init__(self, session: SshSession, answer: Allowed, kind: str, theirs: bytes) -> None:
        """`kind` is the type of the channels that come down, and `theirs` what the client knows the listener by."""
        self.answer = answer
        self.kind = kind
        self.theirs = theirs
        self.tunnels: set[Tunnelled] = set()
        self._session = session
        self._released = False
        self._ended = False
        self._count = 0
        self.outcome = "ok"
        self._bytes = [0, 0]

    @property
    def lent(self) -> bool:
        """Whether it is for the client's own agent or display, and not for a connection."""
        return self.answer.analysis.effects[0].action in _LENT

    def joined(self, tunnelled: Tunnelled) -> None:
        """A connection begins."""
        self.tunnels.add(tunnelled)

    def left(self, tunnelled: Tunnelled, tunnel: Tunnel) -> None:
        """A connection is over."""
        self.tunnels.discard(tunnelled)
        self._count += 1
        self._bytes[0] += tunnel.client.sent
        self._bytes[1] += tunnel.upstream.sent
        self._end_if_idle()

    def release(self, *, cut: bool) -> None:
        """Nothing new begins under it; what runs is cut, or goes to its own end."""
        self._released = True
        for tunnelled in list(self.tunnels) if cut else ():
            tunnelled.stop()
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._released and not self.tunnels and not self._ended:
            self._ended = True
            up, down = self._bytes
            many = "" if self._count == 1 else f"{self._count} connections, "
            self._session.ended(self.answer, self.outcome, f"{many}{up} bytes up, {down} bytes down")


class Tunnelled:
    """One connection, from its judgement or arrival to its end: one of the session's channels."""

    def __init__(self, session: SshSession) -> None:
        """Begins at once."""
        self.session = session
        self.gone = False
        self._number = session.add(self, speaks=False)
        self._judging: Judging | None = None
        self._tunnel: Tunnel | None = None
        self._lease: Lease | None = None

    async def judged(self, request: ForwardRequest) -> Allowed | Refusal:
        """Ask policy; waits while it is held."""
        judging = self._judging = self.session.judge(command_for(request, self.session.context), self._held)
        try:
            answer = await judging.answer()
        finally:
            self._judging = None
        if isinstance(answer, Refused):
            return answer.refusal
        if answer is None or judging.voided or self.gone:
            if answer is not None:
                self.session.ended(answer, "not_sent")
            return CANCELLED
        if answer.obligations.reveal.content:
            self.session.ended(answer, "not_sent")
            return NOT_MASKABLE
        return answer

    def _held(self, notice: HoldNotice) -> None:
        self.session.announce(hold_line(notice))

    def join(self, lease: Lease, kind: str) -> Tunnel:
        """The tunnel under an open permit."""
        session, recorder = self.session, self.session.session.recorder
        # INVARIANT: what is said to a client's agent or display is not kept: there are keys in it, and the display's cookie.
        content = session.options.record_forwards and not lease.lent
        accounts = Accounts(recorder, session.counts, self._number, content)
        recorder.channel_opened(self._number, lease.answer.permit.sequence, kind)
        self._lease = lease
        lease.joined(self)
        towards = (session.client.congestion, session.upstream.congestion)
        tunnel = self._tunnel = Tunnel(lease.answer.permit, accounts, *towards, self._over)
        return tunnel

    def _over(self, tunnel: Tunnel, error: BaseException | None) -> None:
        lease, self._lease = self._lease, None
        try:
            if lease is not None:
                self.session.session.recorder.note("forward", f"channel {self._number}: {tunnel.tag}")
                self.session.session.recorder.channel_closed(self._number)
        except RecordingError as failed:
            error = error or failed
        if lease is not None:
            lease.left(self, tunnel)
        self.session.remove(self)
        if error is not None:
            self.session.failed(error)

    def stop(self) -> None:
        """Void what is held, and cut what runs."""
        self.gone = True
        if self._judging is not None:
            self._judging.void()
        if self._tunnel is not None:
            self._tunnel.stop()
        else:
            self.session.remove(self)

    def end(self, refusal: Refusal) -> None:
        """The session ends."""
        self.stop()

    def tell(self, text: str) -> None:
        """A tunnel carries nothing but its own bytes."""
