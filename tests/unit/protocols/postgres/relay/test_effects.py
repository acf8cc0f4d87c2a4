"""What statements do to names."""

from __future__ import annotations

import pytest

from interpose.model.analysis import Analysis, NamedText, SessionChange, StatementInfo
from interpose.protocols.postgres.relay.effects import apply_statement, forget_with_transaction, harmless_transaction
from interpose.protocols.postgres.relay.names import Names, Portal, Statement
from tests.support.playbook import NOTHING


def state() -> tuple[Names[Statement], Names[Portal]]:
    statements: Names[Statement] = Names()
    portals: Names[Portal] = Names()
    for name in ("a", "b"):
        statements.define(Statement(name, "select 1", NOTHING, None, 0))
        portals.define(Portal(name, None, NOTHING, (), (), 0))
    return statements, portals


def known(names: Names[Statement] | Names[Portal]) -> set[str]:
    return {version.name for version in names.current()}


@pytest.mark.parametrize(
    ("info", "statements_left", "portals_left"),
    [
        (StatementInfo("DEALLOCATE", deallocates="a"), {"b"}, {"a", "b"}),
        (StatementInfo("DEALLOCATE ALL", deallocates="*"), set(), {"a", "b"}),
        (StatementInfo("CLOSE CURSOR", closes="a"), {"a", "b"}, {"b"}),
        (StatementInfo("DISCARD ALL", deallocates="*", closes="*"), set(), set()),
        (StatementInfo("DO"), set(), set()),
        (StatementInfo("PREPARE", prepares=NamedText("c", NOTHING)), {"a", "b", "c"}, {"a", "b"}),
        (StatementInfo("DECLARE CURSOR", declares=NamedText("c", NOTHING)), {"a", "b"}, {"a", "b", "c"}),
        (StatementInfo("SELECT"), {"a", "b"}, {"a", "b"}),
    ],
)
def test_names_follow_the_statement(info: StatementInfo, statements_left: set[str], portals_left: set[str]) -> None:
    statements, portals = state()
    apply_statement(info, statements, portals, ("public",))
    assert (known(statements), known(portals)) == (statements_left, portals_left)


def test_cursors_with_hold_stay() -> None:
    statements, portals = state()
    held = NamedText("h", NOTHING, outlives_transaction=True)
    apply_statement(StatementInfo("DECLARE CURSOR", declares=held), statements, portals, None)
    forget_with_transaction(portals)
    assert known(portals) == {"h"}


@pytest.mark.parametrize(
    ("tag", "changes", "harmless"),
    [
        ("BEGIN", {SessionChange.TRANSACTION}, True),
        ("SAVEPOINT", {SessionChange.TRANSACTION}, True),
        ("COMMIT", {SessionChange.TRANSACTION}, False),
        ("ROLLBACK", {SessionChange.TRANSACTION, SessionChange.SETTINGS}, False),
        ("SET", {SessionChange.SETTINGS}, False),
        ("CALL", {SessionChange.TRANSACTION, SessionChange.OPAQUE}, False),
    ],
)
def test_only_beginnings_delay_nothing(tag: str, changes: set[SessionChange], harmless: bool) -> None:
    info = StatementInfo(tag, changes=frozenset(changes))
    assert harmless_transaction(Analysis((), (info,), info.changes)) is harmless
