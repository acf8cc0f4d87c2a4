"""Logging in at a PostgreSQL upstream as the gateway's own role, and what was learned there.

Sources: PostgreSQL 17 §53.2.1 (start-up), §53.2.11 (TLS), §53.3 (SASL). The gateway asks for protocol 3.0. It never
answers a request for a cleartext password, and never goes on without TLS unless the options say so by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import md5
from typing import Final

from interpose.model.connection import Connection
from interpose.model.errors import InterposeError, UpstreamError
from interpose.protocols.contract import Credential
from interpose.protocols.dialogue import Done, Failed, Send, Step, UpgradeTls
from interpose.protocols.postgres.backend import read_fields, read_strings
from interpose.protocols.postgres.frames import Frames
from interpose.protocols.postgres.options import PostgresOptions, TlsMode
from interpose.protocols.postgres.scram import Scram
from interpose.protocols.postgres.startup import SSL_REQUEST_PACKET, Startup, encode_startup
from interpose.protocols.postgres.wire import INT32, BodyError, cstring, frame

_MAX_MESSAGE: Final = 1 << 20
_ALPN: Final = ("postgresql",)
_PINNED: Final = (("client_encoding", "UTF8"), ("standard_conforming_strings", "on"))
_PUBLIC: Final = {
    "28000": "the upstream refused the gateway's credential",
    "28P01": "the upstream refused the gateway's credential",
    "3D000": "the upstream has no such database",
    "53300": "the upstream takes no more connections",
    "57P03": "the upstream is starting up or shutting down",
}
_ASK_SESSION: Final = frame(b"Q", cstring("SHOW search_path; SHOW role"))


@dataclass(frozen=True, slots=True)
class Dialled:
    """An upstream session that is ready for use.

    `parameters` are its parameter reports, `key` its cancel key (process id and secret; empty when it gave none). `server_version` is the
    major version. `search_path` and `role` are what SHOW answered. `tls` and `server_name` repeat how it was dialled, for a cancel.
    """

    parameters: Mapping[str, str]
    key: bytes = field(repr=False)
    server_version: int
    search_path: str
    role: str
    options: PostgresOptions
    server_name: str
    protocol_version: str = "3.0"


def process_id(dialled: object) -> bytes:
    """The 4 bytes of the upstream's process id; empty when it gave no key. What `pg_backend_pid()` and notifications say."""
    return dialled.key[:4] if isinstance(dialled, Dialled) else b""


def tls_step(options: PostgresOptions, server_name: str) -> UpgradeTls:
    """The step that begins TLS as the options demand."""
    verify = {TlsMode.VERIFY_FULL: "full", TlsMode.VERIFY_CA: "ca"}.get(options.tls, "none")
    return UpgradeTls(server_name, verify, options.tls_ca_file, _ALPN)


def major_version(text: str) -> int:
    """The major version in a `server_version` report, e.g. 17 of `17.11 (Debian …)`; 0 when it cannot be told."""
    match = re.match(r"(\d+)", text)
    return int(match[1]) if match else 0


def upstream_fault(fields: Mapping[str, str]) -> UpstreamError:
    """An upstream's ErrorResponse as an error whose public message names no host, role or value."""
    sqlstate = fields.get("C", "")
    return UpstreamError(
        _PUBLIC.get(sqlstate, "the upstream refused the gateway"),
        detail=f"{sqlstate}: {fields.get('M', '')}",
        hint="ask the operator; the gateway's log has the details",
    )


class _Phase(Enum):
    TLS_ANSWER = "tls answer"
    TLS_HANDSHAKE = "tls handshake"
    AUTHENTICATION = "authentication"
    PARAMETERS = "parameters"
    SESSION = "session"
    OVER = "over"


