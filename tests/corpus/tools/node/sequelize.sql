-- tool: sequelize 6.37.8
-- server: 17
-- as: developers
-- captured: capture/programs/node_tool.cjs against PostgreSQL 17, from the server's log

-- query: 
SET client_min_messages TO warning;SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE;

-- query:
WITH ranges AS (  SELECT pg_range.rngtypid, pg_type.typname AS rngtypname,         pg_type.typarray AS rngtyparray, pg_range.rngsubtype    FROM pg_range LEFT OUTER JOIN pg_type ON pg_type.oid = pg_range.rngtypid)SELECT pg_type.typname, pg_type.typtype, pg_type.oid, pg_type.typarray,       ranges.rngtypname, ranges.rngtypid, ranges.rngtyparray  FROM pg_type LEFT OUTER JOIN ranges ON pg_type.oid = ranges.rngsubtype WHERE (pg_type.typtype IN('b', 'e'));

-- query:
SELECT 1+1 AS result;

-- query: introspection
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type LIKE '%TABLE' AND table_name != 'spatial_ref_sys';

-- query:
SELECT schema_name FROM information_schema.schemata WHERE schema_name <> 'information_schema' AND schema_name != 'public' AND schema_name !~ E'^pg_';

-- query:
SELECT pk.constraint_type as "Constraint",c.column_name as "Field", c.column_default as "Default",c.is_nullable as "Null", (CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || c.character_maximum_length || ')' ELSE '' END) as "Type", (SELECT array_agg(e.enumlabel) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON t.oid=e.enumtypid WHERE t.typname=c.udt_name) AS "special", (SELECT pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd on (pgd.objoid=st.relid) WHERE c.ordinal_position=pgd.objsubid AND c.table_name=st.relname) AS "Comment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, cu.column_name, tc.constraint_type FROM information_schema.TABLE_CONSTRAINTS tc JOIN information_schema.KEY_COLUMN_USAGE  cu ON tc.table_schema=cu.table_schema and tc.table_name=cu.table_name and tc.constraint_name=cu.constraint_name and tc.constraint_type='PRIMARY KEY') pk ON pk.table_schema=c.table_schema AND pk.table_name=c.table_name AND pk.column_name=c.column_name WHERE c.table_name = 'orders' AND c.table_schema = 'public';

-- query:
SELECT pk.constraint_type as "Constraint",c.column_name as "Field", c.column_default as "Default",c.is_nullable as "Null", (CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || c.character_maximum_length || ')' ELSE '' END) as "Type", (SELECT array_agg(e.enumlabel) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON t.oid=e.enumtypid WHERE t.typname=c.udt_name) AS "special", (SELECT pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd on (pgd.objoid=st.relid) WHERE c.ordinal_position=pgd.objsubid AND c.table_name=st.relname) AS "Comment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, cu.column_name, tc.constraint_type FROM information_schema.TABLE_CONSTRAINTS tc JOIN information_schema.KEY_COLUMN_USAGE  cu ON tc.table_schema=cu.table_schema and tc.table_name=cu.table_name and tc.constraint_name=cu.constraint_name and tc.constraint_type='PRIMARY KEY') pk ON pk.table_schema=c.table_schema AND pk.table_name=c.table_name AND pk.column_name=c.column_name WHERE c.table_name = 'customers' AND c.table_schema = 'public';

-- query:
SELECT i.relname AS name, ix.indisprimary AS primary, ix.indisunique AS unique, ix.indkey AS indkey, array_agg(a.attnum) as column_indexes, array_agg(a.attname) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition FROM pg_class t, pg_class i, pg_index ix, pg_attribute a WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' and t.relname = 'orders' GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname;

-- query:
SELECT DISTINCT tc.constraint_name as constraint_name, tc.constraint_schema as constraint_schema, tc.constraint_catalog as constraint_catalog, tc.table_name as table_name,tc.table_schema as table_schema,tc.table_catalog as table_catalog,tc.initially_deferred as initially_deferred,tc.is_deferrable as is_deferrable,kcu.column_name as column_name,ccu.table_schema  AS referenced_table_schema,ccu.table_catalog  AS referenced_table_catalog,ccu.table_name  AS referenced_table_name,ccu.column_name AS referenced_column_name FROM information_schema.table_constraints AS tc JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name WHERE constraint_type = 'FOREIGN KEY' AND tc.table_name = 'orders' AND tc.table_catalog = 'shop';

-- query:
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'orders';

-- query:
SHOW SERVER_VERSION;

-- query: ordinary work
SELECT "id", "customer_id", "status", "placed" FROM "orders" AS "orders" WHERE "orders"."id" = 1;

-- query:
SELECT "id", "customer_id", "status", "placed" FROM "orders" AS "orders" WHERE "orders"."status" IN ('paid', 'placed') ORDER BY "orders"."id" DESC LIMIT 5 OFFSET 5;

-- query:
SELECT count("orders"."id") AS "count" FROM "orders" AS "orders" LEFT OUTER JOIN "customers" AS "customer" ON "orders"."customer_id" = "customer"."id";

-- query:
SELECT "orders"."id", "orders"."customer_id", "orders"."status", "orders"."placed", "customer"."id" AS "customer.id", "customer"."name" AS "customer.name", "customer"."email" AS "customer.email" FROM "orders" AS "orders" LEFT OUTER JOIN "customers" AS "customer" ON "orders"."customer_id" = "customer"."id" LIMIT 5;

-- query:
SELECT count(*) AS "count" FROM "orders" AS "orders";

-- query:
SELECT max("id") AS "max" FROM "orders" AS "orders";

-- query:
SELECT "customers".*, "orders"."id" AS "orders.id", "orders"."customer_id" AS "orders.customer_id", "orders"."status" AS "orders.status", "orders"."placed" AS "orders.placed" FROM (SELECT "customers"."id", "customers"."name", "customers"."email" FROM "customers" AS "customers" LIMIT 3) AS "customers" LEFT OUTER JOIN "orders" AS "orders" ON "customers"."id" = "orders"."customer_id";

-- query:
SELECT "status", count('*') AS "n" FROM "orders" AS "orders" GROUP BY "status";

-- query:
START TRANSACTION;

-- query:
-- parameters: ["1", "placed", "1970-01-01 00:00:00+00"]
INSERT INTO "orders" ("id","customer_id","status","placed") VALUES (DEFAULT,$1,$2,$3) RETURNING "id","customer_id","status","placed";

-- query:
-- parameters: ["paid", "4001"]
UPDATE "orders" SET "status"=$1 WHERE "id" = $2;

-- query:
SELECT "id", "customer_id", "status", "placed" FROM "orders" AS "orders" WHERE "orders"."id" = 1 FOR UPDATE;

-- query:
DELETE FROM "orders" WHERE "id" = '4001';

-- query:
COMMIT;

-- query:
INSERT INTO "orders" ("id","customer_id","status","placed") VALUES (3,1,'paid','1970-01-01 00:00:00.000 +00:00') ON CONFLICT ("id") DO UPDATE SET "status"=EXCLUDED."status" RETURNING "id","customer_id","status","placed";
