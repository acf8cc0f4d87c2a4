"""Runs the migrations that come with the package, inside the caller's transaction: another process waits, then finds them done."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from interpose.model.errors import StoreError


def migrate(connection: Connection) -> None:
    """Bring the database to the newest version; raises `StoreError` when it is from a newer Interpose."""
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            "the state store was made by another version of Interpose",
            detail=str(error),
            hint="start the version that made it, or a newer one",
        ) from error
