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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from interpose.model.analysis import Analysis, NeedsCatalog, Unanalysable
from interpose.model.catalog import CatalogNames, CatalogView
from interpose.model.command import Command
from interpose.model.connection import Connection
from interpose.model.ids import SessionId
from interpose.model.proofs import Clearance
from interpose.model.refusal import ConfirmationNotice, HoldNotice, Refusal
from interpose.model.survey import SampleRequest
from interpose.protocols.dialogue import Dialogue, Done, Failed, Send, Step, UpgradeTls
from interpose.protocols.intents import (
    Allowed,
    Answer,
    Ask,
    CancelAsked,
    Close,
    Confirm,
    Control,
    Deliver,
    Ended,
    Evidence,
    Forward,
    Intent,
    LoginIntent,
    MessageRule,
    Part,
    Prove,
    Refused,
    Reply,
    Show,
    ShowAnswer,
    Showing,
    StartTls,
    Treatment,
)


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
        """Bytes kept while waiting, both directions, for the driver's back-pressure and the conformance law.

        0 while the relay waits neither for an answer nor for the upstream to end an earlier command: a message that is
        still arriving then does not count. The driver stops reading a side when this is large, and a relay that waits
        for just those bytes would wait for ever.
        """
        ...

    @property
    def idle(self) -> bool:
        """Whether no command is under way and no transaction is open (a drain may close it now)."""
        ...


class BrowserLogin(Enum):
    """When a listener lets people log in by confirming in a browser instead of with a token."""

    NEVER = "never"
    OFFERED = "offered"
    """When the client asks for it; whoever does not is asked for a token."""
    ALWAYS = "always"
    """Nobody is asked for a token; certificates of clients still count."""


@dataclass(frozen=True, slots=True)
class LoginOptions:
    """What a listener offers at login.

    `tls` says that the listener has a certificate. `allow_plaintext_tokens` lets a client send its access token without TLS:
    whoever sees the network traffic can then steal it.
    """

    tls: bool = True
    allow_plaintext_tokens: bool = False
    browser: BrowserLogin = BrowserLogin.NEVER


class Login(Protocol):
    """The client side of a handshake, until `Prove` was answered. Never raises."""

    def client_bytes(self, data: bytes) -> list[LoginIntent]:
        """Bytes from the client (decrypted when TLS is on)."""
        ...

    def tls_started(self, alpn: str | None, certificate: bytes | None = None) -> list[LoginIntent]:
        """TLS is established; `alpn` is the protocol that was negotiated, `certificate` (DER) the client's, verified; None for none."""
        ...

    def confirming(self, notice: ConfirmationNotice) -> list[LoginIntent]:
        """The login waits for a person: show the client what to do."""
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
class ReplayBlock:
    """One readable piece of what a client was sent. `kind` is `rows`, `tag`, `error`, `notice`, `copy`, `control` or `cut`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a protocol can do; policy that needs what is absent refuses at load."""

    hold: bool
    mask: bool
    cancel: bool
    notices: bool


@dataclass(frozen=True, slots=True)
class ProtocolOutline:
    """What configuration and policy need of a wire protocol: it is made without loading what carries the protocol out.

    `parse_options` turns the connection's `options` mapping of the configuration into the protocol's frozen options and
    raises `ConfigurationError` for an unknown key. `analyst` loads the protocol's analysis when it is called.
    """

    name: str
    abilities: Abilities
    default_port: int
    parse_options: Callable[[Mapping[str, object]], object]
    analyst: Callable[[], Analyst]


@dataclass(frozen=True, slots=True)
class ProtocolSpec(ProtocolOutline):
    """Everything that the house needs of one wire protocol.

    `dial` gets the connection, the credential and the login's `requested`.
    `relay` gets the dial's result. `cancel` is the dialogue that cancels what runs on a dialled connection.
    `lookup` asks the catalog on a dialled connection of the gateway's own and ends with a `CatalogPage`; `fingerprint` asks
    there for a text that changes when anybody changed the catalog. Both may be run again and again on one connection.
    `survey` asks there for every table (of one schema, when one is given) and ends with a `Survey`; `sample` for some values of one
    table and ends with a `Sample`. Both leave the connection read-only, so it is used for nothing else.
    `session_name` is what the upstream calls a dialled session, which its other sessions may see: it takes the place of the first
    bytes of the cancel key (PostgreSQL: the 4 bytes of the process id, which clients compare and pass on; empty for none).
    `replay` turns what a client was sent (recorded bytes, perhaps cut short) into blocks of words.
    `say` is a message of an operator as bytes for a client of an idle session; empty where the protocol has no place for it.
    """

    message_table: Mapping[bytes, MessageRule]
    login: Callable[[LoginOptions], Login]
    dial: Callable[[Connection, Credential, Mapping[str, str]], Dialogue]
    relay: Callable[[object, Login, SessionFacts], Relay]
    cancel: Callable[[object], Dialogue]
    lookup: Callable[[CatalogNames, tuple[str, ...]], Dialogue]
    fingerprint: Callable[[], Dialogue]
    survey: Callable[[str | None], Dialogue]
    sample: Callable[[SampleRequest], Dialogue]
    replay: Callable[[bytes], Sequence[ReplayBlock]]
    session_name: Callable[[object], bytes] = lambda dialled: b""
    say: Callable[[str], bytes] = lambda text: b""


@dataclass(frozen=True, slots=True)
class BridgeSpec:
    """What the house needs to know of a protocol whose library owns its IO: it has no relay, no login and no message table.

    `default_port` is an upstream's, `listener_port` the gateway's own. The rest is as in `ProtocolOutline`.
    """

    name: str
    abilities: Abilities
    default_port: int
    listener_port: int
    parse_options: Callable[[Mapping[str, object]], object]
    analyst: Callable[[], Analyst]


__all__ = [
    "Abilities",
    "Allowed",
    "Analyst",
    "Answer",
    "Ask",
    "BridgeSpec",
    "BrowserLogin",
    "CancelAsked",
    "Close",
    "Confirm",
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
    "LoginOptions",
    "MessageRule",
    "Part",
    "ProtocolOutline",
    "ProtocolSpec",
    "Prove",
    "Refused",
    "Relay",
    "ReplayBlock",
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
