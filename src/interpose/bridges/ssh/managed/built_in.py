"""What a managed shell does by itself: folders, variables, history and help. What touches the host is judged as any command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from interpose.bridges.ssh.channels import MOST_VARIABLE_BYTES, MOST_VARIABLES
from interpose.bridges.ssh.managed.surroundings import NAME
from interpose.model.command import Command, CommandKind
from interpose.model.paths import is_canonical
from interpose.recording.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interpose.analysis.shell.words import Word
    from interpose.bridges.ssh.managed.surroundings import Surroundings
    from interpose.protocols.intents import Allowed

_NAMES: Final = ("cd", "exit", "export", "help", "history", "logout", "pwd", "unset")
_REFUSED: Final = 126
_WRONG: Final = 2
_HELP: Final = """\
Each line is judged as one command, recorded, and run by itself on the host.
By the gateway itself: cd [folder | -], pwd, export NAME=value, unset NAME, history, help, exit [status].
From line to line only the folder and what you export are carried along: no functions, aliases, other variables,
shell options, background jobs, umask or limits. Paste several lines, or use `;`, to have them judged as one.
"""


class Shell(Protocol):
    """What the built-in commands use."""

    surroundings: Surroundings

    def show(self, text: str) -> None:
        """Write lines."""
        ...

    def tell(self, text: str) -> None:
        """Write a line of the gateway's own."""
        ...

    async def judge(self, command: Command) -> Allowed | None:
        """Judge; None after the refusal was told."""
        ...

    async def ask(self, text: str) -> tuple[int, str, str] | None:
        """Judge and run a command, without showing anything."""
        ...

    def would(self, kind: CommandKind, text: str) -> str:
        """What would be decided."""
        ...

    def programs(self) -> list[str]:
        """The programs that policy names."""
        ...

    @property
    def history(self) -> Sequence[str]:
        """The lines so far."""
        ...

    def ended(self, answer: Allowed) -> None:
        """A permission is over."""
        ...


class Builtins:
    """The built-in commands of one shell."""

    def __init__(self, shell: Shell) -> None:
        """For this shell."""
        self._shell = shell

    async def run(self, words: list[Word]) -> int | None:
        """Do one; its status. None for what is none of these and goes to the host."""
        name, rest = words[0].text, words[1:]
        if not words[0].literal:
            return None
        match name:
            case "cd":
                return await self._cd(rest)
            case "pwd" if not rest and self._shell.surroundings.folder:
                self._shell.show(sanitize(self._shell.surroundings.folder))
                return 0
            case "export":
                return await self._export(rest)
            case "unset":
                return self._unset(rest)
            case "history":
                lines = self._shell.history
                self._shell.show("\n".join(f"{number:5}  {sanitize(line)}" for number, line in enumerate(lines, 1)))
                return 0
            case "help":
                return self._help()
            case _:
                return None

    async def _cd(self, words: list[Word]) -> int:
        if words and words[0].text == "--" and words[0].literal:
            words = words[1:]
        if len(words) > 1 or (words and words[0].text.startswith("-") and words[0].text != "-"):
            return self._wrong("cd takes one folder")
        surroundings = self._shell.surroundings
        text = surroundings.move(words[0] if words else None)
        if text is None:
            return self._wrong("cd: there is no folder before this one")
        answer = await self._shell.ask(text)
        if answer is None:
            return _REFUSED
        status, out, error = answer
        folder = out.removesuffix("\n")
        if status == 0 and is_canonical(folder):
            surroundings.moved(folder)
            if words and words[0].text == "-":
                self._shell.show(sanitize(folder))
            return 0
        said = error.strip().splitlines()
        self._shell.tell(sanitize(said[-1] if said else "cd: the host does not say where that is"))
        return status or 1

    async def _export(self, words: list[Word]) -> int:
        surroundings = self._shell.surroundings
        if not words:
            self._shell.show(
                "\n".join(sanitize(f"{name}={value}") for name, (value, _) in surroundings.variables.items())
            )
            return 0
        for word in words:
            name, equals, value = word.text.partition("=")
            if not equals or not NAME.fullmatch(name) or word.tilde:
                return self._wrong("export takes NAME=value, with a literal value")
            most = len(surroundings.variables) >= MOST_VARIABLES and name not in surroundings.variables
            if most or surroundings.size + len(name) + len(value) > MOST_VARIABLE_BYTES:
                return self._wrong("export: there are too many variables")
            answer = await self._shell.judge(Command(CommandKind.ENVIRONMENT, word.text, surroundings.context))
            if answer is None:
                return _REFUSED
            self._drop(name)
            # It is sent with every line from now on, under this permit, until it is unset.
            answer.permit.spend()
            surroundings.variables[name] = (value, answer)
        return 0

    def _unset(self, words: list[Word]) -> int | None:
        names = [word.text for word in words]
        if not names or any(name not in self._shell.surroundings.variables for name in names):
            return self._wrong("unset takes names that were given to `export` here")
        for name in names:
            self._drop(name)
        return 0

    def _drop(self, name: str) -> None:
        found = self._shell.surroundings.variables.pop(name, None)
        if found is not None:
            self._shell.ended(found[1])

    def check(self) -> None:
        """Raise unless every exported variable is still permitted to be sent."""
        for _, answer in self._shell.surroundings.variables.values():
            answer.permit.check_part()

    def end(self) -> None:
        """The shell is over."""
        for name in list(self._shell.surroundings.variables):
            self._drop(name)

    def _help(self) -> int:
        named = self._shell.programs()
        would = {name: self._shell.would(CommandKind.EXEC, name) for name in named}
        shown = [_HELP]
        for word, about in (
            ("permit", "Permitted"),
            ("hold", "After an approval"),
            ("forbid", "Named by policy, judged by what they are given"),
        ):
            names = [sanitize(name) for name in named if would[name] == word]
            if names:
                shown.append(f"{about}: {', '.join(names)}")
        if not named:
            shown.append("Policy names no program for you: each is judged when you give it.")
        self._shell.show("\n".join(shown))
        return 0

    def words(self) -> list[str]:
        """What the first word of a line may be completed to."""
        programs = [name for name in self._shell.programs() if self._shell.would(CommandKind.EXEC, name) != "forbid"]
        return sorted({*_NAMES, *(name for name in programs if name.isprintable() and " " not in name)})

    def _wrong(self, text: str) -> int:
        self._shell.tell(f"interpose: {text}")
        return _WRONG
