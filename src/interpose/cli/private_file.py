"""Files for their owner alone, from their first moment on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interpose.model.errors import ClientError


def check_place(path: Path) -> None:
    """Whether `write_private` could put a file there, before what goes into it is asked for; raises `ClientError`."""
    with _new_file(path):
        if path.is_dir():
            raise ClientError(f"`{path}` is a folder", hint="name a file in it with `--out`")


def write_private(path: Path, data: bytes) -> None:
    """Put a file in its place, whole and with mode 0600 (OpenSSH and libpq refuse a key that others can read); raises `ClientError`."""
    with _new_file(path) as (handle, temporary):
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(data)
        temporary.replace(path)


@contextmanager
def _new_file(path: Path) -> Iterator[tuple[int, Path]]:
    """A file beside it that only its owner can read, and that is gone afterwards."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            yield handle, temporary
        finally:
            os.close(handle)
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ClientError(f"`{path}` cannot be written", detail=str(error), hint="give another with `--out`") from error
