"""What a value is computed from. Knows sets of columns; does not know SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from interpose.model.resources import ColumnResource

NO_SOURCES: Final[frozenset[ColumnResource]] = frozenset()
"""The sources of a constant."""


class Lineage:
    """The source columns of one value.

    `direct` is true when the value is one column's, unchanged. `known` is false when analysis cannot say; `sources` is
    then only what it saw. Never changed after it was made (not a frozen dataclass: many are made for each statement).
    """

    __slots__ = ("direct", "known", "sources")

    def __init__(self, sources: frozenset[ColumnResource], *, known: bool = True, direct: bool = False) -> None:
        """`sources` are base columns (and the columns of views on the way to them)."""
        self.sources = sources
        self.known = known
        self.direct = direct

    def derived(self) -> Lineage:
        """The lineage of an expression over this value."""
        return Lineage(self.sources, known=self.known) if self.direct else self

    def doubted(self) -> Lineage:
        """The same sources, but not all of them are known."""
        return Lineage(self.sources, known=False)


CONSTANT: Final = Lineage(NO_SOURCES)
"""A value that is computed from no column."""

UNKNOWN: Final = Lineage(NO_SOURCES, known=False)
"""A value of which nothing is known."""


def combine(parts: Iterable[Lineage]) -> Lineage:
    """The lineage of an expression over several values: never direct, known only if all are."""
    sources: frozenset[ColumnResource] = NO_SOURCES
    known = True
    for part in parts:
        if part.sources:
            sources = sources | part.sources if sources else part.sources
        known = known and part.known
    if not sources:
        return CONSTANT if known else UNKNOWN
    return Lineage(sources, known=known)


def either(left: Lineage, right: Lineage) -> Lineage:
    """The lineage of a value that is one of two (a set operation's column): direct only if both are the same column."""
    if left.direct and right.direct and left.known and right.known and left.sources == right.sources:
        return left
    return combine((left, right))
