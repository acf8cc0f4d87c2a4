"""The walk over what the upstream sends: headers only, and each message to whoever knows it.

What may go down as it stands is emitted in as few pieces as there are clearances.
"""

from __future__ import annotations

from typing import Final

from interpose.protocols.intents import Deliver, Reply
from interpose.protocols.postgres.relay.completions import Completions
from interpose.protocols.postgres.relay.outstanding import (
    ABORT,
    BIND,
    DESCRIBE,
    PASS,
    QUERY,
    SWALLOW,
    Expected,
    Running,
)
from interpose.protocols.postgres.relay.results import COPY_DATA, DATA_ROW, DROP, GO, UpstreamFault
from interpose.protocols.postgres.wire import HEADER

_PIECE: Final = 1 << 16
_ROWS: Final = frozenset((DATA_ROW, COPY_DATA))


class Downward(Completions):
    """The downward half of the relay."""

    __slots__ = ()

    def _walk(self) -> None:
        """Work on what the upstream sent, as far as it goes."""
        box = self._upstream
        if self._showing is not None or not self._skip_pieces() or not self._whole():
            return
        buffer, position = box.data, box.position
        size = len(buffer)
        self._down_start = position
        queue = self._queue
        unpack = HEADER.unpack_from
        while size - position >= 5:
            kind, length = unpack(buffer, position)
            if self._ended and kind != 0x5A:
                self._deliver(buffer, position)
            due = queue[0] if queue else None
            if kind in _ROWS:
                after = self._rows(due, kind, buffer, position)
                if after < 0:
                    break
                position = after
                continue
            end = position + 1 + length
            if length < 4 or length > self._facts.max_message:
                raise UpstreamFault("a message with an impossible length")
            if end > size:
                break
            if kind == 0x32 and due is not None and due.kind == BIND and due.portal is not None:
                # The hot path of `_named` and `_row_description`.
                queue.popleft()
                due.portal.resolved, due.portal.prev = True, None
                treatment = GO
            elif kind == 0x54 and due is not None and due.kind == DESCRIBE and due.portal is not None and not due.own:
                queue.popleft()
                due.portal.shape = buffer[position + 5 : end]
                treatment = GO
            else:
                treatment = self._message(kind, due, buffer, position, end)
            if treatment == GO:
                position = end
            elif treatment == DROP:
                self._deliver(buffer, position)
                position = self._down_start = end
            else:
                break
            if queue and queue[0].kind > QUERY and queue[0].kind != ABORT:
                self._deliver(buffer, position)
                self._settle()
                if self._closed:
                    return
        self._deliver(buffer, min(position, size))
        box.position = position
        if self._show is not None:
            self._out.append(self._show)
            self._show = None

    def _whole(self) -> bool:
        """Whether there is something to walk; joins what came in pieces."""
        box = self._upstream
        if not box.gather(5):
            return False
        kind, length = HEADER.unpack_from(box.data, box.position)
        want: int = 1 + length
        if kind in _ROWS and want > _PIECE:
            due = self._queue[0] if self._queue else None
            if not isinstance(due, Running) or due.mode in (PASS, SWALLOW):
                want = _PIECE
        if len(box.data) - box.position < want:
            box.gather(want)
        return True

    def _skip_pieces(self) -> bool:
        """Pass (or drop) the rest of a row that is not kept until it is whole. False: more of it is to come."""
        if not self._upstream_skip:
            return True
        box = self._upstream
        box.gather(len(box))
        take = min(self._upstream_skip, len(box))
        self._upstream_skip -= take
        if take and not self._skip_drops:
            self._out.append(Deliver(self._down_clearance, box.data[box.position : box.position + take]))
        box.position += take
        if self._upstream_skip:
            return False
        self._skip_drops = False
        self._out.extend(Reply(data) for data in self._late)
        self._late.clear()
        return True

    def _message(self, kind: int, due: Expected | None, buffer: bytes, position: int, end: int) -> int:
        """Treat one whole message: `GO`, `DROP` or `WAIT`."""
        if kind == 0x43 and due is not None:
            return self._complete(due, buffer, position, end)
        if kind == 0x5A and due is not None:
            return self._ready(due, chr(buffer[position + 5]) if end == position + 6 else "")
        if kind == 0x32 or kind == 0x31 or kind == 0x33:
            return self._named(kind, due)
        if kind == 0x54 and due is not None:
            return self._row_description(due, buffer, position, end)
        if kind == 0x45:
            return self._error(due, buffer, position, end)
        if kind == 0x4E:
            return self._notice(due, buffer, position, end)
        if kind == 0x53:
            return self._parameter(due, buffer, position, end)
        if kind == 0x41:
            return self._notification(buffer, position, end)
        if due is not None:
            if kind == 0x6E or kind == 0x74:
                return self._described(kind, due)
            if kind == 0x73 or kind == 0x49:
                return self._suspended(kind, due, buffer, position, end)
            if kind == 0x48:
                return self._copy_out(due, buffer, position, end)
            if kind == 0x63:
                return self._copy_done(due)
            if kind == 0x47:
                return self._copy_in_begins(due)
        raise UpstreamFault(f"an unexpected message of type {chr(kind)!r}")
