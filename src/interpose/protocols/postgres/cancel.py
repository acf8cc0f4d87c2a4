"""Asking an upstream to cancel what runs on a dialled session (PostgreSQL 17 §53.2.9)."""

from __future__ import annotations

from interpose.model.errors import UpstreamError
from interpose.protocols.dialogue import Done, Failed, Send, Step
from interpose.protocols.postgres.dial import Dialled, tls_step
from interpose.protocols.postgres.options import TlsMode
from interpose.protocols.postgres.startup import SSL_REQUEST_PACKET, encode_cancel


class PostgresCancel:
    """Asks the upstream to cancel what runs on a dialled session: its own key, on a connection of its own, with the same TLS.

    INVARIANT: it ends when the upstream closes that connection, not when the request is sent: only then has the signal been
    given. Whoever goes on before may have their next statement cancelled instead (libpq's PQcancel waits just so).
    """

    __slots__ = ("_asked", "_dialled", "_over")

    def __init__(self, dialled: object) -> None:
        """`dialled` is what `PostgresDial` ended with; raises `TypeError` for anything else (our bug)."""
        if not isinstance(dialled, Dialled):
            raise TypeError("a PostgreSQL cancel needs what the PostgreSQL dial ended with")
        self._dialled = dialled
        self._asked = False
        self._over = False

    def start(self) -> list[Step]:
        """Ask for TLS, or send the request at once."""
        if not self._dialled.key:
            self._over = True
            return [Failed(UpstreamError("the upstream gave no cancel key"))]
        if self._dialled.options.tls is TlsMode.INSECURE_PLAINTEXT:
            return self._request()
        return [Send(SSL_REQUEST_PACKET)]

    def tls_started(self, certificate: bytes | None) -> list[Step]:
        """TLS is up: send the request."""
        return self._request()

    def received(self, data: bytes) -> list[Step]:
        """The answer to SSLRequest; nothing else is ever sent."""
        if self._over or self._asked:
            return []
        if data == b"S":
            return [tls_step(self._dialled.options, self._dialled.server_name)]
        if data == b"N" and self._dialled.options.tls is TlsMode.INSECURE_FALLBACK:
            return self._request()
        self._over = True
        return [Failed(UpstreamError("the upstream did not take the cancel request", detail="no TLS for it"))]

    def closed(self) -> list[Step]:
        """The upstream hung up: its only answer to a request, and a failure before it."""
        if self._over:
            return []
        self._over = True
        if self._asked:
            return [Done(None)]
        return [Failed(UpstreamError("the upstream did not take the cancel request", detail="it hung up"))]

    def _request(self) -> list[Step]:
        self._asked = True
        return [Send(encode_cancel(self._dialled.key))]
