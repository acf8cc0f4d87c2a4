"""The directory: principals that identity providers vouch for, and who is disabled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "directory",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("acting_for", sa.String),
        sa.Column("task", sa.Text),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("learned_at", sa.Float, nullable=False),
        sa.Column("valid_until", sa.Float),
        sa.Column("disabled", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_index("directory_by_change", "directory", ["changed_at"])
