"""SQLAlchemy: reflection of everything, then what an ORM and Core do all day. Run with sqlalchemy and psycopg installed."""

import sys

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import ARRAY, insert

engine = sa.create_engine(f"postgresql+{sys.argv[1]}://", future=True)


def mark(session, label):
    (session.execute if hasattr(session, "execute") else session.exec_driver_sql)(sa.text(f"/*@@ {label} */ select 1"))


with engine.connect() as connection:
    inspector = sa.inspect(connection)
    mark(connection, "names")
    for schema in (None, *inspector.get_schema_names()):
        for ask in (
            "get_table_names",
            "get_view_names",
            "get_materialized_view_names",
            "get_sequence_names",
            "get_temp_table_names",
        ):
            getattr(inspector, ask)(*(() if "temp" in ask else (schema,)))
        for ask in ("get_foreign_table_names", "get_enums", "get_domains"):
            getattr(inspector, ask)(schema)
    for schema in (None, "stock", "information_schema"):
        mark(connection, f"reflection of {schema or 'the default schema'}")
        for ask in (
            "get_multi_columns get_multi_pk_constraint get_multi_foreign_keys get_multi_indexes get_multi_unique_constraints"
            " get_multi_check_constraints get_multi_table_comment get_multi_table_options"
        ).split():
            getattr(inspector, ask)(
                schema=schema, kind=sa.engine.reflection.ObjectKind.ANY, scope=sa.engine.reflection.ObjectScope.ANY
            )
    mark(connection, "reflection of one table")
    for table, schema in (("orders", None), ("customers", "public"), ("shelves", "stock"), ("moves", "stock")):
        inspector = sa.inspect(connection)
        for ask in "get_columns get_pk_constraint get_foreign_keys get_indexes get_unique_constraints get_check_constraints get_table_comment get_table_options".split():
            getattr(inspector, ask)(table, schema=schema)
        inspector.has_table(table, schema=schema)
        inspector.has_sequence("numbers", schema="stock")
        inspector.has_schema("stock")
        inspector.has_index(table, "x", schema=schema)
    inspector.get_view_definition("customer_overview")
    metadata = sa.MetaData()
    metadata.reflect(connection, views=True)
    metadata.reflect(connection, schema="stock", views=True)
    connection.rollback()

base = orm.declarative_base(metadata=sa.MetaData())


class Customer(base):
    __tablename__ = "customers"
    id = sa.Column(sa.BigInteger, primary_key=True)
    name = sa.Column(sa.Text)
    email = sa.Column(sa.Text)
    created = sa.Column(sa.DateTime(timezone=True))
    orders = orm.relationship("Order", back_populates="customer")


class Order(base):
    __tablename__ = "orders"
    id = sa.Column(sa.BigInteger, primary_key=True)
    customer_id = sa.Column(sa.ForeignKey("customers.id"))
    status = sa.Column(sa.Text)
    placed = sa.Column(sa.DateTime(timezone=True))
    customer = orm.relationship(Customer, back_populates="orders")
    items = orm.relationship("Item", back_populates="order")


class Product(base):
    __tablename__ = "products"
    id = sa.Column(sa.BigInteger, primary_key=True)
    sku = sa.Column(sa.Text)
    name = sa.Column(sa.Text)
    tags = sa.Column(ARRAY(sa.Text))
    price_cents = sa.Column(sa.Integer)


class Item(base):
    __tablename__ = "order_items"
    order_id = sa.Column(sa.ForeignKey("orders.id"), primary_key=True)
    line = sa.Column(sa.SmallInteger, primary_key=True)
    product_id = sa.Column(sa.ForeignKey("products.id"))
    quantity = sa.Column(sa.Integer)
    price_cents = sa.Column(sa.Integer)
    order = orm.relationship(Order, back_populates="items")
    product = orm.relationship(Product)


