"""The files of an authority: one a generation, `root-0001.pem` and so on, each made whole and for the gateway's user alone.

Knows files; does not know what is in them or which generation signs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from interpose.model.errors import StoreError

if TYPE_CHECKING:
    from interpose.engine.ports import Ids


class Generations:
    """The files of one folder that have one prefix, shared by every process that has it open. Blocking."""

    def __init__(self, folder: Path, prefix: str, suffix: str, ids: Ids) -> None:
        """Touches nothing yet."""
        self._folder = folder
        self._prefix = prefix
        self._suffix = suffix
        self._file = re.compile(re.escape(prefix) + r"([0-9]{4,})" + re.escape(suffix))
        self._ids = ids

    def read(self) -> list[tuple[int, Path, bytes]]:
        """Every generation's number, file and content, oldest first; raises `StoreError` for one that is open to others."""
        if not self._folder.is_dir():
            return []
        try:
            found = [(match, path) for path in self._folder.iterdir() if (match := self._file.fullmatch(path.name))]
            return sorted((int(match[1]), path, _private(path)) for match, path in found)
        except OSError as error:
            raise StoreError("the certificate authority cannot be read", detail=str(error)) from error

    def write(self, number: int, text: str, *, replace: bool) -> bool:
        """Put a generation's file in its place, whole and on disk; False when there is one already and it is not to be replaced.

        INVARIANT: a file appears whole, by one link or one rename, or not at all. Raises `StoreError`.
        """
        path = self._folder / f"{self._prefix}{number:04}{self._suffix}"
        temporary = self._folder / f".{path.name}.{os.getpid()}.{self._ids.secret_bytes(4).hex()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                if replace:
                    temporary.replace(path)
                else:
                    os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                temporary.unlink(missing_ok=True)
            _sync(self._folder)
        except OSError as error:
            raise StoreError("the certificate authority cannot be written", detail=str(error)) from error
        return True


def _private(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise StoreError(
            "the key of the certificate authority can be read by others",
            detail=str(path),
            hint=f"chmod 600 {path}, and make a new root with `interpose ca rotate`",
        )
    return path.read_bytes()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
