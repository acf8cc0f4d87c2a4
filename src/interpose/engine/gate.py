"""The gate: is this command sent, refused or held? Permits are minted here and nowhere else.

Order of one judgement (DESIGN, section 4): analyse → read the snapshot once → decide → append to the audit chain and to the
recording → mint. The common case (permit, from cache) is one synchronous call, `judge_now`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from interpose.engine.analyses import AnalysisCache
from interpose.engine.approvals import HoldRequest
from interpose.engine.decided import DecisionRecord
from interpose.engine.digests import approval_digest
from interpose.engine.exposure import escape_words, unsettled_words
from interpose.engine.freshness import changed_meanwhile, checked_before, older_cursor, other_names, stale_plan
from interpose.engine.readable import readable_command, readable_facts
from interpose.engine.sessions import RECORD_LOST
from interpose.engine.standing import Judgement, Standing, Standings
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, NeedsCatalog, SessionChange, Unanalysable
from interpose.model.audit import AuditValue
from interpose.model.command import Command, CommandKind
from interpose.model.connection import Durability
from interpose.model.decisions import Forbidden, Held, Permitted
from interpose.model.errors import RecordingError, UpstreamError
from interpose.model.ids import PolicyId
from interpose.model.proofs import Permit, seal_of_the_engine
from interpose.model.refusal import HoldNotice, Refusal
from interpose.model.resources import ConnectionResource
from interpose.protocols.contract import Allowed, Analyst, Answer, Refused

if TYPE_CHECKING:
    from interpose.engine.approvals import Approvals
    from interpose.engine.catalogs import Catalogs
    from interpose.engine.ports import Approval, AuditChain, Clock
    from interpose.engine.sessions import Session
    from interpose.engine.snapshot import SnapshotHolder
    from interpose.model.ids import ConnectionName

CATALOG_ROUNDS = 32
"""How often one analysis may ask for more of the catalog (views in views) before it is refused."""

MOST_CHANGES = 3
"""How often the catalog may change under a command that is checked before it is sent, before it is refused."""

OFFLOADED_TEXT = 256 * 1024
"""Characters of text from which analysis leaves the event loop, so that it delays no other session."""

_UNKNOWN = (Effect(Action.UNKNOWN, ConnectionResource()),)
_NOT_LIFTED: frozenset[PolicyId] = frozenset()
_TOKEN_EXPIRED = Refusal("token_expired", "your access token or certificate has expired", "log in again with a new one")
_CANCELLED = Refusal("cancelled", "the command was cancelled while it waited for approval")
_POLICY_CHANGED = Refusal(
    "policy_changed",
    "policy changed while the command waited, and the approval does not cover it any more",
    "run the command again",
)


class Gate:
    """The use case: judge one command of a session."""

    def __init__(
        self,
        holder: SnapshotHolder,
        analysts: Mapping[str, Analyst],
        catalogs: Catalogs,
        approvals: Approvals,
        audit: AuditChain,
        clock: Clock,
    ) -> None:
        """`analysts` by protocol name."""
        self._holder = holder
        self._analysts = analysts
        self._catalogs = catalogs
        self._approvals = approvals
        self._audit = audit
        self._record = DecisionRecord(audit)
        self._clock = clock
        self._seal = seal_of_the_engine()
        self._standings = Standings()
        self._analyses: dict[ConnectionName, AnalysisCache] = {}

    def judge_now(self, session: Session, command: Command) -> Answer | None:
        """Judge without waiting; None when something must be awaited: then call `judge`."""
        if session.connection.durability is Durability.STRICT:
            return None
        analysis = command.analysis
        if analysis is None or not self._fresh(session, command, analysis):
            if len(command.text) > OFFLOADED_TEXT:
                return None
            bare = command if analysis is None else dataclasses.replace(command, analysis=None)
            found = self._analyse(session, bare)
            if isinstance(found, NeedsCatalog):
                return None
            if isinstance(found, Unanalysable):
                return self._not_analysed(session, command, found)
            analysis = found
        standing = self._standing(session)
        if isinstance(standing, Refusal):
            return self._refuse(session, command, standing)
        now = self._clock.wall()
        judgement = standing.find(analysis, now) or standing.judge(analysis, now)
        if isinstance(judgement.decision, Held) and command.kind is not CommandKind.PREPARE:
            return None
        if judgement.obligations.exact and command.kind is not CommandKind.PREPARE and checked_before(analysis):
            return None
        return self._answer(session, command, judgement)

    async def judge(self, session: Session, command: Command, on_hold: Callable[[HoldNotice], None]) -> Answer:
        """Judge, waiting for whatever must be awaited: the catalog, the disk, an approval.

        Cancelling this coroutine means that the client left or cancelled: nothing is sent and an approval is closed.
        """
        analysis = await self._understood(session, command)
        if isinstance(analysis, Refused):
            return analysis
        answer: Answer
        if isinstance(analysis, Unanalysable):
            answer = self._not_analysed(session, command, analysis)
        else:
            standing = self._standing(session)
            if isinstance(standing, Refusal):
                return self._refuse(session, command, standing)
            now = self._clock.wall()
            judgement = standing.find(analysis, now) or standing.judge(analysis, now)
            if isinstance(judgement.decision, Held) and command.kind is not CommandKind.PREPARE:
                answer = await self._hold(session, command, standing, judgement, judgement.decision, on_hold)
            else:
                answer = self._answer(session, command, judgement)
        if session.connection.durability is Durability.STRICT and isinstance(answer, Allowed):
            try:
                await self._audit.sync()
            except RecordingError:
                answer.permit.close()
                return Refused(RECORD_LOST)
        return answer

    # --- analysis

    def _fresh(self, session: Session, command: Command, analysis: Analysis) -> bool:
        """Whether an analysis that came with its command still holds.

        The server plans a prepared text again when the catalog or the path has changed, so a stale one is made again from the
        text; the relay gives the text that will run.
        """
        if session.catalog_dirty:
            self._catalogs.settle(session, command.sql.in_transaction)
        return analysis.catalog_version == self._catalogs.of(session.connection).version

    def _analyse(self, session: Session, command: Command) -> Analysis | NeedsCatalog | Unanalysable:
        if session.catalog_dirty:
            self._catalogs.settle(session, command.sql.in_transaction)
        connection = session.connection
        catalog = self._catalogs.of(connection)
        analyst = self._analysts[connection.protocol]
        cache = self._analyses.get(connection.name)
        if cache is None:
            cache = self._analyses[connection.name] = AnalysisCache(analyst)
        found = cache.find(command, catalog.version)
        if found is not None:
            return found
        made = analyst.analyse(command, catalog)
        if isinstance(made, Analysis):
            cache.add(command, made)
        return made

    async def _understood(self, session: Session, command: Command) -> Analysis | Unanalysable | Refused:
        """The analysis, with as many catalog lookups as it takes."""
        given = command.analysis
        # INVARIANT: what is analysed is the text and nothing else; an analyst may trust an analysis that it is given.
        command = command if given is None else dataclasses.replace(command, analysis=None)
        changed, changes = "", 0
        for _ in range(CATALOG_ROUNDS):
            made: Analysis | NeedsCatalog | Unanalysable
            if given is not None and self._fresh(session, command, given):
                made = given
            elif len(command.text) > OFFLOADED_TEXT:
                made = await self._analyse_aside(session, command)
            else:
                made = self._analyse(session, command)
            try:
                if isinstance(made, NeedsCatalog):
                    await self._catalogs.learn(session.connection, made.names, command.sql.path or ())
                    continue
                if isinstance(made, Analysis):
                    changed = await self._changed(session, command, made)
                if not changed:
                    return made
                changes += 1
                if changes == MOST_CHANGES:
                    return self._refuse(session, command, changed_meanwhile(changed))
            except UpstreamError:
                return self._refuse(
                    session,
                    command,
                    Refusal(
                        "catalog_unavailable",
                        "the upstream's catalog cannot be read, so this command cannot be judged",
                        "try again later, or ask the gateway's operator",
                    ),
                )
        return self._refuse(
            session,
            command,
            Refusal(
                "unanalysable",
                "this command needs more of the catalog than the gateway looks up",
                "use fewer views that are built on other views",
            ),
        )

    async def _changed(self, session: Session, command: Command, analysis: Analysis) -> str:
        """What has changed since the analysis, where that must be looked at before the command is sent; empty when nothing has."""
        standing = self._standing(session)
        if isinstance(standing, Refusal) or not standing.checks(analysis) or command.kind is CommandKind.PREPARE:
            return ""
        return await self._catalogs.changed(session.connection, analysis.basis) if checked_before(analysis) else ""

    async def _analyse_aside(self, session: Session, command: Command) -> Analysis | NeedsCatalog | Unanalysable:
        """Analysis of a long text in a thread; one that was overtaken by a change of the catalog is made again."""
        catalog = self._catalogs.of(session.connection)
        analyst = self._analysts[session.connection.protocol]
        if session.catalog_dirty:
            self._catalogs.settle(session, command.sql.in_transaction)
        for _ in range(CATALOG_ROUNDS):
            version = catalog.version
            made = await asyncio.to_thread(analyst.analyse, command, catalog)
            if catalog.version == version:
                return made
        return Unanalysable("catalog_unsettled", "the upstream's catalog keeps changing", "try again later")

    # --- decision

    def _standing(self, session: Session) -> Standing | Refusal:
        now = self._clock.wall()
        expires = session.identity.expires_at
        if expires is not None and now >= expires:
            session.end(_TOKEN_EXPIRED)
            return _TOKEN_EXPIRED
        if session.on_changes is None:
            session.on_changes = self._catalogs.command_ended
        # INVARIANT: this is the one reading of the snapshot in a judgement.
        standing = self._standings.of(session, self._holder.current, now)
        if isinstance(standing, Refusal):
            session.end(standing)
        return standing

    def _not_analysed(self, session: Session, command: Command, failed: Unanalysable) -> Answer:
        """What is not understood is refused, with one exception.

        A syntax error may go on to the upstream, so that the client sees the upstream's own message, where policy names the
        effect `unknown` and no column is hidden: a text that only the upstream understands could store what is hidden.
        """
        standing = self._standing(session)
        if isinstance(standing, Refusal):
            return self._refuse(session, command, standing)
        refusal = Refusal(failed.reason, failed.message, failed.hint, position=failed.position)
        if failed.reason != "syntax_error" or standing.reveal.columns:
            return self._refuse(session, command, refusal)
        analysis = Analysis(failed.effects or _UNKNOWN, (), frozenset(SessionChange))
        judgement = standing.judge(analysis, self._clock.wall())
        if not isinstance(judgement.decision, Permitted):
            return self._refuse(session, command, refusal)
        return self._answer(session, command, judgement)

    async def _hold(
        self,
        session: Session,
        command: Command,
        standing: Standing,
        judgement: Judgement,
        held: Held,
        on_hold: Callable[[HoldNotice], None],
    ) -> Answer:
        """Wait for approval; then judge again, without exactly the forbids that were lifted, and mint."""
        escapes = _escape(session, judgement)
        if escapes is not None:
            return self._refuse(session, command, escapes, judgement)
        try:
            self._record.held(session, command, judgement.fields, held.reason)
        except RecordingError:
            return self._record.lost(session)
        request = HoldRequest(
            session,
            standing.principal,
            held,
            readable_command(command),
            lambda words: approval_digest(session.salt, command, words),
            readable_facts(judgement.analysis),
        )
        try:
            waited = await self._approvals.open(request, on_hold)
            if isinstance(waited, Refusal):
                return self._refuse(session, command, waited)
            return await self._approvals.closing(waited, self._approved(session, command, waited))
        except asyncio.CancelledError:
            self._refuse(session, command, _CANCELLED)
            raise

    async def _approved(self, session: Session, command: Command, approval: Approval) -> Answer:
        analysis = await self._understood(session, command)
        if isinstance(analysis, Refused):
            await self._approvals.cancel(approval, "not_judged")
            return analysis
        standing = self._standing(session)
        if isinstance(analysis, Unanalysable) or isinstance(standing, Refusal):
            await self._approvals.cancel(approval, "not_judged")
            return self._refuse(session, command, standing if isinstance(standing, Refusal) else _POLICY_CHANGED)
        again = standing.judge(analysis, self._clock.wall()).decision
        covered = {rule.policy for rule in approval.rules}
        rules = again.approvals if isinstance(again, Held) else approval.rules
        if isinstance(again, Forbidden) or not {rule.policy for rule in rules} <= covered:
            await self._approvals.cancel(approval, "policy_changed")
            return self._refuse(session, command, _POLICY_CHANGED)
        refusal = await self._approvals.use(approval, rules)
        if refusal is not None:
            return self._refuse(session, command, refusal)
        # INVARIANT: nothing is awaited between here and the permit, and the snapshot is the one that was just judged by.
        if self._holder.current is not standing.snapshot or session.ended_with is not None:
            return self._refuse(session, command, _POLICY_CHANGED)
        lifted = frozenset(rule.policy for rule in rules)
        return self._answer(session, command, standing.judge(analysis, self._clock.wall(), lifted), approval)

    # --- record, then mint

    def _answer(
        self, session: Session, command: Command, judgement: Judgement, approval: Approval | None = None
    ) -> Answer:
        decision = judgement.decision
        exposure = judgement.exposure
        if isinstance(decision, Forbidden):
            refusal = Refusal(decision.code, decision.reason, decision.hint, decision.policies)
            return self._refuse(session, command, refusal, judgement)
        if isinstance(decision, Held) and command.kind is not CommandKind.PREPARE:
            return self._refuse(session, command, _POLICY_CHANGED, judgement)
        refused = other_names(command, judgement, session.standing, self._clock.wall())
        obligations = judgement.obligations
        if judgement.describe:
            refused = refused or _escape(session, judgement)
            if obligations.reveal.columns and judgement.analysis.depends_on_session:
                version = self._catalogs.of(session.connection).version
                refused = refused or stale_plan(judgement.analysis, command.sql.prepared, version)
                if older_cursor(judgement.analysis, command.sql.cursors, version):
                    obligations = dataclasses.replace(obligations, exact=True)
        if refused is not None:
            return self._refuse(session, command, refused, judgement)
        fields = judgement.fields
        if approval is not None:
            fields = {**fields, "approval": approval.id, "approval_digest": approval.digest}
        try:
            sequence = self._record.permitted(session, command, fields, judgement.word)
        except RecordingError:
            return self._record.lost(session)
        return Allowed(
            Permit(self._seal, sequence),
            judgement.analysis,
            obligations,
            exposure.scrub or obligations.exact or (judgement.describe and session.catalog_dirty),
            judgement.describe,
        )

    def _refuse(
        self, session: Session, command: Command, refusal: Refusal, judgement: Judgement | None = None
    ) -> Refused:
        if judgement is not None:
            return self._record.refused(session, command, refusal, judgement.fields)
        known: dict[str, AuditValue] = {
            "connection": session.connection.name,
            "snapshot": self._holder.current.digest,
        }
        return self._record.refused(session, command, refusal, known)


def _escape(session: Session, judgement: Judgement) -> Refusal | None:
    """The refusal of a command by which hidden values would escape their masks, None for any other."""
    exposure = judgement.exposure
    if exposure.escapes:
        message, hint = escape_words(exposure)
    elif exposure.stores and session.catalog_dirty:
        message, hint = unsettled_words()
    else:
        return None
    return Refusal("masked_value_would_escape", message, hint)
