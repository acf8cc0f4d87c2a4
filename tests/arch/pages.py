"""The project's Markdown pages as these tests see them: links, headings, fenced blocks, and code inside sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.arch.tree import ROOT

_FENCE: Final = re.compile(
    r"^(?P<mark>```+)(?P<language>[\w-]*)\n(?P<text>.*?)^(?P=mark)\s*$", re.MULTILINE | re.DOTALL
)
_LINK: Final = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CODE: Final = re.compile(r"(?<!`)`(?P<text>[^`\n]+)`(?!`)")
_HEADING: Final = re.compile(r"^#{1,6} (?P<words>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and the line on which it begins."""

    language: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file: its path below the project's folder, and its text."""

    path: str
    text: str

    def blocks(self) -> list[Block]:
        """The fenced blocks in order."""
        return [
            Block(match["language"], match["text"], self.text.count("\n", 0, match.start()) + 1)
            for match in _FENCE.finditer(self.text)
        ]

    @property
    def prose(self) -> str:
        """The text with its fenced blocks blanked, lines kept."""
        return _FENCE.sub(lambda match: "\n" * match[0].count("\n"), self.text)

    def links(self) -> Iterator[tuple[str, int]]:
        """Every link's target, with its line."""
        for match in _LINK.finditer(self.prose):
            yield match["target"], self.prose.count("\n", 0, match.start()) + 1

    def code(self) -> Iterator[tuple[str, int]]:
        """Every piece of code inside a sentence or a cell, with its line."""
        for match in _CODE.finditer(self.prose):
            yield match["text"], self.prose.count("\n", 0, match.start()) + 1

    def anchors(self) -> set[str]:
        """What a link into this page may name."""
        return {_anchor(match["words"]) for match in _HEADING.finditer(self.prose)}


def _anchor(words: str) -> str:
    """A heading as GitHub and most others name it."""
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")


@cache
def pages() -> tuple[Page, ...]:
    """Every Markdown file of the project."""
    hidden = {".venv", ".git", ".pytest_cache", ".hypothesis", "node_modules"}
    return tuple(
        Page(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.md"))
        if not hidden & set(path.relative_to(ROOT).parts)
    )
