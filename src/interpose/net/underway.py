"""Which commands went up and are not over: so that what comes down is recorded with the command that it answers."""

from __future__ import annotations

from collections import deque


class Underway:
    """Sequence numbers of commands on their way, oldest first; upstreams answer in order."""

    __slots__ = ("_last", "_open")

    def __init__(self) -> None:
        """None yet."""
        self._open: deque[int] = deque()
        self._last = 0

    def __bool__(self) -> bool:
        """Whether any command is on its way."""
        return bool(self._open)

    @property
    def current(self) -> int:
        """The command that is answered now; when none is on its way, the last that was."""
        return self._open[0] if self._open else self._last

    def sent(self, sequence: int) -> None:
        """A command went up."""
        self._last = sequence
        self._open.append(sequence)

    def answers(self, sequence: int) -> None:
        """What comes down now answers this command: those before it are over. One that is not on its way changes nothing."""
        commands = self._open
        if commands and commands[0] != sequence and sequence in commands:
            while commands[0] != sequence:
                commands.popleft()

    def ended(self, sequence: int) -> None:
        """This command is over, and those before it."""
        self.answers(sequence)
        if self._open and self._open[0] == sequence:
            self._open.popleft()
