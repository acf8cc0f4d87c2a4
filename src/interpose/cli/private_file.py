"""Files for their owner alone, from their first moment on."""

from __future__ import annotations

import os
from pathlib import Path

from interpose.model.errors import ClientError


def write_private(path: Path, data: bytes) -> None:
    """Put a file in its place, whole and with mode 0600 (OpenSSH and libpq refuse a key that others can read); raises `ClientError`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ClientError(f"`{path}` cannot be written", detail=str(error), hint="give another with `--out`") from error
