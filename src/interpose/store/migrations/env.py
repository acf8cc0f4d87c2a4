"""Alembic's environment: migrations run on the connection and in the transaction that they are given, and in no other way."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from interpose.store.tables import metadata

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("migrations need an open connection")
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
