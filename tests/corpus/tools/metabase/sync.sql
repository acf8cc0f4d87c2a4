-- tool: Metabase (hand-written shapes)
-- server: 17
-- as: developers
-- captured: not captured. Written by hand from general knowledge of what Metabase reads: Metabase did not run, no log of it was at hand, and no text here is its own. It says that statements of these shapes pass, and not that Metabase works; its metadata through JDBC is in jdbc/work.sql

-- query: connection
SET SESSION TIMEZONE TO 'UTC';

-- query:
SELECT 1;

-- query: sync
SELECT n.nspname AS "schema", c.relname AS "name", CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' END AS "type", d.description, stat.n_live_tup AS estimated_row_count FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid LEFT JOIN pg_catalog.pg_description d ON c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass LEFT JOIN pg_catalog.pg_stat_user_tables stat ON n.nspname = stat.schemaname AND c.relname = stat.relname WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'f', 'm') ORDER BY 1, 2;

-- query:
SELECT c.column_name AS name, CASE WHEN c.udt_schema IN ('public', 'pg_catalog') THEN format('%s', c.udt_name) ELSE format('"%s"."%s"', c.udt_schema, c.udt_name) END AS "database-type", c.ordinal_position - 1 AS "database-position", c.table_schema AS "table-schema", c.table_name AS "table-name", pk.column_name IS NOT NULL AS "pk?", col_description(cast(cast(format('%I.%I', cast(c.table_schema AS text), cast(c.table_name AS text)) AS regclass) AS oid), c.ordinal_position) AS "field-comment", (column_default IS NULL OR lower(column_default) = 'null') AND is_nullable = 'NO' AND NOT (column_default IS NOT NULL AND column_default LIKE '%nextval(%') AND is_identity = 'NO' AS "database-required", (column_default IS NOT NULL AND column_default LIKE '%nextval(%') OR is_identity <> 'NO' AS "database-is-auto-increment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name FROM information_schema.table_constraints tc INNER JOIN information_schema.key_column_usage kc ON tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name WHERE tc.constraint_type = 'PRIMARY KEY') pk ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND c.column_name = pk.column_name WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_schema IN ('public', 'stock') ORDER BY 4, 5, 3;

-- query:
SELECT fk_ns.nspname AS "fk-table-schema", fk_table.relname AS "fk-table-name", fk_column.attname AS "fk-column-name", pk_ns.nspname AS "pk-table-schema", pk_table.relname AS "pk-table-name", pk_column.attname AS "pk-column-name" FROM pg_constraint c JOIN pg_class fk_table ON c.conrelid = fk_table.oid JOIN pg_namespace fk_ns ON c.connamespace = fk_ns.oid JOIN pg_attribute fk_column ON c.conrelid = fk_column.attrelid JOIN pg_class pk_table ON c.confrelid = pk_table.oid JOIN pg_namespace pk_ns ON pk_table.relnamespace = pk_ns.oid JOIN pg_attribute pk_column ON c.confrelid = pk_column.attrelid WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND c.contype = 'f'::"char" AND fk_column.attnum = ANY (c.conkey) AND pk_column.attnum = ANY (c.confkey) ORDER BY 1, 2, 3;

-- query:
SELECT tmp.table_schema, tmp.table_name, trim(BOTH '"' FROM pg_catalog.pg_get_indexdef(tmp.ci_oid, tmp.pos, false)) AS field_name FROM (SELECT n.nspname AS table_schema, ct.relname AS table_name, ci.oid AS ci_oid, (information_schema._pg_expandarray(i.indkey)).n AS pos FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_namespace n ON ct.relnamespace = n.oid JOIN pg_catalog.pg_index i ON ct.oid = i.indrelid JOIN pg_catalog.pg_class ci ON ci.oid = i.indexrelid WHERE i.indpred IS NULL AND n.nspname !~ '^information_schema|catalog_history|pg_') tmp WHERE tmp.pos = 1 ORDER BY 1, 2, 3;

-- query:
WITH table_privileges AS (SELECT NULL AS role, t.schemaname AS schema, t.objectname AS "table", pg_catalog.has_any_column_privilege(current_user, format('%I.%I', t.schemaname, t.objectname)::regclass, 'update') AS "update", pg_catalog.has_any_column_privilege(current_user, format('%I.%I', t.schemaname, t.objectname)::regclass, 'select') AS "select", pg_catalog.has_table_privilege(current_user, format('%I.%I', t.schemaname, t.objectname)::regclass, 'delete') AS "delete" FROM (SELECT schemaname, tablename AS objectname FROM pg_catalog.pg_tables UNION SELECT schemaname, viewname FROM pg_catalog.pg_views UNION SELECT schemaname, matviewname FROM pg_catalog.pg_matviews) t WHERE t.schemaname !~ '^pg_' AND t.schemaname <> 'information_schema' AND pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')) SELECT t.* FROM table_privileges t ORDER BY 2, 3;

-- query:
SELECT nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid IN (SELECT DISTINCT enumtypid FROM pg_enum e) ORDER BY 1, 2;

-- query: fingerprints
SELECT substring("public"."products"."name", 1, 1234) AS "substring1", "public"."products"."price_cents" FROM "public"."products" LIMIT 10000;

-- query:
SELECT "public"."orders"."id", "public"."orders"."status", "public"."orders"."placed" FROM "public"."orders" LIMIT 10000;

-- query: field values
SELECT "public"."orders"."status" AS "status" FROM "public"."orders" GROUP BY "public"."orders"."status" ORDER BY "public"."orders"."status" ASC LIMIT 1001;

-- query:
SELECT count(distinct "source"."status") FROM (SELECT "public"."orders"."status" FROM "public"."orders") AS "source";

-- query: questions
SELECT DATE_TRUNC('month', "public"."orders"."placed") AS "placed", COUNT(*) AS "count" FROM "public"."orders" WHERE ("public"."orders"."placed" >= timestamp with time zone '2020-01-01 00:00:00.000Z') GROUP BY DATE_TRUNC('month', "public"."orders"."placed") ORDER BY DATE_TRUNC('month', "public"."orders"."placed") ASC;

-- query:
SELECT "source"."id" AS "id", "source"."status" AS "status", "Products"."name" AS "Products__name" FROM (SELECT "public"."orders"."id", "public"."orders"."status" FROM "public"."orders") AS "source" LEFT JOIN "public"."order_items" ON "source"."id" = "public"."order_items"."order_id" LEFT JOIN "public"."products" AS "Products" ON "public"."order_items"."product_id" = "Products"."id" ORDER BY 1, 3 LIMIT 2000;

-- query:
SELECT "public"."customers"."id" AS "id", "public"."customers"."name" AS "name", "public"."customers"."email" AS "email" FROM "public"."customers" LIMIT 2000;
