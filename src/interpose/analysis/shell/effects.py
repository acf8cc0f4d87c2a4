"""Effects of a command line as they are found, and the working folders that it may be in when it does them."""

from __future__ import annotations

from collections.abc import Iterable

from interpose.analysis.shell.guard import Limits
from interpose.analysis.shell.invocation import Invocation, exec_facts
from interpose.analysis.shell.words import Word
from interpose.model.actions import Action
from interpose.model.analysis import Effect, FactValue
from interpose.model.command import HostContext
from interpose.model.paths import lexical
from interpose.model.resources import HostResource, PathResource, Resource

UNKNOWN = PathResource("?", resolved=False)
"""A path of which nothing is known."""

_ELSEWHERE = PathResource("..", resolved=False)
"""Where a `..` may lead when the part before it is a symbolic link."""

_ALIASES = frozenset({"root", "cwd", "fd", "exe", "map_files"})
"""Names below `/proc/<id>` that are links to anywhere."""

_SILENT = frozenset({"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/full"})


class TooManyError(Exception):
    """A command has more effects than the limit."""


class Effects:
    """Collects effects, each once, in the order of the text."""

    def __init__(self, context: HostContext, limits: Limits) -> None:
        """Begins in the session's working folder, which is None here when it is not known."""
        self.home = context.home or None
        self.folders: frozenset[str | None] = frozenset({context.cwd or context.home or None})
        self.ever = self.folders
        self.uncertain = False
        self._limits = limits
        self._found: dict[tuple[object, ...], Effect] = {}

    @property
    def all(self) -> tuple[Effect, ...]:
        """The effects so far."""
        return tuple(self._found.values())

    def add(self, action: Action, resource: Resource, facts: dict[str, FactValue] | None = None) -> None:
        """One effect; raises `TooManyError`."""
        given = facts or {}
        self._found.setdefault((action, resource, tuple(sorted(given.items()))), Effect(action, resource, given))
        if len(self._found) > self._limits.effects:
            raise TooManyError

    def run(self, run: Invocation, *, wrapper: bool = False) -> None:
        """A program is run."""
        self.add(Action.EXEC, run.program, exec_facts(run, wrapper))

    def dynamic(self, kind: str, run: Invocation | None = None) -> None:
        """Something is run that the text does not tell."""
        self.uncertain = True
        facts: dict[str, FactValue] = {"dynamic_kind": kind}
        if run is not None:
            facts["program"] = run.program.name
            facts["sudo"] = run.sudo
            if run.run_as is not None:
                facts["run_as"] = run.run_as
        self.add(Action.EXEC_DYNAMIC, HostResource(), facts)

    def set_env(self, name: str) -> None:
        """A variable is set."""
        self.add(Action.SET_ENV, HostResource(), {"env_name": name})

    def path(
        self,
        action: Action,
        word: Word,
        run: Invocation | None = None,
        *,
        recursive: bool = False,
        to: Word | None = None,
    ) -> None:
        """An action on the paths that a word stands for."""
        facts: dict[str, FactValue] = {"recursive": recursive or word.below}
        if run is not None:
            facts["program"] = run.program.name
            facts["sudo"] = run.sudo
        if to is not None:
            facts["path_to"] = self.paths(to)[0].path
        for resource in self.paths(word):
            if resource.path not in _SILENT:
                self.add(action, resource, facts)

    def paths(self, word: Word) -> list[PathResource]:
        """The paths that a word can stand for, never none. One that is not resolved is the deepest folder that is known."""
        if word.dynamic or not word.text:
            return [UNKNOWN]
        text, pattern = word.text, word.pattern
        if word.tilde:
            if self.home is None:
                return [PathResource(text, resolved=False)]
            text, pattern = self.home + text[1:], pattern + len(self.home) - 1 if pattern >= 0 else -1
        if pattern >= 0:
            if ".." in text[pattern:].split("/"):
                return [UNKNOWN]
            folder, slash, part = text[:pattern].rpartition("/")
            # A pattern such as `.*` matches `..` as well.
            text = (folder + slash or "./") + (".." if part.startswith(".") else "")
        if text.startswith("/"):
            return self._absolute(text, certain=pattern < 0)
        found: list[PathResource] = []
        for folder_ in sorted(self.folders, key=str):
            if folder_ is None:
                found.append(PathResource(text, resolved=False))
            else:
                found += self._absolute(f"{folder_}/{text}", certain=pattern < 0 and len(self.folders) == 1)
        return found

    def _absolute(self, text: str, *, certain: bool) -> list[PathResource]:
        path = lexical(text)
        if path is None:
            return [UNKNOWN]
        parts = path.split("/")
        if (parts[1] == "proc" and _ALIASES & set(parts[2:])) or path.startswith("/dev/fd/"):
            return [PathResource(path, resolved=False), PathResource("/", resolved=False)]
        if ".." in text.split("/"):
            return [PathResource(path, resolved=False), _ELSEWHERE]
        return [PathResource(path, certain)]

    def move(self, to: Word | None) -> None:
        """`cd` is done; None when it cannot be told where to. The folder before stays possible until `arrived`."""
        if to is None or (not to.literal and not to.tilde):
            targets: frozenset[str | None] = frozenset({None})
        else:
            targets = frozenset(each.path if each.path.startswith("/") else None for each in self.paths(to))
        self.folders = targets
        self.ever |= targets

    def perhaps(self) -> None:
        """What comes next runs whether or not the commands before it succeeded."""
        self.folders = self.ever


def each_path(
    effects: Effects, action: Action, words: Iterable[Word], run: Invocation, *, recursive: bool = False
) -> None:
    """The same action on several words."""
    for word in words:
        effects.path(action, word, run, recursive=recursive)
