"""Dialogues: conversations that the gateway has with an upstream on its own account (logging in, catalog lookups, cancel).

Sans-IO like everything here: a dialogue gets bytes and returns steps, and `net.upstream` carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from interpose.model.errors import InterposeError


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
