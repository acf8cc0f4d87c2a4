"""Names and arguments of transforms."""

import pytest

from interpose.masking.json_paths import read_path
from interpose.masking.transforms import (
    EXAMPLES,
    MAX_PATHS,
    REDACT,
    TRANSFORM_NAMES,
    VALID_FOR,
    Transform,
    parse_transform,
)
from interpose.model.errors import ConfigurationError


@pytest.mark.parametrize("name", TRANSFORM_NAMES)
def test_every_listed_name_parses_and_is_valid_for_something(name: str) -> None:
    transform = parse_transform(EXAMPLES.get(name, name))
    assert VALID_FOR[transform.name]
    assert parse_transform(str(transform)) == transform


def test_arguments() -> None:
    assert parse_transform("last4") == parse_transform("last:4") == Transform("last", keep=4)
    assert parse_transform("first:2") == Transform("first", keep=2)
    assert parse_transform("bucket:1000") == Transform("bucket", step=1000)
    assert parse_transform("fixed:a:b c") == Transform("fixed", text="a:b c")
    assert str(parse_transform("fixed:a:b c")) == "fixed:a:b c"


def test_json_paths_each_with_a_transform() -> None:
    made = parse_transform('json:$.customer.email=partial-email; $.items[*].card=last4;$."a;b"=fixed:x;y;$.z')
    assert [(str(path), str(transform)) for path, transform in made.paths] == [
        ("$.customer.email", "partial-email"),
        ("$.items[*].card", "last:4"),
        ('$."a;b"', "fixed:x;y"),
        ("$.z", "redact"),
    ]
    assert parse_transform(str(made)) == made
    assert parse_transform("json:$.a").paths == ((read_path("$.a", 0)[0], REDACT),)


@pytest.mark.parametrize(
    "text",
    ["", "nul", "last", "last:", "last:0", "last:33", "last:٣", "last:-1", "first:x", "fixed:", "fixed:a\nb", "hash:x", "bucket", "bucket:",
     "bucket:1", "bucket:0.5", "bucket:-10", "bucket:9999999999999999", "date-year:3", "json", "json:", "json:a", "json:$", "json:$.a=", "json:$.a=shred",
     "json:$.a=json:$.b", "json:$.a $.b", "json:$.a;b", "json:$[0]", "json:" + ";".join(["$.a"] * (MAX_PATHS + 1))],
)  # fmt: skip
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_transform(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Partial_Email", "partial-email"),
        ("bucket-1000", "bucket:1000"),
        ("date-yaer", "date-year"),
        ("hash-cart", "hash-card"),
        ("last-4", "last4"),
    ],
)
def test_the_suggestion_names_what_was_meant(text: str, meant: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_transform(text)
    assert caught.value.hint == f"did you mean `{meant}`?"
