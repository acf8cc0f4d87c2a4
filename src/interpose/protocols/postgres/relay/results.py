"""Results on their way down: rows and COPY data, passed on chunk by chunk, masked, or withheld.

INVARIANT: when something is hidden from the principal (`Allowed.describe`), no row goes down before `Show` was answered for a
shape that the upstream gave for exactly this result.
"""

from __future__ import annotations

from struct import error as struct_error
from typing import Final

from interpose.masking.rows import mask_data_rows
from interpose.model.errors import InterposeError, Malformed, Unmaskable
from interpose.model.refusal import Refusal
from interpose.model.shape import ResultShape
from interpose.protocols.intents import Deliver, Refused, Show, ShowAnswer
from interpose.protocols.postgres.backend import read_copy_shape, read_row_description
from interpose.protocols.postgres.refusals import refusal_message, sqlstate_of
from interpose.protocols.postgres.relay.core import Core
from interpose.protocols.postgres.relay.outstanding import (
    DESCRIBE,
    EXECUTE,
    MASK,
    OWN_EXECUTE,
    PASS,
    QUERY,
    SWALLOW,
    UNDECIDED,
    Expected,
    Running,
)
from interpose.protocols.postgres.wire import HEADER, frame

GO: Final = 0
"""The message goes down where it stands."""
DROP: Final = 1
"""The message goes no further."""
WAIT: Final = 2
"""The message must wait for `shown`."""

MAX_CELL: Final = 16 << 20
"""Bytes of one row that is masked; a longer one is refused (rows that are not masked pass in pieces)."""

_PIECE: Final = 1 << 16
"""An incomplete row longer than this is passed down in pieces when nothing in it is hidden."""

DATA_ROW: Final = 0x44
COPY_DATA: Final = 0x64


class UpstreamFault(Exception):  # noqa: N818 - caught by the walk; the upstream's fault, not ours
    """The upstream sent what the protocol does not allow at this point."""


