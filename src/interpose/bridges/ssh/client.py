"""One SSH client: it proves who it is, a connection is chosen, and its channels belong to that connection's session.

INVARIANT: an identity is taken from a right token or a signature, never from a question whether a key would do, and never from `none`;
and the user name that it was proved for cannot change afterwards or between attempts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

import asyncssh

from interpose.bridges.ssh.arriving import Arrival, Proven
from interpose.bridges.ssh.asking import Question, Questions
from interpose.bridges.ssh.channel_session import ClientSession
from interpose.bridges.ssh.channels import ClientChannel
from interpose.bridges.ssh.ends import ClientEnd
from interpose.bridges.ssh.entering import Entered
from interpose.bridges.ssh.keys import is_certificate, verified
from interpose.bridges.ssh.names import Wanted, parse_user_name
from interpose.bridges.ssh.session import SshSession
from interpose.bridges.ssh.tunnels import TunnelChannel
from interpose.bridges.ssh.words import BUSY, FAULT, LOGIN_TOO_OLD, NO_ROOM, NOT_CHOSEN, nothing_named, refusal_line
from interpose.engine.authenticate import WRONG
from interpose.engine.ssh_logins import REFUSED_KEY
from interpose.protocols.intents import Evidence, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interpose.bridges.ssh.ends import Opened
    from interpose.bridges.ssh.forwards import Listener
    from interpose.bridges.ssh.parts import Parts
    from interpose.engine.ssh_logins import SshLogin
    from interpose.model.principal import Identity
    from interpose.model.refusal import Refusal

_SILENT: Final = (WRONG.code, REFUSED_KEY.code)


class Client(asyncssh.SSHServer):
    """What the library asks about one client; one object a connection."""

    def __init__(
        self, parts: Parts, inside: Callable[[Proven], ClientEnd], outer: Proven | None = None, peer: str = ""
    ) -> None:
        """Nobody is known yet, unless it comes through the channel of `outer`: whoever opened that is who it is.

        `inside` makes the library's end for such a channel. `peer` is the client's address, where there is no `outer`.
        """
        self._inside = inside
        self._outer = outer
        self._proved_at = 0.0
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._end: ClientEnd | None = None
        self._login: SshLogin | None = None
        self._wanted: Wanted | None = None
        self._identity: Identity | None = None
        self._entered: asyncio.Future[SshSession | Refused] = self._loop.create_future()
        self._entering: asyncio.Task[None] | None = None
        self._session: SshSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._attempts = 0
        self._offers = 0
        self._verifying = 0
        self._questions = Questions(parts, self)
        self._reason = "client_left"
        self.peer = peer if outer is None else outer.peer
        self.arrival = Arrival(parts, self.peer, self._is_asking, self.refuse)

    # --- before it is known who this is

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """A client came."""
        assert isinstance(conn, ClientEnd)
        self._end = conn
        self._login = self._parts.logins.begin(self.peer)
        # One that comes from outside has had its place since its socket was accepted.
        if self._outer is None or self.arrival.take_place():
            self.arrival.begin()
        else:
            self.refuse(NO_ROOM)

    def _is_asking(self) -> bool:
        """Whether something else is awaited than the client."""
        return bool(self._verifying) or self._questions.is_waiting

    async def turn(self) -> None:
        """The client would exchange keys, and may when its turn has come."""
        await self.arrival.turn()

    def begin_auth(self, username: str) -> bool:
        """A client says its name, for the first time or another one: that is refused."""
        if self._wanted is not None:
            raise asyncssh.PermissionDenied("the user name may not change between attempts")
        if self._outer is not None:
            # Proved for the connection around this one, to which nobody else can write; the name in here says nothing.
            self._wanted, self._identity, self._proved_at = self._outer.wanted, self._outer.identity, self._outer.at
            return False
        self._wanted = parse_user_name(username)
        self.arrival.give(self._parts.bounds.login)
        return True

    def password_auth_supported(self) -> bool:
        """An access token is given as the password, where tokens are taken."""
        return self._questions.takes_tokens

    def kbdint_auth_supported(self) -> bool:
        """And at a prompt, as is the wait for a browser."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys and certificates are judged by `offered`."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Whether this is a right token for this name."""
        return self._questions.takes_tokens and await self.token(password)

    async def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Question | bool:
        """What is asked first."""
        evidence = self._evidence()
        return evidence is not None and await self._questions.first(evidence)

    async def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> Question | bool:
        """What comes of an answer."""
        evidence = self._evidence()
        return evidence is not None and await self._questions.answered(evidence, list(responses))

    def _evidence(self) -> Evidence | None:
        """What an unknown client says of itself."""
        end, wanted = self._end, self._wanted
        if end is None or wanted is None or self._identity is not None:
            return None
        return Evidence(wanted.name, wanted.connection, "", self._details(end))

    @staticmethod
    def _details(end: ClientEnd) -> dict[str, str]:
        return {"client_version": str(end.get_extra_info("client_version", ""))}

    async def token(self, token: str) -> bool:
        """Whether this is a right token: then it is known who this is."""
        login, wanted = self._login, self._wanted
        self._attempts += 1
        if self._attempts > self._parts.bounds.attempts:
            raise asyncssh.PermissionDenied("too many attempts")
        if login is None or wanted is None or self._identity is not None:
            return False
        self._verifying += 1
        try:
            await self.arrival.line_up(wanted.connection)
            return self._take(await login.token(wanted.name, wanted.connection, token))
        finally:
            self._verifying -= 1
            self.arrival.acted()

    def confirmed(self, identity: Identity, at: float) -> bool:
        """Somebody has confirmed in a browser that this client is theirs."""
        if self._identity is not None:
            return False
        taken = self._take(identity)
        self._proved_at = at
        return taken

    def give_time(self, seconds: float, refusal: Refusal) -> None:
        """The bound on how long this client may be unknown is this one now."""
        self.arrival.give(seconds, refusal)

    def refuse(self, refusal: Refusal) -> None:
        """Close with these words, before anybody is known."""
        self._reason = refusal.code
        crowded = refusal is NO_ROOM
        code = asyncssh.DISC_TOO_MANY_CONNECTIONS if crowded else asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE
        self._goodbye(refusal_line(refusal), code)

    async def offered(self, user: str, blob: bytes, signed: bytes | None, signature: bytes) -> bool:
        """Whether a key would do (`signed` None), or whether it has signed and does."""
        login, wanted = self._login, self._wanted
        self._offers += 1
        if self._offers > self._parts.bounds.offers:
            raise asyncssh.PermissionDenied("too many keys")
        if login is None or wanted is None or self._identity is not None:
            return False
        self._verifying += 1
        try:
            if signed is not None and not verified(blob, signed, signature):
                return False
            if signed is not None:
                await self.arrival.line_up(wanted.connection)
            ask = login.certificate if is_certificate(blob) else login.public_key
            answer = await ask(wanted.name, wanted.connection, blob)
            # INVARIANT: without a signature nobody is taken for anybody.
            return not isinstance(answer, Refused) if signed is None else self._take(answer)
        finally:
            self._verifying -= 1
            self.arrival.acted()

    def _take(self, answer: Identity | Refused) -> bool:
        if isinstance(answer, Refused):
            self.arrival.leave_line()
            self._reason = answer.refusal.code
            if answer.refusal.code not in _SILENT and self._end is not None:
                # Not the client's evidence but something else: say so, before its library says "permission denied".
                self._end.send_auth_banner(refusal_line(answer.refusal) + "\n")
            return False
        self._identity = answer
        self._proved_at = self._loop.time()
        if self._login is not None:
            self._login.proven()
        return True

    # --- from here on it is known

    def auth_completed(self) -> None:
        """The library has let the client in: choose its connection."""
        self.arrival.over()
        self._questions.void()
        identity, wanted = self._identity, self._wanted
        if identity is None or wanted is None or self._end is None:
            # INVARIANT: whatever the library thinks, nobody is let in who was not proved.
            self._parts.faults(None, RuntimeError("a login without an identity"))
            self._end_at_once()
            return
        if self._is_old:
            self._settle(Refused(LOGIN_TOO_OLD))
        elif wanted.connection:
            self._enter(wanted.connection)
        else:
            self._timer = self._loop.call_later(self._parts.bounds.choice, self._look_for_channels)

    def _end_at_once(self) -> None:
        if self._end is not None:
            self._end.abort()

    @property
    def _is_old(self) -> bool:
        """Whether the login is too long ago to open a session by.

        INVARIANT: a session is opened within `choice` seconds of the proof. Revocations are looked for from before each session's beginning
        on (`engine.watch`), and without a session nobody would notice them.
        """
        return self._loop.time() - self._proved_at > self._parts.bounds.choice

    def _look_for_channels(self) -> None:
        """A login without a session stays as long as something comes through its channels."""
        end = self._end
        if self._entering is None and end is not None:
            if not end._channels:
                self._goodbye(refusal_line(LOGIN_TOO_OLD))
            else:
                self._timer = self._loop.call_later(self._parts.bounds.choice, self._look_for_channels)

    def _enter(self, connection: str) -> None:
        self._entering = self._loop.create_task(self._work(connection), name=f"ssh login from {self.peer}")

    async def _work(self, connection: str) -> None:
        identity, wanted, end = self._identity, self._wanted, self._end
        assert identity is not None and wanted is not None and end is not None
        try:
            answer: Entered | Refused = Refused(BUSY)
            # INVARIANT: a session is opened within `choice` seconds of the proof, as above.
            if await self.arrival.line_up(connection, self._proved_at + self._parts.bounds.choice):
                details = self._details(end)
                answer = await self._parts.entrance.enter(identity, wanted.name, connection, self.peer, details)
        except Exception as error:  # noqa: BLE001 -- INVARIANT: a fault closes the connection it arose on, nothing else
            self._parts.faults(None, error)
            answer = Refused(FAULT)
        if isinstance(answer, Entered):
            if end.is_closed():
                answer.upstream.abort()
                answer.session.close("client_closed")
                return
            self._session = SshSession(self._parts, end, answer)
            self._settle(self._session)
        else:
            self._parts.journal.login_failed(self.peer, "ssh", answer.refusal.code)
            self._settle(answer)

    def _settle(self, answer: SshSession | Refused) -> None:
        self.arrival.leave_line()
        if not self._entered.done():
            self._entered.set_result(answer)
        if isinstance(answer, Refused):
            # Whoever has a channel reads the reason there; then there is nothing more to be had here.
            self._timer = self._loop.call_later(
                self._parts.bounds.handshake, self._goodbye, refusal_line(answer.refusal)
            )

    def _goodbye(self, line: str, code: int = asyncssh.DISC_BY_APPLICATION) -> None:
        if self._end is not None and not self._end.is_closed():
            self._end.disconnect(code, line)

    # --- channels

    def session_requested(self) -> tuple[ClientChannel, ClientSession] | bool:
        """A session channel."""
        end = self._end
        if end is None or self._identity is None or len(end._channels) >= self._parts.bounds.channels:
            return False
        session = ClientSession(self._session_for, self._parts.faults)
        return ClientChannel(end, self._loop, session), session

    async def _session_for(self, channel: ClientSession) -> SshSession | Refused:
        """The session that a channel belongs to; at a terminal it is asked for where none was named."""
        if self._entering is None and not self._entered.done() and self._identity is not None:
            names = self._parts.choices(self._identity, self.peer, "ssh")
            if not channel.can_choose or not names:
                return Refused(nothing_named(names))
            chosen = await channel.choose(names)
            if chosen is None:
                return Refused(NOT_CHOSEN)
            if self._is_old:
                return Refused(LOGIN_TOO_OLD)
            if self._entering is None:
                self._enter(chosen)
        return await asyncio.shield(self._entered)

    def connection_requested(  # type: ignore[override]
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> asyncssh.SSHTCPSession[bytes] | Opened | bool:
        """A connection through the host; with no connection named before, it is one to the gateway itself, for the named host."""
        end, identity, wanted = self._end, self._identity, self._wanted
        if end is None or identity is None or wanted is None or len(end._channels) >= self._parts.bounds.channels:
            return False
        if wanted.connection or self._entering is not None or self._outer is not None:
            return self._tunnel(dest_host, dest_port, "")
        return cast(
            "asyncssh.SSHTCPSession[bytes]",
            self._inside(Proven(identity, Wanted(wanted.name, dest_host), self.peer, self._proved_at)),
        )

    def unix_connection_requested(self, dest_path: str) -> Opened | bool:  # type: ignore[override]
        """A connection to a socket of the host."""
        end = self._end
        if end is None or not self._is_somewhere or len(end._channels) >= self._parts.bounds.channels:
            return False
        return self._tunnel("", 0, dest_path)

    def _tunnel(self, host: str, port: int, socket: str) -> Opened:
        assert self._end is not None
        channel = TunnelChannel(self._end)
        return channel, self._connect(host, port, socket)

    async def _connect(self, host: str, port: int, socket: str) -> asyncssh.SSHTCPSession[bytes]:
        entered = await asyncio.shield(self._entered)
        if isinstance(entered, Refused):
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, refusal_line(entered.refusal))
        return await entered.forwards.connect(host, port, socket)

    async def server_requested(self, listen_host: str, listen_port: int) -> Listener | bool:
        """A port that the host is to listen on."""
        return await self._listen(listen_host, listen_port, "")

    async def unix_server_requested(self, listen_path: str) -> Listener | bool:
        """A socket that the host is to listen on."""
        return await self._listen("", 0, listen_path)

    async def _listen(self, host: str, port: int, socket: str) -> Listener | bool:
        if not self._is_somewhere:
            return False
        entered = await asyncio.shield(self._entered)
        return False if isinstance(entered, Refused) else await entered.forwards.listen(host, port, socket) or False

    @property
    def _is_somewhere(self) -> bool:
        """Whether a connection was named, or chosen since."""
        named = self._wanted is not None and bool(self._wanted.connection)
        return self._identity is not None and (named or self._entering is not None or self._entered.done())

    # --- the end

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.arrival.gone()
        self._questions.void()
        if self._timer is not None:
            self._timer.cancel()
        if self._login is not None:
            self._login.close()
        if self._identity is None:
            self._parts.journal.login_failed(self.peer, "ssh", self._reason)
        if not self._entered.done():
            self._entered.cancel()
        if self._entering is not None and self._session is None:
            self._entering.cancel()
        if self._session is not None:
            self._session.client_left()
