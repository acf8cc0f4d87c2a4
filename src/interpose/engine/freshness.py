"""Whether what a judgement was made from is still what the upstream has, for those from whom columns are hidden.

INVARIANT: a result is looked at when its description has arrived. Whoever changed the catalog before the statement was planned has
committed by then, so a lookup made now sees it; one that sees a later change refuses wrongly, which is safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from interpose.model.actions import Action
from interpose.model.decisions import Permitted
from interpose.model.refusal import Refusal
from interpose.model.resources import FunctionResource

if TYPE_CHECKING:
    from interpose.engine.standing import Judgement, Standing
    from interpose.model.analysis import Analysis
    from interpose.model.command import Command

_ONLY_SHOW = frozenset({Action.SELECT, Action.SHOW, Action.EXPLAIN, Action.COPY_OUT, Action.TRANSACTION})


def changed_meanwhile(name: str) -> Refusal:
    """The refusal of a result whose judgement was overtaken by a change of the catalog."""
    return Refusal(
        "catalog_changed",
        f"`{name}` was changed while this ran, and some columns are hidden from you",
        "run it again; a cursor must be declared again",
    )


def believes_temporary(analysis: Analysis) -> bool:
    """Whether a judgement rests on a temporary relation.

    Such a relation is the session's own and no poll looks at it, while others may drop it (DROP OWNED), so it is looked at for every result.
    """
    return any(relation is not None and relation.temporary for relation in analysis.basis.relations.values())


def checked_before(analysis: Analysis) -> bool:
    """Whether a command must be checked before it is sent, because not everything that it does can be withheld afterwards."""
    return bool(analysis.basis) and not (
        all(
            effect.action in _ONLY_SHOW
            or (
                effect.action is Action.CALL
                and isinstance(effect.resource, FunctionResource)
                and effect.resource.builtin
            )
            for effect in analysis.effects
        )
        and all(statement.sinks_known and not statement.sinks for statement in analysis.statements)
    )


def older_cursor(analysis: Analysis, cursors: Mapping[str, Analysis], version: int) -> bool:
    """Whether a command fetches from a cursor that was judged under another version of the catalog; it keeps its old plan."""
    for statement in analysis.statements:
        found = None if statement.runs_cursor is None else cursors.get(statement.runs_cursor)
        if found is not None and found.catalog_version != version:
            return True
    return False


def stale_plan(analysis: Analysis, prepared: Mapping[str, Analysis], version: int) -> Refusal | None:
    """The refusal of an SQL EXECUTE of what was analysed under another version of the catalog and cannot be analysed again."""
    for statement in analysis.statements:
        name = statement.runs_prepared
        found = None if name is None else prepared.get(name)
        if found is not None and found.catalog_version != version and not found.prepared_text:
            return Refusal(
                "unanalysable",
                f"the catalog has changed since `{name}` was prepared, and some columns are hidden from you",
                f"run `DEALLOCATE {name}` and prepare it again",
            )
    return None


def other_names(command: Command, judgement: Judgement, standing: Standing | None, now: float) -> Refusal | None:
    """The refusal of a prepared statement in which a name means another relation than when it was prepared.

    The server keeps what it found as long as that is still there, so what would run is the old meaning. It passes when the old
    meaning is permitted too and nothing is hidden that it could show.
    """
    prepared = command.analysis
    if prepared is None or prepared is judgement.analysis:
        return None
    name = judgement.analysis.basis.appeared(prepared.basis)
    if not name:
        return None
    if standing is not None and not standing.reveal.columns:
        before = standing.find(prepared, now) or standing.judge(prepared, now)
        if isinstance(before.decision, Permitted):
            return None
    return Refusal(
        "names_changed",
        f"since this statement was prepared `{name}` has appeared, and it cannot be told which relation the server would use",
        "prepare it again",
    )
