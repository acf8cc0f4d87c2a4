"""psycopg 3 and 2: registration of types, cursors of the server, pipelines, COPY, two-phase commits are not tried."""

import psycopg
import psycopg2
import psycopg2.extras
from psycopg.types.composite import CompositeInfo
from psycopg.types.enum import EnumInfo
from psycopg.types.multirange import MultirangeInfo
from psycopg.types.range import RangeInfo

with psycopg.connect(autocommit=True) as session:
    session.execute("/*@@ psycopg 3: types */ select 1")
    for kind, name in (
        (psycopg.types.TypeInfo, "uuid"),
        (CompositeInfo, "place"),
        (EnumInfo, "size"),
        (RangeInfo, "span"),
        (MultirangeInfo, "int4multirange"),
        (psycopg.types.TypeInfo, "hstore"),
    ):
        kind.fetch(session, name)
    session.execute("/*@@ psycopg 3: ordinary work */ select 1")
    session.execute("select id, status from orders where id = any(%s) and status <> %s", [[1, 2], "x"]).fetchall()
    with session.transaction():
        with session.cursor("few") as cursor:
            cursor.execute("select id, status from orders order by id")
            cursor.fetchmany(10)
            cursor.scroll(5)
            cursor.fetchone()
        with session.transaction():
            session.execute("update orders set status = %s where id = %s", ["paid", 2])
    with session.pipeline():
        session.execute("select 1")
        session.execute("select count(*) from products")
    with session.cursor() as cursor, cursor.copy("copy products (id, sku) to stdout") as copy:
        for _ in copy:
            pass
    session.cursor().executemany("update orders set status = %s where id = %s", [("paid", 3), ("paid", 4)])
    session.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    session.read_only = True
    session.deferrable = True
    with session.transaction():
        session.execute("select 1")

session = psycopg2.connect("")
with session, session.cursor() as cursor:
    cursor.execute("/*@@ psycopg2 */ select 1")
    psycopg2.extras.register_hstore(session)
    psycopg2.extras.register_composite("place", session)
    psycopg2.extras.register_uuid()
    cursor.execute("select id, status from orders where id in %s", ((1, 2),))
    psycopg2.extras.execute_values(
        cursor,
        "update orders o set status = v.s from (values %s) v (i, s) where o.id = v.i",
        [(1, "paid"), (2, "paid")],
    )
    psycopg2.extras.execute_batch(cursor, "update orders set status = %s where id = %s", [("paid", 1), ("paid", 2)])
with session, session.cursor("many") as cursor:
    cursor.execute("select id from orders")
    cursor.fetchmany(100)
    cursor.fetchall()
session.set_session(isolation_level="SERIALIZABLE", readonly=True)
with session, session.cursor() as cursor:
    cursor.execute("select 1")
session.reset()
