"""The release: may this result be shown, and how? Clearances for results are minted here and nowhere else.

Knows which of a principal's hidden columns a result could show, and makes the masking plan; the relay applies it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interpose.engine.copying import copy_layout, copy_shape, copy_stream
from interpose.engine.freshness import changed_meanwhile
from interpose.engine.lineage import (
    column_rules,
    missing_ancestors,
    missing_origins,
    origin_basis,
    outlives_changes,
    static_outputs,
)
from interpose.engine.plans import PlanCache
from interpose.engine.sessions import RECORD_LOST
from interpose.masking.content import content_scanner
from interpose.masking.plan import MAX_INSPECTED, build_plan
from interpose.masking.pseudonyms import Pseudonyms, scope_key
from interpose.model.catalog import CatalogNames
from interpose.model.errors import ConfigurationError, InterposeError, RecordingError, Unmaskable, UpstreamError
from interpose.model.proofs import Clearance, seal_of_the_engine
from interpose.model.refusal import Refusal
from interpose.protocols.contract import Refused, Show, ShowAnswer, Showing

if TYPE_CHECKING:
    from interpose.engine.catalogs import Catalogs
    from interpose.engine.sessions import Session
    from interpose.masking.content import ContentScanner
    from interpose.masking.copying import CopyStream
    from interpose.masking.plan import MaskingPlan
    from interpose.model.connection import Connection
    from interpose.model.masks import MaskRule
    from interpose.protocols.intents import Allowed

_ROUNDS = 8
_UNEXPLAINED_COPY = Refusal(
    "unexplained_result",
    "it cannot be told which columns this COPY sends, and some are hidden from you",
    "copy from a SELECT that names its columns",
)
_NO_CATALOG = Refusal(
    "catalog_unavailable",
    "the upstream's catalog cannot be read, so it cannot be told what this result shows",
    "try again later, or ask the gateway's operator",
)


@dataclass(frozen=True, slots=True)
class StreamShowing:
    """What a command writes may be shown: as it is (`scanner` None) or with what the scanner finds hidden."""

    clearance: Clearance
    scanner: ContentScanner | None


class Release:
    """The use case: show one result."""

    def __init__(self, catalogs: Catalogs, key: bytes, *, max_row: int = 64 * 1024 * 1024) -> None:
        """From `key` come the keys of the pseudonyms, one for each scope; one a gateway, at least 16 bytes.

        `max_row` is the longest row of a masked COPY in bytes: a longer one is refused.
        """
        self._catalogs = catalogs
        self._key = key
        self._keys: dict[str, bytes] = {}
        self._max_row = max_row
        self._plans = PlanCache()
        self._seal = seal_of_the_engine()

    def show_now(self, session: Session, show: Show) -> ShowAnswer | None:
        """How to show a result, without waiting; None when the catalog must be asked: then call `show`."""
        obligations = show.answer.obligations
        reveal = obligations.reveal
        if not reveal:
            return Showing(Clearance(self._seal, session.id, False), None)
        if reveal.columns and obligations.exact:
            return None
        known = self._plans.find(session, show, self._catalogs.of(session.connection).version)
        if known is not None:
            return self._showing(session, known.plan and known.plan.anew(), None)
        if reveal.columns and self._missing(session, show):
            return None
        return self._decide(session, show)

    async def show(self, session: Session, show: Show) -> ShowAnswer:
        """How to show a result, asking the catalog for origins that are not known yet, and whether all is as it was judged by."""
        catalog = self._catalogs.of(session.connection)
        exact = show.answer.obligations.exact
        for _ in range(_ROUNDS):
            try:
                missing = self._missing(session, show)
                if missing:
                    await self._catalogs.learn(session.connection, missing, ())
                    continue
                version = catalog.version
                bases = (show.answer.analysis.basis, origin_basis(show.shape, catalog)) if exact else ()
                changed = await self._catalogs.changed(session.connection, *bases)
            except UpstreamError:
                return Refused(_NO_CATALOG)
            if changed:
                return self._refuse(session, changed_meanwhile(changed))
            # INVARIANT: nothing is awaited between this and the decision, which is made from what was just looked at.
            if catalog.version == version:
                return self._decide(session, show)
        return Refused(_NO_CATALOG)

    def show_stream(self, session: Session, answer: Allowed) -> StreamShowing | Refused:
        """How to show what a command of a host writes: bytes without a shape, so nothing but their content tells what is hidden."""
        try:
            scanner = content_scanner(
                answer.obligations.reveal.content, Pseudonyms(self._scope_key(session.connection)), MAX_INSPECTED
            )
            if scanner is not None:
                session.recorder.note("masked", "what is found in the output")
        except ConfigurationError as error:
            return self._refuse(session, _unmaskable(error))
        except RecordingError:
            return Refused(RECORD_LOST)
        return StreamShowing(Clearance(self._seal, session.id, scanner is not None), scanner)

    def _missing(self, session: Session, show: Show) -> CatalogNames:
        catalog = self._catalogs.of(session.connection)
        oids = missing_origins(show.shape, catalog)
        if oids:
            return CatalogNames(oids=oids)
        return CatalogNames(relations=missing_ancestors(show.shape, catalog))

    def _decide(self, session: Session, show: Show) -> ShowAnswer:
        answer, shape = show.answer, show.shape
        reveal = answer.obligations.reveal
        outputs = static_outputs(answer.analysis, show.statement, shape)
        catalog = self._catalogs.of(session.connection)
        rules: list[MaskRule | None] = [None] * len(shape.columns)
        if reveal.columns:
            if shape.copy and (outputs is None or session.catalog_dirty):
                # COPY names no origins, so nothing but lineage explains its columns.
                return self._refuse(session, _UNEXPLAINED_COPY)
            trusted = not session.catalog_dirty or (
                not session.catalog_opaque and outlives_changes(answer.analysis, show.statement)
            )
            rules = column_rules(
                shape,
                outputs,
                reveal.columns,
                catalog,
                trusted=trusted,
                definitions=not reveal.definitions,
                basis=answer.analysis.basis,
            )
        try:
            if not shape.copy:
                plan, stream = build_plan(shape, rules, reveal.content, self._scope_key(session.connection)), None
            else:
                layout = copy_layout(answer.analysis, show.statement)
                shape = copy_shape(shape, outputs, rules, layout, catalog)
                plan = build_plan(shape, rules, reveal.content, self._scope_key(session.connection))
                stream = None if plan is None else copy_stream(plan, layout, self._max_row)
        except (Unmaskable, ConfigurationError) as error:
            return self._refuse(session, _unmaskable(error))
        if not shape.copy:
            self._plans.keep(session, show, catalog.version, plan)
        return self._showing(session, plan, stream)

    def _showing(self, session: Session, plan: MaskingPlan | None, stream: CopyStream | None) -> ShowAnswer:
        if plan is not None and plan.masked_names:
            try:
                session.recorder.note("masked", ", ".join(plan.masked_names))
            except RecordingError:
                return Refused(RECORD_LOST)
        return Showing(Clearance(self._seal, session.id, plan is not None), plan, stream)

    def _scope_key(self, connection: Connection) -> bytes:
        """The key of the connection's pseudonyms: its own, or that of the scope that it shares."""
        # The two kinds of names are kept apart: a scope may be called like a connection.
        scope = (
            f"scope:{connection.pseudonym_scope}"
            if connection.pseudonym_scope is not None
            else f"connection:{connection.name}"
        )
        key = self._keys.get(scope)
        if key is None:
            key = self._keys[scope] = scope_key(self._key, scope)
        return key

    @staticmethod
    def _refuse(session: Session, refusal: Refusal) -> Refused:
        try:
            session.recorder.note("refusal", refusal.message)
        except RecordingError:
            return Refused(RECORD_LOST)
        return Refused(refusal)


def _unmaskable(error: InterposeError) -> Refusal:
    return Refusal(error.code, error.public_message, error.hint)
