"""What the compiled rows kernel may do by itself for a column, said in plain numbers and bytes.

A twin is only ever a faster way to what the column's mask does; a column without one is masked by its mask, cell by cell.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from interpose.masking.cells import CellMask, ConstantMask
from interpose.masking.transforms import Transform
from interpose.masking.types import VARCHAR, character_limit, type_of

_OPERATIONS: Final[dict[Transform, str]] = {
    Transform("partial-email"): "email",
    Transform("partial-phone"): "phone",
    Transform("partial-card"): "card",
    Transform("partial-name"): "name",
}
_TEXT: Final = 25


@dataclass(frozen=True, slots=True)
class Twin:
    """`constant`: every value becomes `constant`, which is framed as in a row, length first (-1 for NULL).

    `email`, `phone`, `card`, `name`, `last`, `first`: the transform of that name over plain ASCII, `keep` its number; what
    it makes is cut to `limit` characters, any number when that is -1.
    """

    operation: str
    constant: bytes = b""
    keep: int = 0
    limit: int = -1


def twin_of(mask: CellMask, transform: Transform, type_oid: int, type_modifier: int) -> Twin | None:
    """The twin of a column's mask, None when there is none."""
    if isinstance(mask, ConstantMask):
        value = mask.value
        return Twin("constant", b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value)) + value)
    if type_oid not in (_TEXT, VARCHAR):
        return None
    limit = character_limit(type_of(type_oid), type_modifier)
    operation = _OPERATIONS.get(transform)
    if operation is None and transform in (Transform("last", transform.keep), Transform("first", transform.keep)):
        operation = transform.name
    if operation is None:
        return None
    return Twin(operation, keep=transform.keep, limit=-1 if limit is None else limit)
