"""PostgreSQL's analyst: guard, parse, walk each statement, and put the findings together into one analysis.

Pure and bounded; never raises. It keeps nothing between commands: who calls it caches (see `cache_key`).
"""

from __future__ import annotations

from collections.abc import Mapping

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import guard, tree
from interpose.analysis.sql.guard import Limits
from interpose.analysis.sql.state import CommandState, Refused
from interpose.analysis.sql.statement import QUERY_TAGS, Statement
from interpose.analysis.sql.vocabulary import STATEMENTS
from interpose.model.actions import Action
from interpose.model.analysis import (
    Analysis,
    Effect,
    FactValue,
    NamedText,
    NeedsCatalog,
    SessionChange,
    StatementInfo,
    Unanalysable,
)
from interpose.model.catalog import CatalogView
from interpose.model.command import Command
from interpose.model.resources import ConnectionResource

_MOST_KEY_CHARACTERS = 16_384
_OUR_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a bug in a walk looks like. It must refuse the one command, readably, and not end the session."""

_FAILED = Unanalysable("analysis_failed", "the command could not be analysed", hint="this is a fault of the gateway")
_TOO_DEEP = Unanalysable("too_deep", "the command is nested too deep", hint="split it into several commands")


class PostgresAnalyst:
    """Implements `protocols.contract.Analyst` for PostgreSQL."""

    def __init__(self, limits: Limits | None = None) -> None:
        """`limits` bound what is parsed at all; see `guard.Limits` for the defaults."""
        self._limits = limits or Limits()

    def analyse(self, command: Command, catalog: CatalogView) -> Analysis | NeedsCatalog | Unanalysable:
        """What a command would do under this catalog view.

        `NeedsCatalog` names everything that was missing at once; with views, a second round may ask for what they read.
        """
        if command.analysis is not None:
            return command.analysis
        refusal = guard.check(command.text, self._limits)
        if refusal is not None:
            return refusal
        parsed = tree.parse(command.text)
        if isinstance(parsed, Unanalysable):
            return parsed
        if len(parsed.stmts) > self._limits.max_statements:
            return Unanalysable(
                "too_long",
                f"one message holds {len(parsed.stmts)} statements, more than {self._limits.max_statements}",
                "send them in several messages, or use COPY or one INSERT with many rows",
            )
        state = CommandState(command.sql, catalog, self._limits)
        try:
            walks = _walk_all(parsed, state, command.text.encode())
        except Refused as refused:
            return Unanalysable(refused.reason, refused.message, refused.hint)
        except RecursionError:
            return _TOO_DEEP
        except _OUR_FAULTS:
            return _FAILED
        wanted = state.wanted()
        if wanted:
            return NeedsCatalog(wanted)
        return _analysis(walks, state, tree.fingerprint(command.text))

    def cache_key(self, text: str) -> str | None:
        """The text with its constants as `$n`, equal for texts of one shape; None when it cannot be told.

        INVARIANT: texts with equal keys have equal analyses whenever those say `depends_on_literals=False`: the key is
        a text that parses into the same tree but for constants, and whatever looks at a constant, or at whether there
        is one, sets that flag.
        """
        if len(text) > _MOST_KEY_CHARACTERS or guard.check(text, self._limits) is not None:
            return None
        return tree.normalize(text)


class AnyStatement(Statement):
    """A statement of any kind, by the table of all kinds."""

    def statement(self, node: pb.Node) -> None:
        """Walk a statement of any kind into these findings."""
        kind = node.WhichOneof("node") or ""
        if kind not in QUERY_TAGS:
            # Constants of other statements decide what they do, or are not taken out of the cache key.
            self.state.depends_on_literals = True
        handler = STATEMENTS.get(kind)
        if handler is None:
            self.tag = self.tag or "UNKNOWN"
            self.not_understood(kind)
            return
        self.enter(3)
        handler(self, node)
        self.state.depth -= 3

    def named(self, name: str, node: pb.Node) -> NamedText:
        """The analysis of a statement that this one gives a name to."""
        literals = self.state.depends_on_literals
        walk = AnyStatement(self.state)
        walk.statement(node)
        walk.settle()
        analysis = _analysis([walk], self.state, "")
        self.state.depends_on_literals = literals
        return NamedText(name, analysis)


def _walk_all(parsed: pb.ParseResult, state: CommandState, text: bytes) -> list[AnyStatement]:
    walks: list[AnyStatement] = []
    for raw in parsed.stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(text)
        state.text = text[raw.stmt_location : end].decode()
        walk = AnyStatement(state)
        walk.statement(raw.stmt)
        walk.settle()
        walks.append(walk)
        if len(parsed.stmts) > 1:
            _between(walk, state)
    return walks


def _between(walk: AnyStatement, state: CommandState) -> None:
    """What stands behind a statement of the same text sees what it did to the session."""
    state.after(frozenset(walk.changes), moves_path=walk.moves_path)
    if walk.follows_path is not None:
        state.follow_path(walk.follows_path)
    if walk.prepares is not None:
        state.prepared = {**state.prepared, walk.prepares.name: walk.prepares.analysis}
    if walk.declares is not None:
        state.cursors = {**state.cursors, walk.declares.name: walk.declares.analysis}
    if walk.deallocates is not None:
        state.prepared = _without(state.prepared, walk.deallocates)
    if walk.closes is not None:
        state.cursors = _without(state.cursors, walk.closes)
    if SessionChange.OPAQUE in walk.changes:
        state.prepared = state.cursors = {}


def _without(named: Mapping[str, Analysis], name: str) -> Mapping[str, Analysis]:
    return {} if name == "*" else {known: analysis for known, analysis in named.items() if known != name}


def _analysis(walks: list[AnyStatement], state: CommandState, fingerprint: str) -> Analysis:
    tables: set[str] = set()
    functions: set[str] = set()
    for walk in walks:
        tables |= walk.table_names()
        functions |= walk.functions
    common: dict[str, FactValue] = {
        "statement_count": len(walks),
        "tables": tuple(sorted(tables)),
        "functions": tuple(sorted(functions)),
    }
    effects: list[Effect] = []
    infos: list[StatementInfo] = []
    changes: set[SessionChange] = set()
    for walk in walks:
        effects += walk.effects(common)
        infos.append(walk.info())
        changes |= walk.changes
    if not effects:
        # An empty text does nothing, but nothing is permitted without being asked.
        effects.append(Effect(Action.TRANSACTION, ConnectionResource(), {**common, "statement": "EMPTY"}))
    return Analysis(
        effects=tuple(effects),
        statements=tuple(infos),
        changes=frozenset(changes),
        depends_on_literals=state.depends_on_literals,
        depends_on_session=state.depends_on_session,
        catalog_version=state.catalog.version,
        fingerprint=fingerprint,
        basis=state.basis(),
    )
