"""What shells take for arithmetic: words of some builtins, and values of variables that are numbers to them.

It runs the commands in a subscript, `x[$(…)]`, however it is quoted: words do so in zsh, ksh and mksh, variables in bash as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from interpose.analysis.shell.invocation import Invocation
from interpose.analysis.shell.words import Word

_COMPARISONS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_COUNTING = frozenset({"exit", "return", "break", "continue", "shift", "bye"})
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|0[xX][0-9a-fA-F]+)")
_LIMIT = re.compile(r"-[A-Za-z]+|[0-9]+|unlimited|hard|soft")

_NUMBERS = re.compile(
    r"ARGC|BASHPID|BAUD|COLUMNS|DIRSTACKSIZE|EPOCHSECONDS|ERRNO|E?[UG]ID|FUNCNEST|HISTCMD|HISTSIZE|KEYTIMEOUT|KSH[A-Z]*ID|LINENO|LINES|LISTMAX|"
    r"LOGCHECK|MAILCHECK|OPTIND|PGRP|PPID|S?RANDOM|SAVEHIST|SECONDS|SHLVL|TMOUT|TRY_BLOCK_[A-Z]+|TTYIDLE|USER_ID|ZSH_SUBSHELL|status"
)
"""Variables that some shell keeps as numbers: what they are set to is evaluated. `COLUMNS=x` evaluates `x`, which the client may have set."""

_TEXT_ONLY = re.compile(r"(?:[^%]|%%|%[-+ #0]*[0-9]*(?:\.[0-9]*)?[sbcq])*")
"""A format of which no conversion takes a number."""
_SETS = re.compile(r"%[^%A-Za-z\\]*[hjlqLtz]*n")
"""`%n` sets the variable that its argument names."""
_PERCENT = re.compile(r"\\(?:0*45|x25|[uU]0*25)")


def evaluates(run: Invocation) -> bool:
    """Whether a shell may evaluate a word of this builtin that is no number."""
    name, words = run.program.basename, run.arguments
    if name in ("[", "test"):
        return not _numbers(_compared(words))
    if name == "printf":
        return _formats(words)
    if name in _COUNTING:
        return not _numbers(words)
    return name == "ulimit" and not all(word.literal and _LIMIT.fullmatch(word.text) for word in words)


def calculates(name: str, value: str) -> bool:
    """Whether a shell may run something to set this variable to this value."""
    if _NUMBERS.fullmatch(name):
        return value != "" and _NUMBER.fullmatch(value) is None
    return "$(" in value or "`" in value


def _numbers(words: Iterable[Word]) -> bool:
    return all(word.literal and _NUMBER.fullmatch(word.text) for word in words)


def _compared(words: tuple[Word, ...]) -> list[Word]:
    """What a test takes for numbers: what is beside a comparison, and the descriptor after `-t`."""
    found: list[Word] = []
    for index, word in enumerate(words):
        if word.text in _COMPARISONS:
            found += words[max(index - 1, 0) : index] + words[index + 1 : index + 2]
        elif word.text == "-t":
            found += (
                each for each in words[index + 1 : index + 2] if each.text not in ("]", "-a", "-o", ")", "=", "!=")
            )
    return found


def _formats(words: tuple[Word, ...]) -> bool:
    given = words[1:] if words and words[0].text == "--" else words
    if len(given) < 2:
        return False
    form = given[0]
    if not form.literal or _SETS.search(form.text.replace("%%", "")) or _PERCENT.search(form.text):
        return True
    return _TEXT_ONLY.fullmatch(form.text) is None and not _numbers(given[1:])
