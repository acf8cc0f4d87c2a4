"""The server's messages that the gateway reads and writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.backend import (
    error_message,
    negotiate_version,
    notice_message,
    parameter_status,
    read_cells,
    read_copy_shape,
    read_fields,
    read_row_description,
    read_strings,
)
from interpose.protocols.postgres.wire import BodyError
from tests.support.playbook import columns, row


def test_an_error_is_read_back_as_it_was_written() -> None:
    made = error_message("ERROR", "42501", "no\0way", detail="d", hint="h", position=7)
    fields = read_fields(made[5:])
    assert fields == {"S": "ERROR", "V": "ERROR", "C": "42501", "M": "no�way", "D": "d", "H": "h", "P": "7"}


def test_empty_fields_are_left_out() -> None:
    assert set(read_fields(notice_message("01000", "m")[5:])) == {"S", "V", "C", "M"}


def test_negotiation_names_the_version_in_full() -> None:
    assert negotiate_version(2, ["_pq_.x"]) == b"v\0\0\0\x13\0\3\0\2\0\0\0\1_pq_.x\0"


def test_strings_are_counted() -> None:
    assert read_strings(parameter_status("a", "b")[5:], 2) == ("a", "b")
    for bad in (b"a\0", b"a\0b\0c\0", b"a\0b"):
        with pytest.raises(BodyError):
            read_strings(bad, 2)


def test_a_row_description_is_read() -> None:
    shape = read_row_description(columns("a", "bä")[5:])
    assert [(column.name, column.type_oid, column.format) for column in shape.columns] == [("a", 25, 0), ("bä", 25, 0)]
    assert not shape.copy


def test_a_copy_response_is_read() -> None:
    shape = read_copy_shape(b"\1\0\2\0\1\0\1")
    assert shape.copy
    assert [column.format for column in shape.columns] == [1, 1]


@given(st.lists(st.none() | st.binary(max_size=9), max_size=5))
def test_cells_are_read_back(cells: list[bytes | None]) -> None:
    assert read_cells(row(*cells)[5:]) == cells


@given(st.binary(max_size=40))
def test_no_bytes_make_a_reader_raise_anything_else(data: bytes) -> None:
    for read in (read_fields, read_row_description, read_copy_shape, read_cells, lambda body: read_strings(body, 2)):
        try:
            read(data)
        except BodyError:
            continue
