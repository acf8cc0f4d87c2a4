-- tool: knex 3.3.0
-- server: 17
-- as: developers
-- captured: capture/programs/node_tool.cjs against PostgreSQL 17, from the server's log

-- query: 
select version();

-- query: introspection
-- parameters: ["orders"]
select * from information_schema.tables where table_name = $1 and table_schema = current_schema();

-- query:
-- parameters: ["orders", "id"]
select * from information_schema.columns where table_name = $1 and column_name = $2 and table_schema = current_schema();

-- query:
-- parameters: ["orders"]
select * from information_schema.columns where table_name = $1 and table_catalog = current_database() and table_schema = current_schema();

-- query:
-- parameters: ["shelves", "stock"]
select * from information_schema.tables where table_name = $1 and table_schema = $2;

-- query: ordinary work
-- parameters: ["paid", "10", "20"]
select * from "orders" where "status" = $1 order by "placed" desc limit $2 offset $3;

-- query:
select count(*) from "orders";

-- query:
-- parameters: ["1"]
select "id" from "orders" limit $1;

-- query:
select "orders"."status", sum("quantity") from "orders" inner join "order_items" on "orders"."id" = "order_items"."order_id" group by "orders"."status";

-- query:
-- parameters: ["1", "2"]
select "id" from "orders" where "id" in ($1, $2);

-- query:
BEGIN;

-- query:
-- parameters: ["1", "1"]
select * from "orders" where "id" = $1 limit $2 for update;

-- query:
-- parameters: ["1", "1970-01-01 00:00:00+00", "placed"]
insert into "orders" ("customer_id", "placed", "status") values ($1, $2, $3) returning "id";

-- query:
-- parameters: ["1", "7", "1", "1", "1"]
insert into "order_items" ("line", "order_id", "price_cents", "product_id", "quantity") values ($1, $2, $3, $4, $5) on conflict ("order_id", "line") do update set "line" = excluded."line", "order_id" = excluded."order_id", "price_cents" = excluded."price_cents", "product_id" = excluded."product_id", "quantity" = excluded."quantity";

-- query:
COMMIT;

-- query:
-- parameters: ["2"]
with "w" as (select "id" from "orders") select * from "w" limit $1;

-- query:
-- parameters: ["paid", "2"]
update "orders" set "status" = $1 where "id" = $2 returning "id";
