"""Cedar source text: where each policy of a file begins, and where a word stands in it.

The parser of the library says what is wrong but not where. This lexer splits a file at the semicolons that end policies, so that each
policy is parsed alone and its faults are found in it. It decides nothing: every character that is not blank or comment
goes into exactly one piece, and each piece must parse to exactly one policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class PolicySource:
    """One policy as written: its exact text, its file, and the 1-based line and column of its first character.

    `complete` is false when the file ends before the policy's semicolon.
    """

    text: str
    file: str
    line: int
    column: int
    complete: bool

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column in the file of an offset into the text."""
        before = self.text[:offset]
        lines = before.count("\n")
        if lines == 0:
            return self.line, self.column + offset
        return self.line + lines, offset - before.rindex("\n")

    def find(self, word: str) -> tuple[int, int]:
        """Where a word, a string or a piece of text stands, comments left out; the policy's start when it does not."""
        for start, token in _tokens(self.text):
            if word in (token, token[1:-1] if token.startswith('"') else token):
                return self.position(start)
        start = self.text.find(word)
        return self.position(max(start, 0))

    def annotation(self, name: str) -> tuple[int, int]:
        """Where `@name` stands; the policy's start when it does not."""
        previous = ""
        for start, token in _tokens(self.text):
            if previous == "@" and token == name:
                return self.position(start - 1)
            previous = token
        return self.line, self.column


def split(text: str, file: str) -> list[PolicySource]:
    """The policies of a file, in order; what follows the last semicolon is one more, incomplete, piece."""
    pieces: list[PolicySource] = []
    begin: int | None = None
    end = 0
    for start, word in _tokens(text):
        begin = start if begin is None else begin
        end = start + len(word)
        if word == ";":
            pieces.append(_piece(text, file, begin, end, complete=True))
            begin = None
    if begin is not None:
        pieces.append(_piece(text, file, begin, end, complete=False))
    return pieces


def _piece(text: str, file: str, begin: int, end: int, *, complete: bool) -> PolicySource:
    line = text.count("\n", 0, begin) + 1
    column = begin - (text.rfind("\n", 0, begin) + 1) + 1
    return PolicySource(text[begin:end], file, line, column, complete)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "blank":
            yield match.start(), match.group()
