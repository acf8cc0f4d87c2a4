"""A statement's walk without a text, for tests of its parts."""

from __future__ import annotations

from interpose.analysis.sql.analyst import AnyStatement
from interpose.analysis.sql.guard import Limits
from interpose.analysis.sql.state import CommandState
from interpose.model.command import SqlContext
from tests.support.catalog import PATH, ShopCatalog


def a_statement(limits: Limits | None = None) -> AnyStatement:
    """A walk that has found nothing yet."""
    return AnyStatement(CommandState(SqlContext(PATH, 17), ShopCatalog(), limits or Limits()))
