"""Logins that are over are remembered, for the sessions that no token stands for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "ended_logins",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("session", sa.Text),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("ended_logins_by_time", "ended_logins", ["until"])
