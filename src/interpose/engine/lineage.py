"""Which rule masks each column of a result: the server's origins and the statement's own lineage, combined safely.

Pure. INVARIANT: a column is shown in the clear only when its static lineage is known and reaches nothing hidden, and the server's
origin, where it names one, is known and not hidden. What neither explains is masked whole (THREATS, rule 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from interpose.masking.strictness import strictest as strictest_transform
from interpose.model.analysis import DEFINITION, Analysis, OutputColumn
from interpose.model.catalog import NO_BASIS, CatalogBasis, CatalogView, Lookup, Relation
from interpose.model.masks import MaskRule
from interpose.model.resources import ColumnResource
from interpose.model.shape import ResultColumn, ResultShape

WHOLE = MaskRule("redact")
"""How a value is hidden whose relation to what is hidden is not exactly known: whole."""

_MAX_ANCESTORS = 64
_DERIVED = frozenset({"view", "matview"})
_SYSTEM = "pg_catalog"
_WHOLE_ROW = 0
"""The number of the column where the server names a table and no column of it: `select c from customers c`."""


class Origin(Enum):
    """What an origin says when it names no hidden column."""

    NONE = "none"
    """The server names no origin: an expression, or a result that has none."""
    CLEAR = "clear"
    """A column of a stored table that is not hidden."""
    DERIVED = "derived"
    """A column of a view: what it shows is for its definition to say."""
    UNKNOWN = "unknown"
    """An object that the gateway does not know: made in this transaction, or gone."""


def static_outputs(analysis: Analysis, statement: int | None, shape: ResultShape) -> Sequence[OutputColumn] | None:
    """The lineage of this result's columns; None when there is none that fits the result."""
    if statement is None or not 0 <= statement < len(analysis.statements):
        return None
    outputs = analysis.statements[statement].outputs
    if outputs is not None and outputs.columns is None and outputs.every is not None:
        return [outputs.every] * len(shape.columns)
    if outputs is None or outputs.columns is None or len(outputs.columns) != len(shape.columns):
        return None
    return outputs.columns


def outlives_changes(analysis: Analysis, statement: int | None) -> bool:
    """Whether this result's lineage is true whatever the session's own transaction has changed of the catalog.

    It is for a setting (SHOW), and where all relations and functions that were asked for are PostgreSQL's own, which no statement changes.
    INVARIANT: it may be believed only while no code ran that nobody saw. Then a relation, function or operator of this transaction
    that stands before the system's (a temporary `pg_class`) holds nothing hidden: whoever has something hidden may make nothing
    with hidden or unknown contents. What a transaction made is never found, so a statement that names it otherwise is not of these.
    """
    if statement is None or not 0 <= statement < len(analysis.statements):
        return False
    if analysis.statements[statement].tag == "SHOW":
        return True
    basis = analysis.basis
    return all(found is not None and found.schema == _SYSTEM for found in basis.relations.values()) and all(
        found is None or found.builtin for found in basis.routines.values()
    )


def missing_origins(shape: ResultShape, catalog: CatalogView) -> frozenset[int]:
    """Oids of origins that the catalog has not been asked for, with the ancestors of what it knows by name."""
    oids = {column.table_oid for column in shape.columns if column.table_oid}
    return frozenset(oid for oid in oids if catalog.relation_by_oid(oid) is Lookup.NOT_CACHED)


def missing_ancestors(shape: ResultShape, catalog: CatalogView) -> frozenset[tuple[str | None, str]]:
    """Names of inheritance parents and partitioned tables above the origins that the catalog has not been asked for."""
    return frozenset(
        name
        for relation in _origins(shape, catalog)
        for name, parent in _ancestors(relation, catalog)
        if parent is Lookup.NOT_CACHED
    )


def origin_basis(shape: ResultShape, catalog: CatalogView) -> CatalogBasis:
    """What `column_rules` goes by of the catalog, beside the lineage: the origins that the server names, with their ancestors."""
    relations: dict[tuple[str, str], Relation | None] = {}
    for relation in _origins(shape, catalog):
        relations[relation.schema, relation.name] = relation
        for name, parent in _ancestors(relation, catalog):
            relations[name] = parent if isinstance(parent, Relation) else None
    return CatalogBasis(relations)


def _origins(shape: ResultShape, catalog: CatalogView) -> Iterator[Relation]:
    """The relations that the server names as origins, as far as they are known."""
    for oid in {column.table_oid for column in shape.columns if column.table_oid}:
        relation = catalog.relation_by_oid(oid)
        if isinstance(relation, Relation):
            yield relation


