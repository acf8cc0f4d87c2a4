"""What analysis says of a command: its effects, its outputs' lineage and what it does to the session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from interpose.model.actions import Action
from interpose.model.catalog import NO_BASIS, CatalogBasis, CatalogNames
from interpose.model.resources import ColumnResource, Resource

FactValue = str | int | bool | tuple[str, ...]
"""A fact of an effect: what Cedar sees in `context`."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a command would do: an action on a resource, with the facts that policy may ask about."""

    action: Action
    resource: Resource
    facts: Mapping[str, FactValue] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """Lineage of one column of a result.

    `sources` is every table column that the value is computed from. `direct` is true when the value is exactly one
    source column, unchanged; else it is an expression. `known` is false when analysis cannot say (then
    `sources` is only what it saw and the column counts as reaching anything).
    """

    name: str
    sources: frozenset[ColumnResource] = frozenset()
    direct: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True)
class Outputs:
    """The results of one statement, or None in `Analysis.outputs` where it returns no rows.

    `columns` is None when even their number is not known. `every` is then what each of them can be computed from, if that is known.
    """

    columns: tuple[OutputColumn, ...] | None
    every: OutputColumn | None = None


DEFINITION: Final = ColumnResource("pg_catalog", "", "definition")
"""Stands among the sources of a value that is the text of a definition or a comment: it may hold constants that its owner wrote,
and no rows. Policy decides by the data class `schema.definition` whether it is shown where columns are hidden."""


class SessionChange(Enum):
    """What a statement may do to the session's own state, beyond its effects."""

    SETTINGS = "settings"
    """May change settings (SET, RESET, DISCARD, set_config, SET ROLE, or ROLLBACK which undoes a SET)."""
    CATALOG = "catalog"
    """May change the catalog (DDL, temporary tables, or ROLLBACK of such)."""
    PREPARED = "prepared"
    """Makes or drops prepared statements by SQL."""
    CURSORS = "cursors"
    """Makes, moves or drops cursors by SQL."""
    TRANSACTION = "transaction"
    """Begins or ends a transaction or a savepoint.

    Whatever changed since it began may be undone at its end (SET LOCAL, a COMMIT that rolls back): who keeps settings or
    catalog must treat that end as such a change, too, when anything of the kind happened within.
    """
    OPAQUE = "opaque"
    """Runs code that analysis cannot see into (DO, CALL, user functions): anything of the above may happen."""


@dataclass(frozen=True, slots=True)
class NamedText:
    """A prepared statement or cursor that a statement makes: its name, and the analysis of what it will run.

    `outlives_transaction` is true for a cursor WITH HOLD: it ends with the session, any other with its transaction.
    """

    name: str
    analysis: Analysis
    outlives_transaction: bool = False


@dataclass(frozen=True, slots=True)
class CopyLayout:
    """How the data of one COPY is written, as its options say: `format` is `text`, `csv` or `binary`.

    The marks are one ASCII character each. A COPY whose data is not in UTF-8, or with an option that is not understood, has no
    layout: its data cannot be masked. The defaults are PostgreSQL's for text.
    """

    format: str = "text"
    delimiter: str = "\t"
    null: str = "\\N"
    quote: str = '"'
    escape: str = '"'
    header: bool = False


@dataclass(frozen=True, slots=True)
class StatementInfo:
    """One statement of a command.

    `tag` is a short name such as `SELECT` or `ALTER TABLE`. `copy` is `in`, `out` or None. `sinks` are the classified-or-not
    source columns whose values this statement stores or sends elsewhere than to the client (INSERT … SELECT, CREATE
    TABLE AS, COPY TO PROGRAM, NOTIFY …): they cannot be masked on the way. `sinks_known` is false when that set is
    not known. `used` is every column that the statement reads anywhere, predicates included. `touched` is every column of
    the tables that it writes: it does not read them, but its errors may quote whole rows.
    `inferred` are the columns whose values it uses otherwise than to hand them on as they are: compared, sorted, grouped, computed
    with, or written to (a unique constraint answers). It holds what was seen: nothing is known to be missing when `used_known`.
    `prepares`/`declares` are names it makes; `deallocates`/`closes` names it drops (`*` is all of them).
    `runs_prepared`/`runs_cursor` name what it executes or fetches from. `layout` is how a COPY's data is written (None: no
    COPY, or one whose data cannot be masked).
    """

    tag: str
    outputs: Outputs | None = None
    copy: str | None = None
    used: frozenset[ColumnResource] = frozenset()
    used_known: bool = True
    inferred: frozenset[ColumnResource] = frozenset()
    touched: frozenset[ColumnResource] = frozenset()
    sinks: frozenset[ColumnResource] = frozenset()
    sinks_known: bool = True
    changes: frozenset[SessionChange] = frozenset()
    prepares: NamedText | None = None
    declares: NamedText | None = None
    deallocates: str | None = None
    closes: str | None = None
    runs_prepared: str | None = None
    runs_cursor: str | None = None
    layout: CopyLayout | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that is judged about one command's text.

    `effects` over all statements. `changes` is the union of the statements' changes. `depends_on_literals` is true when
    another text that differs only in its constants could have other effects; `depends_on_session` when another
    session with the same `path` could (it names prepared statements or cursors). `catalog_version` is the
    version it was made under. `fingerprint` identifies the text with constants removed, for search and statistics.
    `prepared_text` is the PREPARE statement that this is of, where SQL made it.
    `basis` is what of the catalog it was made from, by what it runs or fetches from too, which may be older.
    """

    effects: tuple[Effect, ...]
    statements: tuple[StatementInfo, ...]
    changes: frozenset[SessionChange] = frozenset()
    depends_on_literals: bool = True
    depends_on_session: bool = True
    catalog_version: int = 0
    fingerprint: str = ""
    prepared_text: str = ""
    basis: CatalogBasis = field(default=NO_BASIS, compare=False, repr=False)


def every_statement(analysis: Analysis) -> Iterator[StatementInfo]:
    """All statements, and those that a statement prepares or declares."""
    for statement in analysis.statements:
        yield statement
        for made in (statement.prepares, statement.declares):
            if made is not None:
                yield from every_statement(made.analysis)


@dataclass(frozen=True, slots=True)
class NeedsCatalog:
    """Analysis stopped: these names must be in the catalog view (as found or as absent) before it can go on."""

    names: CatalogNames


@dataclass(frozen=True, slots=True)
class Unanalysable:
    """The text is refused before policy is asked: a syntax error, a size or depth limit, a NUL, invalid UTF-8.

    `reason` is a machine word (`syntax_error`, `too_deep`, `too_long`, `nul_byte`, `parser_crashed` …). `message` is safe to show.
    `position` is the 1-based character position for PostgreSQL's `P` field, when known. A `syntax_error` may be sent on to the
    upstream only if policy permits `unknown` on the connection, so that the client sees the upstream's own message.
    """

    reason: str
    message: str
    hint: str = ""
    position: int | None = None
    effects: tuple[Effect, ...] = ()
