"""The reviewed list of PostgreSQL's own functions: what each of them does, read from `builtin_functions.txt`.

The facts in the list come from servers of every supported major (`tools/builtin_functions.py`), the verdicts from people.
INVARIANT: a built-in function that is not in the list, or that is no longer what was reviewed, is not understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from typing import Final

from interpose.model.catalog import Lookup, Routine

LIST_NAME: Final = "builtin_functions.txt"
"""The file, in this package."""


class Deed(Enum):
    """What a function does beyond answering something: each is asked of policy as an action of its own."""

    FILE = "server_file"
    """Reads or writes files of the server."""
    ADMINISTER = "administer_server"
    """Acts on the server, on other sessions or on replication."""
    OTHER_SERVER = "other_server"
    """Talks to another server, or to this one as somebody else."""
    MAINTAIN = "maintain"
    """Maintains a table or an index."""
    RUNS_TEXT = "dynamic_sql"
    """Runs SQL that it gets as text, or reads tables that it gets by name."""
    SETTING = "set"
    """Sets a setting: `set_config`."""
    SHOW = "show"
    """Shows a setting: `current_setting`."""
    SEQUENCE = "sequence"
    """Moves a sequence on."""
    NOTIFY = "notify"
    """Sends a notification."""
    LARGE_READ = "large_object_read"
    """Reads a large object: the value may be a copy of anything."""
    LARGE_WRITE = "large_object_write"
    """Makes, changes or drops a large object."""


class Verdict(Enum):
    """What a function that does nothing else answers."""

    COMPUTES = "computes"
    """The result depends on the arguments, the session's settings and type definitions only."""
    REPORTS = "reports"
    """The result tells of the session or the server, or names objects: never what a table or a definition holds."""
    KEEPS = "keeps"
    """As `reports`, but an argument stays behind where a later statement can read it."""
    CATALOG = "catalog"
    """The result may hold values of tables or statements: nothing is known of where they come from."""
    DEFINES = "defines"
    """The result is the text of a definition or a comment, with the constants that its owner wrote there."""
    INNER = "inner"
    """Called by the server itself. A statement that calls it directly is not understood."""
    UNREVIEWED = "unreviewed"
    """Nobody has looked at it yet: not understood."""


VOLATILITIES: Final = "isv"
"""`pg_proc.provolatile`, from the best to the worst."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One name: all its overloads in all majors, folded together.

    `kinds` are `pg_proc.prokind`, `volatility` the worst of `i`, `s`, `v`, `majors` the versions that have it.
    """

    name: str
    verdict: Verdict | Deed
    kinds: str
    volatility: str
    languages: frozenset[str]
    majors: frozenset[int]

    def covers(self, routine: Routine) -> bool:
        """Whether a server's function of this name is still what was reviewed."""
        return (
            routine.kinds <= set(self.kinds)
            and routine.languages <= self.languages
            and routine.volatility in set(VOLATILITIES[: VOLATILITIES.index(self.volatility) + 1])
        )


def builtin(name: str) -> Routine | Lookup:
    """PostgreSQL's own functions of a name as the list has them: for catalogs that have no server behind them."""
    found = REVIEWED.get(name)
    if found is None:
        return Lookup.NOT_FOUND
    return Routine("pg_catalog", name, frozenset(found.kinds), found.volatility, False, found.languages, builtin=True)


def read_list(lines: Iterable[str]) -> dict[str, Reviewed]:
    """The list from its lines; raises `ValueError` for one that is none, and for a name that stands there twice.

    A line is `name kinds volatility languages first-last`, below a heading `[verdict]`; `#` begins a comment.
    """
    found: dict[str, Reviewed] = {}
    verdict: Verdict | Deed = Verdict.UNREVIEWED
    for line in lines:
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0].startswith("["):
            verdict = _VERDICTS[words[0].strip("[]")]
            continue
        name, kinds, volatility, languages, majors = words
        first, _, last = majors.partition("-")
        if name in found or volatility not in VOLATILITIES:
            raise ValueError(f"`{name}` is in the list of functions twice, or wrongly")
        found[name] = Reviewed(
            name,
            verdict,
            kinds,
            volatility,
            frozenset(languages.split(",")),
            frozenset(range(int(first), int(last or first) + 1)),
        )
    return found


def list_text() -> str:
    """The list as it stands in the package."""
    return resources.files(__package__ or "").joinpath(LIST_NAME).read_text(encoding="utf-8")


_VERDICTS: Final[Mapping[str, Verdict | Deed]] = {each.value: each for each in (*Verdict, *Deed)}

REVIEWED: Final[Mapping[str, Reviewed]] = read_list(list_text().splitlines())
"""Every function of `pg_catalog` and `information_schema` in the supported majors, by name."""
