"""Notifications as structured log lines, for whatever watches the log.

INVARIANT: no command text and no value is in a notification; an approver reads those where they are authorised to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interpose.engine.ports import Approval


class LineNotifier:
    """Writes one line when a command begins to wait and one when it no longer does."""

    def __init__(self, write: Callable[[str, Mapping[str, str | int]], None]) -> None:
        """`write(event, fields)` writes one line; it must not wait and must not raise (a logger does neither)."""
        self._write = write

    def approval_opened(self, approval: Approval) -> None:
        """A command waits."""
        self._write(
            "approval opened",
            {
                **_common(approval),
                "reason": approval.reason,
                "approvers": ", ".join(sorted({rule.approvers for rule in approval.rules})),
                "policies": ", ".join(rule.policy for rule in approval.rules),
                "expires_in": int(approval.expires_at - approval.created_at),
            },
        )

    def approval_closed(self, approval: Approval) -> None:
        """It no longer waits."""
        self._write("approval closed", _common(approval))


def _common(approval: Approval) -> dict[str, str | int]:
    return {
        "approval": approval.id,
        "requester": approval.requester.label,
        "connection": approval.connection,
        "session": approval.session,
    }
