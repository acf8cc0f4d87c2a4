"""What policy may see of how somebody who asks for something proved themselves. Pure.

The same words for a session, for what is asked of the gateway itself (`approve`, `administer`, `replay`, `audit`) and for a vote,
which is judged again when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass

from interpose.model.analysis import FactValue
from interpose.model.principal import NOT_KNOWN, AuthenticationContext, Identity


@dataclass(frozen=True, slots=True)
class CallerProof:
    """How whoever asks proved themselves: `method` is that of their identity, `source` the address they ask from.

    `provider` and `subject` are who vouched for whom, None for a name of the principals file.
    """

    method: str = ""
    source: str = ""
    context: AuthenticationContext = NOT_KNOWN
    provider: str | None = None
    subject: str | None = None

    @classmethod
    def of(cls, identity: Identity, source: str) -> CallerProof:
        """That of somebody who has just been identified."""
        return cls(identity.method, source, identity.context, identity.provider, identity.subject)

    def facts(self, *, age: int = 0) -> dict[str, FactValue]:
        """What policy may see of it, `age` seconds later: time that passes since they asked makes their login no older."""
        facts: dict[str, FactValue] = {"source_ip": self.source, **authentication_facts(self.context, age)}
        if self.method:
            facts["session_method"] = self.method
        return facts


NO_PROOF = CallerProof()
"""Of whoever nothing is known of."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer to an approval, and how they had proven themselves. `principal` is canonical: one person counts once."""

    principal: str
    approve: bool
    at: float
    comment: str = ""
    proof: CallerProof = NO_PROOF


def authentication_facts(context: AuthenticationContext, age: int = 0) -> dict[str, FactValue]:
    """What policy may see of how somebody authenticated at their provider; policy makes an age of the time.

    `age` is by how many seconds that time is shown too late.
    """
    facts: dict[str, FactValue] = {"amr": tuple(sorted(context.amr)), "mfa": context.mfa}
    if context.auth_time is not None:
        facts["auth_time"] = int(context.auth_time) + age
    return facts
