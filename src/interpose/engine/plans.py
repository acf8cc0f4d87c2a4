"""Plans of results that were shown before: the same statement to the same standing, described alike, is masked alike.

Knows what a plan depends on; does not know how one is made.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from interpose.engine.sessions import Session
    from interpose.masking.plan import MaskingPlan
    from interpose.model.analysis import Analysis
    from interpose.model.masks import RevealTable
    from interpose.protocols.contract import Show

_MOST_BYTES: Final = 16 * 1024
"""Constants of a plan that is kept: a masked `bit(80000000)` is a constant of ten megabytes, and who asks for it chooses that."""


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """A plan, None where all may be shown. It is not applied to rows itself: `MaskingPlan.anew` makes one that is.

    `analysis` and `reveal` are kept so that their identities stay their own as long as this is kept under them.
    """

    analysis: Analysis
    reveal: RevealTable
    plan: MaskingPlan | None


class PlanCache:
    """Plans by everything that they were made from; the least recently used go first.

    INVARIANT: what a plan depends on is in its key: the analysis, which of its statements, the upstream's description, what is hidden
    from the standing, the catalog's version, whether that is trusted, and the connection (whose key makes the pseudonyms).
    """

    def __init__(self, capacity: int = 1024) -> None:
        """At most `capacity` plans."""
        self._capacity = capacity
        self._kept: OrderedDict[tuple[object, ...], KnownPlan] = OrderedDict()

    def find(self, session: Session, show: Show, version: int) -> KnownPlan | None:
        """The plan of this result, None when there is none yet; `version` is the catalog's."""
        key = _key(session, show, version)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, session: Session, show: Show, version: int, plan: MaskingPlan | None) -> None:
        """Remember how this result is shown."""
        if show.shape.copy or show.answer.analysis.depends_on_session or (plan is not None and plan.size > _MOST_BYTES):
            return
        known = KnownPlan(show.answer.analysis, show.answer.obligations.reveal, None if plan is None else plan.anew())
        self._kept[_key(session, show, version)] = known
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


def _key(session: Session, show: Show, version: int) -> tuple[object, ...]:
    return (
        id(show.answer.analysis),
        show.statement,
        show.shape,
        id(show.answer.obligations.reveal),
        version,
        session.catalog_dirty,
        session.catalog_opaque,
        session.connection.name,
        session.connection.pseudonym_scope,
    )
