"""The client's messages: one encoding each, and strict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.messages import (
    DECODERS,
    Bind,
    CloseName,
    CopyData,
    CopyFail,
    Describe,
    Empty,
    Execute,
    Message,
    Parse,
    Password,
    Query,
    encode,
)
from interpose.protocols.postgres.wire import BodyError

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
kinds = st.sampled_from("SP")
formats = st.lists(st.sampled_from((0, 1)), max_size=3).map(tuple)
values = st.lists(st.none() | st.binary(max_size=9), max_size=4).map(tuple)


def _bind(
    portal: str, statement: str, parameters: tuple[bytes | None, ...], code: int, results: tuple[int, ...], every: bool
) -> Bind:
    codes = (code,) * len(parameters) if every else (code,)
    return Bind(portal, statement, codes, parameters, results)


messages: st.SearchStrategy[tuple[bytes, Message]] = st.one_of(
    st.tuples(st.just(b"Q"), st.builds(Query, texts)),
    st.tuples(
        st.just(b"P"), st.builds(Parse, texts, texts, st.lists(st.integers(0, 2**32 - 1), max_size=3).map(tuple))
    ),
    st.tuples(st.just(b"B"), st.builds(_bind, texts, texts, values, st.sampled_from((0, 1)), formats, st.booleans())),
    st.tuples(st.just(b"D"), st.builds(Describe, kinds, texts)),
    st.tuples(st.just(b"C"), st.builds(CloseName, kinds, texts)),
    st.tuples(st.just(b"E"), st.builds(Execute, texts, st.integers(-(2**31), 2**31 - 1))),
    st.tuples(st.sampled_from((b"H", b"S", b"X", b"c")), st.just(Empty())),
    st.tuples(st.just(b"d"), st.builds(CopyData, st.binary(max_size=20))),
    st.tuples(st.just(b"f"), st.builds(CopyFail, texts)),
    st.tuples(st.just(b"p"), st.builds(Password, texts)),
)


@given(messages)
def test_what_is_encoded_decodes_to_itself(made: tuple[bytes, Message]) -> None:
    kind, message = made
    assert DECODERS[kind](encode(message)) == message


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=60))
def test_whatever_is_accepted_has_exactly_one_encoding(kind: bytes, body: bytes) -> None:
    try:
        message = DECODERS[kind](body)
    except BodyError:
        return
    assert encode(message) == body


@given(messages, st.data())
def test_a_changed_byte_is_refused_or_means_something_else(made: tuple[bytes, Message], data: st.DataObject) -> None:
    kind, message = made
    body = bytearray(encode(message))
    if not body:
        return
    position = data.draw(st.integers(0, len(body) - 1))
    body[position] ^= data.draw(st.integers(1, 255))
    try:
        changed = DECODERS[kind](bytes(body))
    except BodyError:
        return
    assert changed != message
    assert encode(changed) == bytes(body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"Q", b""),
        (b"Q", b"select 1"),
        (b"Q", b"select 1\0, ssn\0"),
        (b"Q", b"\xff\0"),
        (b"P", b"\0select 1\0\0\1"),
        (b"P", b"\0select 1\0\0\0x"),
        (b"B", b""),
        (b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"),
        (b"B", b"\0\0\0\0\0\1\0\0\0\x09ab\0\0"),
        (b"B", b"\0\0\0\2\0\0\0\0\0\1\xff\xff\xff\xff\0\0"),
        (b"B", b"\0\0\0\1\0\2\0\0\0\0"),
        (b"B", b"\0\0\0\0\0\0\0\0x"),
        (b"D", b""),
        (b"D", b"Xa\0"),
        (b"C", b"Sa\0b"),
        (b"E", b"a\0\0\0\0"),
        (b"S", b"\0"),
        (b"f", b"a"),
    ],
)
def test_what_is_not_exactly_right_is_refused(kind: bytes, body: bytes) -> None:
    with pytest.raises(BodyError):
        DECODERS[kind](body)
