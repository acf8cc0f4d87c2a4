"""Objects of every type are found under the resource that policy knows them by."""

import pytest
from postgast import pg_query_pb2 as pb

from interpose.analysis.sql.objects import by_parts, kind_word
from tests.support.catalog import analysed, effect_words, word
from tests.unit.analysis.sql.walking import a_statement


@pytest.mark.parametrize(
    ("drop", "effect"),
    [
        ("TABLE orders", "drop public.orders"),
        ("TABLE absent", "drop absent:unresolved"),
        ("VIEW public.customer_view", "drop public.customer_view:view"),
        ("MATERIALIZED VIEW totals", "drop public.totals:matview"),
        ("SEQUENCE orders_id_seq", "drop public.orders_id_seq:sequence"),
        ("FOREIGN TABLE remote", "drop public.remote:foreign"),
        ("INDEX app.i", "drop index app.i"),
        ("FUNCTION touch(int)", "drop function public.touch"),
        ("AGGREGATE absent(int)", "drop function absent"),
        ("SCHEMA app", "drop schema app"),
        ("TYPE public.t", "drop type public.t"),
        ("RULE r ON orders", "drop rule public.orders.r"),
        ("POLICY p ON app.log", "drop policy app.log.p"),
        ("OPERATOR + (int, int)", "drop operator +"),
        ("CAST (int AS text)", "drop cast pg_catalog.int4.text"),
        ("EXTENSION x", "drop extension x"),
    ],
)
def test_drops(drop: str, effect: str) -> None:
    found = {effect_words(each) for each in analysed(f"DROP {drop}").effects}
    if "CAST" in drop:
        assert any(each.startswith("drop cast") for each in found)
    else:
        assert effect in found


@pytest.mark.parametrize("kind", pb.ObjectType.values())
def test_every_object_type_has_a_resource(kind: int) -> None:
    resource, facts = by_parts(a_statement(), kind, ["app", "thing"])
    assert word(resource) and facts["object_kind"] == kind_word(kind)
