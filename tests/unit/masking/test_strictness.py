"""Which transform hides more."""

import itertools

import pytest

from interpose.masking.strictness import STRICTNESS, strictest, strictness
from interpose.masking.transforms import EXAMPLES, TRANSFORM_NAMES, parse_transform
from interpose.model.errors import ConfigurationError


def test_every_transform_has_its_place_and_no_two_the_same() -> None:
    names = {parse_transform(EXAMPLES.get(name, name)).name for name in TRANSFORM_NAMES}
    assert names == set(STRICTNESS) - {"last4"}
    assert len({STRICTNESS[name] for name in names}) == len(names)


def test_the_one_that_leaves_less_is_stricter() -> None:
    ordered = ["json:$.a", "date-day", "bucket:10", "bucket:1000", "partial-card", "first:4", "last4", "last:2", "partial-email", "date-week",
               "hash-form", "hash", "fixed", "redact", "null"]  # fmt: skip
    assert sorted(ordered, key=lambda text: strictness(parse_transform(text))) == ordered
    assert strictest(["last:10", "last:4"]) == "last:4"
    assert strictest(["bucket:10", "bucket:100"]) == "bucket:100"


def test_the_order_is_total() -> None:
    texts = [EXAMPLES.get(name, name) for name in TRANSFORM_NAMES] + ["fixed:a", "fixed:b"]
    for one, other in itertools.permutations(texts, 2):
        assert strictest([one, other]) == strictest([other, one])


def test_paths_are_put_together_and_the_stricter_stands_at_the_same_path() -> None:
    both = strictest(["json:$.b=last4", "json:$.a=first:1;$.b=redact"])
    assert both == "json:$.a=first:1;$.b=redact"
    assert strictest(["json:$.a", "redact", "json:$.b"]) == "redact"
    many = ["json:" + ";".join(f"$.k{i}" for i in range(low, low + 20)) for low in (0, 20)]
    assert strictest(many) == "redact"


def test_no_transform_is_no_answer() -> None:
    with pytest.raises(ConfigurationError):
        strictest(["redact", "shred"])
