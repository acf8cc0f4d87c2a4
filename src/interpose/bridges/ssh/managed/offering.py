"""Who gets a managed shell: whom policy gives no shell of the host's, but this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interpose.model.command import Command, CommandKind
from interpose.protocols.intents import Refused

if TYPE_CHECKING:
    from interpose.bridges.ssh.session import SshSession
    from interpose.model.command import HostContext
    from interpose.protocols.intents import Answer

_NO_SHELL: Final = frozenset({"forbidden", "not_permitted"})
"""Refusals of a shell by policy. Any other (a denied approval, a record that is lost) stays one."""


def managed_command(context: HostContext) -> Command:
    """The command of asking for one."""
    return Command(CommandKind.MANAGED_SHELL, "", context)


def offers_managed(session: SshSession, answer: Answer | None) -> bool:
    """Whether a managed shell is asked for in the place of a shell that was refused."""
    if not isinstance(answer, Refused) or answer.refusal.code not in _NO_SHELL:
        return False
    return session.parts.foresight.would(session.session, managed_command(session.context)) != "forbid"
