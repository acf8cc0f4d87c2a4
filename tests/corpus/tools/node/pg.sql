-- tool: pg 8.23.1
-- server: 17
-- as: developers
-- captured: capture/programs/node_tool.cjs against PostgreSQL 17, from the server's log

-- query: pg: ordinary work
SELECT NOW();

-- query:
-- parameters: ["1"]
select * from orders where id = $1;

-- query:
-- parameters: ["{1,2}", "x"]
select id, status from orders where id = any($1) and status <> $2;

-- query:
select json_agg(o) from (select id, status, placed from orders limit 3) o;

-- query:
BEGIN;

-- query:
SET LOCAL statement_timeout = '5s';

-- query:
SAVEPOINT a;

-- query:
-- parameters: ["paid", "1"]
update orders set status = $1 where id = $2 returning id, status;

-- query:
RELEASE SAVEPOINT a;

-- query:
COMMIT;

-- query:
select id from orders order by id;

-- query:
LISTEN orders;

-- query:
UNLISTEN *;

-- query: postgres.js: types and work
select b.oid, b.typarray
      from pg_catalog.pg_type a
      left join pg_catalog.pg_type b on b.oid = a.typelem
      where a.typcategory = 'A'
      group by b.oid, b.typarray
      order by b.oid;

-- query:
-- parameters: ["{1,2}", "1", "2"]
select id, status, $1::int[] as ids from orders where id in ($2,$3);

-- query:
-- parameters: ["paid"]
update orders set "status"=$1 where id = 2 returning *;

-- query:
begin;

-- query:
select 1;

-- query:
savepoint "s0";

-- query:
select 2;

-- query:
commit;
