"""What the API reads: the bodies of requests. An unknown key is an error."""

from __future__ import annotations

import msgspec

from interpose.engine.delegation import DEFAULT_SECONDS


class VoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a vote."""

    comment: str = ""


class EndBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request to end a session; the reason is told to its user."""

    reason: str = ""


class SayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a message to a session's user."""

    text: str


class CredentialBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request for a client certificate, and seconds: a signing request (PKCS #10, PEM), or an SSH public key (one line)."""

    request: str = ""
    ttl: float = 8 * 3600.0
    ssh_public_key: str = ""
    source_addresses: list[str] = []


class BootstrapBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request for the first access token: the one-time token, and whose the access token is to be."""

    token: str
    principal: str


class DelegationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request for an agent's token: what it is to do, where (null: wherever both may), and seconds."""

    agent: str
    task: str | None = None
    connections: list[str] | None = None
    ttl: float = DEFAULT_SECONDS
