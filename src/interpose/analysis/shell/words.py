"""One word of a command line: what the program gets, as far as the text alone tells it.

The quoting is that which bash, dash, ksh and zsh agree on (POSIX.1-2017 XCU §2.2). Whatever one of them reads otherwise is a reason
for the word to be dynamic.
"""

from __future__ import annotations

from dataclasses import dataclass

BLANKS = " \t"
OPERATORS = ";&|()<>\n"
_ENDS = BLANKS + OPERATORS
_HARMLESS_AFTER_DOLLAR = _ENDS + "\"'/.,:%"


@dataclass(frozen=True, slots=True)
class Word:
    """A word. `text` is its value when `dynamic` is empty; else `dynamic` says why it has none and `text` is only what was legible.

    `pattern` is the index in `text` of the first character of a file name pattern that is not quoted, or -1: such a word stands for any number of words,
    each of which begins with what is before it. `tilde` says that it begins with an unquoted `~` that stands for the home folder.
    `below` says that it is any path below the text, as `find` hands it on. `plain` says that nothing in it was quoted: only then can it be a reserved word. `start` and `end` are offsets in the text.
    """

    text: str
    start: int = 0
    end: int = 0
    dynamic: str = ""
    pattern: int = -1
    tilde: bool = False
    below: bool = False
    plain: bool = True

    @property
    def literal(self) -> bool:
        """Whether the program gets exactly this text."""
        return not self.dynamic and self.pattern < 0 and not self.tilde


class UnreadableError(Exception):
    """The text ends inside of a quote or a word: no shell runs it."""


class WordReader:
    """Reads words out of a text, one at a time. Knows quoting and nothing of commands."""

    def __init__(self, text: str, position: int) -> None:
        """Begin at `position`, which is no blank and no operator."""
        self._text = text
        self._at = position
        self._out: list[str] = []
        self._length = 0
        self._dynamic = ""
        self._pattern = -1
        self._plain = True
        self._brace = False
        self._bracket = -1

    def read(self) -> Word:
        """The word that begins here; raises `UnreadableError`."""
        text, start = self._text, self._at
        tilde = False
        if text[start] == "~":
            after = text[start + 1 : start + 2]
            if after == "" or after in _ENDS + "/":
                tilde = True
            else:
                self._dynamic = "tilde"
        elif text[start] == "=":
            # zsh: `=name` is the path of a program.
            self._dynamic = "dialect"
        while self._at < len(text) and text[self._at] not in _ENDS:
            self._step(text[self._at])
        return Word("".join(self._out), start, self._at, self._dynamic, self._pattern, tilde, plain=self._plain)

    def _step(self, character: str) -> None:
        match character:
            case "\\":
                self._escape()
            case "'":
                self._single()
            case '"':
                self._double()
            case "$":
                self._dollar(_HARMLESS_AFTER_DOLLAR.replace('"', "").replace("'", ""))
            case "`":
                self._mark("substitution")
                self._skip_backticks()
            case _:
                self._bare(character)

    def _bare(self, character: str) -> None:
        if character in "*?":
            self._glob(self._length)
        elif character == "[":
            self._bracket = self._length
        elif character == "]" and self._bracket >= 0:
            self._glob(self._bracket)
        elif character == "{":
            self._brace = True
        elif (character == "," and self._brace) or (
            character == "." and self._brace and self._text.startswith("..", self._at)
        ):
            self._mark("braces")
        elif character == "~" and self._out and self._out[-1][-1:] in ("=", ":"):
            self._mark("tilde")
        elif character in "~=" and not self._length and not self._plain:
            # zsh: `''~` and `""~` are the home folder.
            self._mark("dialect")
        self._put(character)
        self._at += 1

    def _glob(self, index: int) -> None:
        self._pattern = index if self._pattern < 0 else min(self._pattern, index)

    def _put(self, text: str) -> None:
        self._out.append(text)
        self._length += len(text)

    def _mark(self, reason: str) -> None:
        self._dynamic = self._dynamic or reason

    def _escape(self) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        if not following:
            raise UnreadableError
        if following == "\n":
            # A line that goes on inside of a word: what it then means to an operator beside it differs.
            self._mark("continuation")
        else:
            self._plain = False
            self._put(following)
        self._at += 2

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise UnreadableError
        body = self._text[self._at + 1 : end]
        if (len(body) - len(body.rstrip("\\"))) % 2:
            # fish: a quote after a backslash does not end the string.
            self._mark("dialect")
        self._plain = False
        self._put(body)
        self._at = end + 1

    def _double(self) -> None:
        text = self._text
        self._plain = False
        self._at += 1
        while True:
            if self._at >= len(text):
                raise UnreadableError
            character = text[self._at]
            if character == '"':
                self._at += 1
                return
            if character == "\\":
                following = text[self._at + 1 : self._at + 2]
                if following == "\n":
                    self._at += 2
                elif following and following in '$`"\\':
                    self._put(following)
                    self._at += 2
                else:
                    self._put("\\")
                    self._at += 1
            elif character == "$":
                self._dollar(_HARMLESS_AFTER_DOLLAR)
            elif character == "`":
                self._mark("substitution")
                self._skip_backticks()
            else:
                self._put(character)
                self._at += 1

    def _dollar(self, harmless: str) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "" or (following in harmless and following != "("):
            self._put("$")
            self._at += 1
            return
        if following in "({":
            self._mark("substitution" if following == "(" else "expansion")
            self._skip_nested()
        elif following in "'\"":
            # $'…' and $"…": quoting that not every shell has.
            self._mark("quoting")
            self._at += 1
            if following == "'":
                self._skip_ansi()
        else:
            self._mark("expansion")
            self._at += 2

    def _skip_ansi(self) -> None:
        at = self._at + 1
        while at < len(self._text) and self._text[at] != "'":
            at += 2 if self._text[at] == "\\" else 1
        if at >= len(self._text):
            raise UnreadableError
        self._at = at + 1

    def _skip_backticks(self) -> None:
        at = self._at + 1
        while at < len(self._text) and self._text[at] != "`":
            at += 2 if self._text[at] == "\\" else 1
        if at >= len(self._text):
            raise UnreadableError
        self._at = at + 1

    def _skip_nested(self) -> None:
        """Past `$(…)` or `${…}`, by its brackets and quotes. INVARIANT: the word is dynamic, so where it ends decides no permit."""
        closing = {"(": ")", "{": "}"}
        stack = [closing[self._text[self._at + 1]]]
        at = self._at + 2
        while at < len(self._text) and stack:
            character = self._text[at]
            if character == "\\":
                at += 1
            elif character == "'":
                at = self._text.find("'", at + 1)
                if at < 0:
                    raise UnreadableError
            elif character in closing:
                stack.append(closing[character])
            elif character == stack[-1]:
                stack.pop()
            at += 1
        if stack:
            raise UnreadableError
        self._at = at
