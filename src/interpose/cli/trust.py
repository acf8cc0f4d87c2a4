"""What this machine's commands believe of servers: the form of their address, and the authorities of their certificates."""

from __future__ import annotations

import ssl
from urllib.parse import SplitResult, urlsplit

from interpose.model.errors import ClientError


def client_tls(authority: str | None) -> ssl.SSLContext:
    """TLS that believes the authorities of this PEM file, those of the system without one; raises `ClientError` for a file that has none."""
    try:
        return ssl.create_default_context(cafile=authority or None)
    except OSError as error:  # ssl.SSLError is one
        raise ClientError(
            f"the authority file `{authority}` cannot be used",
            detail=str(error),
            hint="INTERPOSE_CA_FILE names a PEM file with certificates",
        ) from error


def split_address(url: str) -> SplitResult | None:
    """The parts of a server's `http` or `https` address; None for what is none."""
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and " " not in url
    return parts if sound and plain and parts.scheme in ("http", "https") else None
