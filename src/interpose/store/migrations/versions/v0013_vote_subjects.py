"""Votes know which provider vouched for which subject, since a name may be another's before they count.

A vote from before this counts for names of the principals file only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("votes", sa.Column("provider", sa.String))
    op.add_column("votes", sa.Column("subject", sa.String))
