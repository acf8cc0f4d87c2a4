"""What the names of prepared statements and portals mean, as far as this session has been told.

SQL and protocol share one namespace (PREPARE and Parse; DECLARE and Bind). A name's meaning is a chain of versions: a message
that was sent adds an unresolved version, the upstream's answer commits or drops it. So a later message of the same batch
is judged by what it will find *if it runs at all*, and nothing is believed after it failed.

INVARIANT: a name never stands for another text than the one it has at the upstream; it may stand for one that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, Outputs, SessionChange, StatementInfo
from interpose.model.resources import ObjectResource

if TYPE_CHECKING:
    from interpose.protocols.postgres.relay.path import SearchPath

MAX_NAME: Final = 63
"""Bytes of a name that the server tells apart (NAMEDATALEN - 1); longer ones are refused."""


class Statement:
    """One version of a prepared statement's name. `text` is empty when SQL made it; `gone` marks a removal.

    `path` is the search path under which `analysis` was made: the server plans again when it changes. `scrub` says that
    hidden values are within its reach.
    """

    __slots__ = ("analysis", "batch", "dropped", "gone", "name", "path", "prev", "resolved", "scrub", "text")

    def __init__(self, name: str, text: str, analysis: Analysis | None, path: SearchPath | None, batch: int) -> None:
        """An unresolved version; `analysis` None marks a removal."""
        self.name = name
        self.text = text
        self.analysis = analysis
        self.path = path
        self.batch = batch
        self.gone = analysis is None
        self.scrub = False
        self.resolved = False
        self.dropped = False
        self.prev: Statement | None = None


class Portal:
    """One version of a portal's (cursor's) name; made for every Bind, hence defaults that cost nothing instead of slots.

    `statement` is what it was bound from (None for a cursor that SQL declared). `rows` counts what was shown of it. `described` says that
    a Describe of it is on its way, `shape` is the body of what that answered. `outlives` is true for a cursor WITH HOLD. `path` is the
    search path at its Bind: what it runs was planned under that one, whatever the path is later.
    """

    gone = False
    resolved = False
    dropped = False
    described = False
    outlives = False
    rows = 0
    shape: bytes | None = None
    path: SearchPath | None = None
    prev: Portal | None = None

    def __init__(
        self,
        name: str,
        statement: Statement | None,
        analysis: Analysis | None,
        parameters: tuple[bytes | None, ...],
        formats: tuple[int, ...],
        batch: int,
    ) -> None:
        """An unresolved version; `analysis` None marks a removal."""
        self.name = name
        self.statement = statement
        self.analysis = analysis
        self.parameters = parameters
        self.formats = formats
        self.batch = batch
        if analysis is None:
            self.gone = True


Named = TypeVar("Named", Statement, Portal)


class Names(Generic[Named]):
    """All versions of all names of one kind."""

    __slots__ = ("_newest",)

    def __init__(self) -> None:
        """No name means anything yet."""
        self._newest: dict[str, Named] = {}

    def __bool__(self) -> bool:
        """Whether any name is known."""
        return bool(self._newest)

    def find(self, name: str) -> Named | None:
        """The newest version that was not dropped; it may be `gone` and it may be unresolved."""
        return self._newest.get(name)

    def add(self, version: Named) -> None:
        """A message that gives the name a new meaning was sent."""
        version.prev = self._newest.get(version.name)
        self._newest[version.name] = version

    def commit(self, version: Named) -> None:
        """The upstream did it: what the name meant before is forgotten."""
        version.resolved = True
        version.prev = None
        if version.gone and self._newest.get(version.name) is version:
            del self._newest[version.name]

    def drop(self, version: Named) -> None:
        """The upstream did not do it: the name means what it meant before."""
        version.dropped = True
        newest = self._newest.get(version.name)
        if newest is version:
            before = version.prev
            while before is not None and before.dropped:
                before = before.prev
            if before is None or (before.gone and before.resolved):
                del self._newest[version.name]
            else:
                self._newest[version.name] = before
        else:
            # A newer version stands on this one: take it out of the chain.
            while newest is not None and newest.prev is not version:
                newest = newest.prev
            if newest is not None:
                newest.prev = version.prev

    def define(self, version: Named) -> None:
        """Something that the upstream has done already (SQL PREPARE or DECLARE)."""
        self.add(version)
        self.commit(version)

    def remove(self, name: str) -> None:
        """SQL has dropped a name (`*`: all): versions still on their way stay."""
        for known in list(self._newest) if name == "*" else [name]:
            version = self._newest.get(known)
            if version is not None and version.resolved:
                del self._newest[known]

    def forget(self, unless: Callable[[Named], bool]) -> None:
        """Forget the versions that the upstream has, but for those of which `unless` is true."""
        newest = self._newest
        for name in [name for name, version in newest.items() if version.resolved and not unless(version)]:
            del newest[name]

    def current(self) -> Iterator[Named]:
        """The newest version of each name that is not on its way out."""
        return (version for version in self._newest.values() if not version.gone)


class AnalysisView(Mapping[str, Analysis]):
    """Names to analyses, read at the moment of asking: what `SqlContext` carries. Unknown names are simply absent."""

    __slots__ = ("_names",)

    def __init__(self, names: Names[Statement] | Names[Portal]) -> None:
        """A view of `names`."""
        self._names = names

    def __getitem__(self, name: str) -> Analysis:
        """The analysis of what the name stands for; `KeyError` when that is not known."""
        version = self._names.find(name)
        if version is None or version.analysis is None:
            raise KeyError(name)
        return version.analysis

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return (version.name for version in self._names.current())

    def __len__(self) -> int:
        """How many."""
        return sum(1 for _ in self._names.current())


class PlannedView(Mapping[str, Analysis]):
    """Prepared statements as SQL would find them under `path`.

    INVARIANT: one that was analysed under another path is planned again by the server, so its old analysis says nothing: it is
    analysed again by its text, or stands there as something unknown, which is refused unless policy names `unknown`.
    """

    __slots__ = ("_names", "_path")

    def __init__(self, names: Names[Statement], path: SearchPath | None) -> None:
        """A view of `names` under `path`."""
        self._names = names
        self._path = path

    def __getitem__(self, name: str) -> Analysis:
        """The analysis of what the name stands for; `KeyError` when there is no such name."""
        version = self._names.find(name)
        if version is None or version.analysis is None:
            raise KeyError(name)
        if version.path == self._path:
            return version.analysis
        # No version of a catalog is negative: where its text is known it is analysed again.
        return replace(version.analysis, catalog_version=-1) if version.analysis.prepared_text else unknown_plan(name)

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return (version.name for version in self._names.current())

    def __len__(self) -> int:
        """How many."""
        return sum(1 for _ in self)


def unknown_plan(name: str) -> Analysis:
    """What is known of a prepared statement that must be planned again while its text is not known: nothing."""
    return Analysis(
        effects=(Effect(Action.UNKNOWN, ObjectResource("prepared_statement", "", name)),),
        statements=(StatementInfo("EXECUTE", Outputs(None), used_known=False, sinks_known=False),),
        changes=frozenset(SessionChange),
    )
