"""The plan for one result: which cells are masked how, decided once and applied to every row.

A plan is made from a result's shape, a rule for each column and rules for detected content. It knows nothing of policy or
lineage (who decides the rules) and nothing of messages (`rows.py` and `copying.py` apply it to bytes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from interpose.masking.cells import CellMask, cell_mask
from interpose.masking.content import ContentScanner, content_scanner, encoded_in
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.transforms import parse_transform
from interpose.masking.twins import Twin, twin_of
from interpose.model.errors import Malformed, Unmaskable
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultShape

MAX_INSPECTED = 1 << 18
"""Bytes of one cell that are searched for content by default; a longer cell is redacted whole."""


@final
class MaskingPlan:
    """What is done to each cell of one result. Immutable but for `memo`, which only saves work.

    `masks[i]` masks column i by rule (None: no rule). `scans[i]` masks what is found in column i (None: not scanned; never
    beside a rule). `masked` and `scanned` are the positions of those that are not None, ascending. `memo` has one
    mapping a masked position (same order): a cell's bytes to its masked cell as framed in a row, length first. `twins` has
    one entry a masked position too: what the compiled kernel may do there by itself.
    INVARIANT: `memo` is bounded (`row_reference.py` clears it) and lives no longer than the plan, because its keys are clear values.
    """

    __slots__ = ("masked", "masks", "memo", "names", "scanned", "scanner", "scans", "twins", "width")

    def __init__(
        self,
        names: tuple[str, ...],
        masks: tuple[CellMask | None, ...],
        scans: tuple[CellMask | None, ...],
        scanner: ContentScanner | None,
        twins: tuple[Twin | None, ...] = (),
    ) -> None:
        """`names`, `masks`, `scans`, and `twins` unless it is empty, have one entry a column; raises `ValueError` when they do not (our bug)."""
        twins = twins or (None,) * len(names)
        if not len(names) == len(masks) == len(scans) == len(twins):
            raise ValueError("a plan has one mask entry for every column")
        self.names = names
        self.width = len(names)
        self.masks = masks
        self.scans = scans
        self.scanner = scanner
        self.masked = tuple(i for i, mask in enumerate(masks) if mask is not None)
        self.scanned = tuple(i for i, scan in enumerate(scans) if scan is not None)
        self.twins = tuple(twins[i] for i in self.masked)
        self.memo: tuple[dict[bytes, bytes], ...] = tuple({} for _ in self.masked)

    def anew(self) -> MaskingPlan:
        """The same plan for another result: nothing is remembered of this one's values."""
        made = object.__new__(MaskingPlan)
        made.names, made.width, made.masks, made.scans, made.scanner = (
            self.names,
            self.width,
            self.masks,
            self.scans,
            self.scanner,
        )
        made.masked, made.scanned, made.twins = self.masked, self.scanned, self.twins
        made.memo = tuple({} for _ in self.masked)
        return made

    @property
    def size(self) -> int:
        """Bytes of the constants that the plan holds: what keeping it costs beyond a few objects."""
        return sum(len(twin.constant) for twin in self.twins if twin is not None)

    @property
    def masked_names(self) -> tuple[str, ...]:
        """The names of the columns that are masked by rule, for the record."""
        return tuple(self.names[i] for i in self.masked)

    def mask_row(self, values: Sequence[bytes | None]) -> list[bytes | None]:
        """The row as it may be shown: the reference for every faster way. Raises `Malformed` for another number of values."""
        if len(values) != self.width:
            raise Malformed(
                "the upstream sent a row that does not match its description",
                detail=f"{len(values)} values for {self.width} columns",
                hint="run the command again; if it happens again, tell the operator",
            )
        shown = list(values)
        for i, mask in enumerate(self.masks):
            value = values[i]
            if value is not None:
                scan = self.scans[i]
                if mask is not None:
                    shown[i] = mask(value)
                elif scan is not None:
                    shown[i] = scan(value)
        return shown


def build_plan(
    shape: ResultShape,
    column_rules: Sequence[MaskRule | None],
    content_rules: Mapping[DataClassName, MaskRule],
    key: bytes,
    *,
    max_inspected: int = MAX_INSPECTED,
) -> MaskingPlan | None:
    """The plan for a result, None when nothing in it is to be hidden.

    `column_rules` has one entry for each column of the shape. `key` is the pseudonym key of the scope (at least 16 bytes).
    Raises `Unmaskable` when the number of rules differs from that of the columns, or a column's format is unknown, and
    `ConfigurationError` for a transform or data class that does not exist (the policy check finds that earlier).
    """
    if len(column_rules) != len(shape.columns):
        raise Unmaskable(
            "the result's columns do not match what was judged",
            detail=f"{len(column_rules)} rules for {len(shape.columns)} columns",
            hint="run the command again",
        )
    if not content_rules and not any(column_rules):
        return None
    pseudonyms = Pseudonyms(key)
    encoded = encoded_in((column.type_oid, column.format) for column in shape.columns) if content_rules else frozenset()
    scanner = content_scanner(content_rules, pseudonyms, max_inspected, encoded)
    masks: list[CellMask | None] = []
    scans: list[CellMask | None] = []
    twins: list[Twin | None] = []
    for column, rule in zip(shape.columns, column_rules, strict=True):
        mask = scan = twin = None
        if rule is not None:
            transform = parse_transform(rule.transform)
            mask = cell_mask(transform, column.type_oid, column.type_modifier, column.format, pseudonyms)
            twin = twin_of(mask, transform, column.type_oid, column.type_modifier)
        elif scanner is not None:
            scan = scanner.cell_scan(column.type_oid, column.type_modifier, column.format)
        masks.append(mask)
        scans.append(scan)
        twins.append(twin)
    if not any(masks) and not any(scans):
        return None
    return MaskingPlan(
        tuple(column.name for column in shape.columns), tuple(masks), tuple(scans), scanner, tuple(twins)
    )
