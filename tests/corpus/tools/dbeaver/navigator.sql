-- tool: DBeaver (hand-written shapes)
-- server: 17
-- as: developers
-- captured: not captured. Written by hand from general knowledge of what DBeaver reads: DBeaver did not run, no log of it was at hand, and no text here is its own. It says that statements of these shapes pass, and not that DBeaver works; its metadata through JDBC is in jdbc/work.sql

-- query: session
SET application_name = 'DBeaver 24 - Main';

-- query:
SET extra_float_digits = 3;

-- query:
SELECT current_schema(), session_user;

-- query:
SELECT version();

-- query:
SELECT * FROM pg_catalog.pg_settings WHERE name = 'standard_conforming_strings';

-- query:
SELECT string_agg(word, ',') FROM pg_catalog.pg_get_keywords() WHERE word <> ALL ('{a,abs,absolute}'::text[]);

-- query: navigator
SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate ORDER BY db.datname;

-- query:
SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass ORDER BY nspname;

-- query:
SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (t.typtype <> 'b' OR t.typcategory <> 'A');

-- query:
SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relnamespace = {{pg_namespace stock}} AND c.relkind NOT IN ('i', 'I', 'c');

-- query:
SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON a.attrelid = c.oid LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT OUTER JOIN pg_catalog.pg_description dsc ON c.oid = dsc.objoid AND a.attnum = dsc.objsubid LEFT OUTER JOIN pg_catalog.pg_depend dep ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum AND dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.relkind NOT IN ('i', 'I', 'c') AND c.oid = {{pg_class customers}} ORDER BY a.attnum;

-- query:
SELECT c.oid, c.*, t.relname AS tabrelname, rt.relnamespace AS refnamespace, d.description, null AS consrc_copy FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass WHERE c.conrelid = {{pg_class orders}} ORDER BY c.oid;

-- query:
SELECT i.*, i.indkey AS keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname AS tabrelname, dsc.description, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS pred_expr, pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) AS expr, pg_catalog.pg_relation_size(i.indexrelid) AS index_rel_size, pg_catalog.pg_stat_get_numscans(i.indexrelid) AS index_num_scans FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid = dsc.objoid WHERE i.indrelid = {{pg_class stock.shelves}} ORDER BY tabrelname, c.relname;

-- query:
SELECT p.oid, p.*, CASE WHEN p.prokind IN ('a', 'w') THEN NULL ELSE pg_catalog.pg_get_expr(p.proargdefaults, 0) END AS arg_defaults, d.description FROM pg_catalog.pg_proc p LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = p.oid AND d.objsubid = 0 WHERE p.pronamespace = {{pg_namespace stock}} ORDER BY p.proname;

-- query:
SELECT pg_catalog.pg_get_functiondef({{pg_proc customer_contact(bigint)}});

-- query:
SELECT pg_catalog.pg_get_viewdef({{pg_class customer_overview}}, true);

-- query:
SELECT x.oid, x.*, p.proname AS func_name, pg_catalog.pg_get_triggerdef(x.oid, true) AS definition FROM pg_catalog.pg_trigger x LEFT OUTER JOIN pg_catalog.pg_proc p ON p.oid = x.tgfoid WHERE x.tgrelid = {{pg_class stock.shelves}} AND NOT x.tgisinternal;

-- query:
SELECT a.oid, a.* FROM pg_catalog.pg_roles a ORDER BY a.rolname;

-- query:
SELECT e.*, v.default_version, v.comment FROM pg_catalog.pg_extension e LEFT JOIN pg_catalog.pg_available_extensions v ON v.name = e.extname ORDER BY e.extname;

-- query:
SELECT pg_catalog.pg_total_relation_size({{pg_class orders}}) AS total_rel_size, pg_catalog.pg_relation_size({{pg_class orders}}) AS rel_size, (SELECT reltuples FROM pg_catalog.pg_class WHERE oid = {{pg_class orders}}) AS row_count_estimate;

-- query:
SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = {{pg_type size}} ORDER BY enumsortorder;

-- query: data editor
SELECT x.* FROM public.products x LIMIT 200;

-- query:
SELECT x.* FROM public.customers x LIMIT 200;

-- query:
SELECT count(*) FROM public.orders;

-- query:
SELECT x.*, x.ctid FROM stock.shelves x WHERE x.active ORDER BY x.id LIMIT 200;

-- query: session manager
SELECT sa.* FROM pg_catalog.pg_stat_activity sa;
