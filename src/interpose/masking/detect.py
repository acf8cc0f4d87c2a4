"""Finding sensitive values in text: prefilter, candidates, validators.

Best effort: what is encoded, spelled out or cut in two is not found; precision and recall are published with
`bench/detection.py`. The work is bounded: a text with too many candidates is answered with `TooMuchToInspect`, and then hidden whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, final

from interpose.masking.disguises import PREFILTERS, Folded
from interpose.masking.patterns import CONTENT_CLASSES, JSON_ESCAPES, PATTERNS, Prefilter, compile_expression
from interpose.masking.validators import OVERLAPPING, VALIDATORS
from interpose.model.ids import DataClassName

MAX_CANDIDATES: Final = 4096
"""Candidates that are validated in one text and class before the text is given up and hidden whole."""


class TooMuchToInspect(Exception):  # noqa: N818 - an answer of the detector, not a fault
    """The text has more candidates than are looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A sensitive value: where it is in the text, and its data class."""

    start: int
    end: int
    data_class: DataClassName


@final
class Detector:
    """Finds values of the given classes in UTF-8 text. Immutable; compiled expressions may be shared by threads."""

    __slots__ = ("_classes", "_disguised", "_expressions", "_json_prefilter", "_prefilter", "prefilters")

    def __init__(self, classes: Iterable[DataClassName]) -> None:
        """`classes` are of `CONTENT_CLASSES`; raises `KeyError` for another."""
        wanted = set(classes)
        unknown = wanted.difference(CONTENT_CLASSES)
        if unknown:
            raise KeyError(min(unknown))
        self._classes = tuple(name for name in CONTENT_CLASSES if name in wanted)
        self._expressions = tuple(compile_expression(PATTERNS[name].candidate) for name in self._classes)
        groups = [PATTERNS[name].prefilters for name in self._classes]
        self._disguised = len(groups)
        groups.append(PREFILTERS)
        self.prefilters = tuple(groups)
        self._prefilter = Prefilter(groups)
        self._json_prefilter = Prefilter([*groups, (JSON_ESCAPES,)])

    def may_match(self, data: bytes) -> bool:
        """Whether anything may be found; False clears `data`, even when it is many texts joined by any bytes."""
        return self._prefilter.may_match(data)

    def json_may_match(self, data: bytes) -> bool:
        """As `may_match`, for text in which JSON's escapes may hide what is to be found."""
        return self._json_prefilter.may_match(data)

    def find(self, data: bytes) -> list[Finding]:
        """Everything found, overlaps included, by start; offsets in bytes. Raises `TooMuchToInspect`."""
        matched = self._prefilter.matches(data)
        findings = self._search(data, matched)
        if self._disguised in matched:
            folded = Folded(data)
            found = self._search(folded.text, self._prefilter.matches(folded.text))
            spans = ((*folded.span(each.start, each.end), each.data_class) for each in found)
            findings = list({*findings, *(Finding(*span) for span in spans)})
        findings.sort(key=lambda finding: (finding.start, -finding.end, self._classes.index(finding.data_class)))
        return findings

    def _search(self, data: bytes, matched: frozenset[int]) -> list[Finding]:
        findings: list[Finding] = []
        for index in sorted(matched - {self._disguised}):
            name = self._classes[index]
            validate = VALIDATORS[name]
            step = name in OVERLAPPING
            search = self._expressions[index].search
            position = 0
            for _ in range(MAX_CANDIDATES):
                match = search(data, position)
                if match is None:
                    break
                start, end = match.span()
                spans = validate(data, start, end)
                for span in spans:
                    findings.append(Finding(*span, name))
                    end = max(end, span[1]) if not step else span[1]
                position = end if spans or not step else start + 1
            else:
                raise TooMuchToInspect
        return findings


@lru_cache(maxsize=64)
def detector_for(classes: frozenset[DataClassName]) -> Detector:
    """The detector of these classes; compiling takes milliseconds, so equal sets share one."""
    return Detector(classes)


def detect(text: str) -> list[Finding]:
    """Every sensitive value in a text, by start, offsets in characters; what lies within another finding is left out.

    Raises `TooMuchToInspect`.
    """
    data = text.encode("utf-8", "surrogatepass")
    findings: list[Finding] = []
    reached = 0
    for finding in detector_for(frozenset(CONTENT_CLASSES)).find(data):
        if finding.end > reached:
            reached = finding.end
            findings.append(finding)
    if len(data) == len(text):
        return findings
    return [
        Finding(_characters(data, finding.start), _characters(data, finding.end), finding.data_class)
        for finding in findings
    ]


def _characters(data: bytes, offset: int) -> int:
    return len(data[:offset].decode("utf-8", "surrogatepass"))
