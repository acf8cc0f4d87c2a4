# ruff: noqa: RUF001 -- that is what they are
"""Disguises: folded, found, and hidden where they stand in the original."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.masking.detect import detect
from interpose.masking.disguises import Folded


@pytest.mark.parametrize(
    ("disguised", "data_class"),
    [
        ("４１１１１１１１１１１１１１１１", "pci.card"),
        ("٤١١١١١١١١١١١١١١١", "pci.card"),
        ("۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱", "pci.card"),
        ("४१११११११११११११११", "pci.card"),
        ("\U0001d7d2" + "\U0001d7cf" * 15, "pci.card"),
        ("4111\u00a01111\u00a01111\u00a01111", "pci.card"),
        ("4111\u20071111\u20071111\u20071111", "pci.card"),
        ("4111\u20111111\u20111111\u20111111", "pci.card"),
        ("4111.1111.1111.1111", "pci.card"),
        ("4\u200b111111111111111", "pci.card"),
        ("41\u00ad11111111111111", "pci.card"),
        ("078\u201305\u20131120", "pii.ssn"),
        ("078\u221205\u22121120", "pii.ssn"),
        ("078.05.1120", "pii.ssn"),
        ("ada＠example.com", "pii.email"),
        ("ada@ｅｘａｍｐｌｅ.com", "pii.email"),
        ("ada%40example.com", "pii.email"),
        ("ada\\u0040example.com", "pii.email"),
        ("ada\\\\u0040example.com", "pii.email"),
        ("ada&#64;example.com", "pii.email"),
        ("ada&#x40;example.com", "pii.email"),
        ("4111%201111%201111%201111", "pci.card"),
    ],
)
def test_disguised_values_are_found_whole(disguised: str, data_class: str) -> None:
    text = f"vor „{disguised}“ und danach"
    (finding,) = detect(text)
    assert finding.data_class == data_class
    assert text[finding.start : finding.end] == disguised


@pytest.mark.parametrize(
    "text", ["“quoted” \u2013 prose", "5\u00a0km", "100%", "LIKE '%20%'", "caf\\u00e9", "１２３円"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert detect(text) == []


@given(st.text())
def test_spans_point_into_the_original(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    folded = Folded(data)
    for start in range(len(folded.text)):
        low, high = folded.span(start, start + 1)
        assert 0 <= low < high <= len(data)
    if folded.text:
        low, high = folded.span(0, len(folded.text))
        assert folded.text == data[low:high] or Folded(data[low:high]).text == folded.text


@given(st.binary())
def test_any_bytes_are_folded(data: bytes) -> None:
    assert len(Folded(data).text) <= len(data)
