"""An analyst that does not read command lines: whatever they run is dynamic, and only policy that permits just that lets it through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, Unanalysable
from interpose.model.catalog import CatalogView
from interpose.model.command import Command, CommandKind
from interpose.model.resources import HostResource

_ACTIONS: Final[Mapping[CommandKind, Action]] = {
    CommandKind.EXEC: Action.EXEC_DYNAMIC,
    CommandKind.SHELL: Action.SHELL,
    CommandKind.PTY: Action.PTY,
    CommandKind.ENVIRONMENT: Action.SET_ENV,
    CommandKind.SUBSYSTEM: Action.SUBSYSTEM,
}


class UnreadAnalyst:
    """Implements `Analyst`."""

    def analyse(self, command: Command, catalog: CatalogView) -> Analysis | Unanalysable:
        """One effect on the host."""
        action = _ACTIONS.get(command.kind)
        if action is None:
            return Unanalysable("unanalysable", "this kind of request is not understood")
        if "\0" in command.text:
            return Unanalysable("nul_byte", "the command holds a NUL byte")
        facts = {"env_name": command.text.partition("=")[0]} if action is Action.SET_ENV else {}
        return Analysis((Effect(action, HostResource(), facts),), ())

    def cache_key(self, text: str) -> str | None:
        """No two texts are alike."""
        return None
