"""What a client was sent, as blocks of words: tables of rows, tags, errors, notices. Pure, and robust to bytes that are cut short.

Values stand as they were recorded (masked); whoever prints them must make control characters harmless first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from interpose.model.shape import ResultShape
from interpose.protocols.contract import ReplayBlock
from interpose.protocols.postgres.backend import read_cells, read_fields, read_row_description, read_strings
from interpose.protocols.postgres.wire import HEADER, BodyError

_MOST_ROWS: Final = 1000
"""Rows of one result that are laid out as a table; the rest is counted."""
_WIDEST: Final = 60
"""Characters of one cell."""


def replay(data: bytes) -> Sequence[ReplayBlock]:
    """The blocks in `data`, which begins at a message's first byte and may end anywhere."""
    return tuple(_Replay(data).blocks())


def _text(value: bytes | None, code: int) -> str:
    if value is None:
        return "∅"
    text = f"\\x{value.hex()}" if code == 1 else value.decode(errors="replace").replace("\n", "↵")
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


class _Replay:
    """One walk over recorded bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._shape: ResultShape | None = None
        self._rows: list[list[str]] = []
        self._count = 0
        self._copied: list[bytes] = []

    def blocks(self) -> Iterator[ReplayBlock]:
        position, size = 0, len(self._data)
        while size - position >= 5:
            kind, length = HEADER.unpack_from(self._data, position)
            end = position + 1 + length
            if length < 4 or end > size:
                break
            body = self._data[position + 5 : end]
            position = end
            try:
                yield from self._message(chr(kind), body)
            except BodyError as error:
                yield ReplayBlock("cut", f"a message that cannot be read: {error}")
        yield from self._table()
        yield from self._copy()
        if position < size:
            yield ReplayBlock("cut", f"{size - position} bytes of a message that is not whole")

    def _message(self, kind: str, body: bytes) -> Iterator[ReplayBlock]:
        if kind == "D":
            self._row(body)
            return
        if kind == "d":
            self._copied.append(body)
            return
        yield from self._table()
        yield from self._copy()
        if kind == "T":
            self._shape = read_row_description(body)
        elif kind == "C":
            yield ReplayBlock("tag", read_strings(body, 1)[0])
            self._shape = None
        elif kind in ("E", "N"):
            yield self._report(kind, read_fields(body))
        elif kind == "S":
            yield ReplayBlock("control", " is ".join(read_strings(body, 2)))
        elif kind == "A":
            channel, payload = read_strings(body[4:], 2)
            yield ReplayBlock("notice", f"notification on {channel}: {payload}")

    def _report(self, kind: str, fields: dict[str, str]) -> ReplayBlock:
        lines = [f"{fields.get('S', '')}:  {fields.get('M', '')} ({fields.get('C', '')})"]
        lines += [f"{name}:  {fields[code]}" for code, name in (("D", "DETAIL"), ("H", "HINT")) if code in fields]
        return ReplayBlock("error" if kind == "E" else "notice", "\n".join(lines))

    def _row(self, body: bytes) -> None:
        self._count += 1
        if self._count > _MOST_ROWS:
            return
        columns = self._shape.columns if self._shape is not None else ()
        self._rows.append(
            [_text(cell, columns[i].format if i < len(columns) else 0) for i, cell in enumerate(read_cells(body))]
        )

    def _table(self) -> Iterator[ReplayBlock]:
        if not self._count and not (self._shape is not None and self._shape.columns):
            return
        width = max((len(row) for row in self._rows), default=0)
        named = [column.name for column in self._shape.columns] if self._shape is not None else []
        names = named if len(named) >= width else [*named, *(f"column {i + 1}" for i in range(len(named), width))]
        rows = [row + [""] * (len(names) - len(row)) for row in self._rows]
        widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(names)]
        lines = [_line(names, widths), "-+-".join("-" * wide for wide in widths)]
        lines += [_line(row, widths) for row in rows]
        more = self._count - len(self._rows)
        lines.append(f"({self._count} rows{f', {more} not shown here' if more > 0 else ''})")
        self._shape, self._rows, self._count = None, [], 0
        yield ReplayBlock("rows", "\n".join(lines))

    def _copy(self) -> Iterator[ReplayBlock]:
        if self._copied:
            text = b"".join(self._copied).decode(errors="replace").rstrip("\n")
            self._copied = []
            yield ReplayBlock("copy", text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return " | ".join(cell.ljust(wide) for cell, wide in zip(cells, widths, strict=True)).rstrip()
