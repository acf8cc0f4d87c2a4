"""One policy as the house knows it: its effect, what its annotations say, and where it is written."""

from __future__ import annotations

from dataclasses import dataclass

from interpose.model.decisions import ApprovalRule
from interpose.model.ids import PolicyId


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy.

    `permits` tells a permit from a forbid. `observes` is `@mode("observe")`: it is recorded and changes nothing. `approval` is what
    lifts a forbid, None for one that nothing lifts. `mask` is the text of `@mask`; `max_rows` a permit's cap on the
    rows of a result. `reason` and `hint` are sentences for the client, empty when not given. `line` is 1-based.
    """

    id: PolicyId
    permits: bool
    file: str
    line: int
    text: str
    observes: bool = False
    approval: ApprovalRule | None = None
    mask: str | None = None
    max_rows: int | None = None
    reason: str = ""
    hint: str = ""
    description: str = ""
