"""Detection: offsets, overlaps, bounds."""

import pytest

from interpose.masking.detect import MAX_CANDIDATES, Detector, Finding, TooMuchToInspect, detect, detector_for
from interpose.masking.patterns import CARD, CONTENT_CLASSES, EMAIL, JWT, PRIVATE_KEY, SSN
from interpose.model.ids import DataClassName


def test_offsets_are_characters_of_the_text() -> None:
    text = "für ada@example.com und 078-05-1120"
    assert detect(text) == [Finding(4, 19, EMAIL), Finding(24, 35, SSN)]
    assert detector_for(frozenset({SSN})).find(text.encode()) == [Finding(25, 36, SSN)]


def test_what_lies_within_another_finding_is_left_out() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nada@example.com\n-----END PRIVATE KEY-----"
    assert detect(text) == [Finding(0, len(text), PRIVATE_KEY)]
    assert len(detector_for(frozenset(CONTENT_CLASSES)).find(text.encode())) == 2


def test_only_the_classes_that_are_asked_for() -> None:
    detector = Detector([CARD])
    assert detector.find(b"ada@example.com 4111111111111111") == [Finding(16, 32, CARD)]
    assert not detector.may_match(b"ada@example.com")
    assert detector.may_match(b"\x00\x00\x00\x104111111111111111\x00\x00\x00\x012")


def test_json_escapes_call_for_a_closer_look() -> None:
    detector = Detector([EMAIL])
    assert not detector.may_match(b'"ada\\u00e0 \\/"')
    assert detector.json_may_match(b'"ada\\u00e0 \\/"')


def test_unknown_classes_are_refused() -> None:
    with pytest.raises(KeyError):
        Detector([DataClassName("pii.shoe_size")])


def test_a_text_with_too_many_candidates_is_given_up() -> None:
    with pytest.raises(TooMuchToInspect):
        Detector([JWT]).find(b"eyJ01234567.a.b " * (MAX_CANDIDATES + 1))
    assert Detector([JWT]).find(b"eyJ01234567.a.b " * (MAX_CANDIDATES - 1)) == []
