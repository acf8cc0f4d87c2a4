"""One client from accept to a running session: TLS, the login's intents, deadlines. It knows no protocol."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from interpose.model.refusal import Refusal
from interpose.net.books import Books
from interpose.net.journal import place_of
from interpose.net.saying import Sayings
from interpose.net.session import SessionDriver
from interpose.net.tls import TlsChannel
from interpose.protocols.contract import BrowserLogin, LoginOptions, SessionFacts
from interpose.protocols.intents import CancelAsked, Close, Confirm, Prove, Refused, Reply, StartTls

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from interpose.engine.limits import Limits
    from interpose.model.refusal import ConfirmationNotice
    from interpose.net.admittance import Admittance, Entered
    from interpose.net.cancels import Cancels
    from interpose.net.certificates import ServerCertificate
    from interpose.net.journal import Journal, Traffic
    from interpose.net.live import LiveSessions
    from interpose.net.options import ListenerOptions, SessionOptions
    from interpose.net.ports import Judge, Shower
    from interpose.net.wire import Wire
    from interpose.protocols.contract import Login, ProtocolSpec
    from interpose.protocols.intents import Evidence, LoginIntent

_TOO_SLOW: Final = Refusal("deadline", "logging in took too long", "try again, or ask the gateway's operator")
_IN_CLEAR: Final = Refusal(
    "tls_required",
    "this gateway takes access tokens over TLS only",
    "connect with TLS, and replace the token that was just sent",
)
_FAULT: Final = Refusal("internal_error", "the gateway failed", "try again, or ask the gateway's operator")


@dataclass(frozen=True, slots=True)
class Service:
    """What a listener offers: one protocol, with TLS or without.

    `certificate` None: no TLS. `allow_plaintext_tokens` takes the risk that a token is read on its way.
    """

    spec: ProtocolSpec
    certificate: ServerCertificate | None
    allow_plaintext_tokens: bool = False
    browser: BrowserLogin = BrowserLogin.NEVER


class SessionStarter:
    """Makes the driver of a session that may begin; holds what every session of this worker uses."""

    __slots__ = ("_cancels", "_gate", "_journal", "_limits", "_live", "_options", "_release", "_traffic", "_version")

    def __init__(
        self,
        gate: Judge,
        release: Shower,
        cancels: Cancels,
        live: LiveSessions,
        journal: Journal,
        traffic: Traffic,
        options: SessionOptions,
        *,
        limits: Callable[[], Limits],
        version: str,
    ) -> None:
        """`limits` answers the limits of this moment's snapshot; `version` is the gateway's, for clients that ask."""
        self._gate = gate
        self._release = release
        self._cancels = cancels
        self._live = live
        self._journal = journal
        self._traffic = traffic
        self._options = options
        self._limits = limits
        self._version = version

    def start(self, spec: ProtocolSpec, login: Login, entered: Entered, client: Wire) -> None:
        """Begin the session; from now on its driver owns both wires."""
        session, limits = entered.session, self._limits()
        session.take_name(spec.session_name(entered.dialled.result))
        facts = SessionFacts(
            session=session.id,
            cancel_key=session.cancel_key,
            gateway_version=self._version,
            protocol_clearance=session.clearance,
            max_message=limits.max_message,
            max_buffer=limits.max_buffer,
        )
        relay = spec.relay(entered.dialled.result, login, facts)
        driver = SessionDriver(
            session,
            spec,
            relay,
            client,
            entered.dialled,
            gate=self._gate,
            release=self._release,
            cancels=self._cancels,
            books=Books(session, self._journal, self._traffic),
            options=self._options,
            on_over=self._live.remove,
        )
        if spec.say(""):
            session.on_say = Sayings(relay, client, spec.say).say
        self._live.add(driver)
        self._journal.session_opened(session, spec.name, client.tls.version if client.tls is not None else "")
        driver.start(login.leftover())


class LoginDriver:
    """Drives one `Login` on one wire. `on_over` is called once: the client became a session, or is gone."""

    __slots__ = (
        "_admittance",
        "_ask_cancel",
        "_cancels",
        "_deadline",
        "_journal",
        "_login",
        "_loop",
        "_on_over",
        "_options",
        "_over",
        "_service",
        "_starter",
        "_task",
        "_told",
        "peer",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        service: Service,
        *,
        admittance: Admittance,
        starter: SessionStarter,
        cancels: Cancels,
        ask_cancel: Callable[[bytes], bool],
        journal: Journal,
        options: ListenerOptions,
        on_over: Callable[[LoginDriver], None],
    ) -> None:
        """`ask_cancel` passes a cancel key to the registry of sessions."""
        self._loop = asyncio.get_running_loop()
        self.wire = wire
        self.peer = wire.peer[0]
        self._service = service
        self._admittance = admittance
        self._starter = starter
        self._cancels = cancels
        self._ask_cancel = ask_cancel
        self._journal = journal
        self._options = options
        self._on_over = on_over
        self._login = service.spec.login(
            LoginOptions(service.certificate is not None, service.allow_plaintext_tokens, service.browser)
        )
        self._over = False
        self._told = False
        self._task: asyncio.Task[None] | None = None
        self._deadline = self._loop.call_later(options.handshake_deadline, self._too_slow)

    def start(self) -> None:
        """Listen to the client."""
        self.wire.on_bytes = self._received
        self.wire.on_lost = self._lost
        self.wire.on_closed = self._closed

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: only such a login may be closed to make room."""
        return self._task is None

    def evict(self) -> None:
        """Close at once to make room for others."""
        self._give_up("too_many_pending")

    # --- callbacks

    def _received(self, data: bytes) -> None:
        self._guarded(lambda: self._login.client_bytes(data))

    def _lost(self, error: Exception | None) -> None:
        channel = self.wire.tls
        failed = channel is not None and channel.failure is not None
        self._give_up("tls_failed" if failed else "client_left")

    def _closed(self) -> None:
        if not self._over:
            self._over = True
            self._on_over(self)

    def _too_slow(self) -> None:
        self._give_up("deadline")

    # --- carrying out

    def _guarded(self, intents: Callable[[], list[LoginIntent]]) -> None:
        try:
            self._carry_out(intents())
        except Exception as error:  # noqa: BLE001 -- INVARIANT: a fault closes the connection it arose on, nothing else
            self._journal.session_failed(None, place_of(error))
            self._give_up("internal_error")

    def _carry_out(self, intents: list[LoginIntent]) -> None:
        wire = self.wire
        for intent in intents:
            if isinstance(intent, Reply):
                wire.write([intent.data])
            elif isinstance(intent, StartTls):
                self._start_tls(intent.pending)
            elif isinstance(intent, Prove):
                # Nothing more is read until it is known who this is. A client that leaves meanwhile is noticed afterwards.
                self.wire.pause_reading()
                self._begin_work(self._proven(intent.evidence))
            elif isinstance(intent, Confirm):
                # Read on: a client that leaves voids its login at once.
                self._begin_work(self._confirmed(intent.evidence))
            elif isinstance(intent, CancelAsked):
                self._cancel(intent.key)
            elif isinstance(intent, Close):
                self._end(intent.reason)
                return
            else:
                assert_never(intent)

    def _start_tls(self, pending: bytes) -> None:
        certificate = self._service.certificate
        if certificate is None or self.wire.tls is not None or (not pending and self._login.leftover()):
            # INVARIANT: plaintext that arrived behind the request for TLS is never taken for what came through TLS
            # (CVE-2021-23214 and its kin); TLS in TLS is nothing that a client asks for.
            self._give_up("protocol_error")
            return
        channel = TlsChannel(certificate.context, server_side=True)
        self.wire.start_tls(
            channel,
            lambda: self._guarded(lambda: self._login.tls_started(channel.alpn, channel.proven_certificate)),
            pending,
        )

    def _begin_work(self, work: Coroutine[object, object, Entered | Refused]) -> None:
        self._deadline.cancel()
        if self._task is not None:
            work.close()
            raise RuntimeError("a login proves once")
        self._task = self._loop.create_task(self._enter(work), name=f"login from {self.peer}")

    def _cancel(self, key: bytes) -> None:
        self._deadline.cancel()
        running = self._cancels.request(self._ask_cancel, key)
        if running is None:
            self.wire.finish()
        else:
            self.wire.pause_reading()
            running.add_done_callback(lambda _: self.wire.finish())

    async def _proven(self, evidence: Evidence) -> Entered | Refused:
        if self.wire.tls is None and not self._service.allow_plaintext_tokens:
            return Refused(_IN_CLEAR)
        async with asyncio.timeout(self._options.admission_deadline):
            return await self._admittance.enter(self._service.spec, evidence, self._login.requested, self.peer)

    async def _confirmed(self, evidence: Evidence) -> Entered | Refused:
        """INVARIANT: nothing is dialled, admitted or fetched for a client before somebody has confirmed it."""
        if self.wire.tls is None and not self._service.allow_plaintext_tokens:
            return Refused(_IN_CLEAR)
        identity = await self._admittance.confirm(evidence, self.peer, self._tell_to_confirm)
        if isinstance(identity, Refused):
            return identity
        self.wire.pause_reading()
        async with asyncio.timeout(self._options.admission_deadline):
            return await self._admittance.admit(
                self._service.spec, identity, evidence, self._login.requested, self.peer
            )

    def _tell_to_confirm(self, notice: ConfirmationNotice) -> None:
        self._carry_out(self._login.confirming(notice))

    async def _enter(self, work: Coroutine[object, object, Entered | Refused]) -> None:
        answer: Entered | Refused
        try:
            answer = await work
        except TimeoutError:
            answer = Refused(_TOO_SLOW)
        except Exception as error:  # noqa: BLE001 -- as in `_guarded`; the client is told that it was not its fault
            self._journal.session_failed(None, place_of(error))
            answer = Refused(_FAULT)
        if isinstance(answer, Refused):
            refusal = answer.refusal
            self._task = None
            self._guarded(lambda: self._login.refused(refusal))
            self._end(refusal.code)
        else:
            self._begin(answer)

    def _begin(self, entered: Entered) -> None:
        """Hand both wires over. Whatever fails here closes the session that was opened."""
        wire = self.wire
        try:
            if not wire.usable:
                raise ConnectionResetError("the client left while its upstream was dialled")
            for intent in self._login.accepted():
                if not isinstance(intent, Reply):
                    raise TypeError("a login that was accepted only replies")
                wire.write([intent.data])
            wire.on_closed = None
            self._starter.start(self._service.spec, self._login, entered, wire)
        except Exception as error:  # noqa: BLE001 -- as in `_guarded`
            left = isinstance(error, ConnectionResetError)
            if not left:
                self._journal.session_failed(entered.session.id, place_of(error))
            entered.dialled.wire.abort()
            wire.abort()
            entered.session.close("client_closed" if left else "internal_error")
        self._closed()

    def _give_up(self, reason: str) -> None:
        """Close at once: there is nobody to tell, or nothing to say."""
        self._tell(reason)
        self.wire.abort()

    def _end(self, reason: str) -> None:
        """Close after what was written before has arrived."""
        self._tell(reason)
        self.wire.finish()

    def _tell(self, reason: str) -> None:
        self._deadline.cancel()
        if self._task is not None and self._task is not asyncio.current_task():
            # Proving or dialling for nobody: `enter` closes the session that it may have opened.
            self._task.cancel()
        if not self._told:
            self._told = True
            self._journal.login_failed(self.peer, self._service.spec.name, reason)
