"""TLS contexts from files: the gateway's own certificate with hot reload, and the ways to verify an upstream.

Reads files in threads, never in the event loop. A bad new certificate leaves the old one serving.
"""

from __future__ import annotations

import ssl
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from interpose.model.errors import ConfigurationError, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

_Stamp = tuple[tuple[int, int, int], ...]
_Verification = tuple[str, str | None, tuple[str, ...]]


_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (OpenSSL, x509_vfy.h), which Python's `ssl` has no name for."""


def _no_clients() -> str:
    return ""


def _stamp(paths: tuple[Path, ...]) -> _Stamp:
    """What changes when a file is replaced or rewritten: inode, size and modification time of each."""
    stats = [path.stat() for path in paths]
    return tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)


def _no_passphrase() -> str:
    # Without this OpenSSL asks on the terminal, and the gateway hangs at start.
    raise ssl.SSLError("the key is encrypted")


def server_context(certificate: Path, key: Path, alpn: tuple[str, ...], clients: str = "") -> ssl.SSLContext:
    """A server's context: TLS 1.2 or newer, no renegotiation, no tickets; raises `ConfigurationError`.

    `clients` are the roots (PEM) of which a client may show a certificate; empty: none is asked for.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Sessions are long and never resumed; a ticket would only be bytes, and a key shared between workers.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    if alpn:
        context.set_alpn_protocols(list(alpn))
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (OSError, ssl.SSLError) as error:
        # ssl.SSLError is an OSError; its text names the fault, never the key.
        raise ConfigurationError(
            f"the TLS certificate `{certificate}` with key `{key}` cannot be used",
            detail=str(error),
            hint="give a PEM certificate chain and its unencrypted PEM key, readable by the gateway",
        ) from error
    if clients:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=clients)
        # The login compares the times itself, by the record of the certificate, and can then say what is wrong.
        context.verify_flags |= _NO_CHECK_TIME
    return context


def _loaded(certificate: Path, key: Path, alpn: tuple[str, ...], clients: str) -> tuple[ssl.SSLContext, Leaf]:
    """A server's context and what it shows; raises `ConfigurationError`."""
    context = server_context(certificate, key, alpn, clients)
    try:
        # The first of the chain, as OpenSSL takes it (SSL_CTX_use_certificate_chain_file(3)).
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except ValueError as error:
        raise ConfigurationError(f"the TLS certificate `{certificate}` cannot be used", detail=str(error)) from error
    return context, Leaf(leaf.fingerprint(hashes.SHA256()).hex(), int(leaf.not_valid_after_utc.timestamp()))


def _stamp_of(certificate: Path, key: Path) -> _Stamp:
    """As `_stamp`, or nothing where there is no file: what is wrong is told by whoever loads it."""
    try:
        return _stamp((certificate, key))
    except OSError:
        return ()


