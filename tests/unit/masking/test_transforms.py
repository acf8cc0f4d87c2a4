"""Names, arguments and strictness of transforms."""

import pytest

from interpose.masking.transforms import STRICTNESS, TRANSFORM_NAMES, VALID_FOR, Transform, parse_transform, strictness
from interpose.model.errors import ConfigurationError


@pytest.mark.parametrize("name", [name for name in TRANSFORM_NAMES if not name.endswith((":N", ":TEXT"))])
def test_every_listed_name_parses_and_has_its_place_in_both_tables(name: str) -> None:
    transform = parse_transform(name)
    assert transform.name in VALID_FOR
    assert name in STRICTNESS
    assert parse_transform(str(transform)) == transform


def test_arguments() -> None:
    assert parse_transform("last4") == parse_transform("last:4") == Transform("last", keep=4)
    assert parse_transform("first:2") == Transform("first", keep=2)
    assert parse_transform("fixed:a:b c") == Transform("fixed", text="a:b c")
    assert str(parse_transform("fixed:a:b c")) == "fixed:a:b c"


@pytest.mark.parametrize(
    "text",
    ["", "nul", "last", "last:", "last:0", "last:33", "last:٣", "last:-1", "first:x", "fixed:", "fixed:a\nb", "hash:x"],
)
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_transform(text)
    assert caught.value.hint


def test_the_suggestion_names_what_was_meant() -> None:
    with pytest.raises(ConfigurationError, match="did you mean `partial-email`"):
        parse_transform("Partial_Email")


def test_the_one_that_leaves_less_is_stricter() -> None:
    ordered = ["partial-card", "first:4", "last4", "last:2", "partial-email", "hash", "fixed", "redact", "null"]
    assert sorted(ordered, key=lambda text: strictness(parse_transform(text))) == ordered
