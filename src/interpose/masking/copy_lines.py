"""One row of COPY in text or CSV format: fields out, masked, fields in. (PostgreSQL 17, COPY, "File Formats".)

What is not masked keeps its bytes. A field that does not follow the format is refused with `Malformed`, never passed on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, NoReturn

from interpose.masking.plan import MaskingPlan
from interpose.model.errors import ConfigurationError, Malformed


class CopyFormat(Enum):
    """COPY's `FORMAT` option."""

    TEXT = "text"
    CSV = "csv"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """The options of one COPY TO that decide how its rows are written; the defaults are PostgreSQL's for text.

    Each of `delimiter`, `quote` and `escape` is one ASCII byte, `null` any text in UTF-8. `header` says that the first
    row is the columns' names. Rows must be in UTF-8: a COPY with another `ENCODING` cannot be masked and must be refused.
    Raises `ConfigurationError` for values that PostgreSQL refuses too.
    """

    format: CopyFormat = CopyFormat.TEXT
    delimiter: bytes = b"\t"
    null: bytes = b"\\N"
    quote: bytes = b'"'
    escape: bytes = b'"'
    header: bool = False

    def __post_init__(self) -> None:
        """Check."""
        marks = (self.delimiter, self.quote, self.escape)
        if any(len(mark) != 1 or mark[0] > 127 or mark in (b"\n", b"\r") for mark in marks):
            raise ConfigurationError(
                "the delimiter, quote and escape of a COPY are one ASCII character each",
                hint="leave them at their defaults",
            )
        csv_conflict = self.format is CopyFormat.CSV and self.delimiter == self.quote
        text_conflict = self.format is CopyFormat.TEXT and self.delimiter in b"\\.abcdefghijklmnopqrstuvwxyz0123456789"
        if csv_conflict or text_conflict or b"\n" in self.null or b"\r" in self.null or self.delimiter in self.null:
            raise ConfigurationError(
                "the delimiter of this COPY cannot be told from its values", hint="choose another delimiter"
            )


TEXT_OPTIONS: Final = CopyOptions()
"""`COPY … TO STDOUT` without options."""
CSV_OPTIONS: Final = CopyOptions(CopyFormat.CSV, delimiter=b",", null=b"")
"""`COPY … TO STDOUT (FORMAT csv)`."""

_UNESCAPED: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPED: Final = {value: b"\\" + letter for letter, value in _UNESCAPED.items()} | {b"\\": b"\\\\"}
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(rb"[\\\b\f\n\r\t\v]")


def malformed_copy() -> NoReturn:
    """Raise `Malformed` for COPY data that does not follow its format."""
    raise Malformed(
        "the upstream sent COPY data that does not match its description",
        hint="use `COPY … TO STDOUT` with default options, or select the rows instead",
    )


def _line_end(line: bytes) -> tuple[bytes, bytes]:
    for ending in (b"\r\n", b"\n"):
        if line.endswith(ending):
            return line[: -len(ending)], ending
    return line, b""


def split_text(body: bytes, delimiter: bytes) -> list[bytes]:
    """The raw fields of a row in text format, without its line ending."""
    pieces = body.split(delimiter)
    if b"\\" not in body:
        return pieces
    fields: list[bytes] = []
    held = b""
    for piece in pieces:
        held += piece
        if (len(held) - len(held.rstrip(b"\\"))) % 2:
            held += delimiter  # this delimiter was escaped: the field goes on
        else:
            fields.append(held)
            held = b""
    if held:
        malformed_copy()
    return fields


def mask_copy_text(plan: MaskingPlan, line: bytes, options: CopyOptions = TEXT_OPTIONS) -> bytes:
    """One row in text format, with or without its line ending, as it may be shown; raises `Malformed`."""
    body, ending = _line_end(line)
    if b"\n" in body or b"\r" in body:
        malformed_copy()
    raw = split_text(body, options.delimiter)
    values = [
        None if field == options.null else field if b"\\" not in field else _ESCAPE.sub(_unescape, field)
        for field in raw
    ]
    shown = plan.mask_row(values)
    for i, value in enumerate(shown):
        if value is not values[i]:
            raw[i] = options.null if value is None else _escape_text(value, options.delimiter)
    return options.delimiter.join(raw) + ending


def _unescape(match: re.Match[bytes]) -> bytes:
    return _UNESCAPED.get(match[1], match[1])


