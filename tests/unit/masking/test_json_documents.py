"""Masking by path: what is met, and that the rest keeps its bytes."""

import pytest

from interpose.masking.json_documents import MAX_DEPTH, MAX_DOCUMENT, mask_paths
from interpose.masking.json_paths import read_path


def masked(document: str, *paths: str) -> str:
    rules = [(read_path(path, 0)[0], lambda raw, mark=index: f"<{mark}>") for index, path in enumerate(paths)]
    return mask_paths(document, rules)


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        ("$.a", '{"a": 1, "b" :2}', '{"a": <0>, "b" :2}'),
        ("$.a.b", ' { "a":{"b":"x" , "c": 1.50e+1}, "b":"y"} ', ' { "a":{"b":<0> , "c": 1.50e+1}, "b":"y"} '),
        ("$.a", '{"a":1,"a":2}', '{"a":<0>,"a":<0>}'),  # duplicate keys
        ("$.email", '{"\\u0065mail": "x"}', '{"\\u0065mail": <0>}'),  # an escaped key
        ("$.a", '{"A": 1}', '{"A": 1}'),
        ("$.a", '{"a": {"x": [1, {"y": 2}]}, "z": 3}', '{"a": <0>, "z": 3}'),  # a container is masked whole
        ("$.items[*].card", '{"items": [{"card": 1}, {"card": 2, "n": 3}]}', '{"items": [{"card": <0>}, {"card": <0>, "n": 3}]}'),
        ("$.items.card", '{"items": [{"card": 1}, [{"card": 2}]]}', '{"items": [{"card": <0>}, [{"card": <0>}]]}'),  # lax
        ("$.items[*].card", '{"items": {"card": 1}}', '{"items": {"card": <0>}}'),  # lax
        ("$[*]", "[1, [2], {}]", "[<0>, <0>, <0>]"),
        ("$[*]", "1", "<0>"),
        ("$.*", '{"a": 1, "b": {"c": 2}}', '{"a": <0>, "b": <0>}'),
        ("$.*.c", '{"a": 1, "b": {"c": 2}}', '{"a": 1, "b": {"c": <0>}}'),
        ("$.**.iban", '{"iban": 1, "a": [{"b": {"iban": 2}}], "c": "x"}', '{"iban": <0>, "a": [{"b": {"iban": <0>}}], "c": "x"}'),
        ("$.**", '{"a": 1}', "<0>"),
        ("$.a.b", '{"a": "text where an object was expected"}', '{"a": <0>}'),
        ("$.a[*].b", '{"a": ["x", {"b": 1}]}', '{"a": [<0>, {"b": <0>}]}'),
        ("$.a", '"a document that is a text"', "<0>"),
        ("$.**.iban", "4111111111111111", "<0>"),
        ("$.**.iban", '"4111111111111111"', "<0>"),
        ("$.**.iban", '["4111111111111111"]', '["4111111111111111"]'),
        ("$.a", "[]", "[]"),
        ("$.a", '{"b": "\\"a\\": 1"}', '{"b": "\\"a\\": 1"}'),
    ],
)  # fmt: skip
def test_what_a_path_meets(path: str, document: str, expected: str) -> None:
    assert masked(document, path) == expected


def test_where_several_meet_the_first_counts_and_the_outermost() -> None:
    assert masked('{"a": 1}', "$.*", "$.a") == '{"a": <0>}'
    assert masked('{"a": {"b": 1}}', "$.a.b", "$.a") == '{"a": <1>}'


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        "[1,]",
        "[1",
        "{a:1}",
        "01",
        "nul",
        '"x',
        "1 2",
        "{'a':1}",
        '"\n"',
        '{"a" 1}',
        "{]",
        "[1}",
    ],
)
def test_what_is_no_json_raises(document: str) -> None:
    with pytest.raises(ValueError):
        masked(document, "$.x.y")


def test_depth_and_length_are_bounded() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert masked(deep, "$.x") == deep
    with pytest.raises(ValueError, match="deep"):
        masked(f"[{deep}]", "$.x")
    with pytest.raises(ValueError, match="long"):
        masked(" " * MAX_DOCUMENT + "1", "$.x")
