"""What a command could show of hidden values: which must be masked, which would escape, and whether free text must be scrubbed.

Pure: the columns that are hidden from a principal against what analysis says of a command.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from interpose.model.actions import Action
from interpose.model.analysis import DEFINITION, Analysis, Effect, SessionChange, every_statement
from interpose.model.masks import RevealTable
from interpose.model.resources import ColumnResource, ObjectResource, SchemaResource, TableResource


@dataclass(frozen=True, slots=True)
class Exposure:
    """`escaping` are hidden columns whose values the command would put where they cannot be masked on the way out, `altered`
    those whose table it would alter: under another name nothing would hide them any more.

    `escapes` is true when there are some of either, or when analysis cannot tell. `stores`: it stores or sends something
    somewhere, be it hidden or not. `scrub`: hidden values are within reach, so error and notice texts may carry them.
    """

    escapes: bool
    escaping: tuple[ColumnResource, ...]
    scrub: bool
    altered: tuple[ColumnResource, ...] = ()
    stores: bool = False


NOTHING = Exposure(False, (), False)
"""The exposure of a principal from whom nothing is hidden."""


def exposure_of(analysis: Analysis, reveal: RevealTable) -> Exposure:
    """What this command could do with what is hidden.

    A command without statements was not understood, so it reaches everything. Values that only a content detector finds have
    no columns: they are hidden in results and free text, and any statement may meet them.
    """
    if not reveal:
        return NOTHING
    hidden = reveal.columns
    escaping: set[ColumnResource] = set()
    altered = {column for effect in analysis.effects for column in hidden if _alters(effect, column)}
    far = bool(hidden) and any(_reaches_far(effect) for effect in analysis.effects)
    escapes = bool(altered) or far
    stores = far
    scrub = bool(reveal.content) or not analysis.statements or SessionChange.OPAQUE in analysis.changes
    if hidden and not scrub:
        tables = {(column.schema, column.table) for column in hidden}
        scrub = any(_meets(effect, tables) for effect in analysis.effects)
    # What escapes when a prepared statement runs is refused when it is prepared.
    for statement in every_statement(analysis):
        stores = stores or bool(statement.sinks) or not statement.sinks_known
        if hidden and not statement.sinks_known:
            escapes = True
        if reveal.definitions and DEFINITION in statement.sinks:
            escapes = True
        for column in statement.sinks:
            if column in hidden:
                escapes = True
                escaping.add(column)
        if hidden and not scrub:
            scrub = not statement.used_known or not statement.sinks_known
            scrub = scrub or any(column in hidden for column in statement.used | statement.touched)
    return Exposure(
        escapes,
        tuple(sorted(escaping, key=_spelled)),
        scrub,
        tuple(sorted(altered, key=_spelled)),
        bool(hidden) and stores,
    )


def _reaches_far(effect: Effect) -> bool:
    """Whether an effect makes a way to data that no classification knows: a foreign table may be any table, this database's too."""
    if effect.action not in (Action.CREATE, Action.ALTER):
        return False
    match effect.resource:
        case TableResource(kind="foreign"):
            return True
        case ObjectResource(kind=("foreign_server" | "user_mapping" | "subscription")):
            return True
        case _:
            return effect.facts.get("object_kind") == "foreign_table"


def _meets(effect: Effect, tables: Collection[tuple[str, str]]) -> bool:
    """Whether an effect is on one of these tables, or runs what is stored (a materialized view's query, an index's expression).

    The columns that a statement names are not all that the server looks at: there are checks, row policies and index expressions.
    """
    match effect.resource:
        case TableResource(schema=schema, name=name):
            if effect.action is Action.MAINTAIN or (schema, name) in tables:
                return True
            # A table whose schema is not known may be one of them.
            return not schema and any(name == table for _, table in tables)
        case ColumnResource(schema=schema, table=table):
            return (schema, table) in tables
        case _:
            return False


def _alters(effect: Effect, column: ColumnResource) -> bool:
    """Whether an effect alters (renames, moves, attaches …) what a column is in."""
    if effect.action is not Action.ALTER:
        return False
    match effect.resource:
        case TableResource(schema=schema, name=table):
            # A table whose schema is not known may be this one.
            return table == column.table and schema in (column.schema, "")
        case ColumnResource(schema=schema, table=table):
            return (schema, table) == (column.schema, column.table)
        case SchemaResource(name=schema):
            return schema == column.schema
        case _:
            return False


def _spelled(column: ColumnResource) -> str:
    return f"{column.schema}.{column.table}.{column.name}"


def escape_words(exposure: Exposure) -> tuple[str, str]:
    """Message and hint of the refusal of a command whose hidden values would escape."""
    if exposure.altered:
        names = ", ".join(f"`{_spelled(column)}`" for column in exposure.altered[:5])
        return (
            f"this would alter a table with columns that are hidden from you: {names}",
            "ask somebody who may see these columns to do it",
        )
    if exposure.escaping:
        names = ", ".join(f"`{_spelled(column)}`" for column in exposure.escaping[:5])
        return (
            f"this would store or send values of {names}, which are hidden from you",
            "leave these columns out, or select them directly: they are then shown masked",
        )
    return (
        "it cannot be told whether this would store or send values that are hidden from you",
        "write it as a plain statement that names its columns, without code that runs inside the server",
    )


def unsettled_words() -> tuple[str, str]:
    """Message and hint of the refusal of a command that stores something while the catalog is being changed."""
    return (
        "it cannot be told what this would store while this transaction has changed the catalog, and some columns are hidden from you",
        "commit first, then run it again",
    )
