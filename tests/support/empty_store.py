"""The store of a gateway that has never run: migrated once in each process of the tests, then copied.

All migrations one after the other, and the library that runs them, take half a second of a gateway's first start. Tests of the migrations,
and of a first start, use none of this.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from interpose.store.database import Database

_FILE = "state.db"


def give_empty_store(state: Path) -> None:
    """Put a migrated store without a row into a state folder that has none; the folder is made as a gateway makes it."""
    if (state / _FILE).exists():
        return
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copy(_migrated(), state / _FILE)


@cache
def _migrated() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="interpose-store-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / _FILE
    Database(path).close()
    return path
