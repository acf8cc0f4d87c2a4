"""Masking by content: what is found in a value is hidden, the rest of the value stays.

Knows which types are searched and what becomes of them; how values are found is `detect.py`'s. Searched are texts, `json`, `jsonb`,
`xml`, text search vectors, `bytea` that is UTF-8 text, arrays of these, and every type that is not built in (by its bytes; a hit makes
it NULL). `int8` and `numeric` are searched for card numbers. Dates and the other scalar types are not searched.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final, final

from interpose.masking.arrays import array_mask
from interpose.masking.cells import CellMask
from interpose.masking.detect import Detector, Finding, TooMuchToInspect, detector_for
from interpose.masking.json_text import JsonError, mask_json
from interpose.masking.partial import REDACTED
from interpose.masking.patterns import CARD, CONTENT_CLASSES, HEXADECIMAL, INTEGERS, JSON_ESCAPES, NUMERICS, Prefilter
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.strictness import strictness
from interpose.masking.texts import span_transform
from interpose.masking.transforms import Transform, parse_transform
from interpose.masking.types import BINARY_FORMAT, Family, PgType, type_of
from interpose.masking.validators import is_card_number
from interpose.masking.values import bytea_from_text, decode_value, fit_text, redaction
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule

_BY_BYTES: Final = frozenset({Family.OPAQUE, Family.TSVECTOR, Family.TSQUERY, Family.JSONPATH})
"""Families whose bytes are searched though they are not text; a hit redacts the whole value."""

SPAN_DEFAULT: Final = "redact"
"""The transform for found values when a rule names none."""


@final
class ContentScanner:
    """Hides what is found of some data classes, each by its own transform. Immutable."""

    __slots__ = ("_detector", "_prefilter", "_spans", "_transforms", "max_inspected")

    def __init__(
        self,
        transforms: Mapping[DataClassName, Transform],
        pseudonyms: Pseudonyms,
        max_inspected: int,
        encoded: frozenset[str] = frozenset(),
    ) -> None:
        """`max_inspected` is in bytes of one cell; a longer cell is redacted whole. `encoded` are further prefilters, for columns
        in which a value does not stand as text (`encoded_in`)."""
        self._detector: Detector = detector_for(frozenset(transforms))
        self._prefilter = self._detector.json_may_match if not encoded else _with(self._detector, encoded)
        self._transforms = dict(transforms)
        self._spans: dict[DataClassName, Callable[[str], str]] = {
            name: span_transform(transform, pseudonyms) for name, transform in transforms.items()
        }
        self.max_inspected = max_inspected

    def may_match(self, data: bytes) -> bool:
        """Whether anything may be hidden in these bytes (one cell, or many with framing between them). False clears them.

        JSON's escapes count as a match, so that the answer is right for every type.
        """
        return self._prefilter(data)

    def cell_scan(self, type_oid: int, type_modifier: int, wire_format: int) -> CellMask | None:
        """The scan of a column of this type, None when its type is not searched."""
        return self._scan(type_of(type_oid), type_modifier, wire_format)

    def _scan(self, pg_type: PgType, modifier: int, wire_format: int) -> CellMask | None:
        constant = redaction(pg_type, modifier, wire_format)
        family = pg_type.family
        if pg_type.element is not None:
            element = self._scan(pg_type.element, modifier, wire_format)
            if element is None:
                return None
            # The array is searched as it comes first: hardly any has to be taken apart.
            return self._bounded(array_mask(element, pg_type.element.oid, wire_format, constant), constant)
        if family in (Family.JSON, Family.JSONB):
            return self._bounded(
                self._json_scan(family is Family.JSONB and wire_format == BINARY_FORMAT, constant), constant
            )
        if family is Family.BYTEA:
            return self._bytea_scan(wire_format, constant)
        if CARD in self._transforms and (family is Family.NUMERIC or (family is Family.INTEGER and pg_type.size == 8)):
            return self._number_scan(pg_type, wire_format, constant)
        if family in _BY_BYTES:
            return self._bounded(self._bytes_scan(constant), constant)
        if family is Family.TEXT or family is Family.XML:
            return self._bounded(self._text_scan(pg_type, modifier, constant), constant)
        return None

    def _bounded(self, scan: CellMask, constant: bytes | None) -> CellMask:
        may_match, most = self.may_match, self.max_inspected

        def bounded(value: bytes) -> bytes | None:
            if len(value) > most:
                return constant
            if not may_match(value):
                return value
            try:
                return scan(value)
            except TooMuchToInspect:
                return constant

        return bounded

    def _text_scan(self, pg_type: PgType, modifier: int, constant: bytes | None) -> CellMask:
        markup = pg_type.family is Family.XML

        def scan(value: bytes) -> bytes | None:
            masked = self.mask_bytes(value, markup=markup)
            if masked is value:
                return value
            try:
                return masked if markup else fit_text(pg_type, modifier, masked.decode())
            except UnicodeDecodeError:
                return constant

        return scan

    def _number_scan(self, pg_type: PgType, wire_format: int, constant: bytes | None) -> CellMask:
        """Hides a whole number that is a card's; a fraction of zeros does not disguise it."""

        def scan(value: bytes) -> bytes | None:
            try:
                whole, _, fraction = decode_value(pg_type, wire_format, value).partition(".")
            except (ValueError, struct.error):
                # Not what its type says: hidden where anything could be in it.
                return constant if self.may_match(value) else value
            return constant if is_card_number(whole) and not fraction.strip("0") else value

        return scan

    def _bytea_scan(self, wire_format: int, constant: bytes | None) -> CellMask:
        def scan(value: bytes) -> bytes | None:
            try:
                raw = value if wire_format == BINARY_FORMAT else bytea_from_text(value.decode())
                raw.decode()
            except ValueError:
                return value  # an image, an archive: nobody's text
            if len(raw) > self.max_inspected:
                return constant
            try:
                return constant if self._detector.find(raw) else value
            except TooMuchToInspect:
                return constant

        return scan

    def _bytes_scan(self, constant: bytes | None) -> CellMask:
        return lambda value: constant if self._detector.find(value) else value

    def _json_scan(self, versioned: bool, constant: bytes | None) -> CellMask:
        def scan(value: bytes) -> bytes | None:
            try:
                if not versioned:
                    return mask_json(value, self)
                return b"\x01" + mask_json(value[1:], self) if value[:1] == b"\x01" else constant
            except (JsonError, UnicodeDecodeError):
                return constant

        return scan

    def find(self, data: bytes) -> list[Finding]:
        """What is found in UTF-8 text, offsets in bytes. Raises `TooMuchToInspect`."""
        return self._detector.find(data)

    def mask_bytes(self, data: bytes, *, markup: bool = False) -> bytes:
        """UTF-8 text with what is found replaced; `data` itself when nothing is. Raises `TooMuchToInspect`.

        With `markup`, replacements are escaped for XML.
        """
        pieces: list[bytes] = []
        copied = 0
        for start, end, masked in self.replacements(data):
            if markup:
                masked = masked.replace("&", "&amp;").replace("<", "&lt;")
            pieces += (data[copied:start], masked.encode("utf-8", "replace"))
            copied = end
        return b"".join((*pieces, data[copied:])) if pieces else data

    def replacements(self, data: bytes) -> list[tuple[int, int, str]]:
        """What is found in UTF-8 text, by start, without overlaps: start and end in bytes, and what stands there instead.

        Findings that overlap are replaced together, by the strictest of their transforms. Raises `TooMuchToInspect`.
        """
        findings = self._detector.find(data)
        replaced: list[tuple[int, int, str]] = []
        i = 0
        while i < len(findings):
            start, end, name = findings[i].start, findings[i].end, findings[i].data_class
            i += 1
            while i < len(findings) and findings[i].start < end:
                end = max(end, findings[i].end)
                name = max(name, findings[i].data_class, key=lambda n: strictness(self._transforms[n]))
                i += 1
            replaced.append((start, end, self._replacement(name, data[start:end])))
        return replaced

    def _replacement(self, name: DataClassName, span: bytes) -> str:
        try:
            return self._spans[name](span.decode())
        except UnicodeDecodeError:
            return REDACTED

    def mask_text(self, text: str) -> str:
        """The text with what is found replaced; redacted whole when it is too long or there is too much in it."""
        data = text.encode("utf-8", "surrogatepass")
        if len(data) > self.max_inspected:
            return REDACTED
        try:
            masked = self.mask_bytes(data)
            return text if masked is data else masked.decode("utf-8", "surrogatepass")
        except (TooMuchToInspect, UnicodeDecodeError):
            return REDACTED