with orm.Session(engine) as session:
    mark(session, "ORM: get, filter, order, page")
    session.get(Order, 1)
    session.get(Customer, 1)
    session.scalars(
        sa.select(Order).where(Order.status == "paid").order_by(Order.placed.desc(), Order.id).limit(10).offset(20)
    ).all()
    session.scalars(sa.select(Order).where(Order.id.in_([1, 2, 3, 4]))).all()
    session.scalars(sa.select(Product).where(Product.tags.any("sale"), Product.name.ilike("%a%"))).all()
    session.scalars(sa.select(Product).where(Product.tags.contains(["new"]))).all()
    mark(session, "ORM: loading what belongs together")
    session.expunge_all()
    session.scalars(
        sa.select(Order)
        .options(orm.joinedload(Order.customer), orm.selectinload(Order.items).joinedload(Item.product))
        .where(Order.id < 20)
    ).unique().all()
    session.expunge_all()
    session.scalars(sa.select(Customer).options(orm.selectinload(Customer.orders)).order_by(Customer.id).limit(5)).all()
    session.expunge_all()
    session.scalars(sa.select(Customer).options(orm.subqueryload(Customer.orders)).order_by(Customer.id).limit(5)).all()
    session.get(Order, 7).items
    mark(session, "ORM: aggregates")
    session.scalar(sa.select(sa.func.count()).select_from(Order))
    session.scalar(sa.select(sa.exists().where(Order.status == "placed")))
    session.execute(
        sa.select(Order.status, sa.func.count(Order.id), sa.func.min(Order.placed))
        .group_by(Order.status)
        .having(sa.func.count() > 1)
    ).all()
    session.execute(
        sa.select(Order.customer_id, sa.func.sum(Item.quantity * Item.price_cents))
        .join(Item)
        .group_by(Order.customer_id)
        .order_by(sa.desc(sa.literal_column("2")))
        .limit(5)
    ).all()
    session.execute(
        sa.select(Customer.id, Customer.email, sa.func.count(Order.id)).outerjoin(Order).group_by(Customer.id).limit(5)
    ).all()
    session.execute(
        sa.select(Order.id, sa.func.row_number().over(partition_by=Order.customer_id, order_by=Order.placed)).limit(10)
    ).all()
    recent = (
        sa.select(Order.customer_id, sa.func.max(Order.placed).label("last")).group_by(Order.customer_id).cte("recent")
    )
    session.execute(
        sa.select(Customer.id, Customer.name, recent.c.last).join(recent, recent.c.customer_id == Customer.id).limit(5)
    ).all()
    newest = (
        sa.select(Order.id).where(Order.customer_id == Customer.id).order_by(Order.placed.desc()).limit(1).lateral()
    )
    session.execute(sa.select(Customer.id, newest.c.id).join(newest, sa.true()).order_by(Customer.id).limit(5)).all()
    session.execute(
        sa.union_all(sa.select(Order.id, Order.status), sa.select(Product.id, Product.name)).limit(20)
    ).all()
    mark(session, "ORM: predicates on people")
    session.scalars(sa.select(Customer).where(Customer.email == "nobody@example.com")).all()
    session.scalars(sa.select(Customer).order_by(Customer.name).limit(3)).all()
    session.rollback()
    mark(session, "ORM: unit of work")
    session.add(Order(customer_id=1, status="placed", placed="2026-01-01T00:00:00Z"))
    session.flush()
    session.execute(
        sa.insert(Order.__table__), {"customer_id": 1, "status": "placed", "placed": "2026-01-01T00:00:00Z"}
    )
    got = session.scalars(sa.select(Order).where(Order.id == 1).with_for_update()).one()
    got.status = "shipped"
    session.flush()
    with session.begin_nested():
        session.execute(sa.update(Order).where(Order.id.in_([2, 3])).values(status="paid"))
    session.execute(sa.delete(Item).where(Item.order_id == 4, Item.line == 1))
    session.commit()
    mark(session, "Core: upsert, returning, stream")
    upsert = insert(Item).values(order_id=5, line=1, product_id=1, quantity=1, price_cents=1)
    session.execute(
        upsert.on_conflict_do_update(
            index_elements=["order_id", "line"], set_={"quantity": upsert.excluded.quantity}
        ).returning(Item.quantity)
    )
    session.execute(
        insert(Item).values(order_id=5, line=1, product_id=1, quantity=1, price_cents=1).on_conflict_do_nothing()
    )
    session.scalars(sa.select(Order).where(Order.id < 9).with_for_update(skip_locked=True, key_share=True)).all()
    session.commit()
    for _ in session.execute(sa.select(Order.id, Order.status).execution_options(yield_per=500)):
        pass
    session.commit()
