"""Audit events as canonical JSON."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.canonical import canonical, encode_event

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(TEXT, st.integers(-(2**53), 2**53), st.booleans(), st.none(), st.lists(TEXT).map(tuple))
KEYS = st.text(st.characters(min_codepoint=0x61, max_codepoint=0x7A), min_size=1)


def reference(value: object) -> bytes:
    """JCS by the standard library, for keys in ASCII."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@given(st.dictionaries(KEYS, VALUES), st.integers(0, 2**53), TEXT, st.none() | TEXT)
def test_an_event_is_encoded_like_the_reference(
    fields: dict[str, Any], seq: int, actor: str, session: str | None
) -> None:
    line = encode_event(
        seq=seq, ts=1, mono=2, node="n", boot="b", kind="k", session=session, actor=actor, fields=fields, prev="00"
    )
    record = {
        "actor": actor, "boot": "b", "fields": fields, "kind": "k", "mono": 2, "node": "n", "prev": "00", "seq": seq,
        "session": session, "ts": 1, "v": 1,
    }  # fmt: skip
    assert line == reference(record)
    assert line == canonical(cast(Any, record))
    assert b"\n" not in line


def test_the_escapes_are_those_of_rfc_8785() -> None:
    assert canonical('\u20ac$\u000f\nA\'B"\\\\"/\u2028\x7f') == (
        '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u2028\x7f"'.encode()
    )


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, b"x", {"a": object()}, {1: "a"}])
def test_what_has_no_single_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical(value)


def test_a_float_in_an_event_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        encode_event(
            seq=0, ts=1, mono=2, node="n", boot="b", kind="k", session=None, actor="",
            fields=cast(Any, {"a": 1.0}), prev="",
        )  # fmt: skip


def test_a_lone_surrogate_is_replaced() -> None:
    line = encode_event(
        seq=0, ts=1, mono=2, node="n", boot="b", kind="k", session=None, actor="a\ud800b", fields={"t": ("\udfff",)},
        prev="",
    )  # fmt: skip
    record = json.loads(line)
    assert (record["actor"], record["fields"]) == ("a\ufffdb", {"t": ["\ufffd"]})
    assert canonical("\ud800") == '"\ufffd"'.encode()
