"""Keep the reviewed list of PostgreSQL's own functions in step with the servers.

    python tools/builtin_functions.py            # ask every major, write the list anew
    python tools/builtin_functions.py --check    # exit status 1 when a server and the list differ, or a name is not reviewed

Facts (kinds, volatility, languages, majors) come from `pg_proc`; the verdict is a person's and is kept. A name that is new lands
below `[unreviewed]`, which the gateway does not understand: read what it does, then move its line below the heading that fits.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
if __package__ in (None, ""):
    sys.path.insert(0, str(ROOT))

from interpose.analysis.sql.reviewed import LIST_NAME, VOLATILITIES, Deed, Reviewed, Verdict, read_list  # noqa: E402
from tests.support.postgres import PostgresServer  # noqa: E402
from tests.support.postgres_binaries import MAJORS  # noqa: E402

LIST: Final = ROOT / "src" / "interpose" / "analysis" / "sql" / LIST_NAME
"""The file that is checked and written."""

_FUNCTIONS: Final = """
SELECT p.proname, string_agg(DISTINCT p.prokind::text, '' ORDER BY p.prokind::text),
 string_agg(DISTINCT p.provolatile::text, ''), string_agg(DISTINCT l.lanname, ',' ORDER BY l.lanname)
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid < 16384 AND n.nspname IN ('pg_catalog', 'information_schema') GROUP BY p.proname
"""

_HEAD: Final = """\
# PostgreSQL's own functions, each with its verdict. What the headings mean: interpose.analysis.sql.reviewed.
# Written by tools/builtin_functions.py from servers of majors {first} to {last}; the headings that names stand under are reviewed by hand.
# name kinds volatility languages majors
"""


@dataclass(slots=True)
class Found:
    """What the servers say of one name."""

    kinds: set[str] = field(default_factory=set)
    volatilities: set[str] = field(default_factory=set)
    languages: set[str] = field(default_factory=set)
    majors: set[int] = field(default_factory=set)

    def reviewed(self, name: str, verdict: Verdict | Deed) -> Reviewed:
        """As an entry of the list."""
        worst = max(self.volatilities, key=VOLATILITIES.index)
        majors = frozenset(range(min(self.majors), max(self.majors) + 1))
        return Reviewed(name, verdict, "".join(sorted(self.kinds)), worst, frozenset(self.languages), majors)


def functions_of(server: PostgresServer) -> list[tuple[str, str, str, str]]:
    """Name, kinds, volatilities and languages of every built-in function of a running server."""
    rows = [line.split("|") for line in server.psql(_FUNCTIONS).splitlines()]
    return [(name, kinds, volatilities, languages) for name, kinds, volatilities, languages in rows]


def ask(majors: Iterable[int] = MAJORS) -> dict[str, Found]:
    """What servers of these majors have."""
    found: defaultdict[str, Found] = defaultdict(Found)
    for major in majors:
        with PostgresServer(major) as server:  # type: ignore[arg-type]
            for name, kinds, volatilities, languages in functions_of(server):
                each = found[name]
                each.kinds |= set(kinds)
                each.volatilities |= set(volatilities)
                each.languages |= set(languages.split(","))
                each.majors.add(major)
    return dict(found)


def merged(listed: Mapping[str, Reviewed], found: Mapping[str, Found]) -> dict[str, Reviewed]:
    """The list with the servers' facts and the people's verdicts."""
    return {
        name: each.reviewed(name, listed[name].verdict if name in listed else Verdict.UNREVIEWED)
        for name, each in found.items()
    }


def text_of(entries: Iterable[Reviewed]) -> str:
    """The list as text: a heading for each verdict, names in order."""
    return "".join(_lines(list(entries)))


def _lines(entries: list[Reviewed]) -> Iterator[str]:
    yield _HEAD.format(first=MAJORS[0], last=MAJORS[-1])
    for verdict in (*Verdict, *Deed):
        below = sorted(entry.name for entry in entries if entry.verdict is verdict)
        if below:
            yield f"\n[{verdict.value}]\n"
        by_name = {entry.name: entry for entry in entries}
        for entry in map(by_name.__getitem__, below):
            first, last = min(entry.majors), max(entry.majors)
            languages = ",".join(sorted(entry.languages))
            yield f"{entry.name} {entry.kinds} {entry.volatility} {languages} {first}-{last}\n"


def differences(listed: Mapping[str, Reviewed], found: Mapping[str, Found]) -> list[str]:
    """What a person has to look at: names that are new, gone, changed or not reviewed."""
    right = merged(listed, found)
    problems = [f"{name}: no server has it" for name in sorted(set(listed) - set(right))]
    for name in sorted(right):
        if name not in listed:
            problems.append(f"{name}: not in the list")
        elif listed[name] != right[name]:
            problems.append(f"{name}: is {replace(right[name])}, the list says {listed[name]}")
        elif right[name].verdict is Verdict.UNREVIEWED:
            problems.append(f"{name}: nobody has reviewed it")
    return problems


def main(arguments: list[str]) -> int:
    """Write or check; answers the exit status."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    listed = read_list(LIST.read_text(encoding="utf-8").splitlines()) if LIST.exists() else {}
    found = ask()
    if arguments:
        problems = differences(listed, found)
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return 1 if problems else 0
    LIST.write_text(text_of(merged(listed, found).values()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
