"""Lines that somebody types: whether one goes on, and whether it is one plain command of literal words."""

from __future__ import annotations

import re

from interpose.analysis.shell.scanner import scan
from interpose.analysis.shell.words import UnreadableError, Word

_GOES_ON = re.compile(r"(?:\|\|?|&&|\|&)[ \t\n]*\Z")


def goes_on(text: str) -> bool:
    """Whether a shell would ask for more: an open quote or here-document, or a line that ends in `\\`, `|` or `&&`.

    What is open by its grammar only (`if`, `(`) does not count: written over several lines it can be pasted as one text.
    """
    if not text.strip():
        return False
    try:
        scan(text + "\n")
    except UnreadableError:
        return True
    if (len(text) - len(text.rstrip("\\"))) % 2:
        return True
    return _GOES_ON.search(text) is not None and not text.lstrip().startswith("#")


def plain_words(text: str) -> list[Word] | None:
    """The words of one simple command whose words are all literal, but for a `~`; None for anything else."""
    try:
        found = scan(text)
    except UnreadableError:
        return None
    if found.dynamic or len(found.commands) != 1:
        return None
    command = found.commands[0]
    plain = not command.redirects and not command.assignments and not command.before and command.after in ("", ";")
    words = [word for word in command.words if not word.dynamic and word.pattern < 0]
    return words if plain and words and len(words) == len(command.words) else None


def quoted(text: str) -> str:
    """The text as one literal word for every shell of POSIX."""
    return "'" + text.replace("'", "'\\''") + "'"