class PostgresDial:
    """One login at the upstream. Ends with `Done(Dialled)` or `Failed`."""

    __slots__ = (
        "_certificate",
        "_credential",
        "_frames",
        "_key",
        "_options",
        "_parameters",
        "_phase",
        "_requested",
        "_scram",
        "_server_name",
        "_shown",
    )

    def __init__(self, connection: Connection, credential: Credential, requested: Mapping[str, str]) -> None:
        """`requested` are the client's harmless settings; raises `TypeError` for another protocol's options (our bug)."""
        if not isinstance(connection.options, PostgresOptions):
            raise TypeError("a PostgreSQL connection has PostgreSQL options")
        self._options = connection.options
        self._server_name = connection.options.tls_server_name or connection.address.host
        self._credential = credential
        self._requested = requested
        self._frames = Frames(_MAX_MESSAGE)
        self._parameters: dict[str, str] = {}
        self._key = b""
        self._certificate: bytes | None = None
        self._scram: Scram | None = None
        self._shown: list[str] = []
        self._phase = _Phase.TLS_ANSWER

    def start(self) -> list[Step]:
        """Ask for TLS, or begin at once where the options allow none."""
        if self._options.tls is TlsMode.INSECURE_PLAINTEXT:
            return self._startup()
        return [Send(SSL_REQUEST_PACKET)]

    def tls_started(self, certificate: bytes | None) -> list[Step]:
        """TLS is up: log in."""
        self._certificate = certificate
        return self._startup()

    def closed(self) -> list[Step]:
        """The upstream hung up."""
        if self._phase is _Phase.OVER:
            return []
        return self._fail(UpstreamError("the upstream closed the connection", detail=f"during {self._phase.value}"))

    def received(self, data: bytes) -> list[Step]:
        """Bytes from the upstream."""
        if self._phase is _Phase.OVER:
            return []
        self._frames.feed(data)
        steps: list[Step] = []
        try:
            if self._phase is _Phase.TLS_ANSWER:
                steps += self._tls_answer()
            if self._phase is _Phase.TLS_HANDSHAKE:
                if self._frames.rest:
                    raise UpstreamError(
                        "the upstream sent plain bytes into a TLS handshake", hint="somebody may sit between"
                    )
                return steps
            while not self._over() and (message := self._frames.next()) is not None:
                steps += self._message(*message)
        except BodyError as error:
            steps += self._fail(UpstreamError("the upstream broke the protocol", detail=str(error)))
        except InterposeError as error:
            steps += self._fail(error)
        return steps

    # --- within

    def _over(self) -> bool:
        return self._phase is _Phase.OVER

    def _fail(self, error: InterposeError) -> list[Step]:
        self._phase = _Phase.OVER
        self._credential = Credential("")
        return [Failed(error)]

    def _startup(self) -> list[Step]:
        self._phase = _Phase.AUTHENTICATION
        parameters = {
            "user": self._options.user,
            "database": self._options.database,
            **self._requested,
            **dict(_PINNED),
        }
        try:
            return [Send(encode_startup(Startup(0, tuple(parameters.items()))))]
        except ValueError:
            return self._fail(UpstreamError("a startup parameter holds a NUL"))

    def _tls_answer(self) -> list[Step]:
        answer = self._frames.take_raw(1)
        if answer == b"S":
            self._phase = _Phase.TLS_HANDSHAKE
            return [tls_step(self._options, self._server_name)]
        if answer == b"N" and self._options.tls is TlsMode.INSECURE_FALLBACK:
            return self._startup()
        if answer == b"N":
            raise UpstreamError(
                "the upstream offers no TLS",
                hint=f"turn on TLS there, or take the risk with `tls: {TlsMode.INSECURE_PLAINTEXT.value}`",
            )
        raise UpstreamError("the upstream does not speak PostgreSQL's protocol", detail="bad answer to SSLRequest")

    def _message(self, kind: bytes, body: bytes) -> list[Step]:
        if kind == b"E":
            raise upstream_fault(read_fields(body))
        if kind == b"N":
            return []
        if kind == b"R" and self._phase is _Phase.AUTHENTICATION:
            return self._authentication(body)
        if kind == b"S" and self._phase is not _Phase.AUTHENTICATION:
            name, value = read_strings(body, 2)
            self._parameters[name] = value
            return []
        if self._phase is _Phase.PARAMETERS:
            if kind == b"K" and 8 <= len(body) <= 260:
                self._key = body
                return []
            if kind == b"Z":
                self._phase = _Phase.SESSION
                return [Send(_ASK_SESSION)]
        if self._phase is _Phase.SESSION:
            return self._session(kind, body)
        raise UpstreamError(
            "the upstream broke the protocol", detail=f"unexpected message {kind!r} during {self._phase.value}"
        )

    def _authentication(self, body: bytes) -> list[Step]:
        if len(body) < 4:
            raise BodyError("authentication request is cut short")
        code, rest = INT32.unpack_from(body)[0], body[4:]
        if code == 0:
            if self._scram is not None and not self._scram.finished:
                raise UpstreamError(
                    "the upstream did not prove that it knows the gateway's credential",
                    hint="somebody may be posing as the upstream",
                )
            self._phase = _Phase.PARAMETERS
            self._credential = Credential("")
            return []
        if code == 10 and self._scram is None:
            offered = tuple(name.decode(errors="replace") for name in rest.split(b"\0") if name)
            self._scram = Scram(offered, self._options.user, self._credential.value, self._certificate)
            first = self._scram.first()
            return [Send(frame(b"p", cstring(self._scram.mechanism) + INT32.pack(len(first)) + first))]
        if code == 11 and self._scram is not None:
            return [Send(frame(b"p", self._scram.final(rest)))]
        if code == 12 and self._scram is not None:
            self._scram.verify(rest)
            return []
        if code == 5 and len(rest) == 4 and self._options.allow_md5_authentication and self._scram is None:
            inner = md5((self._credential.value + self._options.user).encode(), usedforsecurity=False).hexdigest()
            outer = md5(inner.encode() + rest, usedforsecurity=False).hexdigest()
            return [Send(frame(b"p", cstring(f"md5{outer}")))]
        wanted = {3: "a cleartext password", 5: "an MD5 password", 7: "GSSAPI", 9: "SSPI"}.get(code, f"method {code}")
        raise UpstreamError(
            "the upstream offers no authentication that the gateway accepts",
            detail=f"it asks for {wanted}",
            hint="use scram-sha-256 in the upstream's pg_hba.conf",
        )

    def _session(self, kind: bytes, body: bytes) -> list[Step]:
        if kind == b"D" and body[:2] == b"\0\1":
            self._shown.append(body[6:].decode(errors="replace"))
        elif kind == b"Z":
            return self._done()
        elif kind not in (b"T", b"C"):
            raise UpstreamError(
                "the upstream broke the protocol", detail=f"unexpected message {kind!r} in answer to SHOW"
            )
        return []

    def _done(self) -> list[Step]:
        if len(self._shown) != 2:
            raise UpstreamError("the upstream broke the protocol", detail="no answer to SHOW")
        for name, value in _PINNED:
            if self._parameters.get(name, value).upper() != value.upper():
                raise UpstreamError(f"the upstream did not accept `{name}`", detail=f"it is {self._parameters[name]}")
        self._phase = _Phase.OVER
        dialled = Dialled(
            parameters=self._parameters,
            key=self._key,
            server_version=major_version(self._parameters.get("server_version", "")),
            search_path=self._shown[0],
            role=self._shown[1],
            options=self._options,
            server_name=self._server_name,
        )
        return [Done(dialled, self._frames.rest)]