def _ancestors(relation: Relation, catalog: CatalogView) -> Iterator[tuple[tuple[str, str], Relation | Lookup]]:
    """The names of inheritance parents and partitioned tables above a relation, all the way up, with what is known of each."""
    waiting = list(relation.parents)
    for place, (schema, name) in enumerate(waiting):
        if place >= _MAX_ANCESTORS:
            return
        parent = catalog.relation(schema, name, ())
        yield (schema, name), parent
        if isinstance(parent, Relation):
            waiting.extend(pair for pair in parent.parents if pair not in waiting)


def column_rules(
    shape: ResultShape,
    outputs: Sequence[OutputColumn] | None,
    hidden: Mapping[ColumnResource, MaskRule],
    catalog: CatalogView,
    *,
    trusted: bool,
    definitions: bool = True,
    basis: CatalogBasis = NO_BASIS,
) -> list[MaskRule | None]:
    """The rule of each column, None where it may be shown. `definitions` tells whether the texts of definitions may be.

    `trusted` is false while the session has changed the catalog in a transaction that is not over: lineage was then made from a
    catalog that the session does not see, and only the origins that the server names still stand. `basis` is what the lineage was made from.
    """
    return [
        _rule(column, output, hidden, catalog, basis, trusted=trusted)
        if definitions or output is None or DEFINITION not in output.sources
        else WHOLE
        for column, output in zip(shape.columns, outputs or (None,) * len(shape.columns), strict=True)
    ]


def _rule(
    column: ResultColumn,
    output: OutputColumn | None,
    hidden: Mapping[ColumnResource, MaskRule],
    catalog: CatalogView,
    basis: CatalogBasis,
    *,
    trusted: bool,
) -> MaskRule | None:
    origin = _origin(column, hidden, catalog, basis)
    if isinstance(origin, MaskRule):
        static = _static(output, hidden)
        return origin if static is None or not trusted else strictest(origin, static)
    if not trusted:
        return None if origin is Origin.CLEAR else WHOLE
    static = _static(output, hidden)
    if static is None and origin is Origin.UNKNOWN:
        return WHOLE
    return static


def _static(output: OutputColumn | None, hidden: Mapping[ColumnResource, MaskRule]) -> MaskRule | None:
    """What the statement's own lineage asks for: None only when it is known and reaches nothing hidden."""
    if output is None or not output.known:
        return WHOLE
    rules = [hidden[source] for source in output.sources if source in hidden]
    if not rules:
        return None
    if output.direct and len(output.sources) == 1:
        return rules[0]
    # The rule's transform keeps a part of the *column's* value; of an expression it could keep anything.
    policies = tuple(dict.fromkeys(policy for rule in rules for policy in rule.policies))
    return strictest(MaskRule(WHOLE.transform, policies), *rules)


def _origin(
    column: ResultColumn, hidden: Mapping[ColumnResource, MaskRule], catalog: CatalogView, basis: CatalogBasis
) -> MaskRule | Origin:
    if not column.table_oid:
        return Origin.NONE
    relation = catalog.relation_by_oid(column.table_oid)
    if not isinstance(relation, Relation):
        return Origin.UNKNOWN
    if column.column_number < 0:
        return Origin.CLEAR  # system columns (ctid, xmin, tableoid …) hold nothing that anybody stored
    whole = column.column_number == _WHOLE_ROW
    name = next((known.name for known in relation.columns if known.number == column.column_number), None)
    if name is None and not whole:
        return Origin.UNKNOWN
    columns = [known.name for known in relation.columns] if name is None else [name]
    rules: list[MaskRule] = []
    waiting = [(relation.schema, relation.name)]
    for place, (schema, table) in enumerate(waiting):
        found = (hidden.get(ColumnResource(schema, table, each)) for each in columns)
        rules += [rule for rule in found if rule is not None]
        here = relation if place == 0 else catalog.relation(schema, table, ())
        if not isinstance(here, Relation) or place >= _MAX_ANCESTORS:
            return Origin.UNKNOWN
        waiting.extend(pair for pair in here.parents if pair not in waiting)
    if rules:
        return strictest(WHOLE, *rules) if whole else strictest(*rules)
    if relation.kind not in _DERIVED:
        # A column that this transaction has added is in the row, and not in what is known of the table.
        return Origin.NONE if whole else Origin.CLEAR
    # A temporary view may stand before a table of the same name in the path: the lineage may then be that of the table.
    followed = basis.relations.get((relation.schema, relation.name)) == relation
    return Origin.UNKNOWN if relation.temporary and not followed else Origin.DERIVED


def strictest(first: MaskRule, *others: MaskRule) -> MaskRule:
    """The rule that leaves least to see; of several that mask inside JSON one with the paths of all."""
    rules = (first, *others)
    transform = strictest_transform([rule.transform for rule in rules])
    for rule in rules:
        if rule.transform == transform:
            return rule
    return MaskRule(transform, tuple(dict.fromkeys(policy for rule in rules for policy in rule.policies)))
