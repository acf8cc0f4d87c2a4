"""The operator's view of clients and sessions: one line when a session opens, one when it closes, and the counts.

Implements what `net` calls its journal. Lines carry ids, names of principals and connections, addresses and machine words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interpose.engine.sessions import Session
    from interpose.model.errors import InterposeError
    from interpose.model.ids import SessionId
    from interpose.telemetry.logs import Logger
    from interpose.telemetry.metrics import SessionMetrics


class OperatorJournal:
    """Writes lines and counts."""

    def __init__(self, logger: Logger, metrics: SessionMetrics) -> None:
        """One object a worker."""
        self._logger = logger
        self._metrics = metrics

    def login_failed(self, source: str, protocol: str, reason: str) -> None:
        """A client did not become a session."""
        self._metrics.login_failed(protocol, reason)
        self._logger.info("login.failed", source=source, protocol=protocol, reason=reason)

    def session_opened(self, session: Session, protocol: str, tls: str) -> None:
        """A session began."""
        self._metrics.opened(session.connection.name)
        self._logger.info(
            "session.opened",
            session=session.id,
            principal=session.label,
            connection=session.connection.name,
            protocol=protocol,
            source=session.source,
            tls=tls or "none",
        )

    def session_closed(self, session: Session, reason: str, from_client: int, to_client: int, seconds: float) -> None:
        """A session ended."""
        self._metrics.closed(session.connection.name, reason)
        self._logger.info(
            "session.closed",
            session=session.id,
            reason=reason,
            seconds=round(seconds, 3),
            commands=session.commands,
            refused=session.refused,
            from_client=from_client,
            to_client=to_client,
        )

    def session_failed(self, session: SessionId | None, failure: str) -> None:
        """Our own fault closed a session, or a login."""
        self._metrics.fault()
        self._logger.error("session.failed", session=session, failure=failure)

    def upstream_failed(self, connection: str, error: InterposeError) -> None:
        """An upstream did not let the gateway in, or did not take a cancel."""
        self._metrics.upstream_failed(connection, error.code)
        self._logger.warning(
            "upstream.failed", connection=connection, code=error.code, message=error.public_message, detail=error.detail
        )

    def accepting_paused(self, address: str, cause: str) -> None:
        """A listener accepts nobody for a moment."""
        self._metrics.paused()
        self._logger.warning("accepting.paused", address=address, cause=cause)
