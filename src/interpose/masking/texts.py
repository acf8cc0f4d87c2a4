"""From a transform to what it makes of a text, of a number written as text, and of a value inside JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from interpose.masking.buckets import bucket
from interpose.masking.coarse_dates import Unit, coarse_date
from interpose.masking.format_preserving import card_form, email_form, same_form, same_number
from interpose.masking.json_documents import Leaf, mask_paths
from interpose.masking.json_paths import JsonPath
from interpose.masking.numeric import canonical_number, plain_number
from interpose.masking.partial import (
    REDACTED,
    keep_first,
    keep_last,
    partial_card,
    partial_email,
    partial_name,
    partial_phone,
)
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.strictness import strictness
from interpose.masking.transforms import Transform

TextTransform = Callable[[str], str | None]
"""A masked text, or None where the text does not have the form that is asked for."""

_JSON_BOUND: Final = 10**15  # every JSON reader holds whole numbers up to here exactly
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)


def text_transform(transform: Transform, pseudonyms: Pseudonyms) -> TextTransform:
    """What this transform makes of a text. `null` and `redact` answer None for every text: the caller knows better."""
    keep, width = transform.keep, transform.step
    match transform.name:
        case "partial-email":
            return partial_email
        case "partial-phone":
            return partial_phone
        case "partial-card":
            return partial_card
        case "partial-name":
            return partial_name
        case "last":
            return lambda text: keep_last(text, keep)
        case "first":
            return lambda text: keep_first(text, keep)
        case "hash":
            return pseudonyms.text
        case "hash-email":
            return lambda text: email_form(text, pseudonyms)
        case "hash-card":
            return lambda text: card_form(text, pseudonyms)
        case "hash-form":
            return lambda text: same_form(text, pseudonyms)
        case "fixed":
            return lambda _text: transform.text
        case "date-year" | "date-month" | "date-week" | "date-day":
            unit = Unit(transform.name)
            return lambda text: coarse_date(text, unit)
        case "bucket":
            return lambda text: bucket(text, width)
        case "json":
            return _json_text(transform, pseudonyms)
        case _:
            return lambda _text: None


def span_transform(transform: Transform, pseudonyms: Pseudonyms) -> Callable[[str], str]:
    """What this transform makes of a span within a longer text: there is no NULL there, so `null` redacts."""
    if transform.name == "json":
        return lambda _text: REDACTED  # paths are for documents, a span is none
    whole = text_transform(transform, pseudonyms)

    def span(text: str) -> str:
        masked = whole(text)
        return REDACTED if masked is None else masked

    return span


def number_transform(transform: Transform, bound: int | None, pseudonyms: Pseudonyms) -> TextTransform:
    """What this transform makes of a decimal number; the whole part of the answer is less than `bound` (None for any).

    None for a transform or a value that has no meaning here.
    """
    keep, width = transform.keep, transform.step

    def bounded(text: str | None) -> str | None:
        return text if text is None or bound is None or abs(int(text)) < bound else None

    def last(text: str) -> str | None:
        digits = text.lstrip("+-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) < 2 * keep:
            return None
        return bounded(str(int(digits[-keep:])))

    def pseudonym(text: str) -> str | None:
        plain = plain_number(text)
        if plain is None or len(plain) > 2000:
            return None
        return str(pseudonyms.number(canonical_number(plain), bound or _JSON_BOUND))

    def form(text: str) -> str | None:
        plain = plain_number(text)
        return None if plain is None else same_number(plain, canonical_number(plain), bound, pseudonyms)

    match transform.name:
        case "last":
            return last
        case "hash":
            return pseudonym
        case "hash-form":
            return form
        case "hash-card":
            return lambda text: bounded(card_form(text, pseudonyms))
        case "bucket":
            return lambda text: bounded(bucket(text, width))
        case _:
            return lambda _text: None


def json_scalar(transform: TextTransform) -> TextTransform:
    """Applies to a JSON document that is one string; any other document is redacted whole."""

    def mask(text: str) -> str | None:
        document: object = json.loads(text) if text.lstrip(" \t\r\n").startswith('"') else None
        masked = transform(document) if isinstance(document, str) else None
        return None if masked is None else _quoted(masked)

    return mask


def json_rules(transform: Transform, pseudonyms: Pseudonyms) -> list[tuple[JsonPath, Leaf]]:
    """What is done at each path of a `json:` transform, the strictest first."""
    ordered = sorted(transform.paths, key=lambda pair: strictness(pair[1]), reverse=True)
    return [(path, _leaf(inner, pseudonyms)) for path, inner in ordered]


def _json_text(transform: Transform, pseudonyms: Pseudonyms) -> TextTransform:
    rules = json_rules(transform, pseudonyms)

    def mask(text: str) -> str | None:
        try:
            return mask_paths(text, rules)
        except (ValueError, RecursionError):
            return None

    return mask


def _quoted(text: str) -> str:
    # A lone surrogate is legal in `json`, and has no UTF-8: it is written as its escape.
    plain = all(not 0xD800 <= ord(character) <= 0xDFFF for character in text)
    return json.dumps(text, ensure_ascii=not plain)


def _leaf(transform: Transform, pseudonyms: Pseudonyms) -> Leaf:
    """Keeps the kind of a scalar: a masked number is a number. An object or array becomes the redaction constant."""
    as_text = text_transform(transform, pseudonyms)
    as_number = number_transform(transform, _JSON_BOUND, pseudonyms)
    name, fixed = transform.name, transform.text

    def leaf(raw: str) -> str:
        if raw == "null" or name == "null":
            return "null"
        first = raw[0]
        if first == '"':
            masked = as_text(json.loads(raw))
            return _quoted(REDACTED if masked is None else masked)
        if first in "{[":
            return _quoted(fixed if name == "fixed" else REDACTED)
        if first in "tf":
            return fixed if name == "fixed" and fixed in ("true", "false") else "false"
        if name == "fixed":
            return fixed if _NUMBER.fullmatch(fixed) else "0"
        return as_number(raw) or "0"

    return leaf
