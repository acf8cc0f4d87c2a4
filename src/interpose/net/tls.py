"""A TLS channel without IO: ciphertext in, plaintext out and the other way, for both ends.

Built on `ssl.MemoryBIO` and `ssl.SSLObject`. What goes wrong is state (`failure`), never an exception, so that what was decrypted
before it still counts. It knows no sockets, no files and no protocol; contexts come from `certificates`.
"""

from __future__ import annotations

import ssl
from typing import Final

RECORD: Final = 16 * 1024
"""The longest plaintext of one TLS record (RFC 8446 §5.1)."""


class TlsChannel:
    """One end of one TLS connection.

    Feed what the socket gave to `receive` and send what `take_outgoing` answers after *every* call. `established` says that the
    handshake is over; `failure` is a short reason once it (or a later record) went wrong; `peer_closed` says
    that the peer sent close_notify.
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "established", "failure", "peer_closed")

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, server_name: str | None = None) -> None:
        """`server_name` (client side) is what is asked for by SNI and, under `full`, what the certificate must name."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name
        )
        self.established = False
        self.peer_closed = False
        self.failure: str | None = None

    def start(self) -> None:
        """Begin the handshake; a client then has its ClientHello in `take_outgoing`."""
        self._handshake()

    def receive(self, data: bytes) -> bytes:
        """Ciphertext from the socket to all plaintext that it completes; empty while there is none."""
        if self.failure is not None or self.peer_closed:
            return b""
        self._incoming.write(data)
        if not self.established:
            self._handshake()
            if not self.established:
                return b""
        return self._decrypt()

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt plaintext into what `take_outgoing` answers; after a failure it goes nowhere."""
        if self.failure is not None:
            return
        write = self._object.write
        try:
            size = len(data)
            done = write(data)
            if done < size:
                # OpenSSL makes one record a call (CPython sets SSL_MODE_ENABLE_PARTIAL_WRITE).
                rest = memoryview(data)
                while done < size:
                    done += write(rest[done : done + RECORD])
        except ssl.SSLError as error:
            self._fail(error)

    def take_outgoing(self) -> bytes:
        """All ciphertext that is due to the socket; empty when nothing is."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def shut(self) -> None:
        """Say close_notify; the peer's answer is not waited for (RFC 8446 §6.1 allows either side to close alone)."""
        if self.failure is not None or not self.established:
            return
        try:
            self._object.unwrap()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            self._fail(error)

    @property
    def alpn(self) -> str | None:
        """The application protocol that was negotiated (RFC 7301), None for none."""
        return self._object.selected_alpn_protocol()

    @property
    def peer_certificate(self) -> bytes | None:
        """The peer's certificate in DER, verified or not; None when it sent none."""
        return self._object.getpeercert(binary_form=True)

    @property
    def proven_certificate(self) -> bytes | None:
        """The peer's certificate in DER where it was verified in *this* handshake; None otherwise.

        INVARIANT: a resumed session proves nobody. It carries the certificate of the handshake that it began with, and whoever
        resumes it has shown no key.
        """
        if self._object.context.verify_mode is ssl.CERT_NONE or self._object.session_reused:
            return None
        return self.peer_certificate

    @property
    def version(self) -> str:
        """The protocol version, e.g. `TLSv1.3`; empty before the handshake is over."""
        return (self._object.version() or "") if self.established else ""

    def _handshake(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLError, ssl.CertificateError) as error:
            self._fail(error)
            return
        self.established = True

    def _decrypt(self) -> bytes:
        read = self._object.read
        incoming = self._incoming
        try:
            first = read(RECORD)
        except ssl.SSLError as error:
            self._stopped(error)
            return b""
        if not incoming.pending and not self._object.pending():
            # The common case, one record: nothing is left, so OpenSSL need not say so by an exception.
            if not first:
                self.peer_closed = True
            return first
        chunks = [first]
        try:
            while incoming.pending or self._object.pending():
                chunks.append(read(RECORD))
                if not chunks[-1]:
                    self.peer_closed = True
                    break
        except ssl.SSLError as error:
            self._stopped(error)
        return b"".join(chunks)

    def _stopped(self, error: ssl.SSLError) -> None:
        if isinstance(error, ssl.SSLWantReadError):
            return
        if isinstance(error, ssl.SSLZeroReturnError):
            self.peer_closed = True
            return
        self._fail(error)

    def _fail(self, error: ssl.SSLError) -> None:
        # The reason is OpenSSL's own word; a verification message names the fault of a certificate, never a value.
        if isinstance(error, ssl.SSLCertVerificationError):
            self.failure = f"certificate not accepted: {error.verify_message}"
        else:
            self.failure = (error.reason or type(error).__name__).lower().replace("_", " ")
