"""Tokens of agents know the agent's own token behind them, and may be narrowed to connections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("tokens", sa.Column("actor", sa.String))
    op.add_column("tokens", sa.Column("connections", sa.Text))
