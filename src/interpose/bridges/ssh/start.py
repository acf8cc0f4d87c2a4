"""What a channel is to run, and the permissions for it: each is spent when it is sent, and all are ended together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncssh

from interpose.model.command import CommandKind
from interpose.model.refusal import Refusal

if TYPE_CHECKING:
    from interpose.bridges.ssh.session import SshSession
    from interpose.protocols.intents import Allowed

KINDS: Final = {"exec": CommandKind.EXEC, "shell": CommandKind.SHELL, "subsystem": CommandKind.SUBSYSTEM}
"""The kind of command of each start request."""

UNMASKABLE: Final = frozenset({CommandKind.SUBSYSTEM, CommandKind.FORWARD})
"""Whose bytes are another protocol's: they cannot be searched for values and stay what they are."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a channel is to run: `kind` is `exec`, `shell` or `subsystem`."""

    kind: str
    text: str = ""


SFTP: Final = Start("subsystem", "sftp")
"""The subsystem that is not judged as a whole: each of its operations is."""


class Permitted:
    """The permissions of one start: each is spent when it is sent, and all are ended together. `recorded`: its channel is open in the recording."""

    __slots__ = ("_answers", "_session", "recorded", "sent", "start")

    def __init__(self, session: SshSession) -> None:
        """None yet."""
        self._session = session
        self._answers: list[Allowed] = []
        self.start: Allowed | None = None
        self.sent = False
        self.recorded = False

    def add(self, answer: Allowed) -> None:
        """One part is permitted."""
        self._answers.append(answer)

    def spend(self) -> None:
        """All of it is sent now."""
        for answer in self._answers:
            answer.permit.spend()
        self.sent = True

    def check_part(self) -> None:
        """Raise unless all of it was sent and is open: more of it may follow."""
        for answer in self._answers:
            answer.permit.check_part()

    def end(self, outcome: str, tag: str = "") -> None:
        """All of it is over; once."""
        answers, self._answers = self._answers, []
        for answer in answers:
            self._session.ended(answer, outcome, tag if answer is self.start else "")


def variable_text(name: bytes, value: bytes) -> str:
    """`NAME=value` for judging; empty for what is no text, which is never let through."""
    try:
        return f"{name.decode()}={value.decode()}"
    except UnicodeDecodeError:
        return ""


def cannot_start(error: Exception) -> Refusal:
    """Why the upstream did not begin it."""
    reason = "the connection was lost"
    if isinstance(error, asyncssh.ChannelOpenError):
        # Without a code it is of the gateway's own words. The host's would be in no record, and nothing in them was masked.
        reason = "it opens no channel" if error.code else error.reason
    return Refusal("upstream_error", f"the host did not start it: {reason}", "try again, or ask the gateway's operator")
