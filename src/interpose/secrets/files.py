"""Reading a file that holds a credential: only when nobody else on the machine can read or change it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from interpose.model.errors import SecretError

_LIMIT = 64 * 1024


def read_private_file(path: Path, *, limit: int = _LIMIT) -> str:
    """The text of a regular file of at most `limit` bytes, without one line end at its end; raises `SecretError`.

    Refused: a file that everybody may read or write, or that its group may write. Its group may read it, as service managers
    and container platforms set it up. The check is made on the opened file, so it cannot be exchanged in between.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretError("the credential file cannot be read", detail=f"{path}: {error.strerror}") from error
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise SecretError("the credential file is no regular file", detail=str(path))
        if state.st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            raise SecretError(
                "the credential file is open to others",
                detail=f"{path} has mode {stat.S_IMODE(state.st_mode):04o}",
                hint=f"run `chmod 600 {path}`",
            )
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise SecretError("the credential file cannot be read", detail=f"{path}: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise SecretError("the credential file is too long", detail=f"{path}: more than {limit} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SecretError("the credential file is not UTF-8", detail=str(path)) from error
    return text.removesuffix("\n").removesuffix("\r")
