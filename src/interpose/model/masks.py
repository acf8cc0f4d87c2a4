"""Which values may be shown, and how the others are masked: the obligations that policy puts on a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from interpose.model.ids import DataClassName, PolicyId
from interpose.model.resources import ColumnResource


@dataclass(frozen=True, slots=True)
class MaskRule:
    """How one classified value is hidden. `transform` is the text of the `@mask` annotation, e.g. `partial-email`.

    `policies` are the policies that forbid `reveal`; empty when nothing permits it (the default transform then applies).
    """

    transform: str
    policies: tuple[PolicyId, ...] = ()


@dataclass(frozen=True, slots=True)
class RevealTable:
    """For one principal on one connection under one snapshot: every classified value that may not be shown.

    `columns` names each classified column that must be masked (columns that may be revealed are absent). `by_origin` says the
    same for what the upstream calls the origin: filled by the engine once oids are known. `content` names each
    data class whose detected values must be masked. `strict` are those of `columns` that policy does not plainly let be inferred:
    a command that uses one otherwise than by selecting it as it is must be asked for (action `infer`). `definitions`: the texts of
    definitions and comments are hidden as well.
    """

    columns: Mapping[ColumnResource, MaskRule] = field(default_factory=dict, hash=False)
    content: Mapping[DataClassName, MaskRule] = field(default_factory=dict, hash=False)
    strict: frozenset[ColumnResource] = frozenset()
    definitions: bool = False

    def __bool__(self) -> bool:
        """Whether anything at all is hidden from this principal."""
        return bool(self.columns or self.content)


NOTHING_HIDDEN = RevealTable()
"""The table of a principal who may see everything."""
