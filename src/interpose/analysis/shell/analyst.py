"""The analyst of commands for a host: command lines by reading them, files, forwards and the rest by what they ask for."""

from __future__ import annotations

from dataclasses import replace

from interpose.analysis.shell import guard, tree
from interpose.analysis.shell.commands import Commands
from interpose.analysis.shell.effects import Effects, TooManyError
from interpose.analysis.shell.guard import Limits
from interpose.analysis.shell.invocation import Invocation
from interpose.analysis.shell.requests import request_effects
from interpose.analysis.shell.scanner import Simple, scan
from interpose.analysis.shell.words import UnreadableError, Word
from interpose.model.analysis import Analysis, NeedsCatalog, Unanalysable
from interpose.model.catalog import CatalogView
from interpose.model.command import Command, CommandKind, HostContext

_SYNTAX = Unanalysable(
    "syntax_error",
    "this is no command line that bash, dash and zsh all read alike",
    "quote plainly, and send one simple command at a time",
)
_TOO_LONG = Unanalysable("too_long", "the command does too many things at once", "send it in several commands")
_NO_HOST = Unanalysable("unknown_command", "this is no command for a host", "")


class ShellAnalyst:
    """Says what commands of SSH would do. Pure: it runs nothing and looks at no file."""

    def __init__(self, limits: Limits | None = None) -> None:
        """`limits` bound the text and its effects; an analysis takes time in proportion to the text."""
        self._limits = limits or Limits()

    def analyse(self, command: Command, catalog: CatalogView) -> Analysis | NeedsCatalog | Unanalysable:
        """The effects of a command; the catalog is not looked at. An analysis depends on the session: on its account and folders."""
        context = command.context
        if not isinstance(context, HostContext):
            return _NO_HOST
        if command.kind is not CommandKind.EXEC:
            return request_effects(command, context)
        refusal = guard.check(command.text, self._limits)
        if refusal is not None:
            return refusal
        reader = _Reader(context, self._limits)
        try:
            reader.read(command.text, None)
        except TooManyError:
            return _TOO_LONG
        except (UnreadableError, RecursionError):
            return _SYNTAX
        return Analysis(reader.effects.all, ())

    def cache_key(self, text: str) -> str | None:
        """None: every word of a command line is a literal that decides what it does."""
        return None


class _Reader:
    """Reads texts, nested ones as well, into one set of effects."""

    def __init__(self, context: HostContext, limits: Limits) -> None:
        self.effects = Effects(context, limits)
        self._limits = limits
        self._commands = Commands(self.effects, self._nested)

    def _nested(self, text: str, run: Invocation) -> None:
        """A text that a program of the text hands to a shell; one that is no shell makes everything dynamic."""
        if guard.check(text, self._limits) is not None:
            self.effects.dynamic("text", run)
            return
        folders, ever = self.effects.folders, self.effects.ever
        try:
            self.read(text, run)
        except UnreadableError:
            self.effects.dynamic("text", run)
        # What a child shell does to its folder is not seen outside.
        self.effects.folders, self.effects.ever = folders, ever

    def read(self, text: str, within: Invocation | None) -> None:
        """One text; raises `UnreadableError` when it is no shell to either reading."""
        reading = tree.read(text)
        if reading is None:
            raise UnreadableError
        found = scan(text)
        starts = {command.words[0].start for command in found.commands if command.words}
        reasons = list(dict.fromkeys(found.dynamic))
        if not reading.plain and not reasons and not any(_unsure(command) for command in found.commands):
            reasons.append("compound")
        if starts != reading.starts and not reasons and reading.plain:
            reasons.append("grammar")
        for reason in reasons:
            self.effects.dynamic(reason, within)
        for command in found.commands:
            self._simple(command, within)
        if reasons or not reading.plain or starts != reading.starts:
            # Commands inside of substitutions, functions and loops: for rules that forbid.
            self.effects.perhaps()
            for words in reading.commands:
                self._commands.run(_invocation(words, within))

    def _simple(self, command: Simple, within: Invocation | None) -> None:
        if command.before != "&&":
            self.effects.perhaps()
        run = None
        if command.words:
            run = replace(
                _invocation(tuple(command.words), within),
                pipeline=command.pipeline or (within is not None and within.pipeline),
                redirects=any(each.target is not None for each in command.redirects),
            )
        self._commands.assign((name for name, _ in command.assignments), (value for _, value in command.assignments))
        for redirect in command.redirects:
            self._commands.redirect(redirect, run)
        if run is not None:
            self._commands.run(run)


def _invocation(words: tuple[Word, ...], within: Invocation | None) -> Invocation:
    if within is None:
        return Invocation(words)
    return Invocation(words, within.sudo, within.run_as, within.pipeline, depth=within.depth)


def _unsure(command: Simple) -> bool:
    """Whether any word is dynamic, so that `exec_dynamic` is among the effects anyway."""
    every = (*command.words, *(value for _, value in command.assignments))
    targets = (redirect.target for redirect in command.redirects if redirect.target is not None)
    return any(word.dynamic for word in (*every, *targets))
