"""Which answers are due from the upstream: one entry a message that was sent, in order (PostgreSQL 17 §53.2.2 and §53.2.3)."""

from __future__ import annotations

from typing import Final

from interpose.masking.copying import CopyStream
from interpose.masking.plan import MaskingPlan
from interpose.model.proofs import Clearance
from interpose.protocols.intents import Allowed
from interpose.protocols.postgres.relay.names import Portal, Statement

PARSE: Final = 0
BIND: Final = 1
DESCRIBE: Final = 2
EXECUTE: Final = 3
CLOSE: Final = 4
SYNC: Final = 5
QUERY: Final = 6
REFUSED: Final = 7
"""Nothing was sent: an ErrorResponse of the gateway's own waits for its turn."""
REFUSED_READY: Final = 8
"""As `REFUSED`, with the ReadyForQuery that a simple query is owed."""
ABORT: Final = 9
"""A message that must fail was sent, to abort an implicit transaction; the gateway's own error takes the place of its answer."""
FATAL: Final = 10
"""The gateway's last word waits for its turn; the session ends behind it."""

PASS: Final = 0
"""Rows go down as they are."""
UNDECIDED: Final = 1
"""The first row must wait for `Show`."""
MASK: Final = 2
"""Rows go through the plan."""
SWALLOW: Final = 3
"""Rows are dropped; an error stands in their place."""


class Expected:
    """One message whose answer is due. `own` answers are the gateway's and go no further; of `scrub` ones no free text does."""

    data = b""
    reason = ""

    def __init__(
        self,
        kind: int,
        *,
        own: bool = False,
        statement: Statement | None = None,
        portal: Portal | None = None,
        answer: Allowed | None = None,
        data: bytes = b"",
        reason: str = "",
        scrub: bool = False,
    ) -> None:
        """`statement` or `portal` is the version that hangs on it; `data` the gateway's own error, where there is one."""
        self.kind = kind
        self.own = own
        self.statement = statement
        self.portal = portal
        self.answer = answer
        if data:
            self.data, self.reason = data, reason
        self.scrub = scrub


class OfPortal(Expected):
    """The answer to a client's Bind or Describe of a portal; made for every command, hence defaults that cost nothing."""

    own = False
    statement = None
    answer = None

    def __init__(self, kind: int, portal: Portal, scrub: bool) -> None:
        """`portal` is the version that hangs on it."""
        self.kind = kind
        self.portal = portal
        self.scrub = scrub


class Running(Expected):
    """A Query or Execute on its way; made for every command, hence defaults that cost nothing instead of slots.

    `barrier` says that later commands wait for its end; `reads` that it only reads; `withholds` that the batch's Sync waits too, because its
    result may be refused after it has written. `cap` is how many more rows may be shown (None: any number).
    `index` is the statement that runs, `opened` says that its result has begun, `copying` that this is COPY data. `rows` counts
    delivered rows. `sqlstate` is set when it failed. `muted` says that the gateway's own error took the place of what is left.
    """

    own = False
    statement = None
    plan: MaskingPlan | None = None
    copy: CopyStream | None = None
    tags: list[str] | None = None
    cap: int | None = None
    index = 0
    rows = 0
    sqlstate = ""
    barrier = False
    reads = False
    withholds = False
    opened = False
    copying = False
    muted = False

    def __init__(self, kind: int, answer: Allowed, portal: Portal | None, clearance: Clearance) -> None:
        """`clearance` is the session's own for results in which nothing is hidden."""
        self.kind = kind
        self.portal = portal
        self.answer = answer
        self.scrub = answer.scrub
        self.mode = UNDECIDED if answer.describe else PASS
        self.clearance = clearance


CLIENT_SYNC: Final = Expected(SYNC)
"""A Sync of the client."""
SCRUBBED_SYNC: Final = Expected(SYNC, scrub=True)
"""A Sync that ends a batch within whose reach hidden values were: what is raised at its commit is scrubbed too."""

OWN_PARSE: Final = Expected(PARSE, own=True)
OWN_BIND: Final = Expected(BIND, own=True)
OWN_EXECUTE: Final = Expected(EXECUTE, own=True)
OWN_CLOSE: Final = Expected(CLOSE, own=True)
OWN_SYNC: Final = Expected(SYNC, own=True)
