"""What a session's driver asks of the engine, as structural types: `engine.gate.Gate` and `engine.release.Release`, or what wraps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.engine.sessions import Session
    from interpose.model.command import Command
    from interpose.model.refusal import HoldNotice
    from interpose.protocols.intents import Answer, Show, ShowAnswer


class Judge(Protocol):
    """Judges commands."""

    def judge_now(self, session: Session, command: Command) -> Answer | None:
        """Without waiting; None when something must be awaited."""
        ...

    async def judge(self, session: Session, command: Command, on_hold: Callable[[HoldNotice], None]) -> Answer:
        """With waiting; cancelling it voids the hold."""
        ...


class Shower(Protocol):
    """Decides how results are shown."""

    def show_now(self, session: Session, show: Show) -> ShowAnswer | None:
        """Without waiting; None when something must be awaited."""
        ...

    async def show(self, session: Session, show: Show) -> ShowAnswer:
        """With waiting."""
        ...
