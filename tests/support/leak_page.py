"""The page of the corpus of leaks, written from its cases: `python -m tests.support.leak_page` writes it anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.support.leak_cases import Case, load
from tests.support.postgres_binaries import MAJORS

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "leaks.md"

_HEAD: Final = """\
# Ways to read a hidden column

`tests/corpus/leaks` holds ways to get at the values of a column that is hidden from the reader. Each is run against real PostgreSQL servers: directly, where it must leak (else it would prove nothing), and through
the gateway in both modes, under a policy that permits everything but `reveal` (users' functions only from two schemas). Every byte that the client receives, from its login to the end, is searched for the values: plain,
reversed, in another case, in hex, base64, UTF-16 and other encodings, as digests, as binary numbers, and taken apart by character. So are the gateway's recordings, audit chain, log and metrics. After each case
the session must still answer.

An *inference* case shows no value; its answer depends on one. It is run on two databases that differ only in the hidden values: directly the answers must differ, in strict mode they must be the same.

Every number below is held by `tests/corpus/leaks`: a leak that is not listed here fails the build.
"""


def tables(cases: Iterable[Case]) -> str:
    """The page's figures and lists."""
    cases = list(cases)
    lines = [
        "| PostgreSQL | cases | shown directly | shown in output mode | shown in strict mode | inference, left to output mode | not claimed |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for major in MAJORS:
        here = [case for case in cases if major in case.majors]
        claimed = [case for case in here if not case.beyond]
        known = {mode: sum(mode in case.fails for case in claimed) for mode in ("output", "strict")}
        inferred = sum(bool(case.infers) for case in claimed)
        lines.append(
            f"| {major} | {len(here)} | {len(here)} | {known['output']} | {known['strict']} | {inferred}"
            f" | {len(here) - len(claimed)} |"
        )
    lines += ["", "## Families", "", "| family | cases | of these inference |", "|---|---|---|"]
    for family in dict.fromkeys(case.family for case in cases):
        inside = [case for case in cases if case.family == family]
        lines.append(f"| {family} | {len(inside)} | {sum(bool(case.infers) for case in inside)} |")
    for title, about, pick in (
        ("Inference", "Strict mode refuses these. Output mode does not claim to stop them:", "infers"),
        ("Not claimed", "The gateway does not stop these in either mode:", "beyond"),
    ):
        lines += ["", f"## {title}", "", about, ""]
        for case in cases:
            why = str(getattr(case, pick))
            if why and (pick == "beyond" or not case.beyond):
                lines.append(f"- {case.id}: {why}")
    lines += ["", "## Known faults", "", "These still show a value, and a test waits for each to be mended:", ""]
    faults = [
        f"- {case.id} ({' and '.join(case.fails)}): {next(iter(case.fails.values()))}" for case in cases if case.fails
    ]
    return "\n".join([*lines, *(faults or ["None."])]) + "\n"


def page() -> str:
    """The whole page."""
    return _HEAD + "\n" + tables(load())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
