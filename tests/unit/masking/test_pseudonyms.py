"""Keyed pseudonyms."""

import hmac
from base64 import b32encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.masking.pseudonyms import Pseudonyms, scope_key


def test_equal_values_meet_and_other_keys_part_them() -> None:
    one, two = Pseudonyms(b"a" * 16), Pseudonyms(b"b" * 16)
    assert one.text("ada") == one.text("ada") != one.text("eve")
    assert one.text("ada") != two.text("ada")
    assert one.text("ada").startswith("h_") and len(one.text("ada")) == 26


def test_known_answer_so_that_pseudonyms_stay_stable_across_versions() -> None:
    assert Pseudonyms(b"0123456789abcdef").digest(b"ada").hex()[:16] == "97add1300d630871"


@given(st.binary(min_size=16, max_size=200), st.text())
def test_digests_are_hmac_sha256_and_texts_are_base_32(key: bytes, value: str) -> None:
    pseudonyms, data = Pseudonyms(key), value.encode()
    digest = hmac.digest(key, b"interpose.pseudonym.v1\0" + data, "sha256")
    assert pseudonyms.digest(data) == digest
    assert pseudonyms.text(value) == "h_" + b32encode(digest[:15]).decode().lower()


def test_scopes_have_keys_of_their_own_that_stay_the_same() -> None:
    master = b"0123456789abcdef"
    assert scope_key(master, "connection:a").hex()[:16] == "494c2ef35f35b040"
    assert scope_key(master, "connection:a") != scope_key(master, "scope:a")
    with pytest.raises(ValueError, match="key"):
        scope_key(b"short", "connection:a")


def test_streams_are_as_long_as_asked_and_differ_by_purpose_and_attempt() -> None:
    one = Pseudonyms(b"0123456789abcdef")
    assert len(one.stream(b"form", "ada", 0, 100)) == 100
    assert one.stream(b"form", "ada", 0, 40) == one.stream(b"form", "ada", 0, 100)[:40]
    assert (
        len({one.stream(b"form", "ada", 0, 40), one.stream(b"form", "ada", 1, 40), one.stream(b"card", "ada", 0, 40)})
        == 3
    )
    assert one.stream(b"form", "ada", 0, 8).hex() == "96ce17c0f1dc67a8"


def test_numbers_stay_below_their_bound() -> None:
    pseudonyms = Pseudonyms(b"a" * 16)
    assert all(0 <= pseudonyms.number(str(i), 10) < 10 for i in range(100))
    assert pseudonyms.number("7", 1) == 0


def test_uuids_are_version_8() -> None:
    assert UUID(bytes=Pseudonyms(b"a" * 16).uuid("x")).version == 8


def test_a_short_key_is_our_bug_and_the_key_is_not_printed() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Pseudonyms(b"short")
    assert "aaaa" not in repr(Pseudonyms(b"a" * 16))
