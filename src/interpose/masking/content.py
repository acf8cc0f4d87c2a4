"""Masking by content: what is found in a value is hidden, the rest of the value stays.

Knows which types are searched and what becomes of them; how values are found is `detect.py`'s. Searched are texts, `json`, `jsonb`,
`xml`, text search vectors, arrays of these, and every type that is not built in (by its bytes; a hit makes it NULL).
Numbers, dates and the other scalar types are not, and `bytea` is not: what is in it is nobody's text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

from interpose.masking.arrays import array_mask
from interpose.masking.cells import CellMask
from interpose.masking.detect import Detector, Finding, TooMuchToInspect, detector_for
from interpose.masking.json_text import JsonError, mask_json
from interpose.masking.partial import REDACTED
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.strictness import strictness
from interpose.masking.texts import span_transform
from interpose.masking.transforms import Transform, parse_transform
from interpose.masking.types import BINARY_FORMAT, Family, PgType, type_of
from interpose.masking.values import fit_text, redaction
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule

_BY_BYTES: Final = frozenset({Family.OPAQUE, Family.TSVECTOR, Family.TSQUERY, Family.JSONPATH})
"""Families whose bytes are searched though they are not text; a hit redacts the whole value."""

SPAN_DEFAULT: Final = "redact"
"""The transform for found values when a rule names none."""


@final
class ContentScanner:
    """Hides what is found of some data classes, each by its own transform. Immutable."""

    __slots__ = ("_detector", "_spans", "_transforms", "max_inspected")

    def __init__(
        self, transforms: Mapping[DataClassName, Transform], pseudonyms: Pseudonyms, max_inspected: int
    ) -> None:
        """`max_inspected` is in bytes of one cell; a longer cell is redacted whole."""
        self._detector: Detector = detector_for(frozenset(transforms))
        self._transforms = dict(transforms)
        self._spans: dict[DataClassName, Callable[[str], str]] = {
            name: span_transform(transform, pseudonyms) for name, transform in transforms.items()
        }
        self.max_inspected = max_inspected

    def may_match(self, data: bytes) -> bool:
        """Whether anything may be hidden in these bytes (one cell, or many with framing between them). False clears them.

        JSON's escapes count as a match, so that the answer is right for every type.
        """
        return self._detector.json_may_match(data)

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

        Findings that overlap are replaced together, by the strictest of their transforms. With `markup`, replacements are
        escaped for XML.
        """
        findings = self._detector.find(data)
        if not findings:
            return data
        pieces: list[bytes] = []
        copied = i = 0
        while i < len(findings):
            start, end, name = findings[i].start, findings[i].end, findings[i].data_class
            i += 1
            while i < len(findings) and findings[i].start < end:
                end = max(end, findings[i].end)
                name = max(name, findings[i].data_class, key=lambda n: strictness(self._transforms[n]))
                i += 1
            masked = self._replacement(name, data[start:end])
            if markup:
                masked = masked.replace("&", "&amp;").replace("<", "&lt;")
            pieces += (data[copied:start], masked.encode("utf-8", "replace"))
            copied = end
        return b"".join((*pieces, data[copied:]))

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


def content_scanner(
    rules: Mapping[DataClassName, MaskRule], pseudonyms: Pseudonyms, max_inspected: int
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
    return ContentScanner(transforms, pseudonyms, max_inspected) if transforms else None


def mask_text(text: str, rules: Mapping[DataClassName, MaskRule], key: bytes, *, max_inspected: int = 1 << 18) -> str:
    """The text with every found value of the rules' classes replaced; see `ContentScanner.mask_text`."""
    scanner = content_scanner(rules, Pseudonyms(key), max_inspected)
    return text if scanner is None else scanner.mask_text(text)
