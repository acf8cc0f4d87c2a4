"""A database for the oracle: every kind of relation, and few column names that many tables share, so that names collide."""

from __future__ import annotations

from typing import Final

PATH: Final = ("pg_temp", "pg_catalog", "app", "public")

SCHEMA: Final = """
CREATE SCHEMA app;
CREATE TYPE public.pair AS (a text, b int);
CREATE TYPE public.mood AS ENUM ('calm', 'busy');
CREATE DOMAIN public.short AS text CHECK (length(VALUE) < 1000);
CREATE TABLE public.t (id int PRIMARY KEY, a text, b text, n int, s public.short, p public.pair, l text[], j jsonb,
  g text GENERATED ALWAYS AS (upper(a)) STORED);
CREATE TABLE public.u (id int PRIMARY KEY, a text, c text, n int, t text, d date, x xml, pp public.pair[]);
CREATE TABLE public.v (id int, b text, c text, u text, m public.mood, r int4range);
CREATE TABLE public.parts (id int, a text, b text, n int) PARTITION BY RANGE (id);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES FROM (0) TO (100);
CREATE TABLE public.parts_2 (n int, b text, gone text, a text, id int);
ALTER TABLE public.parts_2 DROP COLUMN gone;
ALTER TABLE public.parts ATTACH PARTITION public.parts_2 FOR VALUES FROM (100) TO (200);
CREATE TABLE public.base (id int, a text);
CREATE TABLE public.child (b text, n int) INHERITS (public.base);
CREATE TABLE public.other_base (n int, c text);
CREATE TABLE public.grandchild (x text) INHERITS (public.child, public.other_base);
CREATE TABLE app.u (id int, a text, app text, n int);
CREATE TABLE app.w (id int, w text, a text);
CREATE TABLE public."Odd Name" ("A" text, "select" int, id int, "q.r" text);
CREATE VIEW public.plain_view AS SELECT id, a AS b, b AS a, n FROM public.t WHERE s IS NOT NULL;
CREATE VIEW public.join_view AS SELECT id, t.a, u.c, t.n + u.n AS n FROM public.t JOIN public.u USING (id);
CREATE VIEW public.deep_view AS SELECT j.c AS a, p.a AS b, j.n, p.id FROM public.join_view j, public.plain_view p;
CREATE VIEW public.row_view AS SELECT u, u.id, row_to_json(u) AS j, u.a FROM public.u;
CREATE VIEW public.set_view(id, a) AS SELECT id, a FROM public.t UNION ALL SELECT id, b FROM public.v;
CREATE VIEW public.cte_view AS WITH RECURSIVE r(id, a, n) AS (
  SELECT id, a, 1 FROM public.t UNION ALL SELECT r.id, u.c, r.n + 1 FROM r JOIN public.u ON u.id = r.id WHERE r.n < 3
) SELECT id, a, n FROM r;
CREATE VIEW public.agg_view AS SELECT a, count(*) AS n, max(b) AS b, array_agg(n) AS l FROM public.t GROUP BY a;
CREATE VIEW public.star_view AS SELECT * FROM public.v NATURAL JOIN public.parts;
CREATE MATERIALIZED VIEW public.kept AS SELECT id, a || c AS a, n AS b FROM public.u;
CREATE EXTENSION file_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE public.far_away (id int, a text, far text) SERVER far OPTIONS (filename '/dev/null');
CREATE FUNCTION public.plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION public.two(IN i text, OUT a text, OUT b int) LANGUAGE sql IMMUTABLE AS 'SELECT i, 1';
CREATE FUNCTION public.many(i int) RETURNS TABLE (id int, a text) LANGUAGE sql STABLE AS 'SELECT i, i::text';
"""
