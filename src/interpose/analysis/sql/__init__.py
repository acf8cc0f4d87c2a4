"""Analysis of PostgreSQL's SQL by PostgreSQL's own grammar (libpg_query through postgast)."""

from interpose.analysis.sql.analyst import PostgresAnalyst
from interpose.analysis.sql.guard import Limits

__all__ = ["Limits", "PostgresAnalyst"]
