"""Origins and lineage combined: nothing that neither explains is shown."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.engine.lineage import (
    WHOLE,
    column_rules,
    missing_ancestors,
    missing_origins,
    outlives_changes,
    static_outputs,
    strictest,
)
from interpose.model.actions import Action
from interpose.model.analysis import OutputColumn, Outputs, StatementInfo
from interpose.model.catalog import Behind, CatalogBasis, CatalogColumn, Relation, Routine
from interpose.model.ids import PolicyId
from interpose.model.masks import MaskRule
from interpose.model.resources import ColumnResource
from interpose.model.shape import ResultColumn, ResultShape
from tests.support.memory import MemoryCatalog, analysis

EMAIL = MaskRule("partial-email", (PolicyId("hide-email"),))
NULL = MaskRule("null")
HIDDEN = {ColumnResource("public", "people", "email"): EMAIL}
NAME = ColumnResource("public", "people", "name")
HIDES = ColumnResource("public", "people", "email")

PEOPLE = Relation(1, "public", "people", "table", (CatalogColumn("name", 1, 25), CatalogColumn("email", 2, 25)))
VIEW = Relation(2, "public", "v", "view", (CatalogColumn("x", 1, 25),), "select …")
CHILD = Relation(
    3,
    "public",
    "people_1",
    "table",
    (CatalogColumn("email", 1, 25), CatalogColumn("name", 2, 25)),
    parents=(("public", "people"),),
)


def _catalog(*relations: Relation) -> MemoryCatalog:
    catalog = MemoryCatalog()
    for relation in relations or (PEOPLE, VIEW, CHILD, ORDERS):
        catalog.relations[(relation.schema, relation.name)] = catalog.oids[relation.oid] = relation
    return catalog


def _shape(oid: int, number: int, *, copy: bool = False) -> ResultShape:
    return ResultShape((ResultColumn("c", oid, number, 25, -1, -1, 0),), copy)


def _out(*sources: ColumnResource, direct: bool = True, known: bool = True) -> OutputColumn:
    return OutputColumn("c", frozenset(sources), direct, known)


NOTHING, CLEAR, HID, VIEWED, STRANGE, SYSTEM = (0, 0), (1, 1), (1, 2), (2, 1), (9, 1), (1, -1)
WHOLE_ROW, CLEAR_ROW, VIEWED_ROW, STRANGE_ROW = (1, 0), (4, 0), (2, 0), (9, 0)
ORDERS = Relation(4, "public", "orders", "partitioned", (CatalogColumn("id", 1, 20),))


@pytest.mark.parametrize(
    ("origin", "output", "rule"),
    [
        # static and origin agree
        (CLEAR, _out(NAME), None),
        (HID, _out(HIDES), EMAIL),
        (NOTHING, _out(NAME, direct=False), None),
        (NOTHING, _out(direct=False), None),
        (VIEWED, _out(NAME), None),
        (VIEWED, _out(HIDES), EMAIL),
        (SYSTEM, _out(), None),
        # a whole row, of which the server names the table and no column
        (WHOLE_ROW, _out(NAME, direct=False), WHOLE),
        (WHOLE_ROW, _out(NAME, HIDES, direct=False), WHOLE),
        (CLEAR_ROW, _out(NAME, direct=False), None),
        (CLEAR_ROW, _out(HIDES, direct=False), WHOLE),
        (CLEAR_ROW, _out(NAME, known=False), WHOLE),
        (CLEAR_ROW, None, WHOLE),
        (VIEWED_ROW, _out(NAME, direct=False), None),
        (STRANGE_ROW, _out(NAME, direct=False), WHOLE),
        # an expression is masked whole, whatever the rule of the column keeps
        (NOTHING, _out(HIDES, direct=False), MaskRule("redact", EMAIL.policies)),
        (NOTHING, _out(HIDES, NAME), MaskRule("redact", EMAIL.policies)),
        # one says so, the other does not
        (HID, _out(NAME), EMAIL),
        (CLEAR, _out(HIDES), EMAIL),
        # neither explains it, or one alone
        (NOTHING, None, WHOLE),
        (CLEAR, None, WHOLE),
        (VIEWED, None, WHOLE),
        (HID, None, WHOLE),
        (CLEAR, _out(NAME, known=False), WHOLE),
        (STRANGE, _out(NAME), WHOLE),
        (STRANGE, _out(HIDES), EMAIL),
        (CLEAR, _out(HIDES, known=False), WHOLE),
    ],
)
def test_the_rule_of_a_column(origin: tuple[int, int], output: OutputColumn | None, rule: MaskRule | None) -> None:
    outputs = None if output is None else (output,)
    (found,) = column_rules(_shape(*origin), outputs, HIDDEN, _catalog(), trusted=True)
    assert (found and found.transform) == (rule and rule.transform)


@pytest.mark.parametrize(
    ("origin", "output", "rule"),
    [
        (CLEAR, _out(NAME), None),
        (CLEAR, None, None),
        (HID, _out(NAME), EMAIL),
        (VIEWED, _out(NAME), WHOLE),
        (NOTHING, _out(NAME), WHOLE),
        (STRANGE, _out(NAME), WHOLE),
        (WHOLE_ROW, _out(NAME), WHOLE),
        (CLEAR_ROW, _out(NAME), WHOLE),
    ],
)
def test_while_the_catalog_is_changed_only_origins_stand(
    origin: tuple[int, int], output: OutputColumn | None, rule: MaskRule | None
) -> None:
    outputs = None if output is None else (output,)
    assert column_rules(_shape(*origin), outputs, HIDDEN, _catalog(), trusted=False) == [rule]


def test_a_partition_hides_what_its_parent_hides() -> None:
    assert column_rules(_shape(3, 1), (_out(NAME),), HIDDEN, _catalog(), trusted=True) == [EMAIL]
    assert column_rules(_shape(3, 2), (_out(NAME),), HIDDEN, _catalog(), trusted=True) == [None]
    # … and a parent that is not known explains nothing.
    assert column_rules(_shape(3, 2), (_out(NAME),), HIDDEN, _catalog(CHILD), trusted=True) == [WHOLE]


def test_a_temporary_view_explains_nothing() -> None:
    view = dataclasses.replace(VIEW, temporary=True)
    catalog = _catalog(view)
    assert column_rules(_shape(2, 1), (_out(NAME),), HIDDEN, catalog, trusted=True) == [WHOLE]
    # … unless it is the one that the lineage was followed through.
    for other, rule in ((view, None), (dataclasses.replace(view, oid=9), WHOLE)):
        basis = CatalogBasis({("public", "v"): other})
        assert column_rules(_shape(2, 1), (_out(NAME),), HIDDEN, catalog, trusted=True, basis=basis) == [rule]


def test_parents_of_parents_are_asked_for() -> None:
    top = Relation(4, "public", "all_people", "table", (CatalogColumn("name", 1, 25),), parents=(("public", "root"),))
    below = dataclasses.replace(CHILD, parents=(("public", "all_people"),))
    assert missing_ancestors(_shape(3, 1), _catalog(below, top)) == {("public", "root")}


def test_parents_that_go_round_in_circles_end() -> None:
    one = Relation(1, "s", "a", "table", (CatalogColumn("x", 1, 25),), parents=(("s", "b"),))
    two = Relation(2, "s", "b", "table", (CatalogColumn("x", 1, 25),), parents=(("s", "a"),))
    catalog = _catalog(one, two)
    assert column_rules(_shape(1, 1), (_out(),), HIDDEN, catalog, trusted=True) == [None]
    assert missing_ancestors(_shape(1, 1), catalog) == frozenset()


def test_what_must_be_asked_for() -> None:
    catalog = _catalog(CHILD)
    assert missing_origins(_shape(1, 1), catalog) == {1}
    assert missing_origins(_shape(0, 0), catalog) == frozenset()
    assert missing_origins(_shape(3, 1), catalog) == frozenset()
    assert missing_ancestors(_shape(3, 1), catalog) == {("public", "people")}


def test_lineage_that_does_not_fit_the_result_is_none() -> None:
    fits = analysis(Action.SELECT, statements=(StatementInfo("SELECT", Outputs((_out(NAME),))),))
    assert static_outputs(fits, 0, _shape(1, 1)) == (_out(NAME),)
    two = ResultShape(_shape(1, 1).columns * 2)
    for made, statement, shape in (
        (fits, 0, two),
        (fits, None, _shape(1, 1)),
        (fits, 1, _shape(1, 1)),
        (fits, -1, _shape(1, 1)),
        (analysis(Action.SELECT), 0, _shape(1, 1)),
        (analysis(Action.SELECT, statements=(StatementInfo("X", Outputs(None)),)), 0, _shape(1, 1)),
    ):
        assert static_outputs(made, statement, shape) is None


def test_columns_of_unknown_number_are_each_what_any_of_them_may_be() -> None:
    two = ResultShape(_shape(1, 1).columns * 2)
    made = analysis(Action.SELECT, statements=(StatementInfo("SELECT", Outputs(None, _out(NAME, direct=False))),))
    assert static_outputs(made, 0, two) == [_out(NAME, direct=False)] * 2
    assert static_outputs(made, 1, two) is None
    # A hidden column among them hides all, and an origin that is hidden hides its own.
    hid = [_out(HIDES, direct=False)] * 2
    assert [rule and rule.transform for rule in column_rules(two, hid, HIDDEN, _catalog(), trusted=True)] == [
        "redact",
        "redact",
    ]
    shape = ResultShape((*_shape(*CLEAR).columns, *_shape(*HID).columns))
    rules = column_rules(shape, static_outputs(made, 0, shape), HIDDEN, _catalog(), trusted=True)
    assert rules == [None, EMAIL]


_PG_CLASS = Relation(1259, "pg_catalog", "pg_class", "table", ())
_BUILTIN = Routine("pg_catalog", "lower", frozenset("f"), "i", False, frozenset({"internal"}), True)
_USERS = Routine("public", "lower", frozenset("f"), "v", False, frozenset({"sql"}), False)


@pytest.mark.parametrize(
    ("basis", "outlives"),
    [
        (CatalogBasis(), True),
        (CatalogBasis({("pg_catalog", "pg_class"): _PG_CLASS}), True),
        (CatalogBasis(routines={("pg_catalog", "lower"): _BUILTIN, ("public", "lower"): None}), True),
        # Looked for in a schema before the system's, where this transaction may have made one.
        (CatalogBasis({("public", "pg_class"): None, ("pg_catalog", "pg_class"): _PG_CLASS}), False),
        (CatalogBasis({("public", "people"): PEOPLE}), False),
        (CatalogBasis({("public", "new"): None}), False),
        (CatalogBasis(routines={("pg_catalog", "lower"): _BUILTIN, ("public", "lower"): _USERS}), False),
        # An extension brought its own `=`: the lineage has judged it, and none came since.
        (CatalogBasis(behind={(Behind.OPERATOR, "public", "="): frozenset({_USERS})}), True),
    ],
)
def test_lineage_of_the_system_catalog_outlives_what_a_transaction_changes(basis: CatalogBasis, outlives: bool) -> None:
    made = analysis(Action.SELECT, statements=(StatementInfo("SELECT"),), basis=basis)
    assert outlives_changes(made, 0) is outlives
    for statement in (None, -1, 1):
        assert not outlives_changes(made, statement)


def test_a_setting_outlives_what_a_transaction_changes() -> None:
    made = analysis(Action.SHOW, statements=(StatementInfo("SHOW"), StatementInfo("SELECT")))
    made = dataclasses.replace(made, basis=CatalogBasis({("public", "people"): PEOPLE}))
    assert outlives_changes(made, 0)
    assert not outlives_changes(made, 1)
    assert not outlives_changes(made, None)


def test_the_strictest_of_several() -> None:
    assert strictest(EMAIL, NULL, WHOLE) is NULL
    assert strictest(EMAIL) is EMAIL


_OUTPUTS = st.none() | st.builds(
    OutputColumn,
    st.just("c"),
    st.frozensets(st.sampled_from([NAME, HIDES])),
    st.booleans(),
    st.booleans(),
)


@given(st.sampled_from([NOTHING, CLEAR, HID, VIEWED, STRANGE]), _OUTPUTS, st.booleans())
def test_nothing_hidden_is_ever_shown(origin: tuple[int, int], output: OutputColumn | None, trusted: bool) -> None:
    outputs = None if output is None else (output,)
    (rule,) = column_rules(_shape(*origin), outputs, HIDDEN, _catalog(), trusted=trusted)
    if rule is None:
        assert origin not in (HID, STRANGE)
        if trusted:
            assert output is not None
            assert output.known
            assert HIDES not in output.sources
        else:
            assert origin == CLEAR
