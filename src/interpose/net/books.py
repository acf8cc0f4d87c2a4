"""The books of one session on the network side: bytes both ways, and closing the session exactly once with its reason."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpose.net.journal import place_of

if TYPE_CHECKING:
    from interpose.engine.sessions import Session
    from interpose.net.journal import Journal, Traffic


class Books:
    """Counts plaintext bytes, for the session and for the worker, and seals the session."""

    __slots__ = ("_from_client", "_journal", "_loop", "_opened_at", "_session", "_to_client", "_traffic", "closed")

    def __init__(self, session: Session, journal: Journal, traffic: Traffic) -> None:
        """Opened now."""
        self._session = session
        self._journal = journal
        self._traffic = traffic
        self._loop = asyncio.get_running_loop()
        self._opened_at = self._loop.time()
        self._from_client = 0
        self._to_client = 0
        self.closed = False

    def came(self, size: int) -> None:
        """Bytes came from the client."""
        self._from_client += size
        self._traffic.from_client += size

    def went(self, size: int) -> None:
        """Bytes went to the client."""
        self._to_client += size
        self._traffic.to_client += size

    def masked(self, rows: int) -> None:
        """Rows went to the client through a masking plan."""
        self._traffic.masked_rows += rows

    def failed(self, error: BaseException | str) -> None:
        """Something of ours failed in this session: where (or what the relay says of it), never with what data."""
        self._journal.session_failed(self._session.id, error if isinstance(error, str) else place_of(error))

    def close(self, reason: str) -> None:
        """Seal; once."""
        if self.closed:
            return
        self.closed = True
        try:
            self._session.close(reason)
        except Exception as error:  # noqa: BLE001 -- told, and the session leaves the books of the worker all the same
            self.failed(error)
        seconds = self._loop.time() - self._opened_at
        self._journal.session_closed(self._session, reason, self._from_client, self._to_client, seconds)
