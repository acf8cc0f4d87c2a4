"""Ports: what the engine needs from outside, as structural types. Floors 3 and 4 implement them; tests use in-memory ones.

Everything that takes time, chance, disk or network comes in through here, so that the engine runs on virtual time in tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from interpose.engine.callers import Vote
from interpose.engine.channel_recorder import ChannelRecorder
from interpose.model.audit import AuditEvent
from interpose.model.catalog import CatalogNames, CatalogPage
from interpose.model.connection import Connection
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import ApprovalId, ConnectionName, SessionId, SnapshotDigest, TokenId
from interpose.model.principal import NOT_KNOWN, AuthenticationContext, Identity, Principal
from interpose.model.proofs import Grant
from interpose.model.survey import Sample, SampleRequest, Survey
from interpose.protocols.contract import Credential


class Clock(Protocol):
    """Time. `wall` is seconds since the epoch, `monotonic` seconds that never go back."""

    def wall(self) -> float:
        """Wall-clock time in seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class Ids(Protocol):
    """Fresh identifiers and chance."""

    def session(self) -> SessionId:
        """A new session id; sorts by time."""
        ...

    def approval(self) -> ApprovalId:
        """A new approval id, short enough to type."""
        ...

    def secret_bytes(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        ...


class AuditChain(Protocol):
    """The one chain that this worker writes."""

    def append(self, event: AuditEvent) -> int:
        """Write to the operating system and answer the sequence number; raises `RecordingError` when it cannot."""
        ...

    async def sync(self) -> None:
        """Return when everything appended so far is on disk; raises `RecordingError`."""
        ...


class SessionRecorder(ChannelRecorder, Protocol):
    """The recording of one session. Writing may raise `RecordingError`; nothing is then sent."""

    def command(self, sequence: int, kind: str, text: str, parameters: tuple[bytes | None, ...], decision: str) -> None:
        """A command and its decision; written to the operating system before this returns."""
        ...

    def delivered(self, sequence: int, data: bytes) -> None:
        """Bytes as the client got them (masked), up to the cap per command; buffered."""
        ...

    def note(self, kind: str, text: str) -> None:
        """Something that the gateway said or did (a hold's notice, a refusal); buffered with the next command."""
        ...

    def ended(self, sequence: int, outcome: str, tag: str, error_class: str, rows: int) -> None:
        """A command's end; buffered."""
        ...

    def close(self, reason: str) -> None:
        """Seal the recording as complete."""
        ...


@dataclass(frozen=True, slots=True)
class SessionHeader:
    """What a recording says of its session. `durable`: `AuditChain.sync` also waits until its commands are on disk."""

    session: SessionId
    principal: str
    connection: ConnectionName
    protocol: str
    source: str
    opened_at: float
    details: tuple[tuple[str, str], ...] = ()
    durable: bool = False


class Recordings(Protocol):
    """Where recordings are made."""

    def open(self, header: SessionHeader) -> SessionRecorder:
        """Begin a recording; raises `RecordingError`."""
        ...


@dataclass(frozen=True, slots=True)
class Approval:
    """A held command as stored. `digest` binds command, parameters, connection, session, requester, snapshot and expiry.

    `state` is `pending`, `approved`, `denied`, `expired`, `cancelled`, `used`. `text` is the command for the approver
    to read; it is deleted from the store when the approval is closed. Times are wall-clock seconds.
    """

    id: ApprovalId
    session: SessionId
    requester: Principal
    connection: ConnectionName
    text: str
    digest: str
    rules: tuple[ApprovalRule, ...]
    reason: str
    snapshot: SnapshotDigest
    created_at: float
    expires_at: float
    state: str = "pending"
    votes: tuple[Vote, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


class ApprovalStore(Protocol):
    """Approvals, shared by all workers; every change is atomic."""

    async def create(self, approval: Approval) -> None:
        """Store a pending approval; raises `StoreError`."""
        ...

    async def get(self, approval: ApprovalId) -> Approval | None:
        """The approval as it is now."""
        ...

    async def pending(self) -> Sequence[Approval]:
        """All that are pending, oldest first."""
        ...

    async def vote(self, approval: ApprovalId, vote: Vote) -> Approval:
        """Add a vote if it is pending and this person has not voted; raises `StoreError` (state) otherwise."""
        ...

    async def close(self, approval: ApprovalId, expected: str, state: str) -> bool:
        """Move from state `expected` to `state`; False when it was no longer in `expected`."""
        ...


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A stored access token or client certificate: never itself, only its hash.

    `parent` is the token that this was got with, `actor` the agent's own where it acts for the parent's holder: it is revoked together with
    either. `provider`, `subject`, `context` are of the login behind it, None without one. `connections` are all it opens, None for any.
    """

    id: TokenId
    principal: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    description: str = ""
    acting_for: str | None = None
    task: str | None = None
    parent: TokenId | None = None
    provider: str | None = None
    subject: str | None = None
    context: AuthenticationContext = NOT_KNOWN
    connections: frozenset[ConnectionName] | None = None
    actor: TokenId | None = None


class TokenStore(Protocol):
    """Access tokens, hashed."""

    async def find(self, digest: bytes) -> TokenRecord | None:
        """The token with this SHA-256 digest."""
        ...

    async def add(self, digest: bytes, record: TokenRecord) -> None:
        """Store a new token; raises `AuthenticationError` when one that it was got with was revoked, or cut short, meanwhile."""
        ...

    async def all(self) -> Sequence[TokenRecord]:
        """Every token, newest first."""
        ...

    async def revoke(self, token: TokenId, at: float) -> bool:
        """Mark as revoked, with everything that was got with it, and so on; False when there is none such."""
        ...

    async def ended_since(self, at: float) -> Sequence[tuple[TokenId, float, bool]]:
        """Tokens revoked or cut short at or after `at` (wall clock): id, when live sessions must end, whether it was revoked."""
        ...


class PrincipalSource(Protocol):
    """Who exists, with groups and attributes; reloaded with the snapshot."""

    def find(self, name: str) -> Principal | None:
        """The principal with this canonical name."""
        ...

    def reserves(self, name: str) -> bool:
        """Whether the name is taken here, by somebody who may be disabled."""
        ...

    def vouched(self, name: str) -> tuple[str, str] | None:
        """Which provider vouches for whom under this name now: its own name and the subject; None where none does."""
        ...


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A principal that an identity provider vouches for.

    `subject` is the provider's own, lasting name. Past `valid_until` (wall clock; None: never) it must be proven again. `disabled` says why.
    """

    principal: Principal
    provider: str
    subject: str
    learned_at: float
    valid_until: float | None = None
    disabled: str = ""


class DirectoryStore(Protocol):
    """Directory entries by canonical name, shared by all workers."""

    async def get(self, name: str) -> DirectoryEntry | None:
        """The entry with this name."""
        ...

    async def changed_since(self, at: float) -> Sequence[DirectoryEntry]:
        """Entries that were put at or after `at` (wall clock); 0 for all."""
        ...

    async def put(self, entry: DirectoryEntry, at: float) -> None:
        """Store an entry in the place of the one with its name."""
        ...

    async def put_learned(self, entry: DirectoryEntry, at: float) -> bool:
        """As `put`, in one step: only where the name is free, or is this very subject's and not disabled; False where it is not."""
        ...


@dataclass(frozen=True, slots=True)
class Renewal:
    """With what a provider is asked again about a principal: its refresh token, sealed. `due_at` is wall-clock seconds."""

    name: str
    provider: str
    subject: str
    sealed: bytes = field(repr=False)
    due_at: float


class RenewalStore(Protocol):
    """Renewals by the principal's canonical name."""

    async def get(self, name: str) -> Renewal | None:
        """The renewal of this principal."""
        ...

    async def due(self, at: float) -> Sequence[Renewal]:
        """Those that are due at `at`, the longest overdue first."""
        ...

    async def put(self, renewal: Renewal) -> None:
        """Store a renewal in the place of the one of its principal."""
        ...

    async def forget(self, name: str) -> None:
        """Delete the renewal of this principal, if there is one."""
        ...


class Authenticators(Protocol):
    """Evidence to identity."""

    async def identify(self, claimed_name: str, token: str) -> Identity:
        """Who this is; raises `AuthenticationError`, without saying which half was wrong, after constant work.

        Its `detail` is for the audit chain alone. Raises `StoreError` and `ProviderError` when it cannot be told.
        """
        ...

    async def bearer(self, token: str) -> Identity:
        """Who this is, where no name is claimed; raises the same."""
        ...


class CertificateChecks(Protocol):
    """A client certificate to identity."""

    async def identify(self, claimed_name: str, certificate: bytes) -> Identity:
        """Who this is, by a certificate (DER) that TLS has verified; raises as `Authenticators` does."""
        ...


class Secrets(Protocol):
    """Upstream credentials."""

    async def fetch(self, grant: Grant, reference: str) -> Credential:
        """The credential behind a reference; raises `SecretError`."""
        ...


class CatalogSource(Protocol):
    """Catalog lookups over the gateway's own connection to an upstream."""

    async def lookup(self, connection: Connection, names: CatalogNames, path: tuple[str, ...]) -> CatalogPage:
        """Ask the upstream; raises `UpstreamError`."""
        ...

    async def fingerprint(self, connection: Connection) -> str:
        """A value that changes when anybody changed the catalog; raises `UpstreamError`."""
        ...


class SurveySource(Protocol):
    """Surveys of one upstream over a connection of the gateway's own, one question at a time."""

    async def survey(self, schema: str | None) -> Survey:
        """Every table, or those of one schema; raises `UpstreamError`."""
        ...

    async def sample(self, request: SampleRequest) -> Sample:
        """Some values, or the refusal to show them; raises `UpstreamError` when the upstream is gone."""
        ...


class Notifier(Protocol):
    """Tells approvers that something waits for them. Must never delay or fail a hold."""

    def approval_opened(self, approval: Approval) -> None:
        """A command waits."""
        ...

    def approval_closed(self, approval: Approval) -> None:
        """It no longer waits."""
        ...


class Bus(Protocol):
    """Wake-ups between the workers of one gateway and between gateways; only hints, the store is the truth."""

    def publish(self, topic: str, payload: str) -> None:
        """Tell every worker, this one included; never blocks, may be lost."""
        ...

    def listen(self, topic: str) -> AsyncIterator[str]:
        """Payloads on this topic from now on."""
        ...


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in the index of sessions, live or ended. Times are wall-clock seconds."""

    id: SessionId
    principal: str
    connection: ConnectionName
    protocol: str
    source: str
    opened_at: float
    closed_at: float | None = None
    close_reason: str = ""
    worker: str = ""
    commands: int = 0
    refused: int = 0
    details: tuple[tuple[str, str], ...] = field(default=())


class SessionIndex(Protocol):
    """Who was connected when; written behind, never on the hot path."""

    def opened(self, row: SessionRow) -> None:
        """A session began."""
        ...

    def closed(self, session: SessionId, at: float, reason: str, commands: int, refused: int) -> None:
        """A session ended."""
        ...
