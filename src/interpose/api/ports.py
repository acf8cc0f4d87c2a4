"""What the admin API needs from outside the engine; the app wires it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from interpose.engine.ports import SessionRow
from interpose.model.actions import Action
from interpose.model.audit import AuditEvent
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.principal import Identity
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Refused


class Bearer(Protocol):
    """Who holds a bearer token."""

    async def bearer(self, token: str, peer: str) -> Identity | Refused:
        """The identity, or why not (too many failures from `peer` among it); every failure is in the audit chain."""
        ...


class IssuedCertificate(Protocol):
    """A client certificate that was just made; nothing in it is secret."""

    @property
    def certificate(self) -> str:
        """PEM, or one line of OpenSSH's."""
        ...

    @property
    def serial(self) -> str:
        """What it is revoked by."""
        ...

    @property
    def principal(self) -> str:
        """Whose it is."""
        ...

    @property
    def expires_at(self) -> float:
        """Wall-clock seconds."""
        ...


class Issuer(Protocol):
    """Makes client certificates."""

    async def issue(self, identity: Identity, request: str, ttl: float, source: str) -> IssuedCertificate:
        """A certificate for the key of a signing request (PEM), for at most `ttl` seconds; raises `ClientError`."""
        ...


class SshIssuer(Protocol):
    """Makes SSH certificates."""

    async def issue(
        self, identity: Identity, public_key: str, ttl: float, source: str, addresses: Sequence[str]
    ) -> IssuedCertificate:
        """A certificate for a public key (one line), good from `addresses` only when there are any; raises `ClientError`."""
        ...


class Rights(Protocol):
    """Policy's answer on the gateway's own actions."""

    def barred(
        self, caller: Identity, action: Action, connection: ConnectionName | None, source: str
    ) -> Refusal | None:
        """Why policy does not permit `action` on this connection (None: on the gateway itself); None when it does.

        It is asked with how the caller proved themselves, from the address `source`.
        """
        ...


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions to list: newest first, at most `limit`. Times are wall-clock seconds."""

    live: bool | None = None
    principal: str | None = None
    connection: str | None = None
    since: float | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Found:
    """One thing found in a recording: where, when and what it says. `kind` is `command`, `detected` or `output`."""

    session: SessionId
    principal: str
    connection: ConnectionName
    at: float
    decision: str
    text: str
    kind: str = "command"


class Sessions(Protocol):
    """Sessions and their recordings."""

    async def list(self, query: SessionQuery) -> Sequence[SessionRow]:
        """Sessions, newest first."""
        ...

    async def get(self, session: SessionId) -> SessionRow | None:
        """One session."""
        ...

    def recording(self, session: SessionId) -> AsyncIterator[bytes] | None:
        """The bytes of a session's recording (of a live one: as far as it goes), None when there is none."""
        ...

    def search(self, text: str, query: SessionQuery, connections: frozenset[str]) -> AsyncIterator[Found]:
        """Commands and lines of terminals that hold `text`, in recordings of these connections, newest session first."""
        ...

    def follow(self, session: SessionId) -> AsyncIterator[bytes] | None:
        """The bytes of a session's recording, and those that come, until the session is over; None when there is none.

        An empty piece comes whenever there is nothing new.
        """
        ...

    def end(self, session: SessionId, by: str, reason: str) -> None:
        """Ask every worker to end this session."""
        ...

    def say(self, session: SessionId, by: str, text: str) -> None:
        """Ask every worker to show a message to this session's user."""
        ...


class Operations(Protocol):
    """What an operator may ask of the running gateway."""

    async def reload(self) -> str:
        """Load configuration and policy anew; answers the snapshot's digest, raises `ConfigurationError`."""
        ...

    def health(self) -> tuple[bool, dict[str, str]]:
        """Whether the gateway is ready, and a word on each of its parts."""
        ...

    async def metrics(self) -> bytes:
        """Metrics of all workers in Prometheus' text format."""
        ...

    def append(self, event: AuditEvent) -> None:
        """Append to the audit chain; raises `RecordingError`."""
        ...
