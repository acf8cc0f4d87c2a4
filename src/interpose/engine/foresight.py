"""What would be decided of a command, for help and completion: nothing is recorded, nothing is minted, nobody is asked.

INVARIANT: nothing is sent or shown on the strength of an answer from here; whatever is done is judged by the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interpose.engine.standing import Standings, decision_word
from interpose.model.analysis import Analysis
from interpose.model.refusal import Refusal
from interpose.policy.entities import principal_uid
from interpose.policy.programs import programs_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from interpose.engine.catalogs import Catalogs
    from interpose.engine.ports import Clock
    from interpose.engine.sessions import Session
    from interpose.engine.snapshot import Policy, SnapshotHolder
    from interpose.model.command import Command
    from interpose.policy.rules import Rule
    from interpose.protocols.contract import Analyst


class Foresight:
    """Questions about commands that nobody has given."""

    def __init__(
        self,
        holder: SnapshotHolder,
        analysts: Mapping[str, Analyst],
        catalogs: Catalogs,
        clock: Clock,
        rules: Callable[[Policy], Iterable[Rule]],
    ) -> None:
        """`analysts` by protocol name; `rules` answers what a snapshot's policy consists of."""
        self._rules = rules
        self._holder = holder
        self._analysts = analysts
        self._catalogs = catalogs
        self._clock = clock
        self._standings = Standings()

    def would(self, session: Session, command: Command) -> str:
        """`permit`, `hold` or `forbid`, at this moment."""
        now = self._clock.wall()
        standing = self._standings.of(session, self._holder.current, now)
        if isinstance(standing, Refusal):
            return "forbid"
        connection = session.connection
        analysis = self._analysts[connection.protocol].analyse(command, self._catalogs.of(connection))
        if not isinstance(analysis, Analysis):
            return "forbid"
        return decision_word(standing.judge(analysis, now).decision)

    def programs(self, session: Session) -> list[str]:
        """The programs that policies for this principal name, sorted."""
        snapshot = self._holder.current
        standing = self._standings.of(session, snapshot, self._clock.wall())
        if isinstance(standing, Refusal):
            return []
        principal = standing.principal
        groups = frozenset(principal.groups)
        return sorted(programs_named(self._rules(snapshot.policy), principal_uid(principal), groups))
