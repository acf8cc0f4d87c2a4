-- tool: ruby-activerecord 2:6.1.7.10+dfsg-1~deb12u3
-- server: 17
-- as: dba
-- captured: capture/programs/rails_tool.rb against PostgreSQL 17, from the server's log

-- query: 
SET client_min_messages TO 'warning';

-- query:
SET standard_conforming_strings = on;

-- query:
SET intervalstyle = iso_8601;

-- query:
SET SESSION timezone TO 'UTC';

-- query:
SELECT t.oid, t.typname
FROM pg_type as t
WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'timestamp', 'timestamptz');

-- query:
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
FROM pg_type as t
LEFT JOIN pg_range as r ON oid = rngtypid
WHERE
  t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'text', 'varchar', 'char', 'name', 'bpchar', 'bool', 'bit', 'varbit', 'timestamptz', 'date', 'money', 'bytea', 'point', 'hstore', 'json', 'jsonb', 'cidr', 'inet', 'uuid', 'xml', 'tsvector', 'macaddr', 'citext', 'ltree', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'time', 'timestamp', 'numeric', 'interval')
  OR t.typtype IN ('r', 'e', 'd')
  OR t.typinput = 'array_in(cstring,oid,integer)'::regprocedure
  OR t.typelem != 0;

-- query:
SHOW TIME ZONE;

-- query:
SELECT 1;

-- query: migration
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relname = 'schema_migrations' AND c.relkind IN ('r','p');

-- query:
CREATE TABLE "schema_migrations" ("version" character varying NOT NULL PRIMARY KEY);

-- query:
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relname = 'ar_internal_metadata' AND c.relkind IN ('r','p');

-- query:
CREATE TABLE "ar_internal_metadata" ("key" character varying NOT NULL PRIMARY KEY, "value" character varying, "created_at" timestamp(6) NOT NULL, "updated_at" timestamp(6) NOT NULL);

-- query:
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
       pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod,
       c.collname, col_description(a.attrelid, a.attnum) AS comment
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  LEFT JOIN pg_type t ON a.atttypid = t.oid
  LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
 WHERE a.attrelid = '"ar_internal_metadata"'::regclass
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum;

-- query:
SHOW search_path;

-- query:
-- parameters: ["environment", "1"]
SELECT "ar_internal_metadata".* FROM "ar_internal_metadata" WHERE "ar_internal_metadata"."key" = $1 LIMIT $2;

-- query:
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r','v','m','p','f');

-- query:
BEGIN;

-- query:
-- parameters: ["environment", "production", "2026-11-21 16:03:33.901193", "2026-11-21 16:03:33.901193"]
INSERT INTO "ar_internal_metadata" ("key", "value", "created_at", "updated_at") VALUES ($1, $2, $3, $4) RETURNING "key";

-- query:
COMMIT;

-- query:
SELECT current_database();

-- query:
SELECT pg_try_advisory_lock(5939944341529942170);

-- query:
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
       pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod,
       c.collname, col_description(a.attrelid, a.attnum) AS comment
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  LEFT JOIN pg_type t ON a.atttypid = t.oid
  LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
 WHERE a.attrelid = '"schema_migrations"'::regclass
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum;

-- query:
SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC;

-- query:
BEGIN;

-- query:
CREATE TABLE "returns" ("id" bigserial primary key, "order_id" bigint, "why" text NOT NULL, "created_at" timestamp(6) NOT NULL, "updated_at" timestamp(6) NOT NULL, CONSTRAINT "fk_rails_3f35594fa6"
FOREIGN KEY ("order_id")
  REFERENCES "orders" ("id")
);

-- query:
SHOW max_identifier_length;

-- query:
CREATE INDEX "index_returns_on_order_id" ON "returns" ("order_id");

-- query:
CREATE INDEX "index_returns_on_why" ON "returns" ("why");

-- query:
DEALLOCATE a1;

-- query:
SELECT 'boolean'::regtype::oid;

-- query:
ALTER TABLE "returns" ADD "closed" boolean DEFAULT FALSE;

-- query:
-- parameters: ["1"]
INSERT INTO "schema_migrations" ("version") VALUES ($1) RETURNING "version";

-- query:
COMMIT;

-- query:
BEGIN;

-- query:
-- parameters: ["default_env", "2026-11-21 16:03:33.987817", "environment"]
UPDATE "ar_internal_metadata" SET "value" = $1, "updated_at" = $2 WHERE "ar_internal_metadata"."key" = $3;

-- query:
COMMIT;

-- query:
SELECT pg_advisory_unlock(5939944341529942170);

-- query: release of a migration
DROP TABLE "returns";
