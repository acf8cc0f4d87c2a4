"""The sealed refresh tokens of people who have signed in through a provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "renewals",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
    )
    op.create_index("renewals_by_time", "renewals", ["due_at"])
