"""The use case of signing in through an identity provider: from a proof to a known principal, with every outcome in the audit chain.

Knows neither browsers nor how a provider proves somebody; a provider is trusted with what its mapping already let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from interpose.engine.authenticate import loggable
from interpose.engine.ports import DirectoryEntry
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import AuthenticationError
from interpose.model.principal import NOT_KNOWN, AuthenticationContext, Identity, Principal

if TYPE_CHECKING:
    from interpose.engine.directory import Directory
    from interpose.engine.ports import AuditChain, Clock

_WORD: Final = 64


@dataclass(frozen=True, slots=True)
class Departure:
    """A login that has begun: where the browser is sent, and what must be known again when it comes back.

    `state` is the unguessable text that comes back with the browser; `memory` never leaves the gateway.
    """

    url: str
    state: str
    memory: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a provider has proven: a mapped principal, until when (wall clock) it is vouched for, and how it authenticated."""

    provider: str
    method: str
    issuer: str
    subject: str
    principal: Principal
    valid_until: float
    context: AuthenticationContext = NOT_KNOWN


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has signed in. `hint` is what the provider wants to see at the end of the session; empty for nothing. `at`: wall clock."""

    identity: Identity
    proof: Proof
    hint: str = field(default="", repr=False)
    at: float = field(default=0.0, compare=False)


class UsedAssertions(Protocol):
    """Proofs that are good once: those that were used, as long as they could be used again."""

    async def first_use(self, digest: bytes, until: float, now: float) -> bool:
        """Remember one until it is worth nothing any more (wall clock); False when it was used before. Raises `StoreError`."""
        ...

    async def used(self, digest: bytes) -> bool:
        """Whether one is remembered. Raises `StoreError`."""
        ...


class SignIn:
    """Takes proofs, answers identities."""

    def __init__(self, directory: Directory, audit: AuditChain, clock: Clock) -> None:
        """The directory is where the principal is known from now on."""
        self._directory = directory
        self._audit = audit
        self._clock = clock

    async def accept(self, proof: Proof, source: str, hint: str = "") -> SignedIn:
        """Somebody proved to be this principal. Raises `AuthenticationError` (already in the audit), `RecordingError`, `StoreError`."""
        now = self._clock.wall()
        entry = DirectoryEntry(proof.principal, proof.provider, proof.subject, now, proof.valid_until)
        try:
            if proof.valid_until <= now:
                raise AuthenticationError("authentication failed", detail="no_longer_valid")
            principal = await self._directory.learn(entry)
        except AuthenticationError as error:
            self.failed(proof.provider, proof.method, proof.issuer, error.detail, source, subject=proof.subject)
            raise
        context = proof.context
        fields = {**_who(proof), "expires_at": int(proof.valid_until), "mfa": context.mfa, "source": source}
        if context.auth_time is not None:
            fields["auth_time"] = int(context.auth_time)
        self._audit.append(AuditEvent(AuditKind.LOGIN_SUCCEEDED, None, principal.label, fields))
        identity = Identity(
            principal, proof.method, None, proof.valid_until, proof.provider, proof.subject, proof.context
        )
        return SignedIn(identity, proof, hint, now)

    def failed(self, provider: str, method: str, issuer: str, reason: str, source: str, *, subject: str = "") -> None:
        """A login that failed; `reason` is a machine word. Raises `RecordingError`."""
        fields: dict[str, AuditValue] = {
            "reason": loggable(reason, _WORD),
            "claimed_name": "",
            "connection": "",
            "source": source,
            "provider": loggable(provider, _WORD),
            "method": method,
            "issuer": issuer,
            "subject": loggable(subject, 256),
        }
        self._audit.append(AuditEvent(AuditKind.LOGIN_FAILED, fields=fields))

    def decided(self, who: SignedIn, approved: bool, how: str, client: str, asked_from: str, source: str) -> None:
        """Somebody answered whether another program may act for them. `how`: `browser` or `device`. Raises `RecordingError`."""
        fields = {
            **_who(who.proof),
            "approved": approved,
            "how": how,
            "client": loggable(client, 128),
            "asked_from": asked_from,
            "source": source,
        }
        self._audit.append(AuditEvent(AuditKind.LOGIN_DECIDED, None, who.identity.principal.label, fields))

    def ended(self, proof: Proof, reason: str, source: str) -> None:
        """A login is over: somebody signed out, or the provider does not vouch any more. Raises `RecordingError`."""
        fields = {**_who(proof), "reason": reason, "source": source}
        self._audit.append(AuditEvent(AuditKind.LOGIN_ENDED, None, proof.principal.label, fields))


def _who(proof: Proof) -> dict[str, AuditValue]:
    return {
        "principal": proof.principal.name,
        "provider": proof.provider,
        "method": proof.method,
        "issuer": proof.issuer,
        "subject": loggable(proof.subject, 256),
    }
