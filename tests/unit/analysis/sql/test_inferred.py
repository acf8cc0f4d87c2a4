"""`StatementInfo.inferred`: which columns a statement compares, sorts, groups, computes with or writes, and which it only hands on."""

import pytest

from tests.support.catalog import analysed

_BARE = [
    "SELECT ssn FROM public.customers",
    "SELECT c.ssn AS x, c.* FROM public.customers c",
    "SELECT * FROM public.customers WHERE id = 7 ORDER BY id LIMIT 3",
    "SELECT s FROM (SELECT ssn AS s FROM public.customers) q WHERE true",
    "WITH q(s) AS (SELECT ssn FROM public.customers) SELECT s FROM q",
    "SELECT (SELECT ssn FROM public.customers LIMIT 1)",
    "SELECT ssn FROM public.customers UNION ALL SELECT 'x'",
    "SELECT id, ssn FROM public.customers ORDER BY 1",
    "SELECT id, ssn FROM public.customers ORDER BY id",
    "SELECT id, ssn FROM public.customers UNION ALL SELECT 1, 'x' ORDER BY 1",
    "SELECT c.ssn FROM public.customers c JOIN orders o ON o.customer_id = c.id",
    "SELECT name FROM public.customers WHERE EXISTS (SELECT c.ssn FROM public.customers c WHERE c.id = 1)",
    "SELECT count(*) FROM public.customers",
    "SELECT (c).ssn FROM public.customers c",
    "DELETE FROM public.customers WHERE id = 1 RETURNING ssn",
    "UPDATE public.customers SET note = 'x' WHERE id = 1 RETURNING ssn",
    "INSERT INTO public.customers (id, note) VALUES (1, 'x') RETURNING ssn",
    "DECLARE c CURSOR FOR SELECT ssn FROM public.customers",
    "COPY public.customers (ssn) TO STDOUT",
    "COPY (SELECT ssn FROM public.customers) TO STDOUT",
    # What a view computes is its owner's; only what is done with its columns is the client's.
    "SELECT tail FROM customer_view",
    "VALUES ((SELECT ssn FROM public.customers LIMIT 1))",
]

