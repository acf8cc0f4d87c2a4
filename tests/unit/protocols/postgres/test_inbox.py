"""The inbox."""

from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.inbox import Inbox


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=20), st.data())
def test_bytes_come_out_in_order_and_are_counted(pieces: list[bytes], data: st.DataObject) -> None:
    inbox, taken, whole = Inbox(), b"", b"".join(pieces)
    for piece in pieces:
        inbox.add(piece)
        need = data.draw(st.integers(0, 12))
        if inbox.gather(need):
            taken += inbox.data[inbox.position : inbox.position + need]
            inbox.position += need
    assert inbox.gather(len(inbox))
    assert taken + inbox.data[inbox.position :] == whole


def test_gather_says_when_there_is_not_enough() -> None:
    inbox = Inbox()
    inbox.add(b"ab")
    inbox.add(b"c")
    assert inbox.in_pieces
    assert not inbox.gather(4)
    assert inbox.gather(3)
    assert inbox.data == b"abc"
    assert not inbox.in_pieces
    inbox.clear()
    assert len(inbox) == 0
