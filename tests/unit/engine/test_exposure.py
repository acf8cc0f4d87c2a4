"""What a command could show of hidden values."""

from __future__ import annotations

import dataclasses

import pytest

from interpose.engine.exposure import NOTHING, escape_words, exposure_of, unsettled_words
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, NamedText, SessionChange, StatementInfo
from interpose.model.ids import DataClassName
from interpose.model.masks import NOTHING_HIDDEN, MaskRule, RevealTable
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    ObjectResource,
    Resource,
    SchemaResource,
    TableResource,
)
from tests.support.memory import analysis

SSN = ColumnResource("public", "people", "ssn")
NAME = ColumnResource("public", "people", "name")
HIDES = RevealTable({SSN: MaskRule("redact")})
CONTENT = RevealTable({}, {DataClassName("pii.email"): MaskRule("redact")})


def _one(**changes: object) -> Analysis:
    statement = dataclasses.replace(StatementInfo("TEST"), **changes)  # type: ignore[arg-type]
    return analysis(Action.SELECT, statements=(statement,))


def test_nothing_is_exposed_to_who_may_see_everything() -> None:
    assert exposure_of(_one(sinks=frozenset({SSN}), used_known=False), NOTHING_HIDDEN) is NOTHING


@pytest.mark.parametrize(
    ("made", "escapes", "scrub"),
    [
        (_one(used=frozenset({NAME})), False, False),
        (_one(used=frozenset({SSN, NAME})), False, True),
        (_one(used_known=False), False, True),
        (_one(sinks=frozenset({NAME})), False, False),
        (_one(sinks=frozenset({SSN}), used=frozenset({SSN})), True, True),
        (_one(sinks_known=False), True, True),
        (analysis(Action.DO, changes=frozenset({SessionChange.OPAQUE})), False, True),
        (analysis(Action.SELECT, statements=()), False, True),
        (_one(prepares=NamedText("p", _one(sinks=frozenset({SSN})))), True, False),
        (_one(declares=NamedText("c", _one(used=frozenset({SSN})))), False, True),
    ],
)
def test_what_hidden_columns_make_of_a_command(made: Analysis, escapes: bool, scrub: bool) -> None:
    exposure = exposure_of(made, HIDES)
    assert exposure.escapes is escapes
    assert exposure.scrub is scrub


@pytest.mark.parametrize(
    ("resource", "refused"),
    [
        (TableResource("public", "people"), True),
        (TableResource("", "people", "unresolved"), True),
        (TableResource("other", "people"), False),
        (TableResource("public", "orders"), False),
        (NAME, True),  # renaming another column of the table could make room for the name
        (SchemaResource("public"), True),
        (SchemaResource("other"), False),
        (ConnectionResource(), False),
    ],
)
def test_a_table_with_hidden_columns_is_not_altered(resource: Resource, refused: bool) -> None:
    made = analysis(Action.SELECT, effects=(Effect(Action.ALTER, resource),))
    exposure = exposure_of(made, HIDES)
    assert exposure.escapes is refused
    assert ("alter" in escape_words(exposure)[0]) is refused
    assert not exposure_of(analysis(Action.SELECT, effects=(Effect(Action.SELECT, resource),)), HIDES).escapes


def test_what_stores_something_is_told_apart() -> None:
    assert exposure_of(_one(sinks=frozenset({NAME})), HIDES).stores
    assert exposure_of(_one(sinks_known=False), HIDES).stores
    assert not exposure_of(_one(), HIDES).stores
    assert unsettled_words()[1]


def test_hidden_content_has_no_columns_and_may_be_anywhere() -> None:
    exposure = exposure_of(_one(sinks_known=False), CONTENT)
    assert (exposure.escapes, exposure.scrub) == (False, True)


def test_the_refusal_names_the_columns_where_they_are_known() -> None:
    message, hint = escape_words(exposure_of(_one(sinks=frozenset({SSN})), HIDES))
    assert "`public.people.ssn`" in message
    assert hint
    assert "`" not in escape_words(exposure_of(_one(sinks_known=False), HIDES))[0]


@pytest.mark.parametrize(
    ("action", "resource", "scrub"),
    [
        (Action.SELECT, TableResource("public", "people"), True),  # a row policy may look at any column
        (Action.UPDATE, TableResource("", "people", "unresolved"), True),
        (Action.DELETE, NAME, True),
        (Action.SELECT, TableResource("public", "orders"), False),
        (Action.MAINTAIN, TableResource("public", "sales", "matview"), True),
        (Action.SELECT, ConnectionResource(), False),
    ],
)
def test_words_are_withheld_of_whatever_meets_a_table_with_hidden_columns(
    action: Action, resource: Resource, scrub: bool
) -> None:
    made = dataclasses.replace(_one(), effects=(Effect(action, resource),))
    assert exposure_of(made, HIDES).scrub is scrub
    assert not exposure_of(made, NOTHING_HIDDEN).scrub


@pytest.mark.parametrize(
    "effect",
    [
        Effect(Action.CREATE, TableResource("public", "far", "foreign")),
        Effect(Action.CREATE, ObjectResource("foreign_server", "", "loop")),
        Effect(Action.ALTER, ObjectResource("user_mapping", "", "loop")),
        Effect(Action.CREATE, SchemaResource("local"), {"object_kind": "foreign_table"}),
    ],
)
def test_a_way_to_other_data_is_not_opened_where_something_is_hidden(effect: Effect) -> None:
    made = dataclasses.replace(_one(), effects=(effect,))
    assert exposure_of(made, HIDES).escapes
    assert not exposure_of(made, NOTHING_HIDDEN).escapes
    read = dataclasses.replace(_one(), effects=(Effect(Action.SELECT, effect.resource),))
    assert not exposure_of(read, HIDES).escapes
