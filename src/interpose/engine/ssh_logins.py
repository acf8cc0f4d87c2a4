"""Who logs in by SSH: the keys and certificates that one connection offers, one after another.

A client offers every key of its agent until one is taken, so what is refused counts as one failed login of the connection, not as one
a key. Knows nothing of SSH's messages: the library has checked that the client has the private key, or will before anything is opened.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final, Protocol

from interpose.model.errors import AuthenticationError, StoreError
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Evidence, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from interpose.engine.authenticate import Authentication
    from interpose.model.principal import Identity

REFUSED_KEY: Final = Refusal(
    "authentication_failed",
    "authentication failed",
    "get a certificate with `interpose ssh login`, or give an Interpose access token as the password",
)
"""The one answer to every key and certificate that is not taken."""

_MOST_NAMED: Final = 8
"""Offers of one connection that the audit chain names."""


class SshIdentities(Protocol):
    """An SSH key or certificate to identity."""

    async def by_certificate(self, claimed_name: str, blob: bytes, source: str) -> Identity:
        """Who this is, by an OpenSSH user certificate (SSH's binary form, without base64); raises as `Authenticators` does.

        `source` is the client's address without its port: a certificate can be bound to addresses.
        """
        ...

    async def by_public_key(self, claimed_name: str, blob: bytes) -> Identity:
        """Who this is, by a public key (SSH's binary form) that is registered for this very name; raises the same."""
        ...


class SshLogins:
    """The use case: who is at the other end of an SSH connection."""

    def __init__(self, authentication: Authentication, identities: SshIdentities) -> None:
        """Shares limits and audit chain with every other kind of login."""
        self._authentication = authentication
        self._identities = identities

    def begin(self, peer: str) -> SshLogin:
        """A connection begins; `peer` is the client's address without its port. Close what you get."""
        return SshLogin(self._authentication, self._identities, peer)


class SshLogin:
    """The attempts of one connection."""

    def __init__(self, authentication: Authentication, identities: SshIdentities, peer: str) -> None:
        """Made by `SshLogins.begin`."""
        self._authentication = authentication
        self._identities = identities
        self._peer = peer
        self._refused: Evidence | None = None
        self._reason = ""
        self._named: list[str] = []

    async def certificate(self, claimed_name: str, connection: str, blob: bytes) -> Identity | Refused:
        """Who this is, by a certificate. Ask when it is offered and again when it is signed with: it may be revoked between."""
        evidence = Evidence(claimed_name, connection, "")
        return await self._offer(
            evidence, blob, lambda: self._identities.by_certificate(claimed_name, blob, self._peer)
        )

    async def public_key(self, claimed_name: str, connection: str, blob: bytes) -> Identity | Refused:
        """Who this is, by a registered public key; otherwise as `certificate`."""
        evidence = Evidence(claimed_name, connection, "")
        return await self._offer(evidence, blob, lambda: self._identities.by_public_key(claimed_name, blob))

    async def token(self, claimed_name: str, connection: str, token: str) -> Identity | Refused:
        """Who this is, by an access token or a workload's own, given as a password; each wrong one counts by itself."""
        return await self._authentication.prove(Evidence(claimed_name, connection, token), self._peer)

    def proven(self) -> None:
        """The client has signed, or given a right token: what it offered before was no failure."""
        self._refused = None

    def close(self) -> None:
        """The connection has ended. One that offered keys and proved nobody is one failed login in the audit chain."""
        if self._refused is not None:
            self._authentication.failed(self._refused, self._peer, self._reason, REFUSED_KEY, keys=tuple(self._named))
        self._refused = None

    async def _offer(
        self, evidence: Evidence, blob: bytes, identify: Callable[[], Awaitable[Identity]]
    ) -> Identity | Refused:
        blocked = self._authentication.blocked(evidence, self._peer)
        if blocked is not None:
            return blocked
        try:
            return await identify()
        except AuthenticationError as error:
            self._refused, self._reason = evidence, error.detail or "wrong_evidence"
            name = fingerprint(blob)
            if name not in self._named and len(self._named) < _MOST_NAMED:
                self._named.append(name)
            # INVARIANT: whatever was wrong with a key, the answer is this one.
            return Refused(REFUSED_KEY)
        except StoreError:
            return self._authentication.unavailable(evidence, self._peer)


def fingerprint(blob: bytes) -> str:
    """How OpenSSH names a key or certificate: `SHA256:` and base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