_INFERS = [
    "SELECT name FROM public.customers WHERE ssn LIKE '07%'",
    "SELECT name FROM public.customers WHERE ssn IS NULL",
    "SELECT name FROM public.customers WHERE (ssn) = $1",
    "SELECT name FROM public.customers ORDER BY ssn",
    "SELECT ssn FROM public.customers ORDER BY ssn",
    "SELECT ssn AS s FROM public.customers ORDER BY s",
    "SELECT id, ssn FROM public.customers ORDER BY 2",
    "SELECT id, ssn FROM public.customers UNION ALL SELECT 1, 'x' ORDER BY 2",
    "SELECT ssn FROM public.customers GROUP BY ssn",
    "SELECT ssn FROM public.customers GROUP BY 1",
    "SELECT count(*) FROM public.customers GROUP BY CUBE (ssn, name)",
    "SELECT DISTINCT ssn FROM public.customers",
    "SELECT DISTINCT ON (ssn) name FROM public.customers",
    "SELECT name, count(*) FROM public.customers GROUP BY name HAVING max(ssn) > '5'",
    "SELECT ssn FROM public.customers UNION SELECT 'x'",
    "SELECT ssn FROM public.customers INTERSECT ALL SELECT 'x'",
    "(SELECT ssn FROM public.customers EXCEPT SELECT 'x') UNION ALL SELECT 'y'",
    "SELECT s FROM (SELECT ssn AS s FROM public.customers) q WHERE s = 'x'",
    "SELECT 1 FROM public.customers a JOIN public.customers b USING (ssn)",
    "SELECT a.id FROM public.customers a NATURAL JOIN public.customers b",
    "SELECT 1 FROM public.customers a JOIN public.customers b ON a.ssn < b.ssn",
    "SELECT md5(ssn) FROM public.customers",
    "SELECT ssn::text FROM public.customers",
    "SELECT ssn || 'x' FROM public.customers",
    "SELECT coalesce(ssn, 'x') FROM public.customers",
    "SELECT CASE WHEN ssn = 'x' THEN 1 END FROM public.customers",
    "SELECT c FROM public.customers c",
    "SELECT row(c.*) FROM public.customers c",
    "SELECT to_json(c) FROM public.customers c",
    "SELECT length(ssn) FROM public.customers",
    "SELECT count(ssn) FROM public.customers",
    "SELECT count(*) FILTER (WHERE ssn = 'x') FROM public.customers",
    "SELECT rank() OVER (ORDER BY ssn) FROM public.customers",
    "SELECT rank() OVER w FROM public.customers WINDOW w AS (PARTITION BY ssn)",
    "SELECT ARRAY(SELECT ssn FROM public.customers)",
    "SELECT ARRAY[ssn] FROM public.customers",
    "SELECT 'x' IN (SELECT ssn FROM public.customers)",
    "SELECT 'x' = (SELECT ssn FROM public.customers LIMIT 1)",
    "SELECT name FROM public.customers LIMIT (SELECT ascii(ssn) FROM public.customers LIMIT 1)",
    "SELECT u FROM public.customers, unnest(string_to_array(ssn, '-')) u",
    "SELECT x.v FROM public.customers c, LATERAL (SELECT c.ssn AS v ORDER BY v) x",
    "SELECT JSON_OBJECT('a': ssn) FROM public.customers",
    "SELECT JSON_ARRAY(SELECT ssn FROM public.customers)",
    "DELETE FROM public.customers WHERE ssn = 'x'",
    "UPDATE public.customers SET ssn = 'x' WHERE id = 1",
    "UPDATE public.customers SET note = 'x' WHERE ssn = 'y'",
    "INSERT INTO public.customers (ssn) VALUES ('x')",
    "INSERT INTO public.customers VALUES (1, 'n', 'e', 'p', 's')",
    "INSERT INTO public.customers (id) VALUES (1) ON CONFLICT (ssn) DO NOTHING",
    "INSERT INTO public.customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET ssn = 'x'",
    "MERGE INTO orders o USING public.customers c ON c.ssn = o.note WHEN MATCHED THEN DELETE",
    "MERGE INTO public.customers c USING orders o ON c.id = o.id WHEN NOT MATCHED THEN INSERT (id, ssn) VALUES (1, 'x')",
    "MERGE INTO public.customers c USING orders o ON c.id = o.id WHEN MATCHED THEN UPDATE SET ssn = 'x'",
    "COPY public.customers (ssn) FROM STDIN",
    "COPY public.customers FROM STDIN",
    "EXPLAIN SELECT 1 FROM public.customers WHERE ssn = 'x'",
    "PREPARE p AS SELECT 1 FROM public.customers WHERE ssn = $1",
    "DECLARE c CURSOR FOR SELECT name FROM public.customers ORDER BY ssn",
    "SELECT name FROM customer_view WHERE tail = '1120'",
    "WITH RECURSIVE r(s) AS (SELECT ssn FROM public.customers UNION SELECT s FROM r) SELECT s FROM r",
    "CREATE INDEX ON public.customers (lower(ssn))",
    "VALUES ((SELECT ssn FROM public.customers LIMIT 1)) ORDER BY 1",
]


def _inferred(text: str) -> bool:
    return any(
        column.name == "ssn"
        for statement in analysed(text).statements
        for info in (statement, *(statement.prepares.analysis.statements if statement.prepares else ()))
        for column in info.inferred
    )


@pytest.mark.parametrize("text", _BARE)
def test_a_bare_projection_infers_nothing(text: str) -> None:
    assert all(statement.used_known for statement in analysed(text).statements)
    assert not _inferred(text)


@pytest.mark.parametrize("text", _INFERS)
def test_every_other_use_infers(text: str) -> None:
    assert _inferred(text)


def test_what_is_compared_with_copies_of_values_may_be_any_column() -> None:
    compared = "SELECT 1 FROM pg_stats WHERE most_common_vals::text LIKE '%07%'"
    assert not analysed(compared).statements[0].used_known
    assert analysed("SELECT most_common_vals FROM pg_stats WHERE tablename = 'x'").statements[0].used_known


def test_which_key_is_meant_is_part_of_what_an_analysis_is_kept_by() -> None:
    assert analysed("SELECT id, ssn FROM public.customers ORDER BY 1").depends_on_literals
