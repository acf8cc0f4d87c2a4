"""What a statement that ended well does to the names of a session (PREPARE, DEALLOCATE, DECLARE, CLOSE, DISCARD, DO)."""

from __future__ import annotations

from typing import Final

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, SessionChange, StatementInfo
from interpose.model.resources import SettingResource
from interpose.protocols.postgres.relay.names import Names, Portal, Statement
from interpose.protocols.postgres.relay.path import SearchPath


def apply_statement(
    statement: StatementInfo, statements: Names[Statement], portals: Names[Portal], path: SearchPath | None
) -> None:
    """Commit what `statement` did; `path` is the search path that it ran under."""
    if statement.tag == "DO":
        # The client's own code ran in the server and may have given any name another meaning.
        statements.remove("*")
        portals.remove("*")
    if statement.deallocates is not None:
        statements.remove(statement.deallocates)
    if statement.closes is not None:
        portals.remove(statement.closes)
    if statement.prepares is not None:
        made = statement.prepares
        statements.define(Statement(made.name, "", made.analysis, path, -1))
    if statement.declares is not None:
        made = statement.declares
        portal = Portal(made.name, None, made.analysis, (), (), -1)
        portal.outlives = made.outlives_transaction
        portals.define(portal)


def forget_with_transaction(portals: Names[Portal]) -> None:
    """A transaction has ended: its portals are gone, cursors WITH HOLD excepted."""
    portals.forget(_outlives)


def _outlives(portal: Portal) -> bool:
    return portal.outlives


def changes_role(analysis: Analysis) -> bool:
    """Whether the session may be another role after a command; what undoes a change of the role is none."""
    return SessionChange.OPAQUE in analysis.changes or any(
        effect.action is Action.SET_ROLE or (effect.action is Action.SET and effect.resource == _EVERY_SETTING)
        for effect in analysis.effects
    )


def harmless_transaction(analysis: Analysis) -> bool:
    """Whether a command changes the session only by beginning a transaction or setting a savepoint: no name, setting or
    catalog entry means anything else behind it."""
    return analysis.changes == _TRANSACTION and all(
        not info.changes or info.tag in _BEGINNINGS for info in analysis.statements
    )


_EVERY_SETTING: Final = SettingResource("*")
_BEGINNINGS: Final = frozenset({"BEGIN", "START TRANSACTION", "SAVEPOINT", "RELEASE"})
_TRANSACTION: Final = frozenset({SessionChange.TRANSACTION})
