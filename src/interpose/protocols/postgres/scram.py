"""SASL authentication at the upstream: SCRAM-SHA-256, with channel binding where it is offered (RFC 5802, RFC 7677, RFC 5929).

The mathematics is `scramp`'s, which also draws the client's nonce; this file chooses the mechanism and narrows what comes back.
"""

from __future__ import annotations

from hashlib import new as new_hash
from typing import Final, Protocol, cast

from cryptography.x509 import load_der_x509_certificate
from scramp import ScramClient, ScramException

from interpose.model.errors import UpstreamError

_PLAIN: Final = "SCRAM-SHA-256"
_PLUS: Final = "SCRAM-SHA-256-PLUS"

_MAX_ITERATIONS: Final = 1_000_000
"""A server that asks for more work than this is refused: it would stop the event loop for seconds."""


class _Client(Protocol):
    mechanism_name: str

    def get_client_first(self) -> str: ...
    def set_server_first(self, message: str) -> None: ...
    def get_client_final(self) -> str: ...
    def set_server_final(self, message: str) -> None: ...


def end_point_hash(certificate: bytes) -> bytes | None:
    """`tls-server-end-point` channel binding data of a DER certificate (RFC 5929 §4.1); None where it is not defined."""
    try:
        algorithm = load_der_x509_certificate(certificate).signature_hash_algorithm
    except ValueError:
        return None
    if algorithm is None:
        return None
    name = "sha256" if algorithm.name in ("md5", "sha1") else algorithm.name
    try:
        return new_hash(name, certificate).digest()
    except ValueError:
        return None


class Scram:
    """One SCRAM exchange as the client. Every method raises `UpstreamError` when the server does not hold to it."""

    __slots__ = ("_client", "_finished")

    def __init__(self, offered: tuple[str, ...], user: str, password: str, certificate: bytes | None) -> None:
        """`offered` are the server's mechanisms; `certificate` is its DER certificate when TLS is on."""
        data = end_point_hash(certificate) if certificate is not None else None
        binding = None if data is None else ("tls-server-end-point", data)
        if _PLUS in offered and binding is not None:
            mechanism = _PLUS
        elif _PLAIN in offered:
            # With `binding` the header says that the gateway could have bound the channel: a server that did offer it
            # sees that somebody took the offer away (RFC 5802 §6).
            mechanism = _PLAIN
        else:
            raise UpstreamError(
                "the upstream offers no authentication that the gateway accepts",
                detail=f"SASL mechanisms offered: {', '.join(offered) or 'none'}",
                hint="use scram-sha-256 in the upstream's pg_hba.conf",
            )
        try:
            self._client = cast("_Client", ScramClient([mechanism], user, password, channel_binding=binding))
        except ScramException as error:
            raise UpstreamError(
                "the gateway's credential cannot be used for SCRAM", detail="it holds prohibited characters"
            ) from error
        self._finished = False

    @property
    def mechanism(self) -> str:
        """The mechanism that was chosen."""
        return self._client.mechanism_name

    def first(self) -> bytes:
        """The client's first message."""
        return self._client.get_client_first().encode()

    def final(self, server_first: bytes) -> bytes:
        """The client's final message, in answer to the server's first."""
        try:
            text = server_first.decode("ascii")
            iterations = int(dict(part.split("=", 1) for part in text.split(",")).get("i", ""))
            if iterations > _MAX_ITERATIONS:
                raise ValueError("too many iterations")
            self._client.set_server_first(text)
            return self._client.get_client_final().encode()
        except (ScramException, ValueError, UnicodeDecodeError) as error:
            raise UpstreamError(
                "the upstream's authentication is malformed", detail=f"SCRAM: {type(error).__name__}"
            ) from error

    def verify(self, server_final: bytes) -> None:
        """Check the server's signature: it knows the password too."""
        try:
            self._client.set_server_final(server_final.decode("ascii"))
        except (ScramException, ValueError, UnicodeDecodeError) as error:
            raise UpstreamError(
                "the upstream did not prove that it knows the gateway's credential",
                detail=f"SCRAM: {type(error).__name__}",
                hint="somebody may be posing as the upstream",
            ) from error
        self._finished = True

    @property
    def finished(self) -> bool:
        """Whether the server has proved itself."""
        return self._finished
