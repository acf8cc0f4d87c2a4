"""The first tables: approvals, votes, tokens, sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("session", sa.String, nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("connection", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("snapshot", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_index("approvals_by_state", "approvals", ["state", "created_at"])
    op.create_table(
        "votes",
        sa.Column("approval", sa.String, sa.ForeignKey("approvals.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("principal", sa.String, primary_key=True),
        sa.Column("approve", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("principal", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("revoked_at", sa.Float),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("acting_for", sa.String),
        sa.Column("task", sa.Text),
    )
    op.create_index("tokens_by_revocation", "tokens", ["revoked_at"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("principal", sa.String, nullable=False),
        sa.Column("connection", sa.String, nullable=False),
        sa.Column("protocol", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("closed_at", sa.Float),
        sa.Column("close_reason", sa.String, nullable=False),
        sa.Column("worker", sa.String, nullable=False),
        sa.Column("commands", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_index("sessions_by_opening", "sessions", ["opened_at"])