class Results(Core):
    """Rows and COPY data."""

    __slots__ = ()

    # --- showing

    def _ask_show(self, running: Running, shape: ResultShape) -> int:
        """Ask whether a result may be shown; the walk stops until the answer."""
        answer = running.answer
        if answer is None:
            raise UpstreamFault("a result without a command")
        statements = answer.analysis.statements
        index: int | None = running.index
        if running.kind == EXECUTE:
            index = 0 if len(statements) == 1 else None
        elif running.index >= len(statements):
            index = None
        self._showing = running
        # Emitted by the walk, behind what came before it.
        self._show = Show(answer, shape, index)
        return WAIT

    def _shown(self, answer: ShowAnswer) -> None:
        """What the engine says of the result that begins."""
        running, self._showing = self._showing, None
        if running is None:
            return
        if isinstance(answer, Refused):
            self._withhold(running, answer.refusal)
            return
        running.clearance = answer.clearance
        if running.copying:
            if answer.plan is not None and answer.copy is None:
                self._withhold(running, _UNREADABLE_COPY)
                return
            running.copy = answer.copy
            running.mode = PASS if answer.copy is None else MASK
            self._down_clearance = answer.clearance
            return
        running.plan = answer.plan
        running.mode = PASS if answer.plan is None else MASK
        self._down_clearance = answer.clearance

    def _withhold(self, running: Running, refusal: Refusal) -> None:
        """The rest of this result is not shown: an error will stand in the place of its end."""
        running.mode = SWALLOW
        running.plan = None
        running.copy = None
        running.sqlstate = sqlstate_of(refusal.code)
        running.data = refusal_message(refusal)

    # --- messages that begin a result

    def _row_description(self, due: Expected, buffer: bytes, position: int, end: int) -> int:
        """`T`: in answer to Describe, or the beginning of a simple query's result."""
        if due.kind == DESCRIBE:
            self._queue.popleft()
            if due.portal is not None:
                due.portal.shape = buffer[position + 5 : end]
            return DROP if due.own else GO
        if due.kind != QUERY or not isinstance(due, Running) or due.opened:
            raise UpstreamFault("an unexpected row description")
        if due.mode == UNDECIDED:
            return self._ask_show(due, read_row_description(buffer[position + 5 : end]))
        due.opened = True
        return DROP if due.mode == SWALLOW else GO

    def _copy_out(self, due: Expected, buffer: bytes, position: int, end: int) -> int:
        """`H`: COPY TO STDOUT begins."""
        if not isinstance(due, Running) or due.opened:
            raise UpstreamFault("an unexpected COPY")
        due.copying = True
        if due.mode == UNDECIDED:
            return self._ask_show(due, read_copy_shape(buffer[position + 5 : end]))
        due.opened = True
        return DROP if due.mode == SWALLOW else GO

    # --- rows

    def _rows(self, due: Expected | None, kind: int, buffer: bytes, position: int) -> int:
        """Rows (DataRow, or CopyData of a COPY) from `position` on: where the walk goes on, -1 when it must wait.

        The answer is `position` itself only when the way in which rows are treated has changed.
        """
        if due is OWN_EXECUTE:
            return self._own_row(buffer, position)
        if not isinstance(due, Running) or due.copying != (kind == COPY_DATA):
            raise UpstreamFault("a row that nobody asked for")
        if due.cap == 0 and due.mode in (PASS, MASK):
            self._withhold(due, _TOO_MANY)
        mode = due.mode
        if mode == PASS:
            return self._pass_rows(due, kind, buffer, position)
        if mode == UNDECIDED:
            return self._first_row(due, position)
        self._deliver(buffer, position)
        after = (
            self._mask_rows(due, kind, buffer, position) if mode == MASK else self._drop_rows(kind, buffer, position)
        )
        if after > position:
            self._down_start = after
        return after

    def _pass_rows(self, due: Running, row_kind: int, buffer: bytes, position: int) -> int:
        """The hot loop: headers only."""
        size = len(buffer)
        most = -1 if due.cap is None else due.cap
        unpack = HEADER.unpack_from
        rows = 0
        start = end = position
        try:
            while rows != most:
                kind, length = unpack(buffer, end)
                if kind != row_kind:
                    break
                if length < 4:
                    raise UpstreamFault("a row with an impossible length")
                position = end
                end += length + 1
                rows += 1
        except struct_error:
            # Fewer than five bytes are left: that is how the loop ends, since to ask at each row would cost more.
            pass
        if end <= size:
            position = end
        else:
            # The last of them is not whole.
            rows -= 1
        if position == start:
            if end - position < _PIECE:
                return -1
            # A long row is not kept until it is whole: it goes down as it comes.
            rows = 1
            position = size
            self._upstream_skip = end - size
        due.rows += rows
        self._down_rows += rows
        if most >= 0:
            due.cap = most - rows
        return position

    def _drop_rows(self, row_kind: int, buffer: bytes, position: int) -> int:
        """Rows that are not shown; what is not whole yet needs not be kept either."""
        size = len(buffer)
        while size - position >= 5:
            kind, length = HEADER.unpack_from(buffer, position)
            if kind != row_kind:
                return position
            position += 1 + max(length, 4)
            if position > size:
                self._upstream_skip, self._skip_drops = position - size, True
                return size
        return position

    def _mask_rows(self, due: Running, row_kind: int, buffer: bytes, position: int) -> int:
        """Whole rows through the plan, as many as are here."""
        size = len(buffer)
        most = -1 if due.cap is None else due.cap
        stop, rows = position, 0
        while size - stop >= 5 and rows != most:
            kind, length = HEADER.unpack_from(buffer, stop)
            if kind != row_kind:
                break
            if length > MAX_CELL and stop == position:
                self._withhold(due, _TOO_LARGE)
                return position
            if length < 4 or stop + 1 + length > size:
                break
            stop += 1 + length
            rows += 1
        if rows == 0:
            return -1
        try:
            shown, rows = self._masked(due, buffer, position, stop)
        except (Malformed, Unmaskable) as error:
            self._withhold(due, Refusal(error.code, error.public_message, error.hint))
            return position
        due.rows += rows
        if most >= 0:
            due.cap = most - rows
        if shown:
            self._out.append(Deliver(due.clearance, shown, rows))
        return stop

    def _masked(self, due: Running, buffer: bytes, position: int, stop: int) -> tuple[bytes, int]:
        """The rows in this part of the buffer as they may be shown, and how many they are."""
        if due.plan is not None and not due.copying:
            return mask_data_rows(due.plan, buffer, position, stop)
        if due.copy is None:
            raise UpstreamFault("nothing to mask by")
        shown: list[bytes] = []
        rows = 0
        while position < stop:
            _, length = HEADER.unpack_from(buffer, position)
            data, count = due.copy.feed(buffer[position + 5 : position + 1 + length])
            position += 1 + length
            if data:
                shown.append(frame(b"d", data))
                rows += count
        return b"".join(shown), rows

    def _first_row(self, due: Running, position: int) -> int:
        """The first row of an Execute whose result must be shown first."""
        portal = due.portal
        if due.kind != EXECUTE or portal is None or due.copying:
            raise UpstreamFault("a row without a description")
        if portal.shape is None:
            self._withhold(due, _NO_SHAPE)
            return position
        self._ask_show(due, read_row_description(portal.shape))
        return -1

    def _copy_done(self, due: Expected) -> int:
        """`c`: the end of COPY data."""
        if not isinstance(due, Running) or not due.copying:
            raise UpstreamFault("unexpected end of COPY")
        if due.mode == MASK and due.copy is not None:
            try:
                due.copy.finish()
            except InterposeError as error:
                self._withhold(due, Refusal(error.code, error.public_message, error.hint))
        due.copy = None
        due.copying = False
        return DROP if due.mode == SWALLOW else GO

    # --- answers to the gateway's own questions

    def _own_row(self, buffer: bytes, position: int) -> int:
        """One row with one text column."""
        _, length = HEADER.unpack_from(buffer, position)
        end: int = position + 1 + length
        if end > len(buffer):
            return -1
        self._deliver(buffer, position)
        self._own_answers.append(buffer[position + 11 : end].decode(errors="replace"))
        self._down_start = end
        return end


_TOO_LARGE: Final = Refusal(
    "unmaskable",
    f"a row of this result is longer than {MAX_CELL >> 20} MiB and cannot be masked",
    "leave out the large column, or select fewer columns",
)
_TOO_MANY: Final = Refusal(
    "too_many_rows", "policy caps the rows of this result; the rest is not shown", "narrow the command, or add a LIMIT"
)
_NO_SHAPE: Final = Refusal(
    "unmaskable", "the upstream sent rows that it had not described", "run the command as a simple query"
)
_UNREADABLE_COPY: Final = Refusal(
    "unmaskable", "the data of this COPY cannot be masked", "use SELECT, or COPY with default options"
)
