"""What the bridge is handed, as structural types: judging, dialling, and the operator's books. `app` wires them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from interpose.engine.release import StreamShowing
    from interpose.engine.sessions import Session
    from interpose.model.command import Command
    from interpose.model.connection import Connection
    from interpose.model.errors import InterposeError
    from interpose.model.ids import SessionId
    from interpose.model.principal import Identity, Principal
    from interpose.model.proofs import Grant
    from interpose.model.refusal import ConfirmationNotice, HoldNotice, Refusal
    from interpose.protocols.intents import Allowed, Answer, Evidence, Refused


class Judge(Protocol):
    """Judges commands: the engine's gate, or what wraps it."""

    def judge_now(self, session: Session, command: Command) -> Answer | None:
        """The answer, when nothing must be awaited for it."""
        ...

    async def judge(self, session: Session, command: Command, on_hold: Callable[[HoldNotice], None]) -> Answer:
        """The answer, after whatever it takes; cancelling it voids the hold."""
        ...


class StreamRelease(Protocol):
    """Clears what commands write: the engine's release."""

    def show_stream(self, session: Session, answer: Allowed) -> StreamShowing | Refused:
        """How it may be shown."""
        ...


class Foresight(Protocol):
    """Says what would be decided, without a record and without consequence."""

    def would(self, session: Session, command: Command) -> str:
        """`permit`, `hold` or `forbid`."""
        ...

    def programs(self, session: Session) -> list[str]:
        """The programs that policy names for whoever this session is for."""
        ...


class Dial(Protocol):
    """Opens a socket to an upstream."""

    async def __call__(self, connection: Connection, grant: Grant) -> socket.socket:
        """A connected socket that does not block; spends the grant. Raises `UpstreamError`."""
        ...


class Certified(Protocol):
    """A key pair of the gateway's own that was made for one login, and its certificate."""

    @property
    def private_key(self) -> bytes:
        """OpenSSH's own PEM."""
        ...

    @property
    def certificate(self) -> str:
        """One line."""
        ...


class UpstreamCertificates(Protocol):
    """Certificates of the gateway's own for upstreams that trust it."""

    async def issue(self, grant: Grant, principal: Principal, user: str) -> Certified:
        """For one login into the account `user`, before the grant is spent. Raises `StoreError` and `RecordingError`."""
        ...


class Driver(Protocol):
    """A running session, for the drain."""

    def drain(self, refusal: Refusal) -> None:
        """End when nothing is under way."""
        ...

    def cut(self, refusal: Refusal) -> None:
        """End now."""
        ...


class Live(Protocol):
    """The running sessions of this worker."""

    def add(self, driver: Driver) -> None:
        """A session begins."""
        ...

    def remove(self, driver: Driver) -> None:
        """A session is over."""
        ...


class Confirm(Protocol):
    """Waits until a person has confirmed in a browser that a client is theirs."""

    async def __call__(
        self, evidence: Evidence, peer: str, tell: Callable[[ConfirmationNotice], None]
    ) -> Identity | Refused:
        """Who it is, or why not. `tell` is called once, with what the client is to show; cancelling it voids the login."""
        ...


class PendingClient(Protocol):
    """A client that has not proved who it is."""

    @property
    def peer(self) -> str:
        """Its address without the port."""
        ...

    @property
    def waits_for_client(self) -> bool:
        """Whether it may be closed to make room."""
        ...

    def evict(self) -> None:
        """Close it at once."""
        ...


class Pending(Protocol):
    """All clients that have not proved who they are, bounded."""

    def make_room(self, peer: str) -> bool:
        """Whether there is room for one more from this address; one that is silent may have to go for it."""
        ...

    def add(self, login: PendingClient) -> bool:
        """Take one in; False when there is no room."""
        ...

    def remove(self, login: PendingClient) -> None:
        """Forget one."""
        ...


class Journal(Protocol):
    """Operator's words about clients and sessions; must not block and must not raise."""

    def login_failed(self, source: str, protocol: str, reason: str) -> None:
        """A client did not become a session."""
        ...

    def session_opened(self, session: Session, protocol: str, tls: str) -> None:
        """A session began."""
        ...

    def session_closed(self, session: Session, reason: str, from_client: int, to_client: int, seconds: float) -> None:
        """A session ended."""
        ...

    def upstream_failed(self, connection: str, error: InterposeError) -> None:
        """An upstream did not let the gateway in."""
        ...


class Faults(Protocol):
    """Where our own faults are told: where in the code, never with what data."""

    def __call__(self, session: SessionId | None, error: BaseException) -> None:
        """An exception that should not have been."""
        ...


class Traffic(Protocol):
    """Plaintext bytes of all sessions of this worker."""

    from_client: int
    to_client: int