def _escape_text(value: bytes, delimiter: bytes) -> bytes:
    escaped = _SPECIAL.sub(lambda match: _ESCAPED[match[0]], value)
    return escaped if delimiter == b"\t" else escaped.replace(delimiter, b"\\" + delimiter)


def _inner(quote: bytes, escape: bytes) -> bytes:
    """What may stand between the quotes; possessive, so that a long field is read once."""
    q, e = re.escape(quote), re.escape(escape)
    if q == e:
        return rb"[^%b]*+(?:%b%b[^%b]*+)*+" % (q, q, q, q)
    return rb"[^%b%b]*+(?:%b.[^%b%b]*+)*+" % (q, e, e, q, e)


@lru_cache(maxsize=64)
def _quoted_pattern(quote: bytes, escape: bytes) -> re.Pattern[bytes]:
    q = re.escape(quote)
    return re.compile(q + _inner(quote, escape) + q, re.DOTALL)


@lru_cache(maxsize=64)
def _field_pattern(delimiter: bytes, quote: bytes, escape: bytes) -> re.Pattern[bytes]:
    d, q = re.escape(delimiter), re.escape(quote)
    # A field is quoted from end to end or not at all, and a delimiter or the end of the record stands behind it.
    inner = _inner(quote, escape)
    return re.compile(rb"(?:%b(%b)%b|([^%b%b\r\n]*+))(%b|\r\n|\n|\Z)" % (q, inner, q, d, q, d), re.DOTALL)


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """The fields of one record as written, their values (None for NULL), its line ending, and where it ends."""

    raw: list[bytes]
    values: list[bytes | None]
    ending: bytes
    end: int


def read_csv(data: bytes, start: int, options: CopyOptions) -> CsvRecord | None:
    """The record that begins at `start`, None when it is not complete; a record may hold line ends within quotes.

    Raises `Malformed` for what the server never writes.
    """
    match_field = _field_pattern(options.delimiter, options.quote, options.escape).match
    quote, escape = options.quote, options.escape
    raw: list[bytes] = []
    values: list[bytes | None] = []
    position = start
    while True:
        match = match_field(data, position)
        if match is None:
            whole = _quoted_pattern(quote, escape).match(data, position)
            if data[position : position + 1] != quote or (whole is not None and whole.end() < len(data)):
                malformed_copy()
            return None
        quoted, plain, mark = match.group(1, 2, 3)
        raw.append(data[position : match.start(3)])
        if quoted is not None:
            values.append(_unquote(quoted, quote, escape))
        else:
            values.append(None if plain == options.null else plain)
        position = match.end()
        if mark != options.delimiter:
            return CsvRecord(raw, values, mark, position)


def _unquote(inner: bytes, quote: bytes, escape: bytes) -> bytes:
    if escape not in inner:
        return inner
    if quote == escape:
        return inner.replace(quote + quote, quote)
    marks = re.escape(quote) + re.escape(escape)
    return re.sub(rb"%b([%b])" % (re.escape(escape), marks), rb"\1", inner)


def mask_csv_record(plan: MaskingPlan, record: CsvRecord, options: CopyOptions) -> bytes:
    """The record as it may be shown; raises `Malformed` for another number of fields."""
    shown = plan.mask_row(record.values)
    fields = list(record.raw)
    for i, value in enumerate(shown):
        if value is not record.values[i]:
            fields[i] = options.null if value is None else _write_csv(value, record.raw[i], options)
    return options.delimiter.join(fields) + record.ending


def _write_csv(value: bytes, raw: bytes, options: CopyOptions) -> bytes:
    quote, escape = options.quote, options.escape
    special = (options.delimiter, quote, b"\n", b"\r")
    plain = (
        not raw.startswith(quote) and value not in (options.null, b"\\.") and not any(mark in value for mark in special)
    )
    if plain:
        return value
    if escape != quote:
        value = value.replace(escape, escape + escape)
    return quote + value.replace(quote, escape + quote) + quote


def mask_copy_csv(plan: MaskingPlan, line: bytes, options: CopyOptions = CSV_OPTIONS) -> bytes:
    """One record in CSV format, with or without its line ending, as it may be shown; raises `Malformed`."""
    record = read_csv(line, 0, options)
    if record is None or record.end != len(line):
        malformed_copy()
    return mask_csv_record(plan, record, options)
