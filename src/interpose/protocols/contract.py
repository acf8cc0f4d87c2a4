"""The contract between a protocol and the rest of the house.

A protocol gives a `ProtocolSpec` with three sans-IO state machines: `Login` (client bytes to evidence), `Dial` (a `Dialogue` that
logs in at the upstream) and `Relay` (the command loop). None of them has a writer: they return intents and steps, and the driver
in `net` carries them out. None of them ever raises on bytes: what cannot be understood becomes a `Close`, after
what was decoded before it.

Order of calls on a `Relay`: the driver hands it bytes with `client_bytes` and `upstream_bytes`. When the returned
list ends with `Ask`, the relay is *waiting*: it keeps (bounded) whatever more arrives, in order, and continues only in
`answered`. Likewise `Show` waits for `shown` (upstream bytes are kept, client bytes may go on). A relay may be waiting
for one `Ask` and one `Show` at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeVar

from interpose.masking.plan import MaskingPlan
from interpose.model.analysis import Analysis, NeedsCatalog, Unanalysable
from interpose.model.catalog import CatalogNames, CatalogPage, CatalogView
from interpose.model.command import Command
from interpose.model.connection import Address, Connection
from interpose.model.decisions import Obligations
from interpose.model.errors import InterposeError
from interpose.model.ids import SessionId
from interpose.model.proofs import Clearance, Permit
from interpose.model.refusal import HoldNotice, Refusal
from interpose.model.shape import ResultShape

ResultT_co = TypeVar("ResultT_co", covariant=True)


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


# --- what a relay asks its driver to do (intents). Not frozen: they are made once a message, on the hot path.


@dataclass(slots=True)
class Ask:
    """Judge this command; the relay waits for `answered`."""

    command: Command


@dataclass(slots=True)
class Forward:
    """Send a judged command up. The permit is spent here."""

    permit: Permit
    data: bytes


@dataclass(slots=True)
class Part:
    """Send a further part of an open command up (COPY data)."""

    permit: Permit
    data: bytes


@dataclass(slots=True)
class Control:
    """Send bytes up that carry no command; `kind` names the row of the message table or an `own:` dialogue of the gateway."""

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

    `outcome` is `ok`, `error` or `cut`; `tag` the command tag(s), `error_class` the SQLSTATE; never a message text.
    """

    answer: Allowed
    outcome: str
    tag: str = ""
    error_class: str = ""
    rows: int = 0


@dataclass(slots=True)
class Close:
    """End the session: both sides are closed after what stands before it was sent. `reason` is a machine word."""

    reason: str
    detail: str = ""


Intent = Ask | Forward | Part | Control | Show | Deliver | Reply | Ended | Close


# --- what the engine answers


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
    """The result may be shown: as it is (`plan` None) or masked by `plan`."""

    clearance: Clearance
    plan: MaskingPlan | None


ShowAnswer = Showing | Refused


class Relay(Protocol):
    """The command loop of one session. Every method returns intents in order and never raises."""

    def start(self) -> list[Intent]:
        """What is due when both sides are up: parameter reports, the gateway's own cancel key, ready."""
        ...

    def client_bytes(self, data: bytes) -> list[Intent]:
        """Bytes from the client, cut anywhere."""
        ...

    def upstream_bytes(self, data: bytes) -> list[Intent]:
        """Bytes from the upstream, cut anywhere."""
        ...

    def answered(self, answer: Answer) -> list[Intent]:
        """The engine's answer to the last `Ask`."""
        ...

    def shown(self, answer: ShowAnswer) -> list[Intent]:
        """The engine's answer to the last `Show`."""
        ...

    def holding(self, notice: HoldNotice) -> list[Intent]:
        """The last `Ask` is held: tell the client, keep waiting."""
        ...

    def client_closed(self) -> list[Intent]:
        """The client is gone (end of file or reset)."""
        ...

    def upstream_closed(self) -> list[Intent]:
        """The upstream is gone."""
        ...

    def end(self, refusal: Refusal) -> list[Intent]:
        """The gateway ends the session (revoked, drained, killed): a readable last word, then `Close`."""
        ...

    @property
    def buffered(self) -> int:
        """Bytes kept while waiting, both directions, for the driver's back-pressure and the conformance law."""
        ...

    @property
    def idle(self) -> bool:
        """Whether no command is under way and no transaction is open (a drain may close it now)."""
        ...


# --- login: client bytes until it is known who asks for what


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the client said of itself. `token` is the access token as presented: never logged, never kept.

    `details` are harmless facts for the session's record (application name, protocol version).
    """

    claimed_name: str
    connection: str
    token: str = field(repr=False)
    details: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(slots=True)
class StartTls:
    """Begin TLS towards the client. `pending` are the bytes of a ClientHello that was already read (direct TLS)."""

    pending: bytes = b""


@dataclass(slots=True)
class Prove:
    """The evidence is complete: authenticate, admit and dial, then call `accepted` or `refused`."""

    evidence: Evidence


@dataclass(slots=True)
class CancelAsked:
    """A cancel request with the gateway's own key; the connection is closed without an answer."""

    key: bytes


