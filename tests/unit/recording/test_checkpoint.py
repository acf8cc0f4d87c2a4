"""Signed checkpoints and verifier keys."""

from __future__ import annotations

import pytest

from interpose.recording.checkpoint import (
    Checkpoint,
    CheckpointError,
    SigningKey,
    VerifierKey,
    join_note,
    parse_note,
    split_notes,
)
from tests.support.records import KEY, OTHER_KEY

POINT = Checkpoint("interpose/test/node-boot", 3, b"r" * 32, "ab" * 32, 1_790_000_000_000_000)


def test_a_note_reads_back_and_its_signature_holds() -> None:
    note = parse_note(KEY.sign(POINT))
    assert note.checkpoint == POINT
    assert note.signed_by(KEY.verifier)
    assert not note.signed_by(OTHER_KEY.verifier)


def test_the_note_is_written_as_c2sp_says() -> None:
    lines = KEY.sign(POINT).split("\n")
    assert lines[:2] == ["interpose/test/node-boot", "3"]
    assert lines[5] == ""
    assert lines[6].startswith("\u2014 interpose/test ")


def test_a_changed_text_is_not_signed() -> None:
    note = parse_note(KEY.sign(POINT).replace("\n3\n", "\n4\n"))
    assert not note.signed_by(KEY.verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n3\n", "\n03\n"),
        ("\n3\n", "\n-3\n"),
        ("chain ", "chian "),
        ("time ", "time x"),
        ("\u2014 ", "- "),
        ("\n\n", "\n"),
        ("cnJy", "c!Jy"),
    ],
)
def test_a_damaged_note_is_refused(old: str, new: str) -> None:
    text = KEY.sign(POINT)
    assert old in text
    with pytest.raises(CheckpointError):
        parse_note(text.replace(old, new))


def test_notes_in_a_file() -> None:
    one, two = KEY.sign(POINT), KEY.sign(Checkpoint("o/n", 4, b"s" * 32, "cd" * 32, 5))
    data = join_note(one) + join_note(two)
    assert split_notes(data) == ([one, two], False)
    assert split_notes(b"") == ([], False)
    notes, torn = split_notes(data[:-30])
    assert (notes, torn) == ([one], True)


def test_a_verifier_key_reads_back() -> None:
    assert VerifierKey.parse(str(KEY.verifier) + "\n") == KEY.verifier


@pytest.mark.parametrize("text", ["", "a+b", "name+00000000+AQ==", "interpose/test+ffffffff+"])
def test_what_is_no_verifier_key(text: str) -> None:
    with pytest.raises(ValueError, match="verifier key"):
        VerifierKey.parse(text)


def test_a_key_under_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="does not belong"):
        VerifierKey.parse(str(KEY.verifier).replace("test", "tset"))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_would_break_a_note(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        SigningKey(name, bytes(32))
