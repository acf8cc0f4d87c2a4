"""Rows of COPY in text and CSV format."""

import pytest

from interpose.masking.copy_lines import (
    CSV_OPTIONS,
    CopyFormat,
    CopyOptions,
    mask_copy_csv,
    mask_copy_text,
    read_csv,
    split_text,
)
from interpose.masking.patterns import EMAIL
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.model.errors import ConfigurationError, Malformed
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape


def plan_for(*rules: str | None, content: bool = False) -> MaskingPlan:
    shape = ResultShape(tuple(ResultColumn("c", 0, 0, 25, -1, -1, 0) for _ in rules), copy=True)
    content_rules = {EMAIL: MaskRule("redact")} if content else {}
    plan = build_plan(shape, [MaskRule(rule) if rule else None for rule in rules], content_rules, b"k" * 16)
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (b"1\tada@example.com\tx\n", b"1\ta***@e***.com\tx\n"),
        (b"\\N\t\\N\tx\r\n", b"\\N\t\\N\tx\r\n"),
        (b"a\\tb\tc\\\\\td", b"a\\tb\t[redacted]\td"),
        (b"a\\\tb\tc\td", b"a\\\tb\t[redacted]\td"),
    ],
)
def test_text(line: bytes, masked: bytes) -> None:
    assert mask_copy_text(plan_for(None, "partial-email", None), line) == masked


def test_text_escapes_what_it_writes() -> None:
    plan = plan_for("first:3")
    assert mask_copy_text(plan, b"a\\tb\\nc\\\\d\n") == b"a\\tb***\n"
    options = CopyOptions(delimiter=b"|", null=b"")
    assert mask_copy_text(plan_for("first:2", "null"), b"a\\|bcd|x\n", options) == b"a\\|***|\n"


def test_text_content() -> None:
    assert mask_copy_text(plan_for(None, content=True), b"a\\tada@example.com\n") == b"a\\t[redacted]\n"


@pytest.mark.parametrize("line", [b"a\n", b"a\tb\tc\n", b"a\nb\tc\n", b"a\tb\\", b"a\rb\tc\n"])
def test_text_that_does_not_fit_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        mask_copy_text(plan_for("redact", None), line)


def test_split_text() -> None:
    assert split_text(b"a\\\\\tb", b"\t") == [b"a\\\\", b"b"]
    assert split_text(b"", b"\t") == [b""]
    assert split_text(b"\\\t\t", b"\t") == [b"\\\t", b""]


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (b"1,ada@example.com,x\n", b"1,a***@e***.com,x\n"),
        (b'"a,b","say ""hi""",\n', b'"a,b","[redacted]",\n'),
        (b'"two\nlines",,"x"\r\n', b'"two\nlines",,"x"\r\n'),
        (b'1,"",x', b'1,"[redacted]",x'),
    ],
)
def test_csv(line: bytes, masked: bytes) -> None:
    assert mask_copy_csv(plan_for(None, "partial-email", None), line) == masked


def test_csv_quotes_what_it_writes() -> None:
    assert mask_copy_csv(plan_for("fixed:a,b"), b"x\n") == b'"a,b"\n'
    assert mask_copy_csv(plan_for('fixed:a"b'), b"x\n") == b'"a""b"\n'
    assert mask_copy_csv(plan_for("null", None), b'"x",y\n') == b",y\n"
    options = CopyOptions(CopyFormat.CSV, b";", b"NULL", b"'", b"\\")
    assert mask_copy_csv(plan_for("fixed:NULL", "fixed:o'b\\c"), b"x;y\n", options) == b"'NULL';'o\\'b\\\\c'\n"
    assert mask_copy_csv(plan_for("first:3"), b"'\\'\\\\abcd'\n", options) == b"'\\'\\\\a***'\n"


@pytest.mark.parametrize("line", [b"a\n", b'"a,b\n', b'"a"b,c\n', b'a"b,c\n', b"a,b,c\n", b"a,b\nc,d\n"])
def test_csv_that_does_not_fit_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        mask_copy_csv(plan_for("redact", None), line)


def test_a_record_that_is_not_complete_is_told_from_one_that_is_wrong() -> None:
    assert read_csv(b'a,"open', 0, CSV_OPTIONS) is None
    assert read_csv(b'a,"may be closed"', 0, CSV_OPTIONS) is not None
    assert read_csv(b'a,"doubled""', 0, CSV_OPTIONS) is None
    with pytest.raises(Malformed):
        read_csv(b'a,"closed"x', 0, CSV_OPTIONS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"delimiter": b"ab"},
        {"delimiter": b"\n"},
        {"delimiter": b"a"},
        {"quote": b"\xff"},
        {"null": b"a\tb"},
        {"null": b"\n"},
    ],
)
def test_options_that_cannot_be_read_back_are_refused(wrong: dict[str, bytes]) -> None:
    with pytest.raises(ConfigurationError):
        CopyOptions(**wrong)  # type: ignore[arg-type]
