"""One configured upstream, as policy and the engine see it; protocol settings are the protocol's own options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from interpose.model.ids import ConnectionName


class Durability(Enum):
    """When an audit event counts as appended."""

    STANDARD = "standard"
    """Written to the operating system: survives the gateway's death; synced to disk within 100 ms."""
    STRICT = "strict"
    """Synced to disk before the command is sent: survives the machine's death, costs one fdatasync a command."""


class CatalogCheck(Enum):
    """When it is checked, for those from whom columns are hidden, that the upstream's catalog is still what was judged by."""

    POLL = "poll"
    """Every `catalog_poll`: a change that somebody else makes is noticed that much later at the most."""
    EVERY_RESULT = "every_result"
    """Before each result is shown, and before what stores or sends something is sent; costs one lookup each time."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an upstream listens: a host name or address and a TCP port (1 to 65535)."""

    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Connection:
    """One upstream. `secret` is a reference (`env:NAME`, `file:/path`, `store:name`), never the credential itself.

    `options` is the protocol's own frozen options object (for PostgreSQL: database, user, TLS mode …); only that
    protocol's folder looks inside. `detect_content` asks for content detection on untagged values in results.
    `pseudonym_scope` names the scope whose pseudonyms can be compared; None means that the connection is its own.
    """

    name: ConnectionName
    protocol: str
    address: Address
    secret: str
    options: object
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    durability: Durability = Durability.STANDARD
    detect_content: bool = False
    pseudonym_scope: str | None = None
    catalog_check: CatalogCheck = CatalogCheck.POLL
