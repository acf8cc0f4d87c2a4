"""What relays and logins ask of their driver (intents), and what the engine answers them.

Values only. They are made once a message on the hot path, so they are slotted but not frozen; nobody changes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from interpose.model.analysis import Analysis
from interpose.model.audit import AuditValue
from interpose.model.command import Command
from interpose.model.decisions import Obligations
from interpose.model.proofs import Clearance, Permit
from interpose.model.refusal import Refusal
from interpose.model.shape import ResultShape

if TYPE_CHECKING:
    from interpose.masking.copying import CopyStream
    from interpose.masking.plan import MaskingPlan


class Treatment(Enum):
    """How a client message type is treated; a type that is not in the table is refused."""

    COMMAND = "command"
    """Judged: goes up only as `Forward` under a permit."""
    PART = "part"
    """Belongs to a judged command: goes up with its `Forward`, or after it as `Part` under the open permit."""
    CONTROL = "control"
    """Carries no command; `reason` says why that is so."""
    REFUSED = "refused"
    """Understood and never permitted (replication, fast-path calls …); `reason` is told to the client."""


@dataclass(frozen=True, slots=True)
class MessageRule:
    """One row of a protocol's message table."""

    name: str
    treatment: Treatment
    reason: str = ""


@dataclass(slots=True)
class Ask:
    """Judge this command; the relay waits for `answered`."""

    command: Command


@dataclass(slots=True)
class Forward:
    """Send a judged command up, with control messages that stand beside it. The permit is spent here."""

    permit: Permit
    data: bytes


@dataclass(slots=True)
class Part:
    """Send a further part of an open command up (COPY data)."""

    permit: Permit
    data: bytes


@dataclass(slots=True)
class Control:
    """Send bytes up that carry no command; `kind` names the rows of the message table (`Bind+Describe`) or an `own:` dialogue of
    the gateway."""

    kind: str
    data: bytes


@dataclass(slots=True)
class Show:
    """A result begins: may it be shown, and how? `statement` is its index in the analysis (None when it cannot be told).

    The relay waits for `shown`; upstream bytes behind it are kept.
    """

    answer: Allowed
    shape: ResultShape
    statement: int | None


@dataclass(slots=True)
class Deliver:
    """Send upstream bytes, walked or masked, down to the client; `rows` is how many rows are in them."""

    clearance: Clearance
    data: bytes
    rows: int = 0


@dataclass(slots=True)
class Reply:
    """Send the gateway's own bytes down to the client (refusals, notices, completions it owes)."""

    data: bytes


@dataclass(slots=True)
class Ended:
    """A judged command is over: for the recording and the audit chain.

    `outcome` is `ok`, `error` or `cut`; `tag` the command tag(s), `error_class` the SQLSTATE; never a message text. `facts` are further
    fields of the audit event: how much of which file went where.
    """

    answer: Allowed
    outcome: str
    tag: str = ""
    error_class: str = ""
    rows: int = 0
    facts: Mapping[str, AuditValue] | None = None


@dataclass(slots=True)
class Close:
    """End the session: both sides are closed after what stands before it was sent. `reason` is a machine word."""

    reason: str
    detail: str = ""


Intent = Ask | Forward | Part | Control | Show | Deliver | Reply | Ended | Close


@dataclass(slots=True)
class Allowed:
    """The command may be sent under `permit`.

    `analysis` is what was judged. `scrub` says that hidden values are within the command's reach, so that
    free text of errors and notices must be scrubbed. `describe` says that no row may pass without a shape that the
    relay asked for itself (something is hidden from this principal). What is no result (completions, errors, parameter
    reports) is delivered under `SessionFacts.protocol_clearance`.
    """

    permit: Permit
    analysis: Analysis
    obligations: Obligations
    scrub: bool
    describe: bool


@dataclass(slots=True)
class Refused:
    """The command is not sent; the client is told why and the session goes on."""

    refusal: Refusal


Answer = Allowed | Refused


@dataclass(slots=True)
class Showing:
    """The result may be shown: as it is (`plan` None) or masked by `plan`.

    The data of a COPY (a shape with `copy`) is masked by `copy`, a fresh stream for this one result; with a `plan` and no `copy`
    stream it is refused.
    """

    clearance: Clearance
    plan: MaskingPlan | None
    copy: CopyStream | None = None


ShowAnswer = Showing | Refused


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the client said of itself. `token` is the access token as presented: never logged, never kept.

    `certificate` (DER) is what TLS has verified that the client has the key of; the token is then empty. `details` are harmless facts
    for the session's record (application name, protocol version).
    """

    claimed_name: str
    connection: str
    token: str = field(repr=False)
    details: Mapping[str, str] = field(default_factory=dict, hash=False)
    certificate: bytes | None = field(default=None, repr=False)


@dataclass(slots=True)
class StartTls:
    """Begin TLS towards the client. `pending` are the bytes of a ClientHello that was already read (direct TLS)."""

    pending: bytes = b""


@dataclass(slots=True)
class Prove:
    """The evidence is complete: authenticate, admit and dial, then call `accepted` or `refused`."""

    evidence: Evidence


@dataclass(slots=True)
class Confirm:
    """The client has nothing to prove itself with: let its person confirm it in a browser (the evidence has no token), then as `Prove`.

    The driver calls `confirming` once, with what the client is to be told.
    """

    evidence: Evidence


@dataclass(slots=True)
class CancelAsked:
    """A cancel request with the gateway's own key; the connection is closed without an answer."""

    key: bytes


LoginIntent = Reply | StartTls | Prove | Confirm | CancelAsked | Close
