"""The plain commands of a text, in order: words, redirections, assignments and the operators between them.

Reserved words of `if`, `while` and groups are passed over, since each command inside of them may run. Everything that a flat reading
cannot be sure of is told in `Scan.dynamic`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from interpose.analysis.shell.words import BLANKS, OPERATORS, UnreadableError, Word, WordReader

_PASSED_OVER = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}"})
_OPAQUE = frozenset({"for", "case", "esac", "select", "function", "coproc", "[[", "]]", "in"})
"""Reserved words of some shell, which make what follows depend on more than its own text."""

_DIALECT = frozenset({"foreach", "repeat", "end", "always", "namespace", "and", "or", "not", "begin", "switch"})
"""Reserved words of zsh, ksh and fish."""

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?=|\[)")
_DELIMITER = re.compile(r"(?P<quote>['\"]?)(?P<name>[A-Za-z0-9_.-]+)(?P=quote)(?=[ \t\n;&|()<>]|\Z)")
_RANGE = re.compile(r"<[0-9]*-[0-9]*>")
_REDIRECTIONS = ("&>>", "&>", "<<<", "<<-", "<<", "<>", "<&", ">>", ">|", ">&", "<", ">")
_CONTROLS = ("&&", "||", "|&", ";", "&", "|", "\n", "(", ")")


@dataclass(frozen=True, slots=True)
class Redirect:
    """One redirection. `operator` is `<`, `>`, `>>`, `<>`, `>|`, `&>`, `&>>`, `>&`, `<&` or `<<` (also for here-strings); `target` is None for
    input that stands in the text."""

    operator: str
    target: Word | None


@dataclass(slots=True)
class Simple:
    """One plain command. `before` and `after` are the operators around it, empty at the ends."""

    start: int
    words: list[Word] = field(default_factory=list)
    assignments: list[tuple[str, Word]] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    before: str = ""
    after: str = ""

    @property
    def pipeline(self) -> bool:
        """Whether a pipe is before or after it."""
        return self.before in ("|", "|&") or self.after in ("|", "|&")


@dataclass(slots=True)
class Scan:
    """All plain commands of a text, and why it is not only these (empty when it is)."""

    commands: list[Simple] = field(default_factory=list)
    dynamic: list[str] = field(default_factory=list)


def scan(text: str) -> Scan:
    """Read a whole text; raises `UnreadableError` when it ends inside of something."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._scan = Scan()
        self._current: Simple | None = None
        self._before = ""
        self._bodies: list[tuple[str, bool, bool]] = []

    def run(self) -> Scan:
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if character in BLANKS:
                self._at += 1
            elif text.startswith("\\\n", self._at):
                self._at += 2
            elif character == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif (operator := self._operator(_REDIRECTIONS)) is not None:
                self._redirect(operator)
            elif character in OPERATORS:
                self._control()
            else:
                self._word()
        if self._bodies:
            raise UnreadableError
        self._finish("")
        return self._scan

    def _operator(self, among: tuple[str, ...]) -> str | None:
        return next((each for each in among if self._text.startswith(each, self._at)), None)

    def _command(self) -> Simple:
        if self._current is None:
            self._current = Simple(self._at, before=self._before)
        return self._current

    def _finish(self, operator: str) -> None:
        if self._current is not None:
            self._current.after = operator
            self._scan.commands.append(self._current)
            self._current = None
        self._before = operator

    def _control(self) -> None:
        operator = self._operator(_CONTROLS) or ";"
        if operator == "(" and self._text.startswith("((", self._at):
            self._scan.dynamic.append("dialect")
        if operator == "(" and self._current is not None:
            # A function, or a pattern of ksh and zsh.
            self._scan.dynamic.append("function")
        self._at += len(operator)
        self._finish(operator)
        if operator == "\n":
            self._here_documents()

    def _word(self) -> None:
        begin = self._at
        word = WordReader(self._text, begin).read()
        if self._at < word.end < len(self._text) and self._text[word.end] in "<>":
            raw = self._text[begin : word.end]
            if raw.isdecimal() and raw.isascii():
                if len(raw) > 1:
                    # dash and zsh take only one digit for a descriptor, and more for an argument.
                    self._scan.dynamic.append("dialect")
                # The number of a descriptor; the redirection follows.
                self._command()
                self._at = word.end
                return
            if raw.startswith("{") and raw.endswith("}"):
                self._scan.dynamic.append("descriptor")
        elif self._text.startswith("&>", word.end) and self._text[begin : word.end].isdecimal():
            # mksh and busybox: `9&>f` redirects the descriptor 9; bash and zsh give `9` to the program.
            self._scan.dynamic.append("dialect")
        command = self._current
        if (command is None or not command.words) and word.plain and not word.dynamic and self._reserved(word):
            self._at = word.end
            return
        command = self._command()
        self._at = word.end
        if any(each.operator.startswith("&>") for each in command.redirects):
            # dash: `a &> b c` is `a &` and then `c`.
            self._scan.dynamic.append("dialect")
        found = _ASSIGNMENT.match(self._text, begin) if not command.words else None
        if found is None:
            if word.plain and word.text in ("}", "{") and command.words:
                self._scan.dynamic.append("dialect")
            command.words.append(word)
        elif found[2] != "=":
            self._scan.dynamic.append("assignment")
            command.assignments.append((found[1], word))
        else:
            self._assign(command, found, word)

    def _assign(self, command: Simple, found: re.Match[str], word: Word) -> None:
        name = found[1]
        if self._text[word.end : word.end + 1] == "(":
            self._scan.dynamic.append("assignment")
        value = word.text[len(name) + 1 :]
        # A value is not split and not matched against files, so a pattern in it is only text; a tilde would be the home folder.
        reason = word.dynamic or ("tilde" if self._text.startswith("~", found.end()) else "")
        command.assignments.append((name, Word(value, word.start, word.end, reason, plain=word.plain)))

    def _reserved(self, word: Word) -> bool:
        """Whether the word is a reserved one, which is no command."""
        if word.text in _PASSED_OVER:
            return self._current is None or word.text == "!"
        if word.text in _OPAQUE or word.text in _DIALECT:
            self._scan.dynamic.append("dialect" if word.text in _DIALECT else "compound")
        return False

    def _redirect(self, operator: str) -> None:
        command = self._command()
        if _RANGE.match(self._text, self._at):
            # zsh: a pattern for numbers.
            self._scan.dynamic.append("dialect")
        self._at += len(operator)
        if operator in ("<", ">") and self._text.startswith("(", self._at):
            self._scan.dynamic.append("substitution")
            return
        while self._at < len(self._text) and (
            self._text[self._at] in BLANKS or self._text.startswith("\\\n", self._at)
        ):
            self._at += 2 if self._text[self._at] == "\\" else 1
        if operator in ("<<", "<<-"):
            self._here(command, operator)
            return
        if self._at >= len(self._text) or self._text[self._at] in OPERATORS:
            raise UnreadableError
        word = WordReader(self._text, self._at).read()
        if self._text[self._at] == "!":
            # zsh: `>! f` is `>| f`.
            self._scan.dynamic.append("dialect")
        self._at = word.end
        if operator == "<<<":
            if word.dynamic:
                self._scan.dynamic.append(word.dynamic)
            command.redirects.append(Redirect("<<", None))
        elif operator in (">&", "<&") and word.plain and re.fullmatch(r"[0-9]+-?|-", word.text):
            return
        else:
            if operator == "<&" or (operator == ">&" and self._text[word.start] in "-0123456789"):
                # `>&-x`: shells differ in where the redirection ends.
                self._scan.dynamic.append("descriptor")
            command.redirects.append(Redirect(operator, word))

    def _here(self, command: Simple, operator: str) -> None:
        found = _DELIMITER.match(self._text, self._at)
        if found is None:
            # A delimiter that is quoted in parts: shells differ in what it is.
            raise UnreadableError
        self._at = found.end()
        self._bodies.append((found["name"], operator == "<<-", bool(found["quote"])))
        command.redirects.append(Redirect("<<", None))

    def _here_documents(self) -> None:
        for name, tabs, quoted in self._bodies:
            while True:
                if self._at >= len(self._text):
                    raise UnreadableError
                end = self._text.find("\n", self._at)
                line = self._text[self._at : end if end >= 0 else len(self._text)]
                self._at = len(self._text) if end < 0 else end + 1
                if (line.lstrip("\t") if tabs else line) == name:
                    break
                if not quoted and ("$" in line or "`" in line or "\\" in line):
                    self._scan.dynamic.append("substitution")
        self._bodies = []