def _open_to_others(key: Path) -> bool:
    """Whether everybody may read or write a key's file; False when it is gone by now."""
    try:
        return bool(key.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False


def brings_root(certificate: Path) -> bool:
    """Whether a PEM chain holds a self-signed certificate, which no public authority's chain does; False when it cannot be read."""
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    except (OSError, ValueError):
        return False
    return any(each.issuer == each.subject for each in chain)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is told of a served certificate: its SHA-256 fingerprint (hexadecimal), and when it ends (wall clock, whole seconds)."""

    fingerprint: str
    expires_at: int


class ServerCertificate:
    """The gateway's own certificate. `context` is the newest good one and `leaf` what it shows; `look` keeps them so.

    `exposed` says that everybody on the machine may read or write the key as it was loaded; `fault` says why the files as they were looked at last cannot be used; None when they serve.
    """

    __slots__ = (
        "_alpn", "_certificate", "_clients", "_faulty", "_key", "_known_clients", "_seen", "context", "exposed", "fault", "leaf",
    )  # fmt: skip

    def __init__(
        self, certificate: Path, key: Path, *, alpn: tuple[str, ...], clients: Callable[[], str] = _no_clients
    ) -> None:
        """Load, blocking; raises `ConfigurationError`. `clients` answers the roots of client certificates (PEM) as they are now."""
        self._certificate = certificate
        self._key = key
        self._alpn = alpn
        self._faulty: _Stamp | None = None
        self._clients = clients
        self._known_clients = clients()
        self.fault: ConfigurationError | None = None
        # First the state, then what is in the files: what is written between the two is seen by the next look.
        self._seen = _stamp_of(certificate, key)
        self.context, self.leaf = _loaded(certificate, key, alpn, self._known_clients)
        self.exposed = _open_to_others(key)

    def server(self) -> ssl.SSLContext:
        """A context for a library that takes one for good: whoever connects is shown the newest certificate."""
        context = server_context(self._certificate, self._key, self._alpn, self._known_clients)

        def show(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
            connection.context = self.context

        # OpenSSL asks it of every client, of one that names no server as well.
        context.sni_callback = show
        return context

    def look(self) -> bool:
        """Look at the files now, blocking; True when a new certificate was loaded.

        Raises `ConfigurationError` for a new one that cannot be used: once for each state of the files, not at every look.
        """
        stamp: _Stamp = ()
        try:
            stamp = _stamp((self._certificate, self._key))
            clients = self._clients()
            if stamp in (self._seen, self._faulty) and clients == self._known_clients:
                if stamp == self._seen:
                    # What serves is what is there again.
                    self.fault = self._faulty = None
                return False
            context, leaf = _loaded(self._certificate, self._key, self._alpn, clients)
        except OSError as error:
            if self._faulty == stamp:
                return False
            self._faulty = stamp
            self.fault = ConfigurationError(
                f"the TLS certificate `{self._certificate}` cannot be read; the old one goes on serving",
                detail=error.strerror or type(error).__name__,
                hint="put the file back or reload with another",
            )
            raise self.fault from error
        except ConfigurationError as error:
            # What was seen stays: certificate and key are often replaced one after the other, and the next look sees both.
            self._faulty = stamp
            self.fault = error
            raise
        self.context, self.leaf, self.fault = context, leaf, None
        self.exposed = _open_to_others(self._key)
        self._known_clients = clients
        self._seen = stamp
        self._faulty = None
        return True


class ClientContexts:
    """Contexts towards upstreams, one for each way to verify; an authority file that changed is read again."""

    __slots__ = ("_made", "_monotonic", "_trusted_for")

    def __init__(self, monotonic: Callable[[], float], *, trusted_for: float = 5.0) -> None:
        """Nothing is read before the first dial. A context is used for `trusted_for` seconds before its file is looked at."""
        self._made: dict[_Verification, tuple[_Stamp, float, ssl.SSLContext]] = {}
        self._monotonic = monotonic
        self._trusted_for = trusted_for

    def ready(self, verify: str, ca_file: str | None, alpn: tuple[str, ...]) -> ssl.SSLContext | None:
        """The context, if that takes no look at files."""
        known = self._made.get((verify, ca_file, alpn))
        if known is None or (ca_file is not None and self._monotonic() - known[1] > self._trusted_for):
            return None
        return known[2]

    def make(self, verify: str, ca_file: str | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
        """The context for `verify` = `none`, `ca` or `full`, blocking; raises `UpstreamError` when it cannot be made.

        `ca` checks the chain, `full` the name as well. `none` checks nothing: whoever offers that to an operator names the risk.
        """
        key = (verify, ca_file, alpn)
        try:
            stamp = _stamp((Path(ca_file),)) if ca_file is not None else ()
            known = self._made.get(key)
            same = known is not None and known[0] == stamp
            context = known[2] if known is not None and same else _client_context(verify, ca_file, alpn)
        except OSError as error:
            raise UpstreamError(
                "the upstream's identity cannot be checked",
                detail=f"authority file `{ca_file}`: {error.strerror or error}",
                hint="ask an operator to look at the connection's TLS settings",
            ) from error
        self._made[key] = (stamp, self._monotonic(), context)
        return context


def _client_context(verify: str, ca_file: str | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if verify == "full":
        context.check_hostname = True
    elif verify == "ca":
        context.check_hostname = False
    elif verify == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    else:
        # INVARIANT: only the exact word `none` turns verification off.
        raise UpstreamError("the upstream's identity cannot be checked", detail=f"unknown TLS verification `{verify}`")
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=ca_file)
    return context
