"""What one line of a managed shell hands on to the next: the working folder and the exported variables. Nothing else is carried along."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from interpose.analysis.shell.lines import quoted
from interpose.model.command import HostContext

if TYPE_CHECKING:
    from interpose.analysis.shell.words import Word
    from interpose.protocols.intents import Allowed

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A variable's name."""

_REFUSED_FOLDER: Final = 126


class Surroundings:
    """Where the shell is, and what it exports. Paths are canonical, or empty when they are not known."""

    def __init__(self, context: HostContext) -> None:
        """`context` is that of the login."""
        self.user = context.user
        self.home = context.home
        self.folder = context.cwd
        self.before = ""
        self.variables: dict[str, tuple[str, Allowed]] = {}

    @property
    def context(self) -> HostContext:
        """What decides what a line means."""
        return HostContext(self.user, self.home, self.folder)

    @property
    def size(self) -> int:
        """Characters of all variables."""
        return sum(len(name) + len(value) for name, (value, _) in self.variables.items())

    def moved(self, folder: str) -> None:
        """The working folder is another one."""
        self.before, self.folder = self.folder, folder

    def around(self, line: str) -> str:
        """The line as it is sent: behind literal lines of the gateway's own that lead to where it was judged to be.

        INVARIANT: `line` itself is not touched, and what stands before it are words in quotes, each judged when it was set.
        """
        before = [f"cd -- {quoted(self.folder)} || exit {_REFUSED_FOLDER}"] if self.folder else []
        before += [f"export {name}={quoted(value)}" for name, (value, _) in self.variables.items()]
        return "\n".join([*before, line])

    def move(self, to: Word | None) -> str | None:
        """The command that changes to a folder and says where that is; None for `cd -` without a folder before."""
        if to is None or to.text in ("~", "~/"):
            target = quoted(self.home) if self.home else "~"
        elif to.tilde:
            target = quoted(self.home + to.text[1:]) if self.home else "~/" + quoted(to.text[2:])
        elif to.text == "-":
            if not self.before:
                return None
            target = quoted(self.before)
        else:
            target = quoted(to.text)
        return f"cd -- {target} && pwd -P"
