"""The client's side of a PostgreSQL handshake: TLS, startup, and the access token as a cleartext password, or a certificate.

Sources: PostgreSQL 17 §53.2.1 (start-up), §53.2.11 (TLS, direct TLS), §53.2.12 (GSSAPI), §53.2.9 (cancel); protocol 3.2 as in
PostgreSQL 18 §54. What the client says of itself is evidence and nothing more: who it is, the engine decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from interpose.model.refusal import ConfirmationNotice, Refusal
from interpose.protocols.contract import BrowserLogin, LoginOptions
from interpose.protocols.intents import CancelAsked, Close, Confirm, Evidence, LoginIntent, Prove, Reply, StartTls
from interpose.protocols.postgres.backend import AUTHENTICATION_OK, CLEARTEXT_PASSWORD, error_message, negotiate_version
from interpose.protocols.postgres.messages import decode_password
from interpose.protocols.postgres.refusals import confirmation_message, refusal_message
from interpose.protocols.postgres.startup import (
    CANCEL_REQUEST,
    GSSENC_REQUEST,
    LOGIN_SETTING,
    MAX_PASSWORD,
    MAX_STARTUP,
    SSL_REQUEST,
    ParameterRefused,
    Startup,
    decode_startup,
    requested_settings,
)
from interpose.protocols.postgres.wire import UINT32, BodyError

_MAX_EARLY: Final = 64 * 1024
"""Bytes that a client may send behind its password before it was let in."""

_NEWEST_MINOR: Final = 2

_BROWSER_WORDS: Final = frozenset({"", "browser"})
"""Passwords that ask for a login in the browser, where that is offered. libpq never sends an empty one, so there is a word as well;
neither can be a token."""


class _Phase(Enum):
    FIRST = "first"
    TLS_HANDSHAKE = "tls handshake"
    PASSWORD = "password"  # noqa: S105
    PROVING = "proving"
    OVER = "over"


class PostgresLogin:
    """One client's handshake. `minor` is the protocol's minor version as negotiated (0 or 2)."""

    __slots__ = (
        "_admitted",
        "_asked_gss",
        "_buffer",
        "_certificate",
        "_direct",
        "_options",
        "_phase",
        "_requested",
        "_startup",
        "_tls",
        "minor",
    )

    def __init__(self, options: LoginOptions) -> None:
        """`options` say what the listener offers."""
        self._options = options
        self._phase = _Phase.FIRST
        self._buffer = b""
        self._tls = False
        self._admitted = False
        self._certificate: bytes | None = None
        self._direct = False
        self._asked_gss = False
        self._startup: Startup | None = None
        self._requested: dict[str, str] = {}
        self.minor = 0

    @property
    def requested(self) -> Mapping[str, str]:
        """The settings that go to the upstream as they are; names in lower case."""
        return self._requested

    def leftover(self) -> bytes:
        """Client bytes behind the password."""
        return self._buffer

    def client_bytes(self, data: bytes) -> list[LoginIntent]:
        """Bytes from the client, cut anywhere."""
        if self._phase is _Phase.OVER:
            return []
        self._buffer += data
        intents: list[LoginIntent] = []
        while self._phase in (_Phase.FIRST, _Phase.PASSWORD):
            step = self._first() if self._phase is _Phase.FIRST else self._password()
            if step is None:
                break
            intents += step
        if self._phase is _Phase.TLS_HANDSHAKE and self._buffer:
            intents += self._fatal("08P01", "received unencrypted data after SSL request")
        if self._phase is _Phase.PROVING and len(self._buffer) > _MAX_EARLY:
            intents += self._fatal("08P01", "too much data before the login was over")
        return intents

    def tls_started(self, alpn: str | None, certificate: bytes | None = None) -> list[LoginIntent]:
        """TLS is up. A client that began with TLS must have asked for `postgresql` by ALPN (against cross-protocol attacks)."""
        if self._phase is not _Phase.TLS_HANDSHAKE:
            return []
        if self._direct and alpn != "postgresql":
            return self._close("tls_without_alpn")
        if alpn not in (None, "postgresql"):
            return self._close("tls_wrong_alpn")
        self._tls = True
        self._certificate = certificate
        self._phase = _Phase.FIRST
        return []

    def confirming(self, notice: ConfirmationNotice) -> list[LoginIntent]:
        """AuthenticationOk and a notice. INVARIANT: no ReadyForQuery: the client can send no command before somebody has confirmed.

        In this order, since libpq takes no notice before the authentication request is answered, and prints one at once afterwards.
        """
        if self._phase is not _Phase.PROVING or self._admitted:
            return []
        self._admitted = True
        return [Reply(AUTHENTICATION_OK + confirmation_message(notice))]

    def refused(self, refusal: Refusal) -> list[LoginIntent]:
        """A readable last word, then `Close`."""
        if self._phase is _Phase.OVER:
            return []
        self._phase = _Phase.OVER
        return [Reply(refusal_message(refusal, "FATAL")), Close(refusal.code)]

    def accepted(self) -> list[LoginIntent]:
        """AuthenticationOk, where it was not said before; what follows is the relay's."""
        if self._phase is not _Phase.PROVING:
            return []
        self._phase = _Phase.OVER
        return [] if self._admitted else [Reply(AUTHENTICATION_OK)]

    # --- within

    def _close(self, reason: str) -> list[LoginIntent]:
        self._phase = _Phase.OVER
        self._buffer = b""
        return [Close(reason)]

    def _fatal(self, sqlstate: str, message: str, hint: str = "") -> list[LoginIntent]:
        self._phase = _Phase.OVER
        self._buffer = b""
        return [Reply(error_message("FATAL", sqlstate, message, hint=hint)), Close("login_refused", message)]

    def _first(self) -> list[LoginIntent] | None:
        """The next packet without a type byte; None when more bytes are needed."""
        buffer = self._buffer
        if buffer[:1] == b"\x16" and not self._tls:
            return self._direct_tls()
        if len(buffer) < 4:
            return None
        length = UINT32.unpack_from(buffer)[0]
        if not 8 <= length <= MAX_STARTUP:
            return self._fatal("08P01", "invalid length of startup packet")
        if len(buffer) < length:
            return None
        packet, self._buffer = buffer[:length], buffer[length:]
        code = UINT32.unpack_from(packet, 4)[0]
        if code == CANCEL_REQUEST:
            return self._cancel(packet)
        if code == SSL_REQUEST:
            return self._ssl(length)
        if code == GSSENC_REQUEST:
            if length != 8 or self._asked_gss or self._tls:
                return self._fatal("08P01", "unexpected GSSENCRequest")
            self._asked_gss = True
            return [Reply(b"N")]
        try:
            return self._start(decode_startup(packet))
        except BodyError as error:
            return self._fatal(error.sqlstate, str(error))
        except ParameterRefused as error:
            return self._fatal("42501", str(error), error.hint)

    def _direct_tls(self) -> list[LoginIntent]:
        if not self._options.tls or self._asked_gss:
            return self._close("tls_not_offered")
        pending, self._buffer = self._buffer, b""
        self._direct = True
        self._phase = _Phase.TLS_HANDSHAKE
        return [StartTls(pending)]

    def _ssl(self, length: int) -> list[LoginIntent]:
        if length != 8 or self._tls:
            return self._fatal("08P01", "unexpected SSLRequest")
        if not self._options.tls:
            return [Reply(b"N")]
        if self._buffer:
            # Bytes that were sent in clear must never be read as if they had come through TLS (CVE-2021-23214).
            return self._fatal("08P01", "received unencrypted data after SSL request")
        self._phase = _Phase.TLS_HANDSHAKE
        return [Reply(b"S"), StartTls()]

    def _cancel(self, packet: bytes) -> list[LoginIntent]:
        key = packet[8:]
        if self._buffer or not 8 <= len(key) <= 260:
            return self._close("bad_cancel_request")
        self._phase = _Phase.OVER
        return [CancelAsked(key)]

    def _start(self, startup: Startup) -> list[LoginIntent]:
        parameters = dict(startup.parameters)
        unknown = [name for name, _ in startup.parameters if name.startswith("_pq_.")]
        requested = requested_settings(startup)
        asks_for_browser = requested.pop(LOGIN_SETTING, None) is not None
        self._requested = requested
        if len(parameters) != len(startup.parameters):
            return self._fatal("08P01", "a startup parameter is given twice")
        if not parameters.get("user"):
            return self._fatal("28000", "no PostgreSQL user name specified in startup packet")
        if not self._tls and not self._options.allow_plaintext_tokens:
            return self._fatal(
                "28000", "this gateway takes access tokens only over TLS", "connect with sslmode=require"
            )
        if asks_for_browser and self._options.browser is BrowserLogin.NEVER:
            return self._fatal(
                "28000", "nobody logs in by a browser at this port", "give an access token as the password"
            )
        self.minor = _NEWEST_MINOR if startup.minor >= _NEWEST_MINOR else 0
        self._startup = startup
        self._phase = _Phase.PASSWORD
        intents: list[LoginIntent] = []
        if unknown or startup.minor not in (0, _NEWEST_MINOR):
            intents.append(Reply(negotiate_version(self.minor, unknown)))
        if self._certificate is not None:
            intents.append(self._prove(startup, ""))
        elif asks_for_browser or self._options.browser is BrowserLogin.ALWAYS:
            intents.append(self._confirm(startup))
        else:
            intents.append(Reply(CLEARTEXT_PASSWORD))
        return intents

    def _password(self) -> list[LoginIntent] | None:
        buffer, startup = self._buffer, self._startup
        if startup is None or len(buffer) < 5:
            return self._fatal("08P01", "expected a password") if buffer[:1] not in (b"", b"p") else None
        if buffer[:1] != b"p":
            return self._fatal("08P01", "expected a password")
        length = UINT32.unpack_from(buffer, 1)[0]
        if not 5 <= length <= MAX_PASSWORD:
            return self._fatal("08P01", "invalid length of password packet")
        if len(buffer) < length + 1:
            return None
        body, self._buffer = buffer[5 : length + 1], buffer[length + 1 :]
        try:
            token = decode_password(body).password
        except BodyError as error:
            return self._fatal(error.sqlstate, str(error))
        if self._options.browser is not BrowserLogin.NEVER and token.strip().lower() in _BROWSER_WORDS:
            return [self._confirm(startup)]
        if not token:
            return self._fatal(
                "28P01", "the password is empty", "give an access token (`interpose token create`) as the password"
            )
        return [self._prove(startup, token)]

    def _confirm(self, startup: Startup) -> Confirm:
        return Confirm(self._prove(startup, "").evidence)

    def _prove(self, startup: Startup, token: str) -> Prove:
        parameters = dict(startup.parameters)
        self._phase = _Phase.PROVING
        user = parameters["user"]
        details = {"protocol": f"3.{self.minor}", "tls": "yes" if self._tls else "no"}
        if parameters.get("application_name"):
            details["application_name"] = parameters["application_name"]
        return Prove(Evidence(user, parameters.get("database") or user, token, details, self._certificate))
