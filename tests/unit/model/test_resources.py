"""Resources say whether the catalog knew them."""

from interpose.model.resources import TableResource


def test_an_unresolved_table_says_so() -> None:
    assert TableResource("public", "t").resolved
    assert not TableResource("", "t", "unresolved").resolved
