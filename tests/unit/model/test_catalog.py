"""Catalog questions are true when they ask for something."""

from interpose.model.catalog import CatalogNames


def test_names_are_true_when_anything_is_asked() -> None:
    assert not CatalogNames()
    assert CatalogNames(relations=frozenset({(None, "t")}))
    assert CatalogNames(routines=frozenset({("s", "f")}))
    assert CatalogNames(oids=frozenset({1}))
