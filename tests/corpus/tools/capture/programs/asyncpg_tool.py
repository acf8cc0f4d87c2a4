"""asyncpg: its introspection of types, prepared statements, cursors, COPY, LISTEN, and what it resets a pooled session with."""

import asyncio

import asyncpg


async def main():
    async with asyncpg.create_pool(min_size=1, max_size=1) as pool:
        async with pool.acquire() as session:

            async def mark(label):
                await session.execute(f"/*@@ {label} */ select 1")

            await mark("types")
            await session.fetch(
                "select code, size, spot, validity, labels, doc, raw, token, address, weights from stock.shelves"
            )
            await session.fetch("select m from stock.moves m")
            await session.fetch("select $1::size, $2::place", "small", ("a", 1))
            await session.set_type_codec("hstore", schema="public", encoder=str, decoder=str)
            await session.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=str)
            await session.set_builtin_type_codec("hstore", codec_name="pg_contrib.hstore")
            await mark("ordinary work")
            await session.fetchrow("select * from orders where id = $1", 1)
            await session.fetch("select id, status from orders where id = any($1::bigint[])", [1, 2, 3])
            await session.fetchval("select count(*) from orders")
            async with session.transaction(isolation="repeatable_read", readonly=True):
                async for _ in session.cursor("select id from orders order by id limit 200"):
                    pass
            async with session.transaction(), session.transaction():
                await session.execute("update orders set status = $1 where id = $2", "paid", 1)
            await session.executemany(
                "update order_items set quantity = $1 where order_id = $2 and line = $3", [(1, 9, 1), (2, 9, 2)]
            )
            await session.copy_from_query("select id, sku from products", output="/dev/null")
            await session.copy_from_table("products", columns=["id", "sku"], output="/dev/null", format="csv")
            await session.add_listener("orders", lambda *_: None)
            await session.remove_listener("orders", lambda *_: None)
            await session.reload_schema_state()
            await mark("the pool's reset")
        async with pool.acquire() as session:
            await session.fetchval("select 1")


asyncio.run(main())
