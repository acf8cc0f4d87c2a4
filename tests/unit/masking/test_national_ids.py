"""National ids: examples that the authorities or Wikipedia publish, one character off, and the same within longer numbers."""

import pytest

from interpose.masking.national_ids import is_national_id, national_id

RIGHT = (
    "185057800608491",  # France
    "1 85 05 78 006 084 91",
    "11010519491231002X",  # China, GB 11643-1999
    "44051401458",  # Poland
    "85.07.30-033.28",  # Belgium
    "85073003328",
    "756.9217.0769.85",  # Switzerland
    "529.982.247-25",  # Brazil
    "811218-9876",  # Sweden
    "19811218-9876",
    "131052-308T",  # Finland
    "12345678Z",  # Spain
    "X1234567L",
    "RSSMRA85T10A562S",  # Italy
    "JG103759A",  # United Kingdom
)


@pytest.mark.parametrize("text", RIGHT)
def test_published_examples(text: str) -> None:
    assert is_national_id(text)
    assert national_id(f"x {text}, y".encode(), 2, 2 + len(text)) == [(2, 2 + len(text))]


@pytest.mark.parametrize("text", [text for text in RIGHT if text != "JG103759A"])
def test_one_digit_off(text: str) -> None:
    at = max(i for i, c in enumerate(text) if c.isdigit())
    assert not is_national_id(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "111.111.111-11",
        "GB123456A",
        "00000000000",
        "185991000000000",
        "110105194913310021",
        "440524188001010014",
        "999999-9999",
        "320152-308T",
        "",
    ],
)
def test_forms_that_are_none(text: str) -> None:
    assert not is_national_id(text)


@pytest.mark.parametrize("around", ["x{}", "{}x", "1{}", "{}1", "1.{}", "{}-1", "2 {}", "{} 2"])
def test_part_of_something_longer(around: str) -> None:
    text = around.format("44051401458")
    start = text.index("44051401458")
    assert national_id(text.encode(), start, start + 11) == []