def encoded_in(columns: Iterable[tuple[int, int]]) -> frozenset[str]:
    """The further prefilters that columns of these types (oid) and formats need: a card number in a binary number, or an address
    in hexadecimal, is not seen by those for text."""
    needed: set[str] = set()
    for oid, wire_format in columns:
        pg_type = type_of(oid)
        family = (pg_type.element or pg_type).family
        if family is Family.BYTEA and wire_format != BINARY_FORMAT:
            needed.add(HEXADECIMAL)
        elif family is Family.INTEGER and (pg_type.element or pg_type).size == 8 and wire_format == BINARY_FORMAT:
            needed.add(INTEGERS)
        elif family is Family.NUMERIC and wire_format == BINARY_FORMAT:
            needed.add(NUMERICS)
    return frozenset(needed)


@lru_cache(maxsize=64)
def _with(detector: Detector, encoded: frozenset[str]) -> Callable[[bytes], bool]:
    """The detector's prefilter for anything, with further expressions; compiled once."""
    return Prefilter([*detector.prefilters, (JSON_ESCAPES,), encoded]).may_match


def content_scanner(
    rules: Mapping[DataClassName, MaskRule],
    pseudonyms: Pseudonyms,
    max_inspected: int,
    encoded: frozenset[str] = frozenset(),
) -> ContentScanner | None:
    """The scanner for these rules, None when none of them is for a class that can be detected. A rule for a class above a detected one (`pii` above `pii.email`) stands for all below it
    that have no rule of their own; classes that cannot be detected are no fault here, they may be carried by columns only.

    Raises `ConfigurationError` for a transform that does not exist.
    """
    transforms: dict[DataClassName, Transform] = {}
    for name in CONTENT_CLASSES:
        above = str(name)
        while above:
            rule = rules.get(DataClassName(above))
            if rule is not None:
                transforms[name] = parse_transform(rule.transform or SPAN_DEFAULT)
                break
            above = above.rpartition(".")[0]
    return ContentScanner(transforms, pseudonyms, max_inspected, encoded) if transforms else None


def mask_text(text: str, rules: Mapping[DataClassName, MaskRule], key: bytes, *, max_inspected: int = 1 << 18) -> str:
    """The text with every found value of the rules' classes replaced; see `ContentScanner.mask_text`."""
    scanner = content_scanner(rules, Pseudonyms(key), max_inspected)
    return text if scanner is None else scanner.mask_text(text)
