"""Which command an answer belongs to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.net.underway import Underway


def test_in_order() -> None:
    underway = Underway()
    assert (bool(underway), underway.current) == (False, 0)
    for sequence in (1, 2, 3):
        underway.sent(sequence)
    assert underway.current == 1
    underway.ended(1)
    assert underway.current == 2
    underway.answers(3)  # 2 ended without a word (a planned text)
    assert underway.current == 3
    underway.ended(3)
    assert (bool(underway), underway.current) == (False, 3)


def test_a_command_that_is_not_on_its_way_changes_nothing() -> None:
    underway = Underway()
    underway.sent(5)
    underway.answers(4)
    underway.ended(4)
    assert (bool(underway), underway.current) == (True, 5)


@given(st.lists(st.tuples(st.sampled_from(["sent", "answers", "ended"]), st.integers(1, 6)), max_size=40))
def test_never_an_exception_and_always_the_oldest(steps: list[tuple[str, int]]) -> None:
    underway, sent = Underway(), []
    for sequence, (step, number) in enumerate(steps, start=10):
        if step == "sent":
            underway.sent(sequence)
            sent.append(sequence)
        else:
            getattr(underway, step)(sequence - number)
        assert underway.current in (0, *sent)
