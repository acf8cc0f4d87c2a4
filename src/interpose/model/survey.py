"""What a survey of an upstream finds: its tables with their columns, foreign keys, and samples of values.

A sample holds clear values of somebody's data. INVARIANT: it is counted and dropped; nothing prints, logs or stores it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from interpose.model.resources import ColumnResource


class ColumnKind(Enum):
    """What a column's type is good for, as far as guessing what it holds goes."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    """Dates and timestamps."""
    JSON = "json"
    BYTES = "bytes"
    NETWORK = "network"
    """`inet`, `cidr`, `macaddr`."""
    TEXTS = "texts"
    """Arrays of texts or of JSON."""
    BOOL = "bool"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SurveyedColumn:
    """One column. `type_name` is for people; `readable`: the gateway's own role may select it."""

    name: str
    kind: ColumnKind
    type_name: str
    comment: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class SurveyedTable:
    """A relation that stores rows or shows some.

    `kind` is `table`, `partitioned`, `foreign`, `view` or `matview`; `rows` the server's own estimate, -1 when it has none.
    `reads` are the columns that a view's definition names. Partitions are not listed: their columns are their parent's.
    """

    schema: str
    name: str
    kind: str
    columns: tuple[SurveyedColumn, ...]
    rows: float = -1.0
    comment: str = ""
    reads: frozenset[ColumnResource] = frozenset()

    def column(self, name: str) -> ColumnResource:
        """The resource of one of its columns."""
        return ColumnResource(self.schema, self.name, name)


@dataclass(frozen=True, slots=True)
class Survey:
    """All tables of one connection, and the pairs of columns (child, parent) that foreign keys join."""

    tables: tuple[SurveyedTable, ...]
    joined: tuple[tuple[ColumnResource, ColumnResource], ...] = ()


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Up to `rows` rows of some columns of one table; each value as text, cut after `cell` characters.

    `percent` of the table's pages are looked at (TABLESAMPLE SYSTEM), all of them when it is None.
    """

    table: SurveyedTable
    columns: tuple[SurveyedColumn, ...]
    rows: int
    cell: int
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The values, None for NULL and for what is too large to be cut. `refused` is the SQLSTATE of a refusal, else empty."""

    rows: tuple[tuple[str | None, ...], ...] = field(default=(), repr=False)
    refused: str = ""
