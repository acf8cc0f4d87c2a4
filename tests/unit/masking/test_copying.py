"""COPY streams, cut anywhere."""

import struct

import pytest

from interpose.masking.copy_lines import CSV_OPTIONS, CopyFormat, CopyOptions
from interpose.masking.copying import SIGNATURE, CopyStream
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.model.errors import Malformed
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape

BINARY = CopyOptions(CopyFormat.BINARY)
HEAD = SIGNATURE + bytes(8)


def plan_for(wire_format: int) -> MaskingPlan:
    columns = (ResultColumn("id", 0, 0, 23, 4, -1, wire_format), ResultColumn("mail", 0, 0, 25, -1, -1, wire_format))
    plan = build_plan(ResultShape(columns, copy=True), [None, MaskRule("redact")], {}, b"k" * 16)
    assert plan is not None
    return plan


def tuple_of(number: int, text: bytes | None) -> bytes:
    field = b"\xff" * 4 if text is None else struct.pack(">i", len(text)) + text
    return struct.pack(">hii", 2, 4, number) + field


TEXT_IN, TEXT_OUT = b"1\tada\n2\t\\N\n", b"1\t[redacted]\n2\t\\N\n"
CSV_IN, CSV_OUT = b'1,"a\nb"\n2,\n', b'1,"[redacted]"\n2,\n'
BIN_IN = HEAD + tuple_of(1, b"ada") + tuple_of(2, None) + b"\xff\xff"
BIN_OUT = HEAD + tuple_of(1, b"[redacted]") + tuple_of(2, None) + b"\xff\xff"


@pytest.mark.parametrize(
    ("options", "wire_format", "data", "masked"),
    [(CopyOptions(), 0, TEXT_IN, TEXT_OUT), (CSV_OPTIONS, 0, CSV_IN, CSV_OUT), (BINARY, 1, BIN_IN, BIN_OUT)],
)
def test_every_cut_gives_the_same_bytes(options: CopyOptions, wire_format: int, data: bytes, masked: bytes) -> None:
    for cut in range(len(data) + 1):
        stream = CopyStream(plan_for(wire_format), options, 1000)
        first, second = stream.feed(data[:cut]), stream.feed(data[cut:])
        stream.finish()
        assert first[0] + second[0] == masked
        assert first[1] + second[1] == 2
        assert stream.buffered == 0


@pytest.mark.parametrize(
    ("options", "separator"),
    [(CopyOptions(header=True), b"\t"), (CopyOptions(CopyFormat.CSV, b",", b"", header=True), b",")],
)
def test_a_header_passes_only_when_it_is_the_columns_names(options: CopyOptions, separator: bytes) -> None:
    stream = CopyStream(plan_for(0), options, 1000)
    assert stream.feed(b"id" + separator + b"mail\n1" + separator + b"ada\n") == (
        b"id" + separator + b"mail\n1" + separator + b"[redacted]\n",
        1,
    )
    with pytest.raises(Malformed):
        CopyStream(plan_for(0), options, 1000).feed(b"1" + separator + b"ada\n")


@pytest.mark.parametrize(
    ("options", "wire_format", "data"),
    [
        (CopyOptions(), 0, b"1\tada"),
        (CSV_OPTIONS, 0, b'1,"ada'),
        (BINARY, 1, HEAD + tuple_of(1, b"ada")),
        (BINARY, 1, HEAD[:-1]),
    ],
)
def test_an_end_in_the_middle_is_malformed(options: CopyOptions, wire_format: int, data: bytes) -> None:
    stream = CopyStream(plan_for(wire_format), options, 1000)
    stream.feed(data)
    with pytest.raises(Malformed):
        stream.finish()


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 19,
        SIGNATURE + b"\0\1\0\0" + bytes(4),  # oids in front of each row
        HEAD + struct.pack(">h", 3),
        HEAD + struct.pack(">hi", 2, -2),
        HEAD + b"\xff\xff" + tuple_of(1, b"ada"),
    ],
)
def test_binary_that_is_not_understood_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        CopyStream(plan_for(1), BINARY, 1000).feed(data)


def test_a_row_beyond_the_limit_is_refused() -> None:
    for options, wire_format, data in ((CopyOptions(), 0, b"x" * 101), (CSV_OPTIONS, 0, b'"' + b"x" * 101)):
        with pytest.raises(Malformed):
            CopyStream(plan_for(wire_format), options, 100).feed(data)
