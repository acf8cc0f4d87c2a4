"""Assertions that were used, so that none is used twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "used_assertions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("used_assertions_by_time", "used_assertions", ["until"])
