"""Alembic: autogenerate compares the database with models, then an upgrade is run."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

engine = sa.create_engine("postgresql+psycopg://")
with engine.connect() as connection:
    connection.execute(sa.text("/*@@ autogenerate */ select 1"))
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "include_schemas": True}
    )
    metadata = sa.MetaData()
    sa.Table(
        "products",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("stock", sa.Integer, server_default="3"),
        sa.Column("extra", sa.Text),
    )
    compare_metadata(context, metadata)
    connection.execute(sa.text("/*@@ upgrade */ select 1"))
    context._ensure_version_table()
    context.get_current_heads()
    operations = Operations(context)
    operations.create_table(
        "returns",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id")),
        sa.Column("why", sa.Text),
    )
    operations.add_column("returns", sa.Column("made", sa.DateTime(timezone=True), server_default=sa.func.now()))
    operations.create_index("returns_order", "returns", ["order_id"])
    operations.alter_column("returns", "why", nullable=False)
    connection.execute(sa.text("insert into alembic_version (version_num) values ('a1')"))
    connection.execute(
        sa.text("update alembic_version set version_num = 'a2' where alembic_version.version_num = 'a1'")
    )
    connection.commit()
