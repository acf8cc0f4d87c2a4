"""Scrubbing of errors and notices."""

from interpose.masking.patterns import EMAIL
from interpose.masking.scrub import WITHHELD, condition, scrub_message, scrub_sqlstate, scrub_text
from interpose.model.masks import MaskRule


def test_the_message_is_what_the_code_says() -> None:
    assert scrub_message("22P02") == f"invalid text representation ({WITHHELD})"
    assert condition("23505") == "unique violation"
    assert condition("23XYZ") == "integrity constraint violation"
    assert condition("ZZZZZ") == "error"


def test_a_code_that_postgresql_does_not_have_may_be_a_value() -> None:
    assert scrub_sqlstate("23505") == "23505"
    assert scrub_sqlstate("07805") == "P0001"


def test_only_found_values_are_hidden() -> None:
    assert scrub_text("bad: ada@example.com", {EMAIL: MaskRule("redact")}, b"k" * 16) == "bad: [redacted]"
    assert scrub_text("bad: ada@example.com", {}, b"") == "bad: ada@example.com"
