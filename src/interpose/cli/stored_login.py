"""The login of this machine's user: one short-lived access token in a file that nobody else can read.

It goes to the gateway that gave it and to this machine itself, to no other host.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import stat
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from interpose.model.errors import ClientError

_LIMIT: Final = 16 * 1024


class StoredLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept: the gateway's public URL, who signed in, and the token with its end (wall clock)."""

    url: str
    principal: str
    token: str
    expires_at: float

    def __repr__(self) -> str:
        """Without the token."""
        return f"StoredLogin({self.url}, {self.principal})"

    @property
    def expired(self) -> bool:
        """Whether it is over."""
        return time.time() >= self.expires_at

    def is_for(self, server: str) -> bool:
        """Whether the token may go to this server: the gateway's own host by TLS, or this machine."""
        parts = urlsplit(server)
        host = (parts.hostname or "").lower()
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host).is_loopback:
                return True
        return host == "localhost" or (
            parts.scheme == "https" and host == (urlsplit(self.url).hostname or "").lower() != ""
        )


def login_file() -> Path:
    """Where it is kept."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "interpose" / "login.json"


def read_login(path: Path | None = None) -> StoredLogin | None:
    """The stored login, None when there is none; raises `ClientError` for a file that others can read or that is no login."""
    file = path or login_file()
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClientError("the stored login cannot be read", detail=f"{file}: {error.strerror}", hint=_AGAIN) from error
    with os.fdopen(descriptor, "rb") as opened:
        state = os.fstat(opened.fileno())
        if not stat.S_ISREG(state.st_mode) or stat.S_IMODE(state.st_mode) & 0o077 or state.st_uid != os.geteuid():
            raise ClientError("the stored login is open to others", detail=str(file), hint=_AGAIN)
        data = opened.read(_LIMIT)
    try:
        return msgspec.json.decode(data, type=StoredLogin)
    except msgspec.MsgspecError as error:
        raise ClientError("the stored login is damaged", detail=str(file), hint=_AGAIN) from error


_AGAIN: Final = "run `interpose logout`, then `interpose login`"


def write_login(login: StoredLogin, path: Path | None = None) -> Path:
    """Keep a login in the place of another one; raises `ClientError`. The file is never open to others, not for a moment."""
    file = path or login_file()
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(msgspec.json.encode(login))
        new.replace(file)
    except OSError as error:
        raise ClientError("the login cannot be stored", detail=f"{file}: {error.strerror}") from error
    return file


def forget_login(path: Path | None = None) -> None:
    """Delete the stored login."""
    (path or login_file()).unlink(missing_ok=True)
