"""What the network side tells the operator: ports that `telemetry` implements, and the byte counts that it reads.

Nothing that passes through here is data: ids, names of connections, machine words and places in the code.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from interpose.engine.sessions import Session
    from interpose.model.errors import InterposeError
    from interpose.model.ids import SessionId


class Journal(Protocol):
    """Operator's words about clients and sessions; must not block and must not raise."""

    def login_failed(self, source: str, protocol: str, reason: str) -> None:
        """A client did not become a session; `reason` is a refusal's code or a machine word (`deadline`, `tls_failed` …)."""
        ...

    def session_opened(self, session: Session, protocol: str, tls: str) -> None:
        """A session began; `tls` is the version towards the client, empty without."""
        ...

    def session_closed(self, session: Session, reason: str, from_client: int, to_client: int, seconds: float) -> None:
        """A session ended after `seconds`; byte counts are plaintext."""
        ...

    def session_failed(self, session: SessionId | None, failure: str) -> None:
        """Our own fault closed a session (or a login, None); `failure` says where in the code, never what data."""
        ...

    def upstream_failed(self, connection: str, error: InterposeError) -> None:
        """An upstream did not let the gateway in, or did not take a cancel."""
        ...

    def accepting_paused(self, address: str, cause: str) -> None:
        """A listener accepts nobody for a moment: the process is out of descriptors or memory."""
        ...


class Traffic:
    """Plaintext bytes of all sessions of this worker, and rows that were masked: plain numbers, so that counting costs little."""

    __slots__ = ("from_client", "masked_rows", "to_client")

    def __init__(self) -> None:
        """All zero."""
        self.from_client = 0
        self.to_client = 0
        self.masked_rows = 0


def place_of(error: BaseException) -> str:
    """What kind of error it was and where in the code it arose, innermost last, without its message: that may quote data."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " > ".join(f"{PurePath(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames)
    cause = error.__cause__ or error.__context__
    behind = f" (from {type(cause).__name__})" if cause is not None else ""
    return f"{type(error).__name__} at {where or 'an unknown place'}{behind}"
