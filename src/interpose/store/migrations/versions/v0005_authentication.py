"""Tokens know the login that they come from: at which provider, of whom, when and how."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("tokens", sa.Column("provider", sa.String))
    op.add_column("tokens", sa.Column("subject", sa.Text))
    op.add_column("tokens", sa.Column("context", sa.Text))
    op.create_index("tokens_by_subject", "tokens", ["provider", "subject"])
