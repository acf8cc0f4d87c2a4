"""The options of an SSH connection, as the configuration gives them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from interpose.bridges.ssh.algorithms import HOST_KEY_TYPES
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.paths import is_canonical

OPTION_KEYS: Final = ("user", "host_key", "home", "file_hash", "record_files", "resolve_forwards", "record_forwards")
"""What a connection's options may have; `user` and `host_key` are required."""
RESOLVERS: Final = ("upstream", "gateway")
"""Who finds the address of a forward's name; the first is what holds unless something else is said."""
OWN_CERTIFICATE: Final = "ca"
"""A connection's `secret`, where the upstream trusts the gateway's own authority and nothing is kept."""

_HOW: Final = "write `ssh-ed25519 AAAA…`, as in the host's /etc/ssh/ssh_host_ed25519_key.pub"


@dataclass(frozen=True, slots=True)
class SshOptions:
    """As whom the gateway logs in, and the host's public keys (`type base64`): any other key refuses.

    `home` is the account's folder, canonical and absolute, in which commands begin; empty when nobody has said, and then no relative path is known.

    `file_hash` is by what the contents of transferred files are hashed for the audit chain; `record_files` keeps the contents themselves.

    `resolve_forwards` is who finds the address of a forward's name: the `upstream` when it connects, or the `gateway` before it judges, and then
    the host is told the address. `record_forwards`: keep what goes through a forward, up to the cap of a stream.

    INVARIANT: there is at least one key; a host is never trusted at first sight.
    """

    user: str
    host_keys: tuple[str, ...]
    home: str = ""
    file_hash: str | None = None
    record_files: bool = False
    resolve_forwards: str = "upstream"
    record_forwards: bool = False


def parse_options(raw: Mapping[str, object]) -> SshOptions:
    """The options in `raw`; raises `ConfigurationError` with every fault, an unknown key included."""
    problems: list[Problem] = []
    for key in raw:
        if key not in OPTION_KEYS:
            close = get_close_matches(key, OPTION_KEYS, 1)
            known = f"known options: {', '.join(OPTION_KEYS)}"
            problems.append(Problem(f"unknown option `{key}`", hint=f"did you mean `{close[0]}`?" if close else known))
    options = SshOptions(
        _user(raw, problems),
        _host_keys(raw, problems),
        _home(raw, problems),
        _file_hash(raw, problems),
        _record_files(raw, problems),
        _resolver(raw, problems),
        _recorded(raw, problems),
    )
    if problems:
        raise ConfigurationError("the SSH options are wrong", problems=tuple(problems))
    return options


def _user(raw: Mapping[str, object], problems: list[Problem]) -> str:
    user = raw.get("user")
    if not isinstance(user, str) or not user or not user.isprintable():
        problems.append(
            Problem("`user` must be the account on the host", hint="add `user:` to the connection's options")
        )
        return ""
    return user


def _home(raw: Mapping[str, object], problems: list[Problem]) -> str:
    home = raw.get("home", "")
    if not isinstance(home, str) or (home and not is_canonical(home)):
        problems.append(
            Problem(
                "`home` must be the absolute path of the account's folder, without links, `..` and a last slash",
                hint="write what `cd && pwd -P` prints on the host",
            )
        )
        return ""
    return home


def _file_hash(raw: Mapping[str, object], problems: list[Problem]) -> str | None:
    given = raw.get("file_hash")
    if given in (None, "none", "sha256"):
        return "sha256" if given == "sha256" else None
    problems.append(Problem("`file_hash` must be `sha256` or `none`", hint="leave it out, and files are not hashed"))
    return None


def _record_files(raw: Mapping[str, object], problems: list[Problem]) -> bool:
    given = raw.get("record_files", False)
    if not isinstance(given, bool):
        problems.append(Problem("`record_files` must be true or false", hint="leave it out, and contents are not kept"))
        return False
    return given


def _resolver(raw: Mapping[str, object], problems: list[Problem]) -> str:
    resolver = raw.get("resolve_forwards", RESOLVERS[0])
    if resolver not in RESOLVERS:
        problems.append(
            Problem("`resolve_forwards` must be `upstream` or `gateway`", hint="leave it out for `upstream`")
        )
        return RESOLVERS[0]
    return str(resolver)


def _recorded(raw: Mapping[str, object], problems: list[Problem]) -> bool:
    recorded = raw.get("record_forwards", False)
    if not isinstance(recorded, bool):
        problems.append(Problem("`record_forwards` must be true or false", hint="leave it out for false"))
    return recorded is True


def _host_keys(raw: Mapping[str, object], problems: list[Problem]) -> tuple[str, ...]:
    given = raw.get("host_key")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        problems.append(Problem("`host_key` must be the host's public key, or a list of its keys", hint=_HOW))
        return ()
    keys: list[str] = []
    for text in texts:
        key = _key(text)
        if key is None:
            problems.append(Problem(f"`{str(text)[:40]}` is no public key of a host", hint=_HOW))
        elif key.split()[0] not in HOST_KEY_TYPES:
            hint = f"use one of {', '.join(HOST_KEY_TYPES)}"
            problems.append(Problem(f"host keys of type `{key.split()[0]}` are not trusted", hint=hint))
        else:
            keys.append(key)
    return tuple(keys)


def _key(text: object) -> str | None:
    """Type and base64 without a comment; None for what is no public key in OpenSSH's form (RFC 4253 §6.6)."""
    parts = text.split() if isinstance(text, str) else []
    if len(parts) < 2:
        return None
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    length = int.from_bytes(blob[:4], "big")
    return f"{parts[0]} {parts[1]}" if blob[4 : 4 + length] == parts[0].encode() else None
