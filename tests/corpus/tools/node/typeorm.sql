-- tool: typeorm 1.1.1
-- server: 17
-- as: developers
-- captured: capture/programs/node_tool.cjs against PostgreSQL 17, from the server's log

-- query: 
SELECT version();

-- query:
SELECT * FROM current_schema();

-- query: introspection and the comparison of schemas
SELECT * FROM current_database();

-- query:
SELECT "table_schema", "table_name", obj_description((quote_ident("table_schema") || '.' || quote_ident("table_name"))::regclass, 'pg_class') AS table_comment FROM "information_schema"."tables" WHERE ("table_schema" = 'public' AND "table_name" = 'orders') OR ("table_schema" = 'public' AND "table_name" = 'customers') OR ("table_schema" = 'stock' AND "table_name" = 'moves');

-- query:
SELECT TRUE FROM information_schema.columns WHERE table_name = 'pg_class' and column_name = 'relispartition';

-- query:
SELECT columns.*, pg_catalog.col_description((quote_ident(table_catalog) || '.' || quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass::oid, ordinal_position) AS description, ('"' || "udt_schema" || '"."' || "udt_name" || '"')::"regtype"::text AS "regtype", pg_catalog.format_type("col_attr"."atttypid", "col_attr"."atttypmod") AS "format_type" FROM "information_schema"."columns" LEFT JOIN "pg_catalog"."pg_attribute" AS "col_attr" ON "col_attr"."attname" = "columns"."column_name" AND "col_attr"."attrelid" = ( SELECT "cls"."oid" FROM "pg_catalog"."pg_class" AS "cls" LEFT JOIN "pg_catalog"."pg_namespace" AS "ns" ON "ns"."oid" = "cls"."relnamespace" WHERE "cls"."relname" = "columns"."table_name" AND "ns"."nspname" = "columns"."table_schema" ) WHERE ("table_schema" = 'public' AND "table_name" = 'customers') OR ("table_schema" = 'public' AND "table_name" = 'orders') OR ("table_schema" = 'stock' AND "table_name" = 'moves');

-- query:
SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "cnst"."conname" AS "constraint_name", pg_get_constraintdef("cnst"."oid") AS "expression", CASE "cnst"."contype" WHEN 'p' THEN 'PRIMARY' WHEN 'u' THEN 'UNIQUE' WHEN 'c' THEN 'CHECK' WHEN 'x' THEN 'EXCLUDE' END AS "constraint_type", "a"."attname" AS "column_name" FROM "pg_constraint" "cnst" INNER JOIN "pg_class" "t" ON "t"."oid" = "cnst"."conrelid" INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "cnst"."connamespace" LEFT JOIN "pg_attribute" "a" ON "a"."attrelid" = "cnst"."conrelid" AND "a"."attnum" = ANY ("cnst"."conkey") WHERE "t"."relkind" IN ('r', 'p') AND (("ns"."nspname" = 'public' AND "t"."relname" = 'customers') OR ("ns"."nspname" = 'public' AND "t"."relname" = 'orders') OR ("ns"."nspname" = 'stock' AND "t"."relname" = 'moves'));

-- query:
SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "i"."relname" AS "constraint_name", "a"."attname" AS "column_name", CASE "ix"."indisunique" WHEN 't' THEN 'TRUE' ELSE'FALSE' END AS "is_unique", pg_get_expr("ix"."indpred", "ix"."indrelid") AS "condition", "types"."typname" AS "type_name", "am"."amname" AS "index_type" FROM "pg_class" "t" INNER JOIN "pg_index" "ix" ON "ix"."indrelid" = "t"."oid" INNER JOIN "pg_attribute" "a" ON "a"."attrelid" = "t"."oid"  AND "a"."attnum" = ANY ("ix"."indkey") INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "t"."relnamespace" INNER JOIN "pg_class" "i" ON "i"."oid" = "ix"."indexrelid" INNER JOIN "pg_type" "types" ON "types"."oid" = "a"."atttypid" INNER JOIN "pg_am" "am" ON "i"."relam" = "am"."oid" LEFT JOIN "pg_constraint" "cnst" ON "cnst"."conname" = "i"."relname" WHERE "t"."relkind" IN ('r', 'p') AND "cnst"."contype" IS NULL AND (("ns"."nspname" = 'public' AND "t"."relname" = 'customers') OR ("ns"."nspname" = 'public' AND "t"."relname" = 'orders') OR ("ns"."nspname" = 'stock' AND "t"."relname" = 'moves'));

-- query:
SELECT "con"."conname" AS "constraint_name", "con"."nspname" AS "table_schema", "con"."relname" AS "table_name", "att2"."attname" AS "column_name", "ns"."nspname" AS "referenced_table_schema", "cl"."relname" AS "referenced_table_name", "att"."attname" AS "referenced_column_name", "con"."confdeltype" AS "on_delete", "con"."confupdtype" AS "on_update", "con"."condeferrable" AS "deferrable", "con"."condeferred" AS "deferred" FROM ( SELECT UNNEST ("con1"."conkey") AS "parent", UNNEST ("con1"."confkey") AS "child", "con1"."confrelid", "con1"."conrelid", "con1"."conname", "con1"."contype", "ns"."nspname", "cl"."relname", "con1"."condeferrable", CASE WHEN "con1"."condeferred" THEN 'INITIALLY DEFERRED' ELSE 'INITIALLY IMMEDIATE' END as condeferred, CASE "con1"."confdeltype" WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END as "confdeltype", CASE "con1"."confupdtype" WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END as "confupdtype" FROM "pg_class" "cl" INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_constraint" "con1" ON "con1"."conrelid" = "cl"."oid" WHERE "con1"."contype" = 'f' AND (("ns"."nspname" = 'public' AND "cl"."relname" = 'customers') OR ("ns"."nspname" = 'public' AND "cl"."relname" = 'orders') OR ("ns"."nspname" = 'stock' AND "cl"."relname" = 'moves')) ) "con" INNER JOIN "pg_attribute" "att" ON "att"."attrelid" = "con"."confrelid" AND "att"."attnum" = "con"."child" INNER JOIN "pg_class" "cl" ON "cl"."oid" = "con"."confrelid"  AND "cl"."relispartition" = 'f'INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_attribute" "att2" ON "att2"."attrelid" = "con"."conrelid" AND "att2"."attnum" = "con"."parent";

-- query:
-- parameters: ["public", "typeorm_metadata"]
SELECT * FROM "information_schema"."tables" WHERE "table_schema" = $1 AND "table_name" = $2;

-- query:
-- parameters: ["public", "orders", "id"]
SELECT * FROM "information_schema"."columns" WHERE "table_schema" = $1 AND "table_name" = $2 AND "column_name" = $3;

-- query: ordinary work
-- parameters: ["1", "2"]
SELECT "orders"."id" AS "orders_id", "orders"."status" AS "orders_status", "orders"."placed" AS "orders_placed", "orders"."customer_id" AS "orders_customer_id", "orders__orders_customer"."id" AS "orders__orders_customer_id", "orders__orders_customer"."name" AS "orders__orders_customer_name", "orders__orders_customer"."email" AS "orders__orders_customer_email" FROM "orders" "orders" LEFT JOIN "customers" "orders__orders_customer" ON "orders__orders_customer"."id"="orders"."customer_id" WHERE (("orders"."id" IN ($1, $2)));

-- query:
SELECT DISTINCT "distinctAlias"."orders_id" AS "ids_orders_id", "distinctAlias"."orders_placed" FROM (SELECT "orders"."id" AS "orders_id", "orders"."status" AS "orders_status", "orders"."placed" AS "orders_placed", "orders"."customer_id" AS "orders_customer_id", "orders__orders_customer"."id" AS "orders__orders_customer_id", "orders__orders_customer"."name" AS "orders__orders_customer_name", "orders__orders_customer"."email" AS "orders__orders_customer_email" FROM "orders" "orders" LEFT JOIN "customers" "orders__orders_customer" ON "orders__orders_customer"."id"="orders"."customer_id") "distinctAlias" ORDER BY "distinctAlias"."orders_placed" DESC, "orders_id" ASC LIMIT 5 OFFSET 10;

-- query:
-- parameters: ["39", "42", "47", "48", "49"]
SELECT "orders"."id" AS "orders_id", "orders"."status" AS "orders_status", "orders"."placed" AS "orders_placed", "orders"."customer_id" AS "orders_customer_id", "orders__orders_customer"."id" AS "orders__orders_customer_id", "orders__orders_customer"."name" AS "orders__orders_customer_name", "orders__orders_customer"."email" AS "orders__orders_customer_email" FROM "orders" "orders" LEFT JOIN "customers" "orders__orders_customer" ON "orders__orders_customer"."id"="orders"."customer_id" WHERE "orders"."id" IN ($1, $2, $3, $4, $5) ORDER BY "orders"."placed" DESC;

-- query:
SELECT COUNT(DISTINCT("orders"."id")) AS "cnt" FROM "orders" "orders" LEFT JOIN "customers" "orders__orders_customer" ON "orders__orders_customer"."id"="orders"."customer_id";

-- query:
-- parameters: ["1"]
SELECT "orders"."id" AS "orders_id", "orders"."status" AS "orders_status", "orders"."placed" AS "orders_placed", "orders"."customer_id" AS "orders_customer_id" FROM "orders" "orders" WHERE (("orders"."id" = $1)) LIMIT 1;

-- query:
-- parameters: ["paid"]
SELECT 1 AS "row_exists" FROM (SELECT 1 AS dummy_column) "dummy_table" WHERE EXISTS (SELECT 1 FROM "orders" "orders" WHERE (("orders"."status" = $1))) LIMIT 1;

-- query:
-- parameters: ["paid"]
SELECT DISTINCT "distinctAlias"."o_id" AS "ids_o_id", "distinctAlias"."o_id" FROM (SELECT "o"."id" AS "o_id", "o"."status" AS "o_status", "o"."placed" AS "o_placed", "o"."customer_id" AS "o_customer_id", "c"."id" AS "c_id", "c"."name" AS "c_name", "c"."email" AS "c_email" FROM "orders" "o" LEFT JOIN "customers" "c" ON "c"."id"="o"."customer_id" WHERE "o"."status" = $1) "distinctAlias" ORDER BY "distinctAlias"."o_id" ASC, "o_id" ASC LIMIT 3;

-- query:
-- parameters: ["paid", "10", "22", "25"]
SELECT "o"."id" AS "o_id", "o"."status" AS "o_status", "o"."placed" AS "o_placed", "o"."customer_id" AS "o_customer_id", "c"."id" AS "c_id", "c"."name" AS "c_name", "c"."email" AS "c_email" FROM "orders" "o" LEFT JOIN "customers" "c" ON "c"."id"="o"."customer_id" WHERE ( "o"."status" = $1 ) AND ( "o"."id" IN ($2, $3, $4) ) ORDER BY "o"."id" ASC;

-- query:
select 1;

-- query:
START TRANSACTION;

-- query:
-- parameters: ["placed", "1970-01-01 00:00:00+00", "1"]
INSERT INTO "orders"("status", "placed", "customer_id") VALUES ($1, $2, $3) RETURNING "id";

-- query:
-- parameters: ["paid", "1"]
UPDATE "orders" SET "status" = $1 WHERE "id" = $2;

-- query:
-- parameters: ["1"]
SELECT "orders"."id" AS "orders_id", "orders"."status" AS "orders_status", "orders"."placed" AS "orders_placed", "orders"."customer_id" AS "orders_customer_id" FROM "orders" "orders" WHERE (("orders"."id" = $1)) LIMIT 1 FOR UPDATE;

-- query:
COMMIT;

-- query:
-- parameters: ["paid", "1970-01-01 00:00:00+00", "1"]
INSERT INTO "orders"("status", "placed", "customer_id") VALUES ($1, $2, $3) ON CONFLICT ( "id" ) DO UPDATE SET "id" = EXCLUDED."id", "status" = EXCLUDED."status", "placed" = EXCLUDED."placed", "customer_id" = EXCLUDED."customer_id" RETURNING "id";
