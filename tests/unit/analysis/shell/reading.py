"""The shortest way from a command line to its effects."""

from __future__ import annotations

from interpose.analysis.shell.analyst import ShellAnalyst
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, Unanalysable
from interpose.model.command import Command, CommandKind, HostContext
from interpose.policy.names import describe


def found(text: str, *, home: str = "/home/me", cwd: str = "/home/me") -> Analysis | Unanalysable:
    """What the analyst says."""
    command = Command(CommandKind.EXEC, text, HostContext("me", home, cwd))
    made = ShellAnalyst().analyse(command, None)  # type: ignore[arg-type]
    assert isinstance(made, (Analysis, Unanalysable))
    return made


def effects(text: str, **where: str) -> tuple[Effect, ...]:
    """Its effects."""
    made = found(text, **where)
    assert isinstance(made, Analysis), made
    return made.effects


def told(text: str, **where: str) -> list[str]:
    """Its effects as words: `exec program rm`."""
    return [f"{effect.action.value} {describe(effect.resource)}" for effect in effects(text, **where)]


def programs(text: str, **where: str) -> list[str]:
    """The command lines of all programs."""
    return [str(each.facts["command_line"]) for each in effects(text, **where) if each.action is Action.EXEC]


def kinds(text: str, **where: str) -> list[object]:
    """Why it is dynamic; empty when it is not."""
    return [each.facts["dynamic_kind"] for each in effects(text, **where) if each.action is Action.EXEC_DYNAMIC]


def paths(text: str, action: Action, **where: str) -> list[str]:
    """The paths of one action; `?` follows one that is not resolved, `/**` one that is recursive."""
    return [
        each.resource.path  # type: ignore[union-attr]
        + ("" if each.resource.resolved else "?")  # type: ignore[union-attr]
        + (" **" if each.facts["recursive"] else "")
        for each in effects(text, **where)
        if each.action is action
    ]
