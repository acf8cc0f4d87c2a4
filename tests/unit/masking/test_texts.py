"""From transforms to functions over texts, numbers and JSON."""

import json

import pytest

from interpose.masking.partial import REDACTED
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.texts import json_scalar, number_transform, span_transform, text_transform
from interpose.masking.transforms import parse_transform

KEY = Pseudonyms(b"k" * 32)


def text_of(transform: str, text: str) -> str | None:
    return text_transform(parse_transform(transform), KEY)(text)


def number_of(transform: str, text: str, bound: int | None = None) -> str | None:
    return number_transform(parse_transform(transform), bound, KEY)(text)


def test_every_name_has_a_function_and_null_and_redact_answer_nothing() -> None:
    assert text_of("hash", "x") == KEY.text("x")
    assert text_of("hash-email", "a@b.c") == KEY.text("a@b.c") + "@masked.invalid"
    assert text_of("fixed:y", "x") == "y"
    assert text_of("date-year", "1985-07-21") == "1985-01-01"
    assert text_of("date-week", "1985-07-21") == "1985-07-15"
    assert text_of("bucket:10", "47") == "40"
    assert text_of("redact", "x") is None
    assert text_of("null", "x") is None


def test_a_span_is_always_replaced() -> None:
    assert span_transform(parse_transform("null"), KEY)("x") == REDACTED
    assert span_transform(parse_transform("partial-email"), KEY)("no address") == REDACTED
    assert span_transform(parse_transform("last:2"), KEY)("12345") == "***45"
    assert span_transform(parse_transform("json:$.**.iban"), KEY)("4111111111111111") == REDACTED


def test_numbers() -> None:
    assert number_of("last:2", "12345") == "45"
    assert number_of("last:2", "-12399", 99) is None
    assert number_of("bucket:10", "-1", 10) is None
    assert number_of("bucket:10", "-1") == "-10"
    assert number_of("hash", "1.50") == number_of("hash", "15e-1")
    assert number_of("hash", "NaN") is None
    assert number_of("hash-form", "1e3") is not None
    assert number_of("hash-form", "NaN") is None
    assert number_of("hash-card", "4111111111111111", 10) is None
    assert number_of("first:1", "12345") is None


DOCUMENT = (
    '{"id": 7, "mail": "ada@example.com", "card": 4111111111111111, "vip": true, "none": null, "pay": 1234.5,'
    ' "born": "1985-07-21", "tags": ["x"], "o": {"k": 1}}'
)


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("$.mail=partial-email", "mail", "a***@e***.com"),
        ("$.mail", "mail", REDACTED),
        ("$.mail=null", "mail", None),
        ("$.card=last4", "card", 1111),
        ("$.card", "card", 0),
        ("$.card=fixed:5", "card", 5),
        ("$.card=fixed:x", "card", 0),
        ("$.vip", "vip", False),
        ("$.vip=fixed:true", "vip", True),
        ("$.none", "none", None),
        ("$.pay=bucket:1000", "pay", 1000),
        ("$.born=date-year", "born", "1985-01-01"),
        ("$.born=partial-email", "born", REDACTED),
        ("$.tags", "tags", REDACTED),
        ("$.o=fixed:gone", "o", "gone"),
        ("$.o=null", "o", None),
    ],
)
def test_values_in_json_keep_their_kind_and_the_others_their_bytes(path: str, key: str, value: object) -> None:
    masked = text_of(f"json:{path}", DOCUMENT)
    assert masked is not None
    expected = json.loads(DOCUMENT) | {key: value}
    assert json.loads(masked) == expected
    assert list(json.loads(masked)) == list(expected)


def test_the_strictest_of_two_rules_for_one_value_counts() -> None:
    assert text_of("json:$.a=first:1;$.*=redact", '{"a": "abcd"}') == '{"a": "[redacted]"}'


def test_no_json_is_nothing() -> None:
    assert text_of("json:$.a", "{broken") is None
    assert text_of("json:$.a", "[" * 5000) is None


def test_a_document_that_is_one_string() -> None:
    mask = json_scalar(lambda text: text.upper())
    assert mask('"ä"') == '"Ä"'
    assert mask("[]") is None


def test_half_a_character_stays_writable() -> None:
    assert text_of("json:$.a=first:1", '{"a": "\\ud800x"}') == '{"a": "\\ud800***"}'
    assert json_scalar(lambda text: text)('"\\ud800"') == '"\\ud800"'