LoginIntent = Reply | StartTls | Prove | CancelAsked | Close


class Login(Protocol):
    """The client side of a handshake, until `Prove` was answered. Never raises."""

    def client_bytes(self, data: bytes) -> list[LoginIntent]:
        """Bytes from the client (decrypted when TLS is on)."""
        ...

    def tls_started(self, alpn: str | None) -> list[LoginIntent]:
        """TLS is established; `alpn` is the protocol that was negotiated, None for none."""
        ...

    def refused(self, refusal: Refusal) -> list[LoginIntent]:
        """The login is refused: a readable last word and `Close`."""
        ...

    def accepted(self) -> list[LoginIntent]:
        """The evidence was good and the upstream answered: what is due before the relay starts (AuthenticationOk)."""
        ...

    def leftover(self) -> bytes:
        """Client bytes that arrived after the evidence; the relay gets them first."""
        ...

    @property
    def requested(self) -> Mapping[str, str]:
        """Startup parameters that go to the upstream as they are (checked against a closed list)."""
        ...


# --- dialogues: the gateway as a client of the upstream


@dataclass(slots=True)
class Send:
    """Write these bytes to the upstream."""

    data: bytes


@dataclass(slots=True)
class UpgradeTls:
    """Begin TLS towards the upstream; then call `tls_started`. `verify` is `none`, `ca` or `full`.

    `ca_file` may be None (the system's authorities)."""

    server_name: str
    verify: str
    ca_file: str | None
    alpn: tuple[str, ...] = ()


@dataclass(slots=True)
class Done:
    """The dialogue ended well with `result`; `leftover` are upstream bytes behind it."""

    result: object
    leftover: bytes = b""


@dataclass(slots=True)
class Failed:
    """The dialogue ended badly: the connection is of no further use."""

    error: InterposeError


Step = Send | UpgradeTls | Done | Failed


class Dialogue(Protocol):
    """A conversation that the gateway has with the upstream on its own account. Never raises."""

    def start(self) -> list[Step]:
        """The first steps."""
        ...

    def tls_started(self, certificate: bytes | None) -> list[Step]:
        """TLS is up; the upstream's certificate in DER (None when it sent none)."""
        ...

    def received(self, data: bytes) -> list[Step]:
        """Bytes from the upstream."""
        ...

    def closed(self) -> list[Step]:
        """The upstream closed the connection."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """An upstream credential: fetched against a grant, handed to `dial`, never kept, never shown."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a relay may know of its session. `cancel_key` is the gateway's own (12 or more bytes on 3.2, 8 on 3.0)."""

    session: SessionId
    cancel_key: bytes
    gateway_version: str
    protocol_clearance: Clearance
    max_message: int
    max_buffer: int


class Analyst(Protocol):
    """Analysis of one protocol's commands: pure, bounded, never raises."""

    def analyse(self, command: Command, catalog: CatalogView) -> Analysis | NeedsCatalog | Unanalysable:
        """Judgeable facts of a command under this catalog view."""
        ...

    def cache_key(self, text: str) -> str | None:
        """The text with its constants removed, equal for texts of one shape; None when it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a protocol can do; policy that needs what is absent refuses at load."""

    hold: bool
    mask: bool
    cancel: bool
    notices: bool


@dataclass(frozen=True, slots=True)
class ProtocolSpec:
    """Everything that the house needs of one wire protocol.

    `parse_options` turns the connection's `options` mapping of the configuration into the protocol's frozen options and
    raises `ConfigurationError` for an unknown key. `dial` gets the connection, the credential and the login's `requested`.
    `relay` gets the dial's result. `cancel` is the dialogue that cancels what runs on a dialled connection.
    `lookup` asks the catalog on a dialled connection of the gateway's own; `replay` turns recorded bytes into words.
    """

    name: str
    abilities: Abilities
    message_table: Mapping[bytes, MessageRule]
    default_port: int
    parse_options: Callable[[Mapping[str, object]], object]
    login: Callable[[], Login]
    dial: Callable[[Connection, Credential, Mapping[str, str]], Dialogue]
    relay: Callable[[object, Login, SessionFacts], Relay]
    cancel: Callable[[object], Dialogue]
    lookup: Callable[[CatalogNames, tuple[str, ...]], Dialogue]
    analyst: Callable[[], Analyst]


__all__ = [
    "Abilities",
    "Address",
    "Allowed",
    "Analyst",
    "Answer",
    "Ask",
    "CancelAsked",
    "CatalogPage",
    "Close",
    "Control",
    "Credential",
    "Deliver",
    "Dialogue",
    "Done",
    "Ended",
    "Evidence",
    "Failed",
    "Forward",
    "Intent",
    "Login",
    "LoginIntent",
    "MessageRule",
    "Part",
    "ProtocolSpec",
    "Prove",
    "Refused",
    "Relay",
    "Reply",
    "Send",
    "SessionFacts",
    "Show",
    "ShowAnswer",
    "Showing",
    "StartTls",
    "Step",
    "Treatment",
    "UpgradeTls",
]
