"""The options of a PostgreSQL connection, as the configuration gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from interpose.model.errors import ConfigurationError, Problem


class TlsMode(Enum):
    """How the gateway protects its connection to the upstream. What is not safe is named after its risk."""

    VERIFY_FULL = "verify-full"
    """TLS, certificate checked, and it must name the upstream's host. The default."""
    VERIFY_CA = "verify-ca"
    """TLS, certificate checked, its name is not."""
    REQUIRE = "require"
    """TLS, certificate not checked: whoever sits between can read and change everything."""
    INSECURE_FALLBACK = "insecure-fallback-to-plaintext"
    """TLS when the upstream offers it, else none (libpq calls this `prefer`)."""
    INSECURE_PLAINTEXT = "insecure-plaintext"
    """No TLS (libpq calls this `disable`)."""


_LIBPQ_NAMES = {
    "disable": TlsMode.INSECURE_PLAINTEXT,
    "prefer": TlsMode.INSECURE_FALLBACK,
    "allow": TlsMode.INSECURE_FALLBACK,
}


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """Where and as whom the gateway logs in. `tls_server_name` replaces the host's name in the certificate check.

    `allow_md5_authentication` lets the upstream ask for an MD5 password hash, which can be replayed by whoever sees it.
    """

    database: str
    user: str
    tls: TlsMode = TlsMode.VERIFY_FULL
    tls_ca_file: str | None = None
    tls_server_name: str | None = None
    allow_md5_authentication: bool = False


_KEYS = ("database", "user", "tls", "tls_ca_file", "tls_server_name", "allow_md5_authentication")


def _text(raw: Mapping[str, object], key: str, problems: list[Problem]) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str) or not value or "\0" in value:
        problems.append(Problem(f"`{key}` must be a text", hint=f"add `{key}:` to the connection's options"))
        return ""
    return value


def _optional_text(raw: Mapping[str, object], key: str, problems: list[Problem]) -> str | None:
    return None if raw.get(key) is None else _text(raw, key, problems)


def _mode(raw: Mapping[str, object], problems: list[Problem]) -> TlsMode:
    value = raw.get("tls", TlsMode.VERIFY_FULL.value)
    if isinstance(value, str):
        if value in _LIBPQ_NAMES:
            risky = _LIBPQ_NAMES[value].value
            problems.append(Problem(f"`tls: {value}` is not safe", hint=f"write `tls: {risky}` if you take that risk"))
            return TlsMode.VERIFY_FULL
        for mode in TlsMode:
            if mode.value == value:
                return mode
    modes = ", ".join(mode.value for mode in TlsMode)
    problems.append(Problem(f"`tls: {value}` is no TLS mode", hint=f"one of {modes}"))
    return TlsMode.VERIFY_FULL


def parse_options(raw: Mapping[str, object]) -> PostgresOptions:
    """The options in `raw`; raises `ConfigurationError` with every fault, an unknown key included."""
    problems: list[Problem] = []
    for key in raw:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, 1)
            problems.append(
                Problem(
                    f"unknown option `{key}`",
                    hint=f"did you mean `{close[0]}`?" if close else f"known options: {', '.join(_KEYS)}",
                )
            )
    md5 = raw.get("allow_md5_authentication", False)
    if not isinstance(md5, bool):
        problems.append(Problem("`allow_md5_authentication` must be true or false"))
    options = PostgresOptions(
        database=_text(raw, "database", problems),
        user=_text(raw, "user", problems),
        tls=_mode(raw, problems),
        tls_ca_file=_optional_text(raw, "tls_ca_file", problems),
        tls_server_name=_optional_text(raw, "tls_server_name", problems),
        allow_md5_authentication=md5 is True,
    )
    if problems:
        raise ConfigurationError("the PostgreSQL options are wrong", problems=tuple(problems))
    return options
