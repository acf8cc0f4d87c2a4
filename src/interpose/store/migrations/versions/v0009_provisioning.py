"""What provisioning sources say of a provider's people: users, groups, and who is in which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "provisioned_users",
        sa.Column("provider", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_index("provisioned_by_external_id", "provisioned_users", ["provider", "external_id"])
    op.create_table(
        "provisioned_groups",
        sa.Column("provider", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_table(
        "provisioned_members",
        sa.Column("provider", sa.String, primary_key=True),
        sa.Column("group", sa.String, primary_key=True),
        sa.Column("member", sa.String, primary_key=True),
    )
    op.create_index("provisioned_by_member", "provisioned_members", ["provider", "member"])
