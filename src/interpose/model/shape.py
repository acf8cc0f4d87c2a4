"""The shape of one result as the upstream described it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One described column.

    `table_oid` and `column_number` are its origin, 0 when the upstream names none. `format` is 0 for text, 1 for binary.
    """

    name: str
    table_oid: int
    column_number: int
    type_oid: int
    type_size: int
    type_modifier: int
    format: int


@dataclass(frozen=True, slots=True)
class ResultShape:
    """All columns of one result, in order; `copy` is true for the rows of COPY TO STDOUT (no origins known)."""

    columns: tuple[ResultColumn, ...]
    copy: bool = False
