"""Evidence to identity: who a client is, or a refusal that never says which half was wrong.

Knows rate limits and the audit chain; how a token is checked is the business of the `Authenticators` port.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from interpose.engine.limits import FailureLimiter, address_group
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import AuthenticationError, ProviderError, RecordingError, StoreError
from interpose.model.refusal import Refusal
from interpose.protocols.contract import Evidence, Refused

if TYPE_CHECKING:
    from interpose.engine.limits import Limits
    from interpose.engine.ports import AuditChain, Authenticators, CertificateChecks, Clock
    from interpose.model.principal import Identity

_LOOKS_LIKE_A_TOKEN = re.compile(r"i[bp]_[0-9a-z]+_\w+|eyJ[\w-]+(\.[\w-]*)*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

WRONG = Refusal(
    "authentication_failed",
    "authentication failed",
    "log in with your principal's name as the user and an Interpose access token, or your workload's own, as the password",
)
"""The one answer to every kind of wrong evidence."""

TOO_MANY = Refusal(
    "too_many_attempts",
    "too many failed logins from this address",
    "wait a minute, then try again with a valid access token",
)

UNAVAILABLE = Refusal(
    "store_unavailable", "logins cannot be checked at the moment", "try again later, or ask the gateway's operator"
)

PROVIDER_DOWN = Refusal(
    "provider_unavailable",
    "your identity provider cannot be asked at the moment",
    "try again in a minute; sessions that are open go on",
)


BAD_CERTIFICATE: Final = "certificate_refused"
_CERTIFICATE_FAULTS: Final = {
    "certificate_unknown": "your certificate is not one that this gateway knows",
    "certificate_of_another": "your certificate is another principal's",
    "certificate_revoked": "your certificate was revoked",
    "certificate_expired": "your certificate has expired",
    "certificate_not_yet_valid": "your certificate is not valid yet",
}


def _bad_certificate(fault: str) -> Refusal:
    message = _CERTIFICATE_FAULTS.get(fault, "your certificate's principal does not exist any more or is disabled")
    hint = "get a new one with `interpose credential issue`, or show none and give an access token as the password"
    return Refusal("certificate_refused", message, hint)


def loggable(text: str, limit: int = 64) -> str:
    """A client's words as an audit field: bounded, without control characters, and without anything that looks like a token.

    People do paste their token where the user name belongs.
    """
    return _CONTROL.sub("?", _LOOKS_LIKE_A_TOKEN.sub("(looks like a token)", text))[:limit]


class Authentication:
    """The use case: prove who a client is."""

    def __init__(
        self,
        authenticators: Authenticators,
        audit: AuditChain,
        clock: Clock,
        limits: Limits,
        certificates: CertificateChecks | None = None,
    ) -> None:
        """`certificates` None: no client certificate proves anybody. Failures are counted an address, and a name from one address.

        A name alone is not blocked: anybody could then lock out anybody, and tokens are too long to be guessed.
        """
        self._authenticators = authenticators
        self._certificates = certificates
        self._audit = audit
        self._addresses = FailureLimiter(clock, limits.login_failures * 3, limits.login_window)
        self._names = FailureLimiter(clock, limits.login_failures, limits.login_window)

    async def prove(self, evidence: Evidence, peer: str) -> Identity | Refused:
        """Who this is. `peer` is the client's address without its port. Every failure is in the audit chain."""
        name = _name_key(evidence, peer)
        if self._names.blocked(name):
            return self._fail(evidence, peer, "too_many_attempts", TOO_MANY)
        answer = await self._proven(lambda: self._identify(evidence), evidence, peer)
        if not isinstance(answer, Refused):
            self._names.succeeded(name)
        elif answer.refusal is WRONG or answer.refusal.code == BAD_CERTIFICATE:
            self._names.failed(name)
        return answer

    async def _identify(self, evidence: Evidence) -> Identity:
        if evidence.certificate is None:
            return await self._authenticators.identify(evidence.claimed_name, evidence.token)
        if self._certificates is None:
            raise AuthenticationError("authentication failed", detail="certificate_unknown")
        return await self._certificates.identify(evidence.claimed_name, evidence.certificate)

    async def bearer(self, token: str, peer: str) -> Identity | Refused:
        """Who holds this token, where no name is claimed; otherwise as `prove`."""
        return await self._proven(lambda: self._authenticators.bearer(token), Evidence("", "", token), peer)

    def blocked(self, evidence: Evidence, peer: str) -> Refused | None:
        """The refusal for whoever has failed too often; None for everybody else. For logins of more than one step."""
        if self._names.blocked(_name_key(evidence, peer)) or self._addresses.blocked(address_group(peer)):
            return self._fail(evidence, peer, "too_many_attempts", TOO_MANY)
        return None

    def failed(
        self, evidence: Evidence, peer: str, reason: str, refusal: Refusal, *, keys: tuple[str, ...] = ()
    ) -> Refused:
        """Count a login of more than one step as one failure; `keys` are the fingerprints of what was offered."""
        self._names.failed(_name_key(evidence, peer))
        self._addresses.failed(address_group(peer))
        return self._fail(evidence, peer, reason, refusal, keys=keys)

    def unavailable(self, evidence: Evidence, peer: str) -> Refused:
        """The refusal where nobody can tell; it counts as no failure."""
        return self._fail(evidence, peer, "store_unavailable", UNAVAILABLE)

    async def _proven(
        self, identify: Callable[[], Awaitable[Identity]], evidence: Evidence, peer: str
    ) -> Identity | Refused:
        address = address_group(peer)
        if self._addresses.blocked(address):
            return self._fail(evidence, peer, "too_many_attempts", TOO_MANY)
        try:
            return await identify()
        except AuthenticationError as error:
            self._addresses.failed(address)
            if evidence.certificate is not None:
                # Whoever has the key of a certificate learns nothing from what is wrong with it that is not in it.
                return self._fail(evidence, peer, error.detail, _bad_certificate(error.detail))
            # INVARIANT: what was wrong is told there and nowhere else: whoever guesses learns nothing from the answer.
            return self._fail(evidence, peer, error.detail or "wrong_evidence", WRONG, error.provider)
        except StoreError:
            return self.unavailable(evidence, peer)
        except ProviderError:
            return self._fail(evidence, peer, "provider_unavailable", PROVIDER_DOWN)

    def _fail(
        self,
        evidence: Evidence,
        peer: str,
        reason: str,
        refusal: Refusal,
        provider: str = "",
        keys: tuple[str, ...] = (),
    ) -> Refused:
        fields: dict[str, AuditValue] = {
            "reason": reason,
            "claimed_name": loggable(evidence.claimed_name),
            "connection": loggable(evidence.connection),
            "source": peer,
        }
        if provider:
            fields["provider"] = provider
        if keys:
            fields["keys"] = keys
        try:
            self._audit.append(AuditEvent(AuditKind.LOGIN_FAILED, fields=fields))
        except RecordingError:
            # Nothing was allowed and nothing can be recorded: the client learns no more than that it is refused.
            return Refused(UNAVAILABLE)
        return Refused(refusal)


def _name_key(evidence: Evidence, peer: str) -> str:
    return f"{address_group(peer)}\0{evidence.claimed_name[:128]}"
