"""docs/reference/refusals.md knows every code that the source can refuse with, with its SQLSTATE, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Final

import pytest

from interpose.protocols.postgres.refusals import sqlstate_of
from tests.arch.tree import ROOT, Source, none_of, planted, sources

PAGE: Final = ROOT / "docs" / "reference" / "refusals.md"
_PLACES: Final = {
    "Refusal": 0,
    "Refused": 0,
    "Unanalysable": 0,
    "RequestRefusedError": 0,
    "_refused": 0,
    "refused_hold": 0,
    "Forbidden": 2,
}
"""Where each of these takes its code."""
_PASSED_ON: Final = {
    "code",
    "error.code",
    "refusal.code",
    "decision.code",
    "found.reason",
    "failed.reason",
    "refused.reason",
    "reason",
}
"""Codes that come from another refusal or error, which the source names elsewhere."""
_NOT_FOR_CLIENTS: Final = {
    "server_error",  # the command line's own, when the admin API does not answer
    "scim_error",  # SCIM has words of its own
    "taken",
}
_ROW: Final = re.compile(r"^\| `([a-z0-9_]+)` \| ([^|]*) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def codes(files: Iterable[Source]) -> tuple[set[str], list[str]]:
    """Every code, and the calls whose code is neither written there nor passed on."""
    found: set[str] = set()
    unread: list[str] = []
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef):
                found |= set(_class_code(node))
            if not isinstance(node, ast.Call):
                continue
            place = _PLACES.get(ast.unparse(node.func).rpartition(".")[2])
            given = None if place is None else _argument(node, place)
            if given is None:
                continue
            for each in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    found.add(each.value)
                elif ast.unparse(each) not in _PASSED_ON and not _is_refusal(each):
                    unread.append(f"{file.place}:{node.lineno} {ast.unparse(each)}")
    return found, unread


def _argument(call: ast.Call, place: int) -> ast.expr | None:
    named = next((keyword.value for keyword in call.keywords if keyword.arg in ("code", "reason")), None)
    return named or (call.args[place] if len(call.args) > place else None)


def _is_refusal(given: ast.expr) -> bool:
    """`Refused(refusal)`: the answer that carries a refusal."""
    words = ast.unparse(given)
    return (
        words.isupper()
        or words.lstrip("_").isupper()
        or "efusal" in words
        or words.endswith(("ended_with", ")", "standing", "waited", "case"))
    )


def _class_code(node: ast.ClassDef) -> Iterable[str]:
    for each in node.body:
        if (
            isinstance(each, ast.Assign)
            and ast.unparse(each.targets[0]) == "code"
            and isinstance(each.value, ast.Constant)
        ):
            yield str(each.value.value)


def told(text: str) -> dict[str, str]:
    """The page's codes with their SQLSTATEs."""
    return dict(_ROW.findall(text))


def differences(files: Iterable[Source], text: str) -> list[str]:
    """What the page lacks, what it has too much, and what it tells wrongly."""
    found, unread = codes(files)
    found -= _NOT_FOR_CLIENTS
    page = told(text)
    return [
        *(f"the page lacks `{code}`" for code in sorted(found - set(page))),
        *(f"the page has `{code}`, which nothing refuses with" for code in sorted(set(page) - found)),
        *(
            f"`{code}` has SQLSTATE {sqlstate_of(code)}, the page says {page[code]}"
            for code in sorted(found & set(page))
            if page[code] not in ("", "`" + sqlstate_of(code) + "`")
        ),
        *(f"{place}: this code cannot be read" for place in unread),
    ]


def test_the_page_is_complete() -> None:
    none_of(differences(sources(), PAGE.read_text()))


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("Refusal('made_up', 'm')", ""),
        ("Forbidden((), s, 'made_up', 'm')", ""),
        ("class E(Exception):\n    code = 'made_up'", ""),
        ("Unanalysable(reason='made_up', message='m')", ""),
        ("x = 1", "| `made_up` | `42501` | m | h |"),
        ("Refusal('made_up', 'm')", "| `made_up` | `08P01` | m | h |"),
        ("Refusal(f'{x}_up', 'm')", ""),
    ],
)
def test_a_difference_is_seen(source: str, page: str) -> None:
    assert differences([planted("engine/p.py", source)], page)


def test_a_page_that_agrees_passes() -> None:
    page = "| `made_up` | `42501` | m | h |\n| `other` |  | m | h |"
    assert not differences([planted("engine/p.py", "Refusal('made_up', 'm')\nRefused(Refusal('other', 'm'))")], page)
