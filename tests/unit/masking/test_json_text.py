"""Masking inside JSON."""

import json

import pytest

from interpose.masking.content import ContentScanner, content_scanner
from interpose.masking.json_text import JsonError, mask_json
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.pseudonyms import Pseudonyms
from interpose.model.masks import MaskRule


def scanner() -> ContentScanner:
    made = content_scanner({name: MaskRule("redact") for name in CONTENT_CLASSES}, Pseudonyms(b"k" * 16), 1 << 16)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("document", "masked"),
    [
        ('{"a": "ada@example.com", "n" :1.50}', '{"a": "[redacted]", "n" :1.50}'),
        ('{"ada@example.com": null}', '{"[redacted]": null}'),
        ('"ada\\u0040example.com"', '"[redacted]"'),
        ('["x\\"y: 078-05-1120", true]', '["x\\"y: [redacted]", true]'),
        ('{"card": 4111111111111111, "id": 4111111111111112}', '{"card": 0, "id": 4111111111111112}'),
        ('"\\ud800 ada@example.com"', '"\\ud800 [redacted]"'),
        ('"plain \\u00e4"', '"plain \\u00e4"'),
        ("4.111111111111111", "4.111111111111111"),
    ],
)
def test_strings_are_masked_and_the_rest_keeps_its_bytes(document: str, masked: str) -> None:
    out = mask_json(document.encode(), scanner()).decode()
    assert out == masked
    json.loads(out)


@pytest.mark.parametrize("document", [b'"open', b"{x: 1}", b"'a'", b'"\\q"', b'"\\'])
def test_what_is_no_json_is_refused(document: bytes) -> None:
    with pytest.raises(JsonError):
        mask_json(document, scanner())
