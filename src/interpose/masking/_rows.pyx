# cython: language_level=3, embedsignature=False, cdivision=True
"""The rows kernel, compiled: `row_reference.py` decides what is right, this says the same faster.

What it does by itself is narrow: it walks frames, copies what is not masked, writes constants, and takes a few transforms apart
for cells of plain ASCII (`twins.py` names them). For every other cell, and for a value that lacks its transform's form, it asks the
reference. `tests/property/masking/test_kernels.py` compares the two.

INVARIANT: nothing is read before a comparison with the end of its row, and no row reaches behind the data. Sizes are compared by
subtracting from the end, so that no sum of a hostile length can overflow. Writes stand behind `_Output.need`.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.string cimport memcpy

from struct import error as struct_error

from interpose.masking.row_reference import framed_cell, malformed

OPERATIONS = ("constant", "email", "phone", "card", "name", "last", "first")
"""What `Twin.operation` may be; anything else is left to the reference."""

cdef enum:
    ASK = -1  # the reference decides
    CONSTANT = 0
    EMAIL = 1
    PHONE = 2
    CARD = 3
    NAME = 4
    LAST = 5
    FIRST = 6
    MOST_KEPT = 32
    # The longest that a transform below writes: a phone number or a card number of 40 characters.
    MOST_WRITTEN = 40
    HEAD = 7
    INT32_MOST = 0x7FFFFFFF
    NULL_SIZE = -1

ctypedef unsigned char byte


cdef struct Step:
    # One masked column: how many columns to step over before it, and what is done to it.
    Py_ssize_t gap
    int operation
    Py_ssize_t keep
    Py_ssize_t limit
    const byte *constant
    Py_ssize_t constant_size


@cython.final
cdef class _Steps:
    """The masked columns of a plan. Holds what its pointers point into."""

    cdef Step *steps
    cdef Py_ssize_t count
    cdef Py_ssize_t tail
    cdef list held

    def __cinit__(self, plan):
        cdef tuple masked = plan.masked
        cdef tuple twins = plan.twins
        cdef Py_ssize_t k, before = -1
        cdef Step *step
        cdef bytes constant
        self.count = len(masked)
        self.held = []
        self.steps = <Step *> PyMem_Malloc(max(self.count, 1) * sizeof(Step))
        if self.steps == NULL:
            raise MemoryError
        if len(twins) != self.count or len(plan.memo) != self.count:
            raise ValueError("a plan has one twin and one memo for every masked position")
        for k in range(self.count):
            step = &self.steps[k]
            step.gap = masked[k] - before - 1
            if step.gap < 0:
                raise ValueError("masked positions ascend")
            before = masked[k]
            step.operation = ASK
            twin = twins[k]
            if twin is not None and twin.operation in OPERATIONS:
                constant = twin.constant
                self.held.append(constant)
                step.constant = <const byte *> PyBytes_AS_STRING(constant)
                step.constant_size = PyBytes_GET_SIZE(constant)
                step.keep = twin.keep
                step.limit = twin.limit
                if 0 <= step.keep <= MOST_KEPT:
                    step.operation = OPERATIONS.index(twin.operation)
        self.tail = plan.width - before - 1
        if self.tail < 0:
            raise ValueError("masked positions are columns of the plan")

    def __dealloc__(self):
        PyMem_Free(self.steps)


@cython.final
cdef class _Output:
    """Bytes that grow."""

    cdef byte *start
    cdef Py_ssize_t used
    cdef Py_ssize_t room

    def __cinit__(self, Py_ssize_t room):
        self.start = <byte *> PyMem_Malloc(room)
        if self.start == NULL:
            raise MemoryError
        self.room = room

    def __dealloc__(self):
        PyMem_Free(self.start)

    cdef int need(self, Py_ssize_t more) except -1:
        """Make room for `more` bytes behind what is used."""
        cdef Py_ssize_t room
        cdef byte *moved
        if more <= self.room - self.used:
            return 0
        room = self.used + more + (self.used >> 1)
        moved = <byte *> PyMem_Realloc(self.start, room)
        if moved == NULL:
            raise MemoryError
        self.start = moved
        self.room = room
        return 0

    cdef int put(self, const byte *data, Py_ssize_t size) except -1:
        """Append `size` bytes."""
        self.need(size)
        memcpy(self.start + self.used, data, size)
        self.used += size
        return 0


cdef inline Py_ssize_t int32_at(const byte *p) noexcept nogil:
    return <int> ((<unsigned int> p[0] << 24) | (<unsigned int> p[1] << 16) | (<unsigned int> p[2] << 8) | p[3])


cdef inline void put_int32(byte *p, Py_ssize_t value) noexcept nogil:
    p[0] = (value >> 24) & 0xFF
    p[1] = (value >> 16) & 0xFF
    p[2] = (value >> 8) & 0xFF
    p[3] = value & 0xFF


cdef inline Py_ssize_t row_end_at(const byte *p, Py_ssize_t position, Py_ssize_t end, Py_ssize_t width) except -1:
    """The end of the row that begins at `position`; its head is whole and says `width` columns."""
    cdef Py_ssize_t length
    if end - position < HEAD or p[position] != 0x44 or ((p[position + 5] << 8) | p[position + 6]) != width:
        raise malformed()
    length = int32_at(p + position + 1)
    if length < HEAD - 1 or length > end - position - 1:
        raise malformed()
    return position + 1 + length


cdef inline Py_ssize_t skip(const byte *p, Py_ssize_t offset, Py_ssize_t row_end, Py_ssize_t columns) except -1:
    """Where the cell behind the next `columns` cells begins."""
    cdef Py_ssize_t size
    while columns > 0:
        columns -= 1
        if row_end - offset < 4:
            raise malformed()
        size = int32_at(p + offset)
        offset += 4
        if size > 0:
            if size > row_end - offset:
                raise malformed()
            offset += size
        elif size < NULL_SIZE:
            raise malformed()
    return offset


def walk(Py_ssize_t width, bytes data):
    """Check the frames of all rows and count them."""
    cdef const byte *p = <const byte *> PyBytes_AS_STRING(data)
    cdef Py_ssize_t end = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t position = 0, rows = 0, row_end
    while position < end:
        row_end = row_end_at(p, position, end, width)
        if skip(p, position + HEAD, row_end, width) != row_end:
            raise malformed()
        position = row_end
        rows += 1
    return rows


def by_rule(plan, bytes data):
    """Apply the rules of the columns: the bytes that may be shown, and how many rows they are."""
    try:
        return _by_rule(plan, _Steps(plan), data)
    except struct_error:
        raise malformed()


cdef tuple _by_rule(plan, _Steps steps, bytes data):
    cdef const byte *p = <const byte *> PyBytes_AS_STRING(data)
    cdef Py_ssize_t end = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t width = plan.width
    cdef tuple memos = plan.memo
    cdef _Output out = _Output(end + (end >> 3) + 64)
    cdef Py_ssize_t position = 0, rows = 0, row_end, offset, copied, size, head, k
    cdef Step *step
    cdef bytes cell, framed
    cdef dict memo
    while position < end:
        row_end = row_end_at(p, position, end, width)
        head = out.used
        copied = position
        offset = position + HEAD
        for k in range(steps.count):
            step = &steps.steps[k]
            offset = skip(p, offset, row_end, step.gap)
            if row_end - offset < 4:
                raise malformed()
            size = int32_at(p + offset)
            if size == NULL_SIZE:
                offset += 4
                continue
            if size < 0 or size > row_end - offset - 4:
                raise malformed()
            out.put(p + copied, offset - copied)
            offset += 4
            if not transformed(step, p + offset, size, out):
                cell = PyBytes_FromStringAndSize(<const char *> p + offset, size)
                memo = memos[k]
                framed = memo.get(cell)
                if framed is None:
                    framed = framed_cell(plan, k, cell)
                out.put(<const byte *> PyBytes_AS_STRING(framed), PyBytes_GET_SIZE(framed))
            offset += size
            copied = offset
        offset = skip(p, offset, row_end, steps.tail)
        if offset != row_end:
            raise malformed()
        out.put(p + copied, offset - copied)
        size = out.used - head - 1
        if size > INT32_MOST:
            raise malformed()
        put_int32(out.start + head + 1, size)
        position = row_end
        rows += 1
    return PyBytes_FromStringAndSize(<const char *> out.start, out.used), rows


cdef inline bint transformed(Step *step, const byte *text, Py_ssize_t size, _Output out) except -1:
    """Append the masked cell with its length in front; False, and nothing appended, when the reference must make it."""
    cdef Py_ssize_t written
    cdef byte *to
    if step.operation == ASK:
        return False
    if step.operation == CONSTANT:
        out.put(step.constant, step.constant_size)
        return True
    out.need(4 + MOST_WRITTEN)
    to = out.start + out.used + 4
    if step.operation == EMAIL:
        written = email(text, size, to)
    elif step.operation == PHONE:
        written = phone(text, size, to)
    elif step.operation == CARD:
        written = card(text, size, to)
    elif step.operation == NAME:
        written = name(text, size, to)
    elif step.operation == LAST:
        written = last(text, size, step.keep, to)
    else:
        written = first(text, size, step.keep, to)
    if written < 0:
        return False
    if 0 <= step.limit < written:
        written = step.limit
    put_int32(to - 4, written)
    out.used += 4 + written
    return True


# --- transforms. Each reads `size` bytes at `text`, writes at most MOST_WRITTEN bytes at `to` and answers how many, or ASK for what
# is not plain ASCII or not of its form. What each keeps is told in `partial.py`.

cdef inline bint is_letter(byte c) noexcept nogil:
    return c'a' <= c <= c'z' or c'A' <= c <= c'Z'


cdef inline bint is_digit(byte c) noexcept nogil:
    return c'0' <= c <= c'9'


cdef inline Py_ssize_t stars(byte *to, Py_ssize_t at) noexcept nogil:
    to[at] = to[at + 1] = to[at + 2] = c'*'
    return at + 3


cdef Py_ssize_t email(const byte *text, Py_ssize_t size, byte *to) noexcept nogil:
    # At most a*** @ e*** . and six letters: 16 bytes.
    cdef Py_ssize_t i, at = -1, dot = -1, written = 0
    cdef bint letters
    if size > 320:
        return ASK
    for i in range(size):
        if text[i] <= 0x20 or text[i] >= 0x7F:
            return ASK
        if text[i] == c'@':
            if at >= 0:
                return ASK
            at = i
        elif text[i] == c'.':
            dot = i
    # A letter before the at sign, one between it and the last dot, one behind that.
    if at < 1 or dot < at + 2 or dot == size - 1:
        return ASK
    if at > 1 and text[0] != c'"':
        to[written] = text[0]
        written += 1
    written = stars(to, written)
    to[written] = c'@'
    written += 1
    if dot > at + 2:
        to[written] = text[at + 1]
        written += 1
    written = stars(to, written)
    to[written] = c'.'
    written += 1
    letters = size - dot - 1 <= 6
    if letters:
        for i in range(dot + 1, size):
            letters = letters and is_letter(text[i])
    if not letters:
        return stars(to, written)
    for i in range(dot + 1, size):
        to[written] = text[i]
        written += 1
    return written


cdef Py_ssize_t phone(const byte *text, Py_ssize_t size, byte *to) noexcept nogil:
    cdef Py_ssize_t i, digits = 0
    cdef byte c
    if size > MOST_WRITTEN:
        return ASK
    for i in range(size):
        c = text[i]
        if is_digit(c):
            digits += 1
        elif not (c == c' ' or c == c'-' or c == c'.' or c == c'/' or c == c'(' or c == c')' or (c == c'+' and i == 0)):
            return ASK
    if digits < 7 or digits > 17:
        return ASK
    return digits_kept(text, size, 0, 4 if digits >= 10 else 2, to)


cdef Py_ssize_t card(const byte *text, Py_ssize_t size, byte *to) noexcept nogil:
    cdef Py_ssize_t i, digits = 0
    if size > MOST_WRITTEN:
        return ASK
    for i in range(size):
        if is_digit(text[i]):
            digits += 1
        elif text[i] != c' ' and text[i] != c'-':
            return ASK
    if digits < 12 or digits > 19:
        return ASK
    return digits_kept(text, size, 6 if digits >= 15 else 0, 4, to)


cdef Py_ssize_t digits_kept(const byte *text, Py_ssize_t size, Py_ssize_t front, Py_ssize_t back, byte *to) noexcept nogil:
    """The text with stars for all of its digits but the first `front` and the last `back`."""
    cdef Py_ssize_t i
    for i in range(size - 1, -1, -1):
        to[i] = text[i]
        if is_digit(text[i]):
            if back > 0:
                back -= 1
            else:
                to[i] = c'*'
    for i in range(size):
        if front == 0:
            break
        if is_digit(text[i]):
            to[i] = text[i]
            front -= 1
    return size


cdef Py_ssize_t name(const byte *text, Py_ssize_t size, byte *to) noexcept nogil:
    # At most four words of one letter and three stars, and three spaces: 19 bytes.
    cdef Py_ssize_t i, begin, words = 0, written = 0
    if size > 100:
        return ASK
    for i in range(size):
        if text[i] < 0x20 or text[i] >= 0x7F:
            return ASK
    i = 0
    while True:
        while i < size and text[i] == c' ':
            i += 1
        if i == size:
            return written if words else ASK
        if words == 4:
            return ASK
        begin = i
        while i < size and text[i] != c' ':
            i += 1
        if words:
            to[written] = c' '
            written += 1
        words += 1
        if i - begin > 1 and is_letter(text[begin]):
            to[written] = text[begin]
            written += 1
        written = stars(to, written)


cdef Py_ssize_t last(const byte *text, Py_ssize_t size, Py_ssize_t keep, byte *to) noexcept nogil:
    # At most three stars and MOST_KEPT characters: 35 bytes.
    if size < 2 * keep or not ascii_only(text, size):
        return ASK
    memcpy(to + stars(to, 0), text + size - keep, keep)
    return 3 + keep


cdef Py_ssize_t first(const byte *text, Py_ssize_t size, Py_ssize_t keep, byte *to) noexcept nogil:
    if size < 2 * keep or not ascii_only(text, size):
        return ASK
    memcpy(to, text, keep)
    return stars(to, keep)


cdef bint ascii_only(const byte *text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        if text[i] >= 0x80:
            return False
    return True
