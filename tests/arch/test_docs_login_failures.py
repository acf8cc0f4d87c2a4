"""docs/reference/refusals.md tells every reason of a failed login that the audit chain can have, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

import pytest

from tests.arch.tree import ROOT, Source, none_of, planted, sources

PAGE: Final = ROOT / "docs" / "reference" / "refusals.md"
_HEADING: Final = "## Failed logins in the audit chain"
_ROW: Final = re.compile(r"^\| ((?:`[a-z_]+`(?:, )?)+) \| [^|]+ \|$", re.MULTILINE)
_WORD: Final = re.compile(r"[a-z]+(_[a-z]+)+")
_ANSWERS: Final = ("_fault", "holder")
"""Functions that answer the word instead of raising it."""
_ELSEWHERE: Final = {
    # Told to the client as they are: among the refusals.
    "too_many_attempts",
    "store_unavailable",
    "provider_unavailable",
}


def reasons(files: Iterable[Source]) -> set[str]:
    """The machine words with which a proof of identity is denied."""
    found = {
        word
        for file in files
        if file.place.startswith(("identity/", "engine/"))
        for node in ast.walk(file.tree)
        for word in _words(node)
    }
    return {word for word in found if _WORD.fullmatch(word)}


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        given = [keyword.value for keyword in node.keywords if keyword.arg == "detail"]
        if called == "_denied":
            given = node.args[:1]
        elif called != "AuthenticationError":
            return
        for each in given:
            for part in ast.walk(each):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                    yield part.value
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in _ANSWERS:
        for each in ast.walk(node):
            if isinstance(each, ast.Return) and each.value is not None:
                for part in ast.walk(each.value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                        yield part.value


def told(text: str) -> set[str]:
    """The words of the page's table."""
    _, _, table = text.partition(_HEADING)
    return {word for row in _ROW.findall(table.partition("\n## ")[0]) for word in re.findall(r"`([a-z_]+)`", row)}


def differences(files: Iterable[Source], text: str) -> list[str]:
    """What the page lacks, and what it has too much."""
    found, page = reasons(files) - _ELSEWHERE, told(text)
    return [
        *(f"the page lacks the reason `{word}`" for word in sorted(found - page)),
        *(f"nobody is denied with `{word}`" for word in sorted(page - found)),
    ]


def test_the_page_is_complete() -> None:
    none_of(differences(sources(), PAGE.read_text()))


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("AuthenticationError('x', detail='new_word')", ""),
        ("raise _denied('new_word' if a else 'known')", "| `known` | x |"),
        ("def _fault():\n    return 'new_word' if a else ''", ""),
        ("", "| `gone` | x |"),
    ],
)
def test_a_difference_is_seen(source: str, row: str) -> None:
    assert differences([planted("identity/p.py", source)], f"{_HEADING}\n\n{row}\n")
