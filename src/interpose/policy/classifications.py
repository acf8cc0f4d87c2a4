"""Classifications: which columns of which connections carry which data classes, and how each class is hidden by default.

`classifications.yaml`:

    data_classes:
      pii.email: {description: e-mail addresses, mask: partial-email}
    classifications:
      - connections: ["orders-*"]        # names, or patterns with * and ?
        labels: {env: prod}              # and all of these labels; either may be left out, not both
        columns:
          public.customers.email: [pii.email]

A column is written `schema.table.column`; a part with a dot in it stands in double quotes, as in SQL. A data class is in
every class that its dots name: `pii.email` is in `pii`, and has the mask of `pii` unless it has its own.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from interpose.model.connection import Connection
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.ids import DataClassName
from interpose.model.resources import ColumnResource
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.entities import ancestors
from interpose.policy.yaml_text import Node, nearest, read_yaml

_CLASS = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*")
_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


@dataclass(frozen=True, slots=True)
class DataClass:
    """A declared data class. `mask` is its default transform, None when it has none of its own."""

    name: DataClassName
    description: str = ""
    mask: str | None = None


@dataclass(frozen=True, slots=True)
class ClassifiedColumns:
    """The classified columns of all connections whose name fits a pattern (or any, when there is none) and that have the labels."""

    connections: tuple[str, ...]
    labels: Mapping[str, str] = field(hash=False)
    columns: Mapping[ColumnResource, frozenset[DataClassName]] = field(hash=False)

    def covers(self, connection: Connection) -> bool:
        """Whether these columns are this connection's."""
        named = not self.connections or any(fnmatch.fnmatchcase(connection.name, each) for each in self.connections)
        return named and all(connection.labels.get(key) == value for key, value in self.labels.items())


class Classifications:
    """All classifications; immutable."""

    def __init__(self, declared: Mapping[DataClassName, DataClass], groups: tuple[ClassifiedColumns, ...]) -> None:
        """`declared` by name; where several groups cover a column it has the classes of all."""
        self._declared = declared
        self._groups = groups
        self._found: dict[tuple[object, ...], Mapping[ColumnResource, frozenset[DataClassName]]] = {}

    @property
    def classes(self) -> frozenset[DataClassName]:
        """Every data class that is declared or carried by a column, and all that they are in."""
        named = {name for group in self._groups for classes in group.columns.values() for name in classes}
        return with_ancestors(named | set(self._declared))

    def for_connection(self, connection: Connection) -> Mapping[ColumnResource, frozenset[DataClassName]]:
        """The classified columns of one connection with their data classes."""
        key = (connection.name, tuple(sorted(connection.labels.items())))
        found = self._found.get(key)
        if found is None:
            columns: dict[ColumnResource, frozenset[DataClassName]] = {}
            for group in self._groups:
                if group.covers(connection):
                    for column, classes in group.columns.items():
                        columns[column] = columns.get(column, frozenset()) | classes
            found = self._found[key] = columns
        return found

    def default_mask(self, name: DataClassName) -> str | None:
        """The transform of this data class or of the nearest one that it is in; None when none has one."""
        for each in (name, *ancestors(name)):
            declared = self._declared.get(each)
            if declared is not None and declared.mask is not None:
                return declared.mask
        return None


def with_ancestors(names: set[DataClassName]) -> frozenset[DataClassName]:
    """These data classes and all that they are in."""
    return frozenset(each for name in names for each in (name, *ancestors(name)))


def read_classifications(
    text: str,
    file: str,
    masks: MaskVocabulary,
    detector_classes: frozenset[DataClassName],
    connections: frozenset[str] | None,
    problems: list[Problem],
) -> Classifications:
    """Read `classifications.yaml`; faults go into `problems`.

    A column's classes must be declared here or be found by a detector. `connections` are all that exist, None when that is not known.
    """
    top = read_yaml(text, file, problems)
    declared = _declared(top.node("data_classes"), masks)
    known = with_ancestors(set(declared) | set(detector_classes))
    groups = tuple(_group(node, known, connections) for node in top.nodes("classifications"))
    top.finish()
    return Classifications(declared, groups)


def parse_column(text: str) -> ColumnResource | None:
    """`schema.table.column`, parts in double quotes where they need them; None when it is not three parts."""
    parts: list[str] = []
    at = 0
    while match := _PART.match(text, at):
        parts.append(match[1].replace('""', '"') if match[1] is not None else match[2])
        at = match.end()
        if at == len(text):
            return ColumnResource(*parts) if len(parts) == 3 else None
        if text[at] != ".":
            return None
        at += 1
    return None


def spell_column(column: ColumnResource) -> str:
    """What `parse_column` reads as this column."""
    return ".".join(
        '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part
        for part in (column.schema, column.table, column.name)
    )


def _declared(node: Node, masks: MaskVocabulary) -> dict[DataClassName, DataClass]:
    declared: dict[DataClassName, DataClass] = {}
    for name in node.names():
        if not _CLASS.fullmatch(name):
            node.problem(name, f"`{name}` is no data class", "use small letters, digits and dots, as in `pii.email`")
        inner = node.node(name)
        mask = inner.text("mask", "") or None
        if mask is not None:
            try:
                masks.check(mask)
            except ConfigurationError as error:
                inner.problem("mask", error.public_message, error.hint)
        declared[DataClassName(name)] = DataClass(DataClassName(name), inner.text("description", ""), mask)
        inner.finish()
    return declared


def _group(node: Node, known: frozenset[DataClassName], connections: frozenset[str] | None) -> ClassifiedColumns:
    patterns = node.texts("connections")
    labels = {key: str(value) for key, value in node.pairs("labels").items()}
    if not patterns and not labels:
        node.problem("connections", "this entry names no connection", 'give `connections: ["*"]` for all of them')
    for pattern in patterns:
        if connections is not None and not any(fnmatch.fnmatchcase(name, pattern) for name in connections):
            node.problem("connections", f"no connection is named `{pattern}`", nearest(pattern, connections))
    columns: dict[ColumnResource, frozenset[DataClassName]] = {}
    inner = node.node("columns")
    for name in inner.names():
        column = parse_column(name)
        classes = inner.texts(name)
        if column is None:
            inner.problem(
                name, f"`{name}` is no column", 'write `schema.table.column`; quote a part with a dot: `public."a.b".c`'
            )
        if not classes:
            inner.problem(name, f"`{name}` has no data class", "give a list, e.g. `[pii.email]`")
        for each in classes:
            if each not in known:
                inner.problem(
                    name, f"unknown data class `{each}`", nearest(each, known) or "declare it in `data_classes`"
                )
        if column is not None:
            columns[column] = frozenset(DataClassName(each) for each in classes)
    node.finish()
    return ClassifiedColumns(patterns, labels, columns)
