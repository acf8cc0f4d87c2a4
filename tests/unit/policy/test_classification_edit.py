"""Adding columns to a file that somebody keeps by hand: everything in it stays, and what comes out is read as meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.masking.strictness import strictest
from interpose.masking.transforms import parse_transform
from interpose.model.connection import Address, Connection
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.ids import ConnectionName, DataClassName
from interpose.model.resources import ColumnResource
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.classification_edit import AddedColumn, add_columns
from interpose.policy.classifications import read_classifications

MASKS = MaskVocabulary(strictest, parse_transform)
DETECTED = frozenset({DataClassName("pii.email")})
SHOP = Connection(ConnectionName("shop"), "postgres", Address("h", 1), "env:X", None)
EMAIL = AddedColumn(ColumnResource("public", "people", "email"), (DataClassName("pii.email"),), ("its name",))
BORN = AddedColumn(ColumnResource("public", "people", "born"), (DataClassName("pii.birth_date"),))


def added(text: str, *columns: AddedColumn) -> str:
    return add_columns(
        text, "c.yaml", SHOP, columns, {DataClassName("pii.birth_date"): "dates of birth"}, MASKS, DETECTED
    )


def test_a_new_file() -> None:
    assert added("", EMAIL, BORN) == (
        "data_classes:\n  pii.birth_date: {description: dates of birth}\n\n\n"
        "classifications:\n  - connections: [shop]\n    columns:\n"
        "      # its name\n      public.people.email: [pii.email]\n      public.people.born: [pii.birth_date]\n"
    )


KEPT = """\
# Who reads this: everybody.
data_classes:
  pii: {description: personal data}   # all of it

classifications:
# first
- labels: {team: shop}   # by label
  columns:
    public.a.b: [pii]

- connections: [shop]
  columns:
      # odd indentation, on purpose
      public.a.c: [pii]
      public.a.d:
        - pii
  # the end
"""


def test_a_kept_file_keeps_every_line() -> None:
    after = added(KEPT, EMAIL, BORN)
    lines = after.splitlines()
    assert [line for line in lines if line in KEPT.splitlines()] == KEPT.splitlines()
    at = lines.index("        - pii")
    assert lines[at + 1 : at + 4] == [
        "      # its name",
        "      public.people.email: [pii.email]",
        "      public.people.born: [pii.birth_date]",
    ]
    assert "  pii.birth_date: {description: dates of birth}" in lines


def test_an_entry_that_is_not_only_for_this_connection_is_left_alone() -> None:
    text = "classifications:\n  - connections: [shop, other]\n    columns:\n      public.a.b: [pii.email]\n"
    assert added(text, EMAIL) == (
        f"{text}  - connections: [shop]\n    columns:\n      # its name\n      public.people.email: [pii.email]\n"
    )


def test_a_column_that_is_there_gets_an_entry_of_its_own() -> None:
    text = "data_classes: {x: {}}\nclassifications:\n  - connections: [shop]\n    columns:\n      public.people.email: [x]\n"
    assert added(text, EMAIL).count("- connections: [shop]") == 2


def test_line_ends_and_a_missing_last_one_are_kept() -> None:
    assert added("classifications:\r\n", EMAIL).count("\r\n") == 5
    assert added("classifications: []", EMAIL).startswith("classifications:\n  - connections: [shop]\n")
    assert added("# nothing yet\n", EMAIL).startswith("# nothing yet\n\nclassifications:\n")
    assert added("---\nclassifications:\n", EMAIL, BORN).startswith("---\ndata_classes:\n")


@pytest.mark.parametrize(
    "text",
    [
        '{"classifications": []}',
        'classifications: [{connections: ["*"], columns: {a.b.c: [pii.email]}}]',
        "classifications:\n  [\n  ]\n",
        "data_classes: {x: {}}\n",
        "classifications: {}\n",
    ],
)
def test_files_that_lines_cannot_be_added_to(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        added(text, EMAIL, BORN)
    assert raised.value.hint


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)] * 3),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    st.text(max_size=30),
)
def test_any_name_is_read_as_it_was_meant(names: list[tuple[str, str, str]], comment: str) -> None:
    columns = [AddedColumn(ColumnResource(*name), (DataClassName("pii.email"),), (comment,)) for name in names]
    problems: list[Problem] = []
    read = read_classifications(added(KEPT, *columns), "c.yaml", MASKS, DETECTED, None, problems)
    assert not problems
    assert set(read.for_connection(SHOP)) >= {each.column for each in columns}
