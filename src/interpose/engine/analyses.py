"""The cache of analyses of one connection, bounded by entries and by bytes of text.

Knows when two texts may share an analysis; does not know what analysis is made of.
"""

from __future__ import annotations

from collections import OrderedDict

from interpose.model.analysis import Analysis
from interpose.model.command import Command, CommandKind
from interpose.protocols.contract import Analyst

Key = tuple[str, tuple[str, ...] | None, str, int, bool, bool]
"""Text or shape, search path, role, server version, whether it is only prepared, whether it is a shape: no text can be mistaken
for a shape."""

_OVERHEAD = 4096
"""Bytes that an entry is taken to cost beside its text: effects, lineage and the dictionaries' own."""


class AnalysisCache:
    """Analyses by exact text and, where constants do not matter, by shape; all under one version of the catalog.

    INVARIANT: an analysis that depends on the session (it names prepared statements or cursors) is never kept, one that depends on
    literals is found by its exact text only, and everything is forgotten when the catalog's version moves.
    """

    def __init__(self, analyst: Analyst, *, entries: int = 4096, size: int = 32 * 1024 * 1024) -> None:
        """At most `entries` analyses and about `size` bytes; the least recently used go first."""
        self._analyst = analyst
        self._entries = entries
        self._size = size
        self._version = -1
        self._used = 0
        self._kept: OrderedDict[Key, Analysis] = OrderedDict()

    def find(self, command: Command, version: int) -> Analysis | None:
        """The analysis of this command under this version of the catalog, when it is known."""
        if version != self._version:
            self.clear()
            self._version = version
            return None
        context = command.sql
        prepare = command.kind is CommandKind.PREPARE
        key = (command.text, context.path, context.role, context.server_version, prepare, False)
        found = self._kept.get(key)
        if found is None:
            shape = self._analyst.cache_key(command.text)
            if shape is None:
                return None
            key = (shape, context.path, context.role, context.server_version, prepare, True)
            found = self._kept.get(key)
            if found is None:
                return None
        self._kept.move_to_end(key)
        return found

    def add(self, command: Command, analysis: Analysis) -> None:
        """Keep an analysis for the texts that it is true of."""
        if analysis.depends_on_session or analysis.catalog_version != self._version:
            return
        context = command.sql
        prepare = command.kind is CommandKind.PREPARE
        self._keep((command.text, context.path, context.role, context.server_version, prepare, False), analysis)
        if analysis.depends_on_literals:
            return
        shape = self._analyst.cache_key(command.text)
        if shape is not None:
            self._keep((shape, context.path, context.role, context.server_version, prepare, True), analysis)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._used = 0

    def __len__(self) -> int:
        """How many keys are kept."""
        return len(self._kept)

    def _keep(self, key: Key, analysis: Analysis) -> None:
        if key in self._kept or len(key[0]) + _OVERHEAD > self._size // 8:
            return
        self._kept[key] = analysis
        self._used += len(key[0]) + _OVERHEAD
        while self._used > self._size or len(self._kept) > self._entries:
            old, _ = self._kept.popitem(last=False)
            self._used -= len(old[0]) + _OVERHEAD
