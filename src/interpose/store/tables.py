"""The tables of the state store, as SQLAlchemy Core describes them. Times are wall-clock seconds.

INVARIANT: what the migrations make is what stands here; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

approvals = Table(
    "approvals",
    metadata,
    Column("id", String, primary_key=True),
    Column("session", String, nullable=False),
    Column("requester", Text, nullable=False),
    Column("connection", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", String, nullable=False),
    Column("rules", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("snapshot", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("facts", Text, nullable=False),
    Index("approvals_by_state", "state", "created_at"),
)

votes = Table(
    "votes",
    metadata,
    Column("approval", String, ForeignKey("approvals.id", ondelete="CASCADE"), primary_key=True),
    Column("principal", String, primary_key=True),
    Column("approve", Boolean(create_constraint=False), nullable=False),
    Column("at", Float, nullable=False),
    Column("comment", Text, nullable=False),
    Column("method", String),
    Column("source", String),
    Column("context", Text),
    Column("provider", String),
    Column("subject", String),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("principal", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("description", Text, nullable=False),
    Column("acting_for", String),
    Column("task", Text),
    Column("parent", String),
    Column("actor", String),
    Column("connections", Text),
    Column("provider", String),
    Column("subject", Text),
    Column("context", Text),
    Column("shortened_at", Float),
    Index("tokens_by_revocation", "revoked_at"),
    Index("tokens_by_shortening", "shortened_at"),
    Index("tokens_by_subject", "provider", "subject"),
)

ended_logins = Table(
    "ended_logins",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", String, nullable=False),
    Column("subject", Text),
    Column("session", Text),
    Column("until", Float, nullable=False),
    Index("ended_logins_by_time", "until"),
)

bootstrap = Table(
    "bootstrap",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("ended_at", Float),
)

directory = Table(
    "directory",
    metadata,
    Column("name", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("groups", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("acting_for", String),
    Column("task", Text),
    Column("provider", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("learned_at", Float, nullable=False),
    Column("valid_until", Float),
    Column("disabled", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
    Index("directory_by_change", "changed_at"),
)

renewals = Table(
    "renewals",
    metadata,
    Column("name", String, primary_key=True),
    Column("provider", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("due_at", Float, nullable=False),
    Index("renewals_by_time", "due_at"),
)

pending_logins = Table(
    "pending_logins",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("claimed_name", String, nullable=False),
    Column("connection", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("source", String, nullable=False),
    Column("address_group", String, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("confirmation", Text),
    Index("pending_logins_by_expiry", "expires_at"),
)

used_assertions = Table(
    "used_assertions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("until", Float, nullable=False),
    Index("used_assertions_by_time", "until"),
)

provisioned_users = Table(
    "provisioned_users",
    metadata,
    Column("provider", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("active", Boolean(create_constraint=False), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Index("provisioned_by_external_id", "provider", "external_id"),
)

provisioned_groups = Table(
    "provisioned_groups",
    metadata,
    Column("provider", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
)

provisioned_members = Table(
    "provisioned_members",
    metadata,
    Column("provider", String, primary_key=True),
    Column("group", String, primary_key=True),
    Column("member", String, primary_key=True),
    Index("provisioned_by_member", "provider", "member"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String, primary_key=True),
    Column("principal", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("protocol", String, nullable=False),
    Column("source", String, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    Column("close_reason", String, nullable=False),
    Column("worker", String, nullable=False),
    Column("commands", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("details", Text, nullable=False),
    Index("sessions_by_opening", "opened_at"),
)
