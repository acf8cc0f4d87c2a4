"""Lineage only grows, and is exact only where it is one column's own."""

from hypothesis import given
from hypothesis import strategies as st

from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine, either
from interpose.model.resources import ColumnResource

A, B = (ColumnResource("public", "t", name) for name in "ab")
LINEAGES = st.builds(
    lambda sources, known, direct: Lineage(frozenset(sources), known=known, direct=direct and bool(sources)),
    st.sets(st.sampled_from([A, B])),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(LINEAGES))
def test_nothing_is_lost_by_combining(parts: list[Lineage]) -> None:
    whole = combine(parts)
    assert whole.sources == frozenset().union(*(part.sources for part in parts))
    assert whole.known == all(part.known for part in parts)
    assert not whole.direct


@given(LINEAGES, LINEAGES)
def test_either_is_direct_only_for_the_same_column(left: Lineage, right: Lineage) -> None:
    both = either(left, right)
    assert both.sources == left.sources | right.sources
    if both.direct:
        assert left.direct and right.direct and left.sources == right.sources


def test_an_expression_is_not_the_column() -> None:
    column = Lineage(frozenset({A}), direct=True)
    assert not column.derived().direct and column.derived().sources == {A}
    assert not column.doubted().known
    assert combine([]) is CONSTANT
    assert combine([UNKNOWN]) is UNKNOWN
