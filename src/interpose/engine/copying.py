"""Masking COPY TO STDOUT: what its data looks like, from the statement's options, its lineage and the catalog.

The server describes a COPY by the number and format of its columns only; names and types come from here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from interpose.masking.copy_lines import CopyFormat, CopyOptions
from interpose.masking.copying import CopyStream
from interpose.masking.plan import MaskingPlan
from interpose.model.analysis import Analysis, CopyLayout, OutputColumn
from interpose.model.catalog import CatalogView, Relation
from interpose.model.errors import Unmaskable
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape

_TEXT_OID = 25
_UNKNOWN_OID = 0
"""A type that masking knows nothing of: its values can only become NULL."""


def copy_layout(analysis: Analysis, statement: int | None) -> CopyLayout | None:
    """How the data of this COPY is written, None when that is not known."""
    if statement is None or not 0 <= statement < len(analysis.statements):
        return None
    return analysis.statements[statement].layout


def copy_shape(
    shape: ResultShape,
    outputs: Sequence[OutputColumn] | None,
    rules: Sequence[MaskRule | None],
    layout: CopyLayout | None,
    catalog: CatalogView,
) -> ResultShape:
    """The shape with names and types as far as they can be known.

    In text and CSV a value of a type that is not known is masked and searched as the text that it is. In binary it can only
    become NULL where a rule hides it.
    """
    binary = layout is not None and layout.format == "binary"
    columns = []
    for index, column in enumerate(shape.columns):
        output = None if outputs is None else outputs[index]
        known = _type(output, catalog)
        if known is None:
            known = (_UNKNOWN_OID if binary and rules[index] is not None else _TEXT_OID, -1)
        name = column.name if output is None else output.name
        type_oid, modifier = known
        columns.append(ResultColumn(name, 0, 0, type_oid, -1, modifier, 1 if binary else 0))
    return dataclasses.replace(shape, columns=tuple(columns))


def _type(output: OutputColumn | None, catalog: CatalogView) -> tuple[int, int] | None:
    """The type and type modifier of a value that is exactly one table column."""
    if output is None or not output.known or not output.direct or len(output.sources) != 1:
        return None
    (source,) = output.sources
    relation = catalog.relation(source.schema, source.table, ())
    if not isinstance(relation, Relation):
        return None
    return next(
        ((column.type_oid, column.type_modifier) for column in relation.columns if column.name == source.name), None
    )


def copy_stream(plan: MaskingPlan, layout: CopyLayout | None, max_row: int) -> CopyStream:
    """A fresh stream that masks this COPY's data; raises `Unmaskable` and `ConfigurationError`."""
    if layout is None:
        raise Unmaskable(
            "the data of this COPY cannot be masked",
            hint="use `COPY … TO STDOUT` with default options, or select the rows instead",
        )
    options = CopyOptions(
        CopyFormat(layout.format),
        layout.delimiter.encode(),
        layout.null.encode(),
        layout.quote.encode(),
        layout.escape.encode(),
        layout.header,
    )
    return CopyStream(plan, options, max_row)
