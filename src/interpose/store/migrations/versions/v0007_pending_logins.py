"""Logins that wait for their person to confirm them in a browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pending_logins",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("claimed_name", sa.String, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("address_group", sa.String, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("confirmation", sa.Text),
    )
    op.create_index("pending_logins_by_expiry", "pending_logins", ["expires_at"])
