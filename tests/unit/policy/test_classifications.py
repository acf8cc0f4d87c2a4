"""Classifications: which columns of which connections, and every fault in its place."""

from __future__ import annotations

import pytest

from interpose.model.errors import Problem
from interpose.model.ids import DataClassName
from interpose.model.resources import ColumnResource
from interpose.policy.classifications import Classifications, parse_column, read_classifications
from tests.unit.policy.shop import EMAIL, MASKS, PERMIT, PROD, connection, problems

_TEXT = """
data_classes:
  pii: {mask: hash, description: people}
  pii.email: {}
  pii.contact: {mask: redact}
classifications:
  - connections: ["orders-*"]
    columns:
      public.customers.email: [pii.email]
  - labels: {env: prod}
    columns:
      public.customers.email: [pii.contact]
      'public."a.b"."c""d"': pii.email
"""


def _read(text: str) -> Classifications:
    found: list[Problem] = []
    made = read_classifications(text, "classifications.yaml", MASKS, frozenset(), None, found)
    assert not found
    return made


def test_groups_add_up() -> None:
    made = _read(_TEXT)
    quoted = ColumnResource("public", "a.b", 'c"d')
    assert made.for_connection(PROD) == {EMAIL: {"pii.email", "pii.contact"}, quoted: {"pii.email"}}
    assert made.for_connection(connection("orders-dev", env="dev")) == {EMAIL: {"pii.email"}}
    assert set(made.for_connection(connection("billing", env="prod"))) == {EMAIL, quoted}
    assert made.for_connection(connection("Orders-x", env="dev")) == {}


def test_the_same_name_with_other_labels_is_another_connection() -> None:
    made = _read(_TEXT)
    assert len(made.for_connection(connection("x", env="dev"))) == 0
    assert len(made.for_connection(connection("x", env="prod"))) == 2


def test_classes_and_defaults_go_up_the_dots() -> None:
    made = _read(_TEXT)
    assert made.classes == {"pii", "pii.email", "pii.contact"}
    assert made.default_mask(DataClassName("pii.email")) == "hash"
    assert made.default_mask(DataClassName("pii.contact")) == "redact"
    assert made.default_mask(DataClassName("pii.email.work")) == "hash"
    assert made.default_mask(DataClassName("pci.card")) is None


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a.b.c", ColumnResource("a", "b", "c")),
        ('"A b".b."x.y"', ColumnResource("A b", "b", "x.y")),
        ("a.b", None),
        ("a.b.c.d", None),
        ("a..c", None),
        ("a.b.", None),
        ('a.b."c', None),
        ('a."b"x.c', None),
        ("", None),
    ],
)
def test_columns(text: str, column: ColumnResource | None) -> None:
    assert parse_column(text) == column


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("data_classes: {PII: {}}", "classifications.yaml:1:16: `PII` is no data class"),
        ("data_classes: {pii: {mask: blur}}", "there is no transform `blur`"),
        ("data_classes: {pii: {maks: hash}}", "unknown key `data_classes.pii.maks` (did you mean `mask`?)"),
        (
            "clasifications: []",
            "classifications.yaml:1:1: unknown key `clasifications` (did you mean `classifications`?)",
        ),
        ("classifications: [{columns: {}}]", "this entry names no connection"),
        ("classifications: [{connections: [x], columns: {a.b: [pii]}}]", "`a.b` is no column"),
        ("classifications: [{connections: [x], columns: {a.b.c: []}}]", "`a.b.c` has no data class"),
        (
            "data_classes: {pii: {}}\nclassifications: [{connections: [x], columns: {a.b.c: [pi]}}]",
            "unknown data class `pi` (did you mean `pii`?)",
        ),
        ("classifications: [{connections: [x], columns: {a.b.c: [1]}}]", "must be a list of texts"),
        ("classifications: {a: b}", "`classifications` must be a list"),
        ("- a", "must be a mapping at its top"),
        ("a: [", "not valid YAML"),
    ],
)
def test_faults(text: str, complaint: str) -> None:
    found = problems(PERMIT, text)
    assert any(complaint in each for each in found), found


def test_a_pattern_that_fits_no_connection_is_a_fault_where_connections_are_known() -> None:
    text = "data_classes: {pii: {}}\nclassifications: [{connections: [order-prod], columns: {a.b.c: [pii]}}]"
    assert problems(PERMIT, text) == []
    (found,) = problems(PERMIT, text, connections=(PROD,))
    assert "no connection is named `order-prod` (did you mean `orders-prod`?)" in found


def test_what_a_detector_finds_need_not_be_declared() -> None:
    text = "classifications: [{connections: [x], columns: {a.b.c: [pci.card]}}]"
    assert problems(PERMIT, text, detectors=["pci.card"]) == []
    assert problems(PERMIT, text)
