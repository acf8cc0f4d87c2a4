"""Votes know how their voters had proven themselves, and from where."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("votes", sa.Column("method", sa.String))
    op.add_column("votes", sa.Column("source", sa.String))
    op.add_column("votes", sa.Column("context", sa.Text))
