"""The first packets of a connection, which have no type byte, and the startup parameters that are let through.

Sources: PostgreSQL 17 §53.2.1 (start-up), §53.7 (StartupMessage, CancelRequest, SSLRequest, GSSENCRequest).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from interpose.protocols.postgres.wire import UINT32, BodyError, cstring, text_until_nul

MAX_STARTUP: Final = 10_000
"""The longest first packet that the server takes (MAX_STARTUP_PACKET_LENGTH), and so do we."""

MAX_PASSWORD: Final = 16 * 1024
"""The longest password message: enough for any workload token. PostgreSQL itself takes 65,535 bytes (PG_MAX_AUTH_TOKEN_LENGTH)."""

SSL_REQUEST: Final = 80877103
GSSENC_REQUEST: Final = 80877104
CANCEL_REQUEST: Final = 80877102
SSL_REQUEST_PACKET: Final = UINT32.pack(8) + UINT32.pack(SSL_REQUEST)


@dataclass(frozen=True, slots=True)
class Startup:
    """A decoded StartupMessage: the minor version that was asked for and the parameters in order."""

    minor: int
    parameters: tuple[tuple[str, str], ...]


def decode_startup(packet: bytes) -> Startup:
    """A whole StartupMessage, its length included; raises `BodyError`."""
    version = UINT32.unpack_from(packet, 4)[0]
    if version >> 16 != 3:
        raise BodyError(
            f"unsupported frontend protocol {version >> 16}.{version & 0xFFFF}: server supports 3.0 to 3.2", "0A000"
        )
    position = 8
    parameters: list[tuple[str, str]] = []
    while True:
        if position >= len(packet):
            raise BodyError("invalid startup packet layout: expected terminator as last byte")
        if packet[position] == 0:
            break
        name, position = text_until_nul(packet, position)
        value, position = text_until_nul(packet, position)
        parameters.append((name, value))
    if position != len(packet) - 1:
        raise BodyError("invalid startup packet layout: expected terminator as last byte")
    return Startup(version & 0xFFFF, tuple(parameters))


def encode_startup(startup: Startup) -> bytes:
    """The StartupMessage that decodes to `startup`."""
    body = UINT32.pack(3 << 16 | startup.minor)
    body += b"".join(cstring(name) + cstring(value) for name, value in startup.parameters) + b"\0"
    return UINT32.pack(len(body) + 4) + body


def encode_cancel(key: bytes) -> bytes:
    """A CancelRequest for a key: process id and secret as BackendKeyData gave them."""
    return UINT32.pack(8 + len(key)) + UINT32.pack(CANCEL_REQUEST) + key


HARMLESS_SETTINGS: Final = frozenset(
    {
        "application_name",
        "client_min_messages",
        "datestyle",
        "default_transaction_deferrable",
        "default_transaction_isolation",
        "default_transaction_read_only",
        "extra_float_digits",
        "geqo",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "intervalstyle",
        "jit",
        "lock_timeout",
        "search_path",
        "statement_timeout",
        "timezone",
        "transaction_timeout",
    }
)
"""Settings that a client may choose at startup: they change how values are written, how long things may take, or where names
are looked up (which the relay asks the upstream for). Nothing here changes how a text is read."""

_PINNED: Final = {
    "client_encoding": ("utf8", "unicode", "sqlascii"),
    "standard_conforming_strings": ("on", "true", "yes", "1"),
}
"""Settings that the gateway sets itself: asking for the same (or, for `SQL_ASCII`, for no conversion) changes nothing."""

LOGIN_SETTING: Final = "interpose.login"
"""The gateway's own setting: with `browser` the client asks to be confirmed in a browser. It never goes to an upstream."""

_SETTING: Final = re.compile(r"(?:-c|--)([A-Za-z_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)


class ParameterRefused(Exception):  # noqa: N818 - it is a refusal's text on its way to the login
    """A startup parameter is not in the closed list; the text and the hint are safe to show."""

    def __init__(self, message: str, hint: str) -> None:
        """Both in words for the client."""
        super().__init__(message)
        self.hint = hint


def _setting(name: str, value: str) -> tuple[str, str] | None:
    """The setting to hand on, or None when the gateway sets it anyway; raises `ParameterRefused`."""
    folded = name.lower()
    if folded in HARMLESS_SETTINGS:
        return folded, value
    if folded == LOGIN_SETTING:
        if value.strip().lower() != "browser":
            raise ParameterRefused(f"`{LOGIN_SETTING}` cannot be `{value}`", f"write `{LOGIN_SETTING}=browser`")
        return folded, "browser"
    if folded in _PINNED:
        if re.sub(r"[\s'\"_-]", "", value).lower() in _PINNED[folded]:
            return None
        raise ParameterRefused(
            f"`{folded}` cannot be `{value}` through this gateway", "leave it out, or set PGCLIENTENCODING=UTF8"
        )
    raise ParameterRefused(
        f"startup parameter `{name}` is not permitted",
        "leave it out and use SET after connecting, if policy permits that",
    )


def split_options(text: str) -> list[str]:
    """The words of an `options` parameter: separated by white space, a backslash takes the next character as it is."""
    words: list[str] = []
    word: list[str] | None = None
    characters = iter(text)
    for character in characters:
        if character in " \t\n\r\v\f":
            if word is not None:
                words.append("".join(word))
            word = None
            continue
        word = [] if word is None else word
        word.append(next(characters, "") if character == "\\" else character)
    if word is not None:
        words.append("".join(word))
    return words


def _from_options(text: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    words = iter(split_options(text))
    for word in words:
        if word == "-c":
            word += next(words, "")
        match = _SETTING.fullmatch(word)
        if match is None:
            raise ParameterRefused(
                f"startup option `{word}` is not permitted", "only `-c name=value` with harmless settings is understood"
            )
        setting = _setting(match[1].replace("-", "_") if word.startswith("--") else match[1], match[2])
        if setting is not None:
            settings[setting[0]] = setting[1]
    return settings


def requested_settings(startup: Startup) -> dict[str, str]:
    """The settings that go to the upstream as they are, and `LOGIN_SETTING`; raises `ParameterRefused` for any that is not in the closed list."""
    from_options: dict[str, str] = {}
    settings: dict[str, str] = {}
    for name, value in startup.parameters:
        if name in ("user", "database") or name.startswith("_pq_."):
            continue
        if name == "replication":
            if value.lower() not in ("false", "off", "no", "0", "f", "n"):
                raise ParameterRefused("replication connections are refused", "a replication stream cannot be judged")
        elif name == "options":
            from_options.update(_from_options(value))
        else:
            setting = _setting(name, value)
            if setting is not None:
                settings[setting[0]] = setting[1]
    # A parameter of its own wins over the same one in `options`, as on the server.
    return from_options | settings
