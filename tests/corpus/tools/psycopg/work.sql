-- tool: psycopg 3.3.9
-- server: 17
-- as: developers
-- captured: capture/programs/psycopg_tool.py against PostgreSQL 17, from the server's log

-- query: psycopg 3: types
BEGIN;

-- query:
-- parameters: ["uuid"]
SELECT
    typname AS name, oid, typarray AS array_oid,
    oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t
WHERE t.oid = to_regtype($1)
ORDER BY t.oid;

-- query:
COMMIT;

-- query:
BEGIN;

-- query:
-- parameters: ["place"]
SELECT
    t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    coalesce(a.fnames, '{}') AS field_names,
    coalesce(a.ftypes, '{}') AS field_types
FROM pg_type t
LEFT JOIN (
    SELECT
        attrelid,
        array_agg(attname) AS fnames,
        array_agg(atttypid) AS ftypes
    FROM (
        SELECT a.attrelid, a.attname, a.atttypid
        FROM pg_attribute a
        JOIN pg_type t ON t.typrelid = a.attrelid
        WHERE t.oid = to_regtype($1)
        AND a.attnum > 0
        AND NOT a.attisdropped
        ORDER BY a.attnum
    ) x
    GROUP BY attrelid
) a ON a.attrelid = t.typrelid
WHERE t.oid = to_regtype($1);

-- query:
COMMIT;

-- query:
BEGIN;

-- query:
-- parameters: ["size"]
SELECT name, oid, array_oid, regtype, array_agg(label) AS labels
FROM (
    SELECT
        t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
        t.oid::regtype::text AS regtype, e.enumlabel AS label
    FROM pg_type t
    LEFT JOIN  pg_enum e
    ON e.enumtypid = t.oid
    WHERE t.oid = to_regtype($1)
    ORDER BY e.enumsortorder
) x
GROUP BY name, oid, array_oid, regtype;

-- query:
COMMIT;

-- query:
BEGIN;

-- query:
-- parameters: ["span"]
SELECT t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    r.rngsubtype AS subtype_oid
FROM pg_type t
JOIN pg_range r ON t.oid = r.rngtypid
WHERE t.oid = to_regtype($1);

-- query:
COMMIT;

-- query:
BEGIN;

-- query:
-- parameters: ["int4multirange"]
SELECT t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    r.rngtypid AS range_oid, r.rngsubtype AS subtype_oid
FROM pg_type t
JOIN pg_range r ON t.oid = r.rngmultitypid
WHERE t.oid = to_regtype($1);

-- query:
COMMIT;

-- query:
BEGIN;

-- query:
-- parameters: ["hstore"]
SELECT
    typname AS name, oid, typarray AS array_oid,
    oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t
WHERE t.oid = to_regtype($1)
ORDER BY t.oid;

-- query:
COMMIT;

-- query: psycopg 3: ordinary work
-- parameters: ["{1,2}", "x"]
select id, status from orders where id = any($1) and status <> $2;

-- query:
BEGIN;

-- query:
DECLARE "few" CURSOR FOR select id, status from orders order by id;

-- query:
FETCH FORWARD 10 FROM "few";

-- query:
MOVE 5 FROM "few";

-- query:
FETCH FORWARD 1 FROM "few";

-- query:
CLOSE "few";

-- query:
SAVEPOINT "_pg3_2";

-- query:
-- parameters: ["paid", "2"]
update orders set status = $1 where id = $2;

-- query:
RELEASE "_pg3_2";

-- query:
COMMIT;

-- query:
select 1;

-- query:
select count(*) from products;

-- query:
copy products (id, sku) to stdout;

-- query:
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;

-- query:
select 1;

-- query:
COMMIT;

-- query:
BEGIN;

-- query: psycopg2
SELECT t.oid, typarray
FROM pg_type t JOIN pg_namespace ns
    ON typnamespace = ns.oid
WHERE typname = 'hstore';

-- query:
SELECT t.oid, typarray, attname, atttypid
FROM pg_type t
JOIN pg_namespace ns ON typnamespace = ns.oid
JOIN pg_attribute a ON attrelid = typrelid
WHERE typname = 'place' AND nspname = 'public'
    AND attnum > 0 AND NOT attisdropped
ORDER BY attnum;

-- query:
select id, status from orders where id in (1, 2);

-- query:
update orders o set status = v.s from (values (1,'paid'),(2,'paid')) v (i, s) where o.id = v.i;

-- query:
update orders set status = 'paid' where id = 1;update orders set status = 'paid' where id = 2;

-- query:
COMMIT;

-- query:
BEGIN;

-- query:
DECLARE "many" CURSOR WITHOUT HOLD FOR select id from orders;

-- query:
FETCH FORWARD 100 FROM "many";

-- query:
FETCH FORWARD ALL FROM "many";

-- query:
CLOSE "many";

-- query:
COMMIT;

-- query:
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;

-- query:
select 1;

-- query:
COMMIT;

-- query:
DISCARD ALL;
