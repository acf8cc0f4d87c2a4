"""Who asks: persons, services and agents, with what the identity provider says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from interpose.model.ids import ConnectionName, TokenId

AttributeValue = str | int | bool | tuple[str, ...]
"""An attribute's value: text, whole number, truth value or a list of texts."""


def _name(item: tuple[str, AttributeValue]) -> str:
    return item[0]


class PrincipalKind(Enum):
    """The kinds of principal; the value is the name of the Cedar entity type."""

    USER = "User"
    SERVICE = "Service"
    AGENT = "Agent"


@dataclass(frozen=True, slots=True)
class Principal:
    """One authenticated principal as it is at this moment; a change at the identity source makes a new value.

    `acting_for` is the person that an agent works for (None for a person or a service that acts for itself);
    `task` is what the agent says that it is doing. Both are judged by policy and written to the audit chain.
    `ssh_keys` are the fingerprints of the keys that prove it by SSH; policy does not see them.
    """

    kind: PrincipalKind
    name: str
    groups: frozenset[str] = frozenset()
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict, hash=False)
    acting_for: str | None = None
    task: str | None = None
    ssh_keys: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """How logs, notices and audit events name the principal: `User:alice`, `Agent:fixer for alice`."""
        base = f"{self.kind.value}:{self.name}"
        return f"{base} for {self.acting_for}" if self.acting_for else base

    def policy_key(self) -> tuple[object, ...]:
        """Everything that policy can see of this principal, hashable: equal keys are judged alike."""
        return (
            self.kind,
            self.name,
            self.groups,
            tuple((name, type(value), value) for name, value in sorted(self.attributes.items(), key=_name)),
            self.acting_for,
            self.task,
        )


@dataclass(frozen=True, slots=True)
class AuthenticationContext:
    """When and how somebody authenticated at their identity provider, as the provider said it; nothing is known by default.

    `auth_time` is wall-clock seconds (OpenID Connect Core 1.0 §2; SAML's AuthnInstant), `amr` the methods (RFC 8176), `acr` the
    class of the authentication (SAML's AuthnContextClassRef). `mfa`: the two mean more than one factor, by the provider's options.
    `session` is the provider's name for its own session (`sid`, SessionIndex), by which it ends the login later.
    """

    auth_time: float | None = None
    amr: frozenset[str] = frozenset()
    acr: str = ""
    mfa: bool = False
    session: str = ""


NOT_KNOWN = AuthenticationContext()
"""Of whoever proved themselves by something that says nothing of how they authenticated."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal together with how it proved itself: what `engine.authenticate` answers.

    `expires_at` is wall-clock seconds since the epoch, None when the credential does not expire by itself. `provider` is the
    identity provider that vouched for it, and `subject` the provider's own name for it; `context` is what it said of the login that
    this identity comes from, however many tokens and certificates are between the two. `key` is the fingerprint of the registered SSH
    key that it was proven with: it counts as long as the principal has it. `proven_at` is when (wall clock) the proof began, where that
    took longer than a moment: a login that ended after it is this one's. `connections` are the only ones that this identity opens;
    None for one that is not narrowed. INVARIANT: whatever is got with an identity is narrowed as it is.
    """

    principal: Principal
    method: str
    token: TokenId | None = None
    expires_at: float | None = None
    provider: str | None = None
    subject: str | None = None
    context: AuthenticationContext = NOT_KNOWN
    key: str | None = None
    connections: frozenset[ConnectionName] | None = None
    proven_at: float | None = None
